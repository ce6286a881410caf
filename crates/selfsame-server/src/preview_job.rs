//! Previews of computed traits and audiences over the whole history: one at a time, on a thread that yields to
//! everything that a request or an event waits for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use selfsame_event::{Collection, Time};
use selfsame_pipeline::workspace::DefinitionKind;
use selfsame_pipeline::{Preview, PreviewConfig, PreviewProgress, preview};
use tokio::sync::oneshot;

use crate::node::Node;
use crate::tasks::Tasks;
use crate::urgency;

/// What is previewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) space: String,
    pub(crate) kind: DefinitionKind,
    pub(crate) collection: Collection,
    pub(crate) query: String,
    pub(crate) filter_by_external_ids: Vec<String>,
    pub(crate) replaces: Option<String>,
    pub(crate) overlap: Option<String>,
    pub(crate) sample: usize,
}

/// How far a preview is.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    Running(PreviewProgress),
    Done(Arc<Preview>),
    Stopped,
    Failed(String),
}

/// One preview.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) wish: Wish,
    pub(crate) started: Time,
    stop: AtomicBool,
    stage: Mutex<Stage>,
}

/// The preview that goes on, or the last one.
#[derive(Debug, Default)]
pub(crate) struct Previews(Mutex<Option<Arc<Job>>>);

impl Job {
    pub(crate) fn stage(&self) -> Stage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks it to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn turn(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn run(&self, node: &Node) -> Stage {
        let wish = self.wish.clone();
        let config = PreviewConfig {
            folder: node.folder.preview(),
            space: wish.space,
            kind: wish.kind,
            collection: wish.collection,
            query: wish.query,
            filter_by_external_ids: wish.filter_by_external_ids,
            replaces: wish.replaces,
            overlap: wish.overlap,
            sample: wish.sample,
            now: node.clock.wall(),
        };
        let mut goes_on = |progress| {
            self.turn(Stage::Running(progress));
            !self.stop.load(Ordering::Acquire)
        };
        match preview(&node.shared, (&*node.log, &*node.outbox), &config, &mut goes_on) {
            Ok(Some(preview)) => Stage::Done(Arc::new(preview)),
            Ok(None) => Stage::Stopped,
            Err(error) => {
                tracing::warn!(class = ?error.class(), "a definition could not be previewed");
                Stage::Failed(error.to_string())
            }
        }
    }
}

impl Previews {
    /// The preview that goes on, or the last one of a space.
    pub(crate) fn of(&self, space: &str) -> Option<Arc<Job>> {
        let job = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        job.filter(|job| job.wish.space == space)
    }

    /// Starts a preview, unless one goes on: then that is given back as the error.
    pub(crate) fn start(
        &self,
        node: &Arc<Node>,
        tasks: &Tasks,
        wish: Wish,
    ) -> Result<Arc<Job>, Arc<Job>> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = current.as_ref().filter(|job| matches!(job.stage(), Stage::Running(_))) {
            return Err(Arc::clone(job));
        }
        let begun = PreviewProgress { is_behind_history: false, done: 0, total: 0 };
        let job = Arc::new(Job {
            wish,
            started: node.clock.wall(),
            stop: AtomicBool::new(false),
            stage: Mutex::new(Stage::Running(begun)),
        });
        *current = Some(Arc::clone(&job));
        drop(current);
        let (ended, end) = oneshot::channel::<()>();
        let (node, worker) = (Arc::clone(node), Arc::clone(&job));
        let work = move || {
            urgency::yield_by(urgency::HISTORY);
            worker.turn(worker.run(&node));
            drop(ended);
        };
        let started = std::thread::Builder::new().name("preview".to_owned()).spawn(work);
        if let Err(error) = started {
            job.turn(Stage::Failed(format!("no thread could be started: {error}")));
            return Ok(job);
        }
        let (stopping, stopped) = (tasks.clone(), Arc::clone(&job));
        tasks.spawn("preview", async move {
            let mut end = end;
            tokio::select! {
                _ = &mut end => return Ok(()),
                () = stopping.stopping() => stopped.stop(),
            }
            drop(end.await);
            Ok(())
        });
        Ok(job)
    }
}
