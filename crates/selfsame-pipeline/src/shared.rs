//! What other threads see of the engine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use selfsame_event::{KeyHasher, Position, RecordId};
use tokio::sync::watch;

use crate::computed::SpacePlans;
use crate::meta::Meta;
use crate::state::State;
use crate::tables::Tables;
use crate::workspace::{ChangeError, ChangeResults};

/// A state as readers see it: the tables, and the facts as of the last batch that changed them.
#[derive(Debug, Clone)]
pub struct View {
    /// The tables. Rows may be newer than the facts.
    pub tables: Arc<Tables>,
    /// The facts about the whole state.
    pub meta: Arc<Meta>,
    /// The maker of identifier keys.
    pub hasher: KeyHasher,
    /// The definitions of each space, compiled.
    pub(crate) plans: Vec<Arc<SpacePlans>>,
    /// Figures of deduplication.
    pub dedupe: selfsame_dedupe::Stats,
}

/// What other threads see of the engine. Cheap to share.
#[derive(Debug)]
pub struct Shared {
    view: RwLock<Option<View>>,
    /// The facts as they were shown last.
    meta: RwLock<Arc<Meta>>,
    folded: watch::Sender<u64>,
    changes: Mutex<ChangeResults>,
    checkpoints: Mutex<[Option<Position>; 2]>,
    checkpoint_requested: AtomicBool,
    configured: AtomicU64,
}

impl Shared {
    pub(crate) fn new(state: &State) -> Self {
        let view = view(state);
        Self {
            meta: RwLock::new(Arc::clone(&view.meta)),
            view: RwLock::new(Some(view)),
            folded: watch::Sender::new(state.next().offset),
            changes: Mutex::default(),
            checkpoints: Mutex::default(),
            checkpoint_requested: AtomicBool::new(false),
            configured: AtomicU64::new(0),
        }
    }

    /// The state, unless it is just being opened anew.
    pub fn view(&self) -> Option<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The facts about the whole state, also while it is opened anew: then those of before.
    pub fn meta(&self) -> Arc<Meta> {
        Arc::clone(&self.meta.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The position of the next record to fold: everything before it shows in every read.
    pub fn folded(&self) -> Position {
        Position::embedded(*self.folded.borrow())
    }

    /// [`Shared::folded`], to be awaited.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.folded.subscribe()
    }

    /// What became of a change of the configuration, once: none before it is folded.
    pub fn take_change(&self, id: RecordId) -> Option<Result<(), ChangeError>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).take(id)
    }

    /// The next record to fold of the last two checkpoints of this process, the newest first.
    pub fn checkpoints(&self) -> [Option<Position>; 2] {
        *self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Once everything before this is folded, the configuration is that of the end of the log as it
    /// was when the engine was opened.
    pub fn configured(&self) -> Position {
        Position::embedded(self.configured.load(Ordering::Acquire))
    }

    pub(crate) fn set_configured(&self, position: Position) {
        self.configured.store(position.offset, Ordering::Release);
    }

    /// Asks for a checkpoint soon.
    pub fn request_checkpoint(&self) {
        self.checkpoint_requested.store(true, Ordering::Release);
    }

    pub(crate) fn take_checkpoint_request(&self) -> bool {
        self.checkpoint_requested.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn note_checkpoint(&self, done: [Option<Position>; 2]) {
        *self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner) = done;
    }

    pub(crate) fn note_change(&self, id: RecordId, change: Result<(), ChangeError>) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).note(id, change);
    }

    /// Shows the state as it is after a batch.
    pub(crate) fn publish(&self, state: &State) {
        let view = view(state);
        *self.meta.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&view.meta);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Some(view);
        self.folded.send_replace(state.next().offset);
    }

    pub(crate) fn close(&self) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn open(&self, state: &State) {
        self.publish(state);
    }
}

fn view(state: &State) -> View {
    View {
        tables: Arc::clone(state.tables()),
        meta: Arc::new(state.meta().clone()),
        hasher: state.hasher().clone(),
        plans: state.plans.clone(),
        dedupe: state.dedupe().stats(),
    }
}
