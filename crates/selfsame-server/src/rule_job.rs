//! Rules that are tried out or published over the whole history: one at a time, on a thread that yields
//! to everything that a request or an event waits for.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail, ensure};
use selfsame_event::{Position, Time};
use selfsame_identity::RuleSet;
use selfsame_log::LogRead as _;
use selfsame_pipeline::workspace::{Change, Definition};
use selfsame_pipeline::{
    IdentityChange, MemoryBudget, Publication, SpaceMeta, Successor, TrialConfig, TrialReport,
    View, try_rules,
};
use tokio::sync::oneshot;

use crate::base::{self, KEEPING};
use crate::node::Node;
use crate::tasks::Tasks;
use crate::urgency;

/// How many records may be left for the engine to fold while nothing is folded for readers.
const LEFT: u64 = 2_000;
/// How often the successor is folded up to what has come meanwhile, before it takes over anyway.
const ROUNDS: u32 = 50;
/// How often it is begun anew because a definition was changed meanwhile. What the last one does not know is
/// computed behind the publication.
const BEGINNINGS: u32 = 3;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Try,
    Publish,
}

/// How far a job is.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    Running,
    /// The rules were tried.
    Tried(Arc<TrialReport>),
    /// The rules are in force, by the record at that place.
    Published {
        position: Position,
        /// Profiles before and afterwards.
        profiles: [u64; 2],
    },
    Stopped,
    Failed(String),
}

/// What is wanted of a job.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) deed: Deed,
    pub(crate) space: String,
    pub(crate) rules: RuleSet,
    /// What is set apart and lifted with the rules.
    pub(crate) identity: Option<IdentityChange>,
}

/// One job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) asking: Asking,
    pub(crate) started: Time,
    at: AtomicU64,
    until: AtomicU64,
    stop: AtomicBool,
    stage: Mutex<Stage>,
}

/// The job that goes on, or the last one.
#[derive(Debug, Default)]
pub(crate) struct RuleJobs(Mutex<Option<Arc<Job>>>);

impl Job {
    /// How far it is: at which record, and of how many.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.at.load(Ordering::Relaxed), self.until.load(Ordering::Relaxed))
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks it to stop. What is published already stays so.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn end(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn goes_on(&self, at: Position) -> bool {
        self.at.store(at.offset, Ordering::Relaxed);
        !self.stop.load(Ordering::Acquire)
    }
}

impl RuleJobs {
    /// The job that goes on, or the last one of a space.
    pub(crate) fn of(&self, space: &str) -> Option<Arc<Job>> {
        let job = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        job.filter(|job| job.asking.space == space)
    }

    /// Whether rules of a space are just being published: what is set apart meanwhile would be none of what
    /// they are folded with.
    pub(crate) fn publishes(&self, space: &str) -> bool {
        let is_it = |job: &Arc<Job>| {
            job.asking.deed == Deed::Publish && matches!(job.stage(), Stage::Running)
        };
        self.of(space).as_ref().is_some_and(is_it)
    }

    /// Starts a job, unless one goes on: then it is given back as the error. `append` appends what it
    /// decides, while nothing else is changed.
    pub(crate) fn start<F>(
        &self,
        node: &Arc<Node>,
        tasks: &Tasks,
        asking: Asking,
        append: F,
    ) -> Result<Arc<Job>, Arc<Job>>
    where
        F: FnOnce(Change) -> anyhow::Result<Position> + Send + 'static,
    {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = current.as_ref().filter(|job| matches!(job.stage(), Stage::Running)) {
            return Err(Arc::clone(job));
        }
        let job = Arc::new(Job {
            asking,
            started: node.clock.wall(),
            at: AtomicU64::new(0),
            until: AtomicU64::new(node.shared.folded().offset),
            stop: AtomicBool::new(false),
            stage: Mutex::new(Stage::Running),
        });
        *current = Some(Arc::clone(&job));
        drop(current);
        let (ended, end) = oneshot::channel::<()>();
        let (node, worker) = (Arc::clone(node), Arc::clone(&job));
        let work = move || {
            urgency::yield_by(urgency::HISTORY);
            let done = std::panic::AssertUnwindSafe(|| match worker.asking.deed {
                Deed::Try => tried(&node, &worker),
                Deed::Publish => published(&node, &worker, append),
            });
            worker.end(match std::panic::catch_unwind(done) {
                Ok(Ok(stage)) => stage,
                Ok(Err(error)) => failed(&format!("{error:#}")),
                Err(_) => failed("an event of the log cannot be folded with these rules"),
            });
            drop(ended);
        };
        let started = std::thread::Builder::new().name("rules".to_owned()).spawn(work);
        if let Err(error) = started {
            job.end(failed(&format!("no thread could be started: {error}")));
            return Ok(job);
        }
        let (stopping, stopped) = (tasks.clone(), Arc::clone(&job));
        tasks.spawn("rules", async move {
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

fn failed(message: &str) -> Stage {
    tracing::warn!(error = message, "rules could not be tried or published");
    Stage::Failed(message.to_owned())
}

fn tried(node: &Node, job: &Job) -> anyhow::Result<Stage> {
    let folder = node.folder.trial();
    remove(&folder)?;
    std::fs::create_dir_all(&folder).context("the folder of the trial cannot be made")?;
    let memory = node.engine_config().state.memory;
    let view = view(node)?;
    let Asking { space, rules, identity, .. } = &job.asking;
    let has_definitions = !definitions(&view, space).is_empty();
    drop(view);
    let config = TrialConfig {
        space: space.clone(),
        rules: rules.clone(),
        identity: identity.clone(),
        until: node.shared.folded(),
        folder: folder.clone(),
        memory: MemoryBudget {
            sections: if has_definitions { memory.sections / 4 } else { 0 },
            identifiers: memory.identifiers / 2,
            components: memory.components / 2,
            other: memory.other / 2,
        },
    };
    let report = try_rules(&*node.log, &*node.outbox, &config, |at| job.goes_on(at));
    remove(&folder)?;
    match report {
        Ok(report) => Ok(Stage::Tried(Arc::new(report))),
        Err(selfsame_pipeline::TrialError::Stopped) => Ok(Stage::Stopped),
        Err(error) => Err(error.into()),
    }
}

fn published(
    node: &Node,
    job: &Job,
    append: impl FnOnce(Change) -> anyhow::Result<Position>,
) -> anyhow::Result<Stage> {
    check_history(node)?;
    let Asking { space, rules, identity, .. } = &job.asking;
    let before = profiles(node, space)?;
    let mut append = Some(append);
    for beginning in 1..=BEGINNINGS {
        let seen = view(node)?;
        let (known, at) = (definitions(&seen, space), seen.meta.next);
        drop(seen);
        let Some(at) = folded(node, job, at)? else { return Ok(Stage::Stopped) };
        // Until the successor has taken over, it may need the log from where it is.
        let _keeping = KEEPING.lock().unwrap_or_else(PoisonError::into_inner);
        check_history(node)?;
        let now = definitions(&view(node)?, space);
        if now != known && beginning < BEGINNINGS {
            continue;
        }
        let Some(append) = append.take() else { break };
        // The view is let go of: the state is opened anew only when nobody reads it.
        let effects = counted(&view(node)?, space)?.effects;
        let position = append(Change::PublishRules {
            space: space.clone(),
            rules: rules.clone(),
            definitions: at,
            effects,
            identity: identity.clone(),
        })?;
        return Ok(Stage::Published { position, profiles: [before, profiles(node, space)?] });
    }
    bail!("the definitions of the space are being changed; try again in a moment")
}

/// Folds the successor with the definitions as they are at a record, close to the end of the log. Says by which
/// record they count, or nothing where it was told to stop.
fn folded(node: &Node, job: &Job, definitions: u64) -> anyhow::Result<Option<u64>> {
    let in_force = view(node)?.meta.published.clone();
    let config = node.engine_config();
    let Asking { space, rules, identity, .. } = &job.asking;
    let publication = Publication { space, rules, definitions, identity: identity.as_ref() };
    let mut successor =
        Successor::open(&*node.log, &config.folder, &config.state, &in_force, publication)?;
    let definitions = successor.definitions();
    for _ in 0..ROUNDS {
        // Not beyond what is folded: a record that stops the fold is passed over then.
        let until = node.shared.folded();
        job.until.store(until.offset, Ordering::Relaxed);
        if !successor.fold(&*node.log, until, |at| job.goes_on(at))? {
            successor.close()?;
            return Ok(None);
        }
        if node.log.end().offset.saturating_sub(successor.next().offset) <= LEFT {
            break;
        }
    }
    successor.close()?;
    Ok(Some(definitions))
}

fn view(node: &Node) -> anyhow::Result<View> {
    node.view().context("the state is just being opened; try again in a moment")
}

fn definitions(view: &View, space: &str) -> Vec<Definition> {
    view.meta.workspace.definitions_of(space).cloned().collect()
}

/// Rules can be put in force for the whole history only where there is all of it.
fn check_history(node: &Node) -> anyhow::Result<()> {
    let first = node.log.first().offset;
    ensure!(
        first == 0 && base::all(node.folder.root())?.is_empty(),
        "records before {first} were removed by retention, so what they said of people cannot be \
         resolved with other rules. `PUT …/rules` puts rules in force from now on"
    );
    Ok(())
}

fn profiles(node: &Node, space: &str) -> anyhow::Result<u64> {
    Ok(counted(&view(node)?, space)?.profiles)
}

fn counted(view: &View, space: &str) -> anyhow::Result<SpaceMeta> {
    let Some(space) = view.meta.workspace.space(space) else { bail!("there is no such space") };
    let counts = view.meta.spaces.get(usize::try_from(space.number)?);
    Ok(counts.cloned().unwrap_or_default())
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("the folder of the trial cannot be removed")
        }
        _ => Ok(()),
    }
}
