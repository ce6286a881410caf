//! The state: what a fold of the log has made so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use selfsame_dedupe::Dedupe;
use selfsame_event::{Class, KeyHasher, Position, Time};
use selfsame_identity::{ResolveError, Rules, Sizes};
use selfsame_store::{RowKey, StateHash, Store, StoreError, Table, TableHash};

use crate::ahead::{Ahead, Published};
use crate::computed::{Recall, SpacePlans, Timers, WrittenBytes, first_moment};
use crate::effect::Effect;
use crate::key::InSpace;
use crate::meta::{Meta, STATE_FORMAT, SourceMeta, SpaceMeta};
use crate::partition::{Exchange, Partition};
use crate::tables::{MemoryBudget, Tables};

/// The key of the row that [`Meta`] is in.
pub(crate) const META_KEY: &[u8] = b"state";
/// The key of the row that names the runs of message ids.
pub(crate) const MANIFEST_KEY: &[u8] = b"dedupe";

/// How a state is opened.
#[derive(Debug, Clone)]
pub struct StateConfig {
    /// Memory for hot rows.
    pub memory: MemoryBudget,
    /// Into how many partitions profiles are divided.
    pub partitions: u32,
    /// The window and budgets of deduplication.
    pub dedupe: selfsame_dedupe::Config,
    /// How many sets of identifiers an undo resolves again. Unlike the rest, it shows in the state: what is
    /// over it is refused.
    pub undo: Sizes,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            memory: MemoryBudget::default(),
            partitions: 1,
            dedupe: selfsame_dedupe::Config::default(),
            undo: Sizes::default(),
        }
    }
}

/// A state that cannot be opened or stepped.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store failed, or a row in it is damaged.
    #[error("the state store failed")]
    Store(#[from] StoreError),
    /// The identity graph contradicts itself.
    #[error("the identity graph is damaged")]
    Graph(#[from] ResolveError<StoreError>),
    /// The set of message ids cannot be opened.
    #[error("the message ids that were seen cannot be opened")]
    DedupeOpen(#[from] selfsame_dedupe::OpenError),
    /// A message id cannot be looked up.
    #[error("a message id cannot be looked up")]
    Admit(#[from] selfsame_dedupe::AdmitError),
    /// A run of message ids cannot be read or written.
    #[error("a run of message ids cannot be read or written")]
    Run(#[from] selfsame_dedupe::RunError),
    /// The state's own row is damaged.
    #[error("the row of the whole state is damaged")]
    Meta(#[source] serde_json::Error),
    /// The state was written by a newer program.
    #[error("the state has format {found}; this program reads up to {known}")]
    Newer {
        /// The format on disk.
        found: u32,
        /// The newest format that this build knows.
        known: u32,
    },
    /// The state was written by an older program, and is made anew from the log.
    #[error("the state has format {found}, and this program writes {known}")]
    Older {
        /// The format on disk.
        found: u32,
        /// The format of this build.
        known: u32,
    },
    /// A stored rule set does not compile.
    #[error("the stored identity rules do not compile")]
    Rules(#[from] selfsame_identity::RuleError),
    /// Rules were published that this state was not folded with.
    #[error("record {position} publishes rules that the state was not folded with")]
    Published {
        /// Which.
        position: Position,
    },
    /// A record is not what its kind says.
    #[error("record {position} is damaged or from a newer version")]
    Record {
        /// Which.
        position: Position,
    },
}

impl StateError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::DedupeOpen(error) => error.class(),
            Self::Admit(error) => error.class(),
            Self::Run(error) => error.class(),
            Self::Newer { .. } | Self::Older { .. } | Self::Published { .. } => Class::Conflict,
            Self::Graph(_) | Self::Meta(_) | Self::Rules(_) | Self::Record { .. } => Class::Corrupt,
        }
    }

    /// Whether a state made anew from the log would not have this error.
    pub fn is_mended_by_rebuilding(&self) -> bool {
        let is_damaged = self.class() == Class::Corrupt && !matches!(self, Self::Record { .. });
        is_damaged || matches!(self, Self::Older { .. })
    }
}

/// What a fold of the log has made so far: a function of the records up to its position, and of
/// nothing else.
#[derive(Debug)]
pub struct State {
    pub(crate) tables: Arc<Tables>,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) exchange: Exchange,
    pub(crate) dedupe: Dedupe,
    pub(crate) meta: Meta,
    pub(crate) rules: Vec<Rules>,
    /// Which spaces guard their people.
    pub(crate) guards: Vec<bool>,
    pub(crate) hasher: KeyHasher,
    pub(crate) skipped: BTreeSet<u64>,
    /// The definitions of each space, compiled.
    pub(crate) plans: Vec<Arc<SpacePlans>>,
    /// When the values of profiles may change though nothing happens.
    pub(crate) timers: Timers,
    /// When those of accounts may, or might.
    pub(crate) account_timers: Timers,
    /// The same for what definitions came to.
    pub(crate) value_bytes: WrittenBytes,
    /// What is known while records are folded again.
    pub(crate) recall: Recall,
    /// What the record that is being folded has changed besides.
    pub(crate) effects: Vec<Effect>,
    /// Rules that hold before the record that published them, by the id of the space.
    pub(crate) published: BTreeMap<String, Published>,
}

impl State {
    /// Opens the state in that folder as of its last checkpoint, or an empty one.
    pub fn open(folder: &Path, config: &StateConfig) -> Result<Self, StateError> {
        let store = Store::open(&folder.join("store"))?;
        let meta = match store.get(Table::Meta, META_KEY)? {
            Some(row) => read_meta(&row)?,
            None => Meta::default(),
        };
        let manifest = store.get(Table::Layout, MANIFEST_KEY)?;
        let dedupe = Dedupe::open(&folder.join("seen"), manifest.as_deref(), &config.dedupe)?;
        let tables = Arc::new(Tables::new(store, config.memory, config.partitions, config.undo)?);
        let partitions =
            (0..tables.partitions.len()).map(|number| Partition::new(Arc::clone(&tables), number));
        let mut state = Self {
            partitions: partitions.collect(),
            tables,
            exchange: Exchange::default(),
            dedupe,
            hasher: KeyHasher::new(meta.workspace.secret_bytes()),
            meta,
            rules: Vec::new(),
            guards: Vec::new(),
            skipped: BTreeSet::new(),
            published: BTreeMap::new(),
            plans: Vec::new(),
            timers: Timers::default(),
            account_timers: Timers::default(),
            value_bytes: WrittenBytes::default(),
            recall: Recall::default(),
            effects: Vec::new(),
        };
        state.configure()?;
        state.set_timers()?;
        Ok(state)
    }

    /// The position of the next record to fold.
    pub fn next(&self) -> Position {
        Position::embedded(self.meta.next)
    }

    /// The log time of the last record.
    pub fn log_time(&self) -> Time {
        Time::from_micros(self.meta.log_time)
    }

    /// The facts about the whole state.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The tables.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// The maker of identifier keys.
    pub fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// The set of message ids that were seen.
    pub fn dedupe(&self) -> &Dedupe {
        &self.dedupe
    }

    /// Takes what later records say of those to be folded. A state without a record in it takes the
    /// rules that were published last; another one goes on with those that it was begun with.
    pub(crate) fn take_ahead(&mut self, ahead: &Ahead) {
        if self.meta.next == 0 {
            self.meta.published = ahead.last_published();
            self.meta.settled = ahead.settled(&self.meta.published);
            self.meta.apart = ahead.apart(&self.meta.published);
        }
        self.take_said(ahead);
    }

    /// The same for a state of which it is known what was published for it.
    pub(crate) fn take_said(&mut self, ahead: &Ahead) {
        self.skipped.extend(&ahead.skips);
        let offsets = &self.meta.published;
        let published = ahead.published().into_iter();
        let begun_with =
            |(space, published): &(&str, Published)| offsets.get(*space) == Some(&published.offset);
        self.published = published
            .filter(begun_with)
            .map(|(space, published)| (space.to_owned(), published))
            .collect();
    }

    /// The hash of the state as the store has it. To be asked right after a checkpoint, before
    /// anything else is folded.
    pub fn hash(&self) -> Result<StateHash, StateError> {
        let mut hash = self.tables.store.hash()?;
        let mut seen = TableHash::default();
        seen.add(b"seen", &self.dedupe.canonical_hash()?);
        hash.push("seen", seen);
        Ok(hash)
    }

    /// Finds the moments that rows of values name.
    fn set_timers(&mut self) -> Result<(), StateError> {
        let accounts = self.accounts()?;
        let Self { tables, timers, account_timers, .. } = self;
        tables.moments.scan(&[], |key, row| {
            if let Some(key) = InSpace::from_bytes(key) {
                let is_account = accounts.contains(&key);
                let timers = if is_account { &mut *account_timers } else { &mut *timers };
                timers.turn(key, None, first_moment(row));
            }
            true
        })?;
        let mut stale = Vec::new();
        tables.computed.scan(&[], |key, row| {
            if row.first() == Some(&1) {
                stale.extend(InSpace::from_bytes(key));
            }
            true
        })?;
        for key in stale {
            let moment = tables.moments.read(&key, first_moment)?.flatten();
            timers.turn(key, moment, Some(Time::EPOCH));
        }
        Ok(())
    }

    /// Makes what follows from the configuration.
    pub(crate) fn configure(&mut self) -> Result<(), StateError> {
        let meta = &mut self.meta;
        meta.spaces.resize_with(meta.workspace.spaces.len(), SpaceMeta::default);
        meta.sources.resize_with(meta.workspace.sources.len(), SourceMeta::default);
        self.hasher = KeyHasher::new(meta.workspace.secret_bytes());
        self.rules.clear();
        let spaces = meta.workspace.spaces.iter();
        self.guards = spaces.map(|space| meta.workspace.guards(&space.id)).collect();
        for (space, counts) in meta.workspace.spaces.iter().zip(&mut meta.spaces) {
            let since = counts.rules.last().map_or(0, |last| last.offset);
            let rules = Rules::compile(&space.rules, &mut counts.numbers)?;
            self.rules.push(rules.in_force_since(Position::embedded(since)));
            counts.indexed.retain(|name, _| space.indexed_traits.contains(name));
            for name in &space.indexed_traits {
                counts.indexed.entry(name.clone()).or_insert(counts.events);
            }
        }
        let spaces = self.meta.spaces.len();
        self.plans.resize_with(spaces, Arc::default);
        (0..spaces).for_each(|slot| self.plan(slot, None));
        Ok(())
    }
}

fn read_meta(row: &[u8]) -> Result<Meta, StateError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_slice(row).map_err(StateError::Meta)?;
    if format > STATE_FORMAT {
        return Err(StateError::Newer { found: format, known: STATE_FORMAT });
    }
    if format < STATE_FORMAT {
        return Err(StateError::Older { found: format, known: STATE_FORMAT });
    }
    serde_json::from_slice(row).map_err(StateError::Meta)
}
