//! Makes a state anew from the log alone: the truth that any other state is compared with.

use std::path::{Path, PathBuf};

use selfsame_event::Position;
use selfsame_log::{Item, LogRead, ReadError};
use selfsame_store::StateHash;

use crate::ahead::Ahead;
use crate::base::open_behind;
use crate::checkpoint::Checkpointer;
use crate::effect::Effect;
use crate::engine::EngineError;
use crate::state::{State, StateConfig};
use crate::step::Emitted;

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

/// What an outbox says of changes of computed traits and audiences, beside what a replay says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Changes of the replay, at records that the outbox has.
    pub compared: u64,
    /// Records at which the outbox has other changes, or others in another order.
    pub different: u64,
    /// The first of them.
    pub first: Option<Position>,
}

impl Effects {
    fn compare(
        &mut self,
        outbox: &dyn LogRead,
        position: Position,
        emitted: &Emitted,
    ) -> Result<(), ReadError> {
        let record = match outbox.get(position) {
            Ok(record) => record,
            Err(ReadError::Trimmed { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let known = record.items.iter().filter_map(Item::body).filter(|row| Effect::is_one(row));
        let same = |(known, effect): (&bytes::Bytes, &Effect)| {
            let mut row = Vec::new();
            effect.encode(&mut row);
            row == *known
        };
        let count = known.clone().count();
        let is_same = count == emitted.effects.len() && known.zip(&emitted.effects).all(same);
        self.compared += emitted.effects.len() as u64;
        if !is_same {
            self.different += 1;
            self.first.get_or_insert(position);
        }
        Ok(())
    }
}

/// Folds a log from its first record, or from the base, up to a position into an empty folder, and
/// hashes the state. A folder with a state in it is folded on.
pub fn replay(
    log: &dyn LogRead,
    until: Position,
    folder: &Path,
    config: &ReplayConfig,
    progress: impl FnMut(Position),
) -> Result<StateHash, EngineError> {
    fold(log, until, folder, config, progress, |_, _| Ok(()))
}

/// The same, and compares what changed at each record with what the outbox has of it. Rules that were
/// published hold from the first record on, and the outbox has what was decided before them: so
/// what is before the last of these records is not compared.
pub fn replay_beside(
    (log, outbox): (&dyn LogRead, &dyn LogRead),
    until: Position,
    folder: &Path,
    config: &ReplayConfig,
    progress: impl FnMut(Position),
) -> Result<(StateHash, Effects), EngineError> {
    let published = Ahead::look(log, log.first(), config.published_until.unwrap_or(until))?;
    let published = published.last_published().into_values().max();
    let mut effects = Effects::default();
    let hash = fold(log, until, folder, config, progress, |position, emitted| match published {
        Some(published) if position.offset <= published => Ok(()),
        _ => effects.compare(outbox, position, emitted),
    })?;
    Ok((hash, effects))
}

fn fold(
    log: &dyn LogRead,
    until: Position,
    folder: &Path,
    config: &ReplayConfig,
    mut progress: impl FnMut(Position),
    mut each: impl FnMut(Position, &Emitted) -> Result<(), ReadError>,
) -> Result<StateHash, EngineError> {
    let mut state = open(log, until, folder, config)?;
    let mut checkpointer = Checkpointer::start(state.tables.clone(), None)?;
    let mut since = 0;
    while state.next() < until {
        for record in log.read(state.next(), config.batch_bytes)? {
            if record.position >= until {
                break;
            }
            let emitted = state.step(&record)?;
            each(record.position, &emitted)?;
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
