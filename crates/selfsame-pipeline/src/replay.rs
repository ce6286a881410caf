//! Makes a state anew from the log alone: the truth that any other state is compared with.

use std::path::{Path, PathBuf};

use selfsame_event::Position;
use selfsame_log::LogRead;
use selfsame_store::StateHash;

use crate::ahead::Ahead;
use crate::base::open_behind;
use crate::checkpoint::Checkpointer;
use crate::engine::EngineError;
use crate::state::{State, StateConfig};

/// How a replay goes about it. None of it shows in the result.
#[derive(Debug, Clone)]
pub struct ReplayConfig {
    /// How the state is held.
    pub state: StateConfig,
    /// How many bytes of records one batch reads.
    pub batch_bytes: usize,
    /// After how many records the state is checkpointed and opened anew, as after a crash.
    pub reopen_every: Option<u64>,
    /// The folder of the base that a log without its beginning is folded from.
    pub base: Option<PathBuf>,
    /// Rules that records before this position published hold from the beginning; where it is not said,
    /// those before the position up to which the log is folded.
    pub published_until: Option<Position>,
}

impl Default for ReplayConfig {
    fn default() -> Self {
        Self {
            state: StateConfig::default(),
            batch_bytes: 1 << 20,
            reopen_every: None,
            base: None,
            published_until: None,
        }
    }
}

/// Folds a log from its first record, or from the base, up to a position into an empty folder, and
/// hashes the state. A folder with a state in it is folded on.
pub fn replay(
    log: &dyn LogRead,
    until: Position,
    folder: &Path,
    config: &ReplayConfig,
    mut progress: impl FnMut(Position),
) -> Result<StateHash, EngineError> {
    let mut state = open(log, until, folder, config)?;
    let mut checkpointer = Checkpointer::start(state.tables.clone(), None)?;
    let mut since = 0;
    while state.next() < until {
        for record in log.read(state.next(), config.batch_bytes)? {
            if record.position >= until {
                break;
            }
            state.step(&record)?;
            since += 1;
        }
        state.tables.shrink();
        progress(state.next());
        if state.dedupe.wants_freeze() {
            checkpointer.run_now(&mut state)?;
        }
        if config.reopen_every.is_some_and(|every| since >= every) {
            checkpointer.run_now(&mut state)?;
            drop(checkpointer);
            drop(state);
            state = open(log, until, folder, config)?;
            checkpointer = Checkpointer::start(state.tables.clone(), None)?;
            since = 0;
        }
    }
    checkpointer.run_now(&mut state)?;
    Ok(state.hash()?)
}

fn open(
    log: &dyn LogRead,
    until: Position,
    folder: &Path,
    config: &ReplayConfig,
) -> Result<State, EngineError> {
    let mut state = open_behind(log.first(), folder, config.base.as_deref(), &config.state)?;
    let until = config.published_until.unwrap_or(until);
    state.take_ahead(&Ahead::look(log, state.next(), until)?);
    Ok(state)
}
