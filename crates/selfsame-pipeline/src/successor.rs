//! A state that is folded beside the one in use, with other rules from the first record on, and then
//! takes its place.
//!
//! ```text
//! STATE/         in use
//! STATE.next/    the successor; with a file `finished` that names its record, once it is folded up to it,
//!                and a file `writing` while a checkpoint of it is made
//! STATE.old/     what was in use, while it is removed
//! ```
//!
//! Whoever publishes rules folds a successor until it is close to the end of the log, and then appends
//! the record. The engine takes it at that record: it folds what is left, closes the state in use,
//! and goes on with the successor. If there is none, as after a crash that lost it, the engine folds
//! one; readers see the state of before for so long.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use selfsame_event::Position;
use selfsame_identity::RuleSet;
use selfsame_log::LogRead;

use crate::ahead::{Ahead, Published};
use crate::base;
use crate::checkpoint::Checkpointer;
use crate::computed::Settled;
use crate::engine::EngineError;
use crate::identity::IdentityChange;
use crate::meta::PENDING;
use crate::state::{State, StateConfig};
use crate::tables::MemoryBudget;

const READ_BYTES: usize = 512 << 10;
/// After how many events the state is written back, so that its rows can leave memory.
const CHECKPOINT_EVENTS: u64 = 500_000;
/// The file that says that a successor is folded up to its record.
const FINISHED: &str = "finished";
/// The file that says that a checkpoint of a successor is being made. What definitions of other spaces come to
/// cannot be evaluated from sections that are ahead of it, so one that was left so is begun anew.
const WRITING: &str = "writing";

/// A state that is folded to take the place of the one in use.
#[derive(Debug)]
pub struct Successor {
    state: State,
    checkpointer: Checkpointer,
    folder: PathBuf,
    space: String,
    definitions: u64,
    events_since: u64,
}

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The id of the space.
    pub space: &'a str,
    /// Its rules.
    pub rules: &'a RuleSet,
    /// The definitions as they were before the record at that offset hold with them.
    pub definitions: u64,
    /// What is set apart and lifted with them, from the first record on.
    pub identity: Option<&'a IdentityChange>,
}

impl Successor {
    /// Opens the successor of the state in that folder, in which the rules hold from the first record
    /// on; `in_force` is what was published before. One that was begun with the same is folded on; its
    /// definitions may be those of an earlier record, if they are the same.
    pub fn open(
        log: &dyn LogRead,
        state_folder: &Path,
        config: &StateConfig,
        in_force: &BTreeMap<String, u64>,
        publication: Publication<'_>,
    ) -> Result<Self, EngineError> {
        let is_same = |known: &Settled, wanted: &Settled| known.definitions == wanted.definitions;
        let at = log.end();
        Self::open_if(log, state_folder, config, in_force, (publication, at), is_same)
    }

    /// The same for a record that is in the log at that place: the definitions are those that it names.
    pub(crate) fn open_exactly(
        log: &dyn LogRead,
        state_folder: &Path,
        config: &StateConfig,
        in_force: &BTreeMap<String, u64>,
        publication: (Publication<'_>, Position),
    ) -> Result<Self, EngineError> {
        Self::open_if(log, state_folder, config, in_force, publication, Settled::eq)
    }

    fn open_if(
        log: &dyn LogRead,
        state_folder: &Path,
        config: &StateConfig,
        in_force: &BTreeMap<String, u64>,
        (publication, at): (Publication<'_>, Position),
        is_same: impl Fn(&Settled, &Settled) -> bool,
    ) -> Result<Self, EngineError> {
        if log.first().offset > 0 {
            return Err(EngineError::Trimmed { first: log.first() });
        }
        let Publication { space, rules, definitions, identity } = publication;
        let folder = sibling(state_folder, "next");
        let config = StateConfig { memory: halved(config.memory), ..config.clone() };
        let ahead = Ahead::look(log, Position::default(), log.end())?;
        let mut settled = ahead.settled(in_force);
        settled.remove(space);
        settled.extend(ahead.settled_of(space, definitions).map(|one| (space.to_owned(), one)));
        let mut apart = ahead.apart(in_force);
        apart.remove(space);
        apart.extend(ahead.apart_by(space, at.offset, identity).map(|one| (space.to_owned(), one)));
        let mut published = in_force.clone();
        published.insert(space.to_owned(), PENDING);
        let is_of = |state: &State| {
            let meta = state.meta();
            let known = meta.workspace.space(space);
            let is_settled = match (meta.settled.get(space), settled.get(space)) {
                (Some(known), Some(wanted)) => is_same(known, wanted),
                (known, wanted) => known == wanted,
            };
            let is_same = meta.published == published
                && is_settled
                && meta.apart.get(space) == apart.get(space);
            meta.next == 0 || is_same && known.is_none_or(|known| known.rules == *rules)
        };
        let open = || State::open(&folder, &config);
        if folder.join(WRITING).exists() {
            clear(&folder)?;
        }
        let mut state = match open() {
            Ok(state) if is_of(&state) => state,
            Ok(other) => {
                drop(other);
                clear(&folder)?;
                open()?
            }
            Err(error) if error.is_mended_by_rebuilding() => {
                clear(&folder)?;
                open()?
            }
            Err(error) => return Err(error.into()),
        };
        if state.meta.next == 0 {
            state.meta.published = published;
            state.meta.settled = settled;
            state.meta.apart = apart;
        }
        state.take_said(&ahead);
        let known = state.meta.settled.get(space).map(|settled| settled.until);
        let definitions = known.unwrap_or(definitions);
        let (rules, identity) = (rules.clone(), identity.cloned());
        let pending = Published { offset: PENDING, rules, definitions, identity };
        state.published.insert(space.to_owned(), pending);
        let checkpointer = Checkpointer::start(state.tables().clone(), None)?;
        let space = space.to_owned();
        Ok(Self { state, checkpointer, folder, space, definitions, events_since: 0 })
    }

    /// Up to where it is folded.
    pub fn next(&self) -> Position {
        self.state.next()
    }

    /// Up to which record the definitions count that hold with its rules.
    pub fn definitions(&self) -> u64 {
        self.definitions
    }

    /// Folds up to a position, for as long as it is told to go on. Says whether it is there.
    pub fn fold(
        &mut self,
        log: &dyn LogRead,
        until: Position,
        mut goes_on: impl FnMut(Position) -> bool,
    ) -> Result<bool, EngineError> {
        while self.state.next() < until {
            for record in log.read(self.state.next(), READ_BYTES)? {
                if record.position >= until {
                    break;
                }
                self.state.step(&record)?;
                self.events_since += u64::try_from(record.items.len()).unwrap_or(0);
            }
            self.state.tables.shrink();
            if self.events_since >= CHECKPOINT_EVENTS || self.state.dedupe.wants_freeze() {
                self.events_since = 0;
                self.write_back()?;
            }
            if !goes_on(self.state.next()) {
                return Ok(self.state.next() >= until);
            }
        }
        Ok(true)
    }

    /// Closes it, to be folded on later.
    pub fn close(mut self) -> Result<(), EngineError> {
        self.write_back()
    }

    fn write_back(&mut self) -> Result<(), EngineError> {
        let mark = self.folder.join(WRITING);
        let begin = File::create(&mark).and_then(|_| sync(&self.folder));
        begin.map_err(EngineError::Folder)?;
        self.checkpointer.run_now(&mut self.state)?;
        std::fs::remove_file(mark).map_err(EngineError::Folder)
    }

    /// Closes it, folded up to the record that publishes its rules: it may take over.
    pub(crate) fn finish(mut self) -> Result<(), EngineError> {
        let offset = self.state.meta.next;
        self.state.meta.published.insert(self.space.clone(), offset);
        self.write_back()?;
        let mark = || -> io::Result<()> {
            let mut file = File::create(self.folder.join(FINISHED))?;
            io::Write::write_all(&mut file, offset.to_string().as_bytes())?;
            file.sync_all()?;
            sync(&self.folder)
        };
        mark().map_err(EngineError::Folder)
    }
}

/// Whether the successor of the state in a folder is folded up to that record and may take over.
pub(crate) fn is_finished(state_folder: &Path, record: Position) -> bool {
    let file = sibling(state_folder, "next").join(FINISHED);
    std::fs::read_to_string(file).is_ok_and(|offset| offset == record.offset.to_string())
}

/// Lets the finished successor take the place of the state in a folder, which nothing has open.
pub(crate) fn take_over(state_folder: &Path) -> Result<(), EngineError> {
    let old = sibling(state_folder, "old");
    let moved = remove(&old).and_then(|()| std::fs::rename(state_folder, old));
    moved.map_err(EngineError::Folder)?;
    settle(state_folder)
}

/// Ends what a crash may have interrupted.
pub(crate) fn settle(state_folder: &Path) -> Result<(), EngineError> {
    let [next, old] = ["next", "old"].map(|name| sibling(state_folder, name));
    let settle = || -> io::Result<()> {
        if !state_folder.exists() && next.join(FINISHED).exists() {
            std::fs::rename(&next, state_folder)?;
            state_folder.parent().map_or(Ok(()), sync)?;
        }
        if state_folder.join(FINISHED).exists() {
            std::fs::remove_file(state_folder.join(FINISHED))?;
        }
        remove(&old)
    };
    settle().map_err(EngineError::Folder)
}

/// Removes the successor of the state in a folder.
pub(crate) fn discard(state_folder: &Path) -> Result<(), EngineError> {
    remove(&sibling(state_folder, "next")).map_err(EngineError::Folder)
}

/// The folder beside the state's own.
pub(crate) fn sibling(state_folder: &Path, name: &str) -> PathBuf {
    state_folder.with_added_extension(name)
}

fn clear(folder: &Path) -> Result<(), EngineError> {
    for mark in [FINISHED, WRITING] {
        remove(&folder.join(mark)).map_err(EngineError::Folder)?;
    }
    base::clear(folder)
}

fn remove(path: &Path) -> io::Result<()> {
    let removed =
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Two states are in memory meanwhile.
fn halved(memory: MemoryBudget) -> MemoryBudget {
    MemoryBudget {
        sections: memory.sections / 2,
        identifiers: memory.identifiers / 2,
        components: memory.components / 2,
        other: memory.other / 2,
    }
}
