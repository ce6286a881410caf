//! Runs the fold: reads what is durable, steps over it, writes the outbox, checkpoints behind it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use selfsame_event::{Class, Clock, Position, RecordKind};
use selfsame_log::{AppendError, Item, Log, LogRead, NewRecord, ReadError, Record, RegenerableLog};
use selfsame_store::StateHash;

use crate::ahead::{Ahead, Published};
use crate::base;
use crate::checkpoint::{CheckpointError, Checkpointer};
use crate::effect::Effect;
use crate::outgoing::Outgoing;
use crate::poison::{self, Marker};
use crate::shared::Shared;
use crate::state::{State, StateConfig, StateError};
use crate::successor::{self, Publication, Successor};
use crate::ticking::Ticking;
use crate::workspace::Change;

/// How the engine runs. None of it shows in a result.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The folder of the state.
    pub folder: PathBuf,
    /// The folder of the base that a log without its beginning is folded from.
    pub base: Option<PathBuf>,
    /// How the state is held.
    pub state: StateConfig,
    /// How many bytes of records one batch reads.
    pub batch_bytes: usize,
    /// After how many events a checkpoint begins.
    pub checkpoint_events: u64,
    /// After how long without one a checkpoint begins, if anything was folded.
    pub checkpoint_interval: Duration,
}

impl EngineConfig {
    /// The defaults, for a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            base: None,
            state: StateConfig::default(),
            batch_bytes: 512 << 10,
            checkpoint_events: 150_000,
            checkpoint_interval: Duration::from_secs(30),
        }
    }
}

/// Why the engine stopped.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A checkpoint failed.
    #[error("a checkpoint failed")]
    Checkpoint(#[from] CheckpointError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Read(#[from] ReadError),
    /// The outbox cannot be written.
    #[error("the outbox cannot be written")]
    Outbox(#[source] AppendError),
    /// The outbox ends before what the state says was emitted.
    #[error("the outbox ends at {end}, and the state has folded up to {folded}")]
    OutboxShort {
        /// Where the outbox ends.
        end: Position,
        /// Up to where the state is folded.
        folded: Position,
    },
    /// A record that may not be folded could not be skipped.
    #[error("record {position} stops the fold and could not be set aside")]
    Poison {
        /// Which.
        position: Position,
        /// Why not.
        #[source]
        source: AppendError,
    },
    /// The marker file of a record that stops the fold cannot be read or written.
    #[error("the marker of a record that stops the fold cannot be written")]
    Marker(#[source] std::io::Error),
    /// Neither the state nor a base is as new as the beginning of the log.
    #[error("the log begins at {first}, and there is no base: the state is folded up to {folded}")]
    NoBase {
        /// Where the log begins.
        first: Position,
        /// Up to where the state is folded.
        folded: Position,
    },
    /// Rules are published over the whole history, and the log has only a part of it.
    #[error("the log begins at {first}: rules cannot be put in force for what was before")]
    Trimmed {
        /// Where the log begins.
        first: Position,
    },
    /// The folders of the state and of its successor cannot be changed.
    #[error("the folder of the state cannot be changed")]
    Folder(#[source] std::io::Error),
    /// Readers kept the state of before.
    #[error("the state could not be opened anew: it is still being read")]
    Busy,
}

impl EngineError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::State(error) => error.class(),
            Self::Read(error) => error.class(),
            Self::OutboxShort { .. } | Self::NoBase { .. } => Class::Corrupt,
            Self::Trimmed { .. } => Class::Conflict,
            Self::Checkpoint(_)
            | Self::Outbox(_)
            | Self::Poison { .. }
            | Self::Marker(_)
            | Self::Folder(_)
            | Self::Busy => Class::Unavailable,
        }
    }
}

/// The engine of one log.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    parts: EngineParts,
    shared: Arc<Shared>,
    state: State,
    checkpointer: Checkpointer,
    events_since: u64,
    checkpointed_micros: u64,
    probe: Option<Probe>,
    ticking: Ticking,
}

/// Looks at a record right before it is folded. A test makes it panic.
#[derive(Clone)]
pub struct Probe(pub Arc<dyn Fn(&Record) + Send + Sync>);

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}

/// What the engine works with.
#[derive(Debug, Clone)]
pub struct EngineParts {
    /// The log that is folded.
    pub log: Arc<dyn Log>,
    /// The outbox that is written.
    pub outbox: Arc<RegenerableLog>,
    /// Says when a checkpoint is due; nothing else.
    pub clock: Arc<dyn Clock>,
}

impl Engine {
    /// Opens the state and makes ready to fold on from its checkpoint. A state that is damaged is
    /// made anew from the log.
    pub fn open(config: EngineConfig, parts: EngineParts) -> Result<Self, EngineError> {
        successor::settle(&config.folder)?;
        let state = open_or_rebuild(&config, parts.log.first())?;
        let folded = state.next();
        if parts.outbox.end() < folded {
            return Err(EngineError::OutboxShort { end: parts.outbox.end(), folded });
        }
        let shared = Arc::new(Shared::new(&state));
        let tables = Arc::clone(state.tables());
        let checkpointer = Checkpointer::start(tables, Some(Arc::clone(&parts.outbox)))?;
        let checkpointed_micros = parts.clock.monotonic_micros();
        let mut engine = Self {
            config,
            parts,
            shared,
            state,
            checkpointer,
            events_since: 0,
            checkpointed_micros,
            probe: None,
            ticking: Ticking::default(),
        };
        engine.state.begin_recall(engine.parts.outbox.end());
        if !engine.look_ahead()? {
            successor::discard(&engine.config.folder)?;
        }
        Ok(engine)
    }

    /// Has every record looked at before it is folded.
    pub fn set_probe(&mut self, probe: Probe) {
        self.probe = Some(probe);
    }

    /// What other threads see of the engine.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Folds until told to stop; then makes a last checkpoint.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), EngineError> {
        const IDLE: Duration = Duration::from_millis(50);
        while !stop.load(Ordering::Acquire) {
            let has_folded = self.turn(stop)?;
            self.tick()?;
            if !has_folded {
                self.parts.log.wait_beyond(self.state.next(), IDLE);
            }
        }
        if !self.state.recall.is_on() {
            self.checkpointer.run_now(&mut self.state)?;
        }
        Ok(())
    }

    /// Lets the moments of values that have come by now come in the log, as far as one record goes. Says
    /// whether there was one.
    pub fn tick(&mut self) -> Result<bool, EngineError> {
        let Some(record) = self.ticking.record(&self.state, &*self.parts.clock) else {
            return Ok(false);
        };
        let appended = self.parts.log.append_wait(record);
        Ok(self.ticking.appended(&appended, &*self.parts.clock))
    }

    /// Takes so many turns, as [`Engine::run`] does.
    pub fn turns(&mut self, turns: usize) -> Result<(), EngineError> {
        (0..turns).try_for_each(|_| self.turn(&AtomicBool::new(false)).map(drop))
    }

    /// Folds all that the log has, and makes a checkpoint of it.
    pub fn catch_up(&mut self) -> Result<(), EngineError> {
        while self.turn(&AtomicBool::new(false))? {}
        self.checkpointer.run_now(&mut self.state)?;
        self.shared.publish(&self.state);
        Ok(())
    }

    /// The hash of the state at the end of the log.
    pub fn hash(&mut self) -> Result<StateHash, EngineError> {
        self.catch_up()?;
        Ok(self.state.hash()?)
    }

    /// The state, between two turns.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// One turn: a batch of records, if there is one, and whatever else is due. Says whether there
    /// was a batch.
    fn turn(&mut self, stop: &AtomicBool) -> Result<bool, EngineError> {
        self.tend_checkpoint()?;
        self.state.tables.drafts.tend();
        let next = self.state.next();
        if self.parts.log.end() <= next {
            return Ok(false);
        }
        let records = self.parts.log.read(next, self.config.batch_bytes)?;
        match self.fold(&records)? {
            None => {}
            Some(Halt::Panic(position)) => {
                self.recover_from(position)?;
                return Ok(true);
            }
            Some(Halt::Published(position)) => {
                self.shared.publish(&self.state);
                self.succeed(position, stop)?;
                return Ok(true);
            }
        }
        self.state.tables.shrink();
        self.shared.publish(&self.state);
        Ok(!records.is_empty())
    }

    /// Folds records and emits what was decided, up to one before which something else has to be done.
    fn fold(&mut self, records: &[Record]) -> Result<Option<Halt>, EngineError> {
        let mut outgoing = Outgoing::behind(self.parts.outbox.end());
        let mut halt = None;
        for record in records {
            if self.state.recall.is_on() {
                let decided = self.parts.outbox.get(record.position)?;
                let items = decided.items.iter().filter_map(Item::body);
                self.state.recall_effects(items.filter_map(|item| Effect::decode(item)));
            }
            let (state, probe) = (&mut self.state, &self.probe);
            let step = std::panic::AssertUnwindSafe(|| {
                probe.iter().for_each(|probe| probe.0(record));
                state.step(record)
            });
            let Ok(emitted) = std::panic::catch_unwind(step) else {
                return Ok(Some(Halt::Panic(record.position)));
            };
            let emitted = match emitted {
                Err(StateError::Published { position }) => {
                    halt = Some(Halt::Published(position));
                    break;
                }
                emitted => emitted?,
            };
            self.state.tend_recall()?;
            self.events_since += u64::try_from(record.items.len()).unwrap_or(0);
            if let Some(change) = emitted.change.clone() {
                self.shared.note_change(record.id, change);
            }
            outgoing.add(record, &emitted);
        }
        let batch = outgoing.finish();
        if !batch.is_empty() {
            self.parts.outbox.append_batch(batch).map_err(EngineError::Outbox)?;
        }
        Ok(halt)
    }

    fn tend_checkpoint(&mut self) -> Result<(), EngineError> {
        if self.checkpointer.is_running() {
            if self.checkpointer.poll(&mut self.state, Duration::ZERO)? {
                self.shared.note_checkpoint(self.checkpointer.done);
                if let [Some(next), _] = self.checkpointer.done {
                    let cleared = Marker::clear_before(&self.config.folder, next);
                    cleared.map_err(EngineError::Marker)?;
                }
            }
            return Ok(());
        }
        // What is folded again is not whole before the last record of the outbox.
        if self.state.recall.is_on() {
            return Ok(());
        }
        let now = self.parts.clock.monotonic_micros();
        let interval =
            u64::try_from(self.config.checkpoint_interval.as_micros()).unwrap_or(u64::MAX);
        let is_due = self.events_since >= self.config.checkpoint_events
            || self.state.dedupe.wants_freeze()
            || self.events_since > 0 && now.saturating_sub(self.checkpointed_micros) >= interval
            || self.shared.take_checkpoint_request();
        if is_due {
            self.events_since = 0;
            self.checkpointed_micros = now;
            self.checkpointer.begin(&mut self.state)?;
        }
        Ok(())
    }

    /// A record whose fold panicked left the state half changed: the state is opened anew, and after
    /// the second time the record is set aside for good.
    fn recover_from(&mut self, position: Position) -> Result<(), EngineError> {
        let failures = Marker::count(&self.config.folder, position).map_err(EngineError::Marker)?;
        tracing::error!(position = %position, failures, "a record stopped the fold");
        if failures >= poison::TRIES {
            let head = poison::skip_head(position.offset, "the fold panicked");
            let record = NewRecord {
                id: poison::skip_id(position.offset),
                kind: RecordKind::Skip as u8,
                head: head.into(),
                items: Vec::new(),
            };
            let appended = self.parts.log.append_wait(record);
            appended.map_err(|source| EngineError::Poison { position, source })?;
        }
        self.reopen(|_| Ok(()))
    }

    /// Goes on with the state in which the rules that a record publishes hold from the beginning. Told
    /// to stop, it leaves that for the next time.
    fn succeed(&mut self, position: Position, stop: &AtomicBool) -> Result<(), EngineError> {
        let record = self.parts.log.get(position)?;
        let damaged = || StateError::Record { position };
        let change = serde_json::from_slice(&record.head);
        let Ok(Change::PublishRules { space, rules, definitions, identity, .. }) = change else {
            return Err(damaged().into());
        };
        tracing::info!(%position, space, "rules are put in force from the first record on");
        let fold = || {
            let (log, folder) = (&*self.parts.log, &self.config.folder);
            if successor::is_finished(folder, position) {
                return Ok(true);
            }
            let in_force = &self.state.meta().published;
            let identity = identity.as_ref();
            let publication = Publication { space: &space, rules: &rules, definitions, identity };
            let (config, publication) = (&self.config.state, (publication, position));
            let mut successor =
                Successor::open_exactly(log, folder, config, in_force, publication)?;
            match successor.fold(log, position, |_| !stop.load(Ordering::Acquire))? {
                true => successor.finish().map(|()| true),
                false => successor.close().map(|()| false),
            }
        };
        let Ok(is_whole) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(fold)) else {
            // With these rules some record before stops the fold: they are not put in force.
            return self.recover_from(position);
        };
        if !is_whole? {
            return Ok(());
        }
        // What the successor has folded, the outbox has durably: it is what was decided then.
        self.parts.outbox.sync().map_err(EngineError::Outbox)?;
        self.reopen(|config| successor::take_over(&config.folder))
    }

    /// Opens the state anew; `between` may change its folder.
    fn reopen(
        &mut self,
        between: impl FnOnce(&EngineConfig) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        const WAITS: u32 = 6_000;
        self.shared.close();
        let folder = successor::sibling(&self.config.folder, "reopening");
        // The store's folder can be opened once; what holds it now has to let go first.
        let placeholder = State::open(&folder, &self.config.state)?;
        let old = std::mem::replace(&mut self.state, placeholder);
        let idle = Checkpointer::start(Arc::clone(self.state.tables()), None)?;
        drop(std::mem::replace(&mut self.checkpointer, idle));
        let readers = Arc::downgrade(old.tables());
        drop(old);
        for _ in 0..WAITS {
            if readers.strong_count() == 0 {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        if readers.strong_count() > 0 {
            return Err(EngineError::Busy);
        }
        between(&self.config)?;
        self.state = open_or_rebuild(&self.config, self.parts.log.first())?;
        let tables = Arc::clone(self.state.tables());
        self.checkpointer = Checkpointer::start(tables, Some(Arc::clone(&self.parts.outbox)))?;
        self.state.begin_recall(self.parts.outbox.end());
        self.look_ahead()?;
        self.shared.open(&self.state);
        if let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::warn!(error = %error, "an empty folder could not be removed");
        }
        Ok(())
    }

    /// Looks for records ahead that say how to fold those before them. Says whether one of them
    /// publishes rules that this state was not folded with.
    fn look_ahead(&mut self) -> Result<bool, EngineError> {
        let log = &*self.parts.log;
        let ahead = Ahead::look(log, self.state.next(), log.end())?;
        self.state.take_ahead(&ahead);
        self.shared.set_configured(ahead.configured.unwrap_or_default());
        let in_force = &self.state.meta().published;
        let is_new = |(space, published): &(&str, Published)| {
            in_force.get(*space).is_none_or(|offset| *offset < published.offset)
        };
        Ok(ahead.published().iter().any(is_new))
    }
}

/// What stands in the way of a record.
enum Halt {
    /// Its fold panicked.
    Panic(Position),
    /// It publishes rules that the state was not folded with.
    Published(Position),
}

fn open_or_rebuild(config: &EngineConfig, first: Position) -> Result<State, EngineError> {
    let open = || base::open_behind(first, &config.folder, config.base.as_deref(), &config.state);
    match open() {
        Err(EngineError::State(error)) if error.is_mended_by_rebuilding() => {
            tracing::warn!(error = %error, "the state is damaged or of an older format, and is made anew from the log");
            base::clear(&config.folder)?;
            open()
        }
        opened => opened,
    }
}
