//! An undo of more than one step does: planned on a thread that yields to everything that an event waits
//! for, and then shown, or done by its record.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use selfsame_event::Time;
use selfsame_identity::{PlanError, Progress};
use selfsame_pipeline::{Drafting, IdentityChange, UndoError, UndoWish, Wanted};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{UndoJobShown, UndoShown, check_publishes, problem, undo_shown};
use crate::control::Control;
use crate::control::asked::Asked;
use crate::control::identity::read;
use crate::control::problem::{Code, Problem};
use crate::urgency;

/// How often it is looked whether the engine notes what it writes.
const LOOK: Duration = Duration::from_millis(2);

/// What is wanted of who is who.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) space: String,
    pub(super) collection: selfsame_event::Collection,
    pub(super) wish: UndoWish,
    pub(super) by: String,
    /// Whether it is to be done, and not only shown.
    pub(super) apply: bool,
}

/// How far a job is.
#[derive(Debug, Clone)]
enum Stage {
    Running,
    Done(Arc<UndoShown>),
    Stopped,
    Failed(String),
}

/// One job.
#[derive(Debug)]
pub(crate) struct Job {
    asking: Asking,
    started: Time,
    found: AtomicUsize,
    resolved: AtomicUsize,
    stop: AtomicBool,
    stage: Mutex<Stage>,
}

/// The job that goes on, or the last one.
#[derive(Debug, Default)]
pub(crate) struct UndoJobs(Mutex<Option<Arc<Job>>>);

impl Job {
    fn stage(&self) -> Stage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn end(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn goes_on(&self, progress: Progress) -> bool {
        self.found.store(progress.found, Ordering::Relaxed);
        self.resolved.store(progress.resolved, Ordering::Relaxed);
        !self.is_stopped()
    }

    fn shown(&self) -> UndoJobShown {
        let number =
            |count: &AtomicUsize| u64::try_from(count.load(Ordering::Relaxed)).unwrap_or(u64::MAX);
        let (state, error, undo) = match self.stage() {
            Stage::Running => ("running", None, None),
            Stage::Stopped => ("stopped", None, None),
            Stage::Failed(error) => ("failed", Some(error), None),
            Stage::Done(undo) => ("done", None, Some(UndoShown::clone(&undo))),
        };
        UndoJobShown {
            state: state.to_owned(),
            started_at: self.started.to_string(),
            resolved: number(&self.resolved),
            of: number(&self.found),
            error,
            undo,
        }
    }
}

/// `GET /api/spaces/{id}/identity/undo/job`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<UndoJobShown, Problem> {
    Ok(job(&control, asked.id())?.shown())
}

/// `DELETE /api/spaces/{id}/identity/undo/job`
pub(crate) async fn stop(control: Control, asked: Asked) -> Result<UndoJobShown, Problem> {
    let job = job(&control, asked.id())?;
    job.stop.store(true, Ordering::Release);
    Ok(job.shown())
}

fn job(control: &Control, space: &str) -> Result<Arc<Job>, Problem> {
    let current = control.undo_jobs.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(job) = current.as_ref().filter(|job| job.asking.space == space) {
        return Ok(Arc::clone(job));
    }
    crate::control::spaces::find(&control.view()?, space)?;
    let message = "No undo was planned by a job in this space since the server started.";
    Err(Problem::new(Code::NotFound, message))
}

/// Starts a job, unless one goes on.
pub(super) fn start(control: &Control, asking: Asking) -> Result<(), Problem> {
    let mut current = control.undo_jobs.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(job) = current.as_ref().filter(|job| matches!(job.stage(), Stage::Running)) {
        let message = format!("An undo in the space `{}` just goes on.", job.asking.space);
        return Err(Problem::new(Code::Conflict, message));
    }
    let job = Arc::new(Job {
        asking,
        started: control.node.clock.wall(),
        found: AtomicUsize::new(0),
        resolved: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        stage: Mutex::new(Stage::Running),
    });
    *current = Some(Arc::clone(&job));
    drop(current);
    let runtime = Handle::current();
    let (working, worker) = (control.clone(), Arc::clone(&job));
    let (ended, mut end) = oneshot::channel::<()>();
    let work = move || {
        urgency::yield_by(urgency::HISTORY);
        let done = std::panic::AssertUnwindSafe(|| run(&working, &worker, &runtime));
        worker.end(match std::panic::catch_unwind(done) {
            Ok(Ok(stage)) => stage,
            Ok(Err(problem)) => failed(problem.message()),
            Err(_) => failed("it ended early"),
        });
        drop(ended);
    };
    if let Err(error) = std::thread::Builder::new().name("undo".to_owned()).spawn(work) {
        job.end(failed(&format!("no thread could be started: {error}")));
        return Ok(());
    }
    let tasks = control.tasks.clone();
    control.tasks.spawn("undo", async move {
        tokio::select! {
            _ = &mut end => return Ok(()),
            () = tasks.stopping() => job.stop.store(true, Ordering::Release),
        }
        drop(end.await);
        Ok(())
    });
    Ok(())
}

fn failed(message: &str) -> Stage {
    tracing::warn!(error = message, "an undo was not done");
    Stage::Failed(message.to_owned())
}

/// Plans, and where it is to be done, appends the record. Once it is appended, nothing stops it.
fn run(control: &Control, job: &Job, runtime: &Handle) -> Result<Stage, Problem> {
    if !job.asking.apply {
        return shown(control, job);
    }
    let Some(drafting) = drafting(control, job)? else { return Ok(Stage::Stopped) };
    let Some((mut shown, change)) = planned(control, job, &drafting)? else {
        return Ok(Stage::Stopped);
    };
    let changed = runtime.block_on(async {
        let _turn = control.turn().await;
        check_publishes(control, &job.asking.space)?;
        Ok::<_, Problem>(control.node.change_identity(&change).await?)
    });
    (shown.applied, shown.position) = (true, Some(changed?.to_string()));
    Ok(Stage::Done(Arc::new(shown)))
}

/// Plans only.
fn shown(control: &Control, job: &Job) -> Result<Stage, Problem> {
    let Asking { space, collection, wish, by, .. } = &job.asking;
    let read = read(&control.node, space)?;
    let sizes = read.undo_sizes().whole();
    let goes_on = &mut |progress| job.goes_on(progress);
    match read.plan_undo(*collection, wish, by, sizes, goes_on) {
        Ok(planned) => Ok(Stage::Done(Arc::new(undo_shown(&read, &planned)))),
        Err(UndoError::Plan(PlanError::Stopped)) => Ok(Stage::Stopped),
        Err(error) => Err(problem(&read, &error)),
    }
}

/// Has the engine note what it writes, from now on; none if the job is stopped.
fn drafting(control: &Control, job: &Job) -> Result<Option<Drafting>, Problem> {
    let drafting = Drafting::start(control.view()?.tables);
    while !drafting.is_noting() {
        if job.is_stopped() {
            return Ok(None);
        }
        std::thread::park_timeout(LOOK);
    }
    Ok(Some(drafting))
}

fn planned(
    control: &Control,
    job: &Job,
    drafting: &Drafting,
) -> Result<Option<(UndoShown, IdentityChange)>, Problem> {
    let Asking { space, collection, wish, by, .. } = &job.asking;
    let read = read(&control.node, space)?;
    let wanted = Wanted { collection: *collection, wish, by };
    match read.draft_undo(&wanted, drafting, &mut |progress| job.goes_on(progress)) {
        Ok(planned) => {
            let change = IdentityChange::new(space, &planned.change);
            let change = IdentityChange { large: true, ..change };
            Ok(Some((undo_shown(&read, &planned), change)))
        }
        Err(UndoError::Plan(PlanError::Stopped)) => Ok(None),
        Err(error) => Err(problem(&read, &error)),
    }
}
