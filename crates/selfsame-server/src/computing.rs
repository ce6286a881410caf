//! The thread that computes new definitions over the whole history, beside everything that a request or
//! an event waits for.
//!
//! It takes a share of one processor: behind each piece of work it rests in proportion to how long that
//! took. What it has not finished when the program ends is begun again at the next start.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use selfsame_event::Clock;
use selfsame_pipeline::{Compute, ComputeStatus};

use crate::urgency;

/// How often it is looked whether there is something to do, besides after a change.
const LOOK: Duration = Duration::from_millis(200);
/// How long to wait after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);
/// The longest rest between two pieces of work.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// How far it is.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) status: ComputeStatus,
    /// When the stage began, in microseconds.
    began: u64,
    /// What was done by then.
    done_before: u64,
    now: u64,
}

impl Running {
    fn of(status: &ComputeStatus, before: Option<Self>, now: u64) -> Self {
        let is_same = |one: &Self| {
            let (old, new) = (&one.status, status);
            old.space == new.space && old.stage == new.stage && old.done <= new.done
        };
        let (began, done_before) = match before.filter(is_same) {
            Some(one) => (one.began, one.done_before),
            None => (now, status.done),
        };
        Self { status: status.clone(), began, done_before, now }
    }

    /// What was done in this stage, and in how many microseconds.
    fn pace(&self) -> (u64, u64) {
        let done = self.status.done.saturating_sub(self.done_before);
        (done, self.now.saturating_sub(self.began))
    }

    /// How many records, rows or profiles are done in a second of this stage.
    pub(crate) fn per_second(&self) -> f64 {
        let (done, micros) = self.pace();
        if micros == 0 { 0.0 } else { done as f64 / (micros as f64 / 1e6) }
    }

    /// How long this stage takes on, as it goes now.
    pub(crate) fn seconds_left(&self) -> Option<u64> {
        let (done, micros) = self.pace();
        let left = self.status.total.saturating_sub(self.status.done);
        let micros = u128::from(left) * u128::from(micros);
        let seconds = micros.checked_div(u128::from(done))?.div_ceil(1_000_000);
        u64::try_from(seconds).ok()
    }
}

#[derive(Debug, Default)]
struct Signals {
    stop: bool,
    look: bool,
}

#[derive(Debug, Default)]
struct Shown {
    running: Option<Running>,
    trouble: Option<String>,
}

#[derive(Debug, Default)]
struct Inner {
    signals: Mutex<Signals>,
    signalled: Condvar,
    shown: Mutex<Shown>,
}

/// The thread, and what it shows.
#[derive(Debug)]
pub(crate) struct Computing {
    inner: Arc<Inner>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Computing {
    /// Starts the thread, with a share of one processor in percent.
    pub(crate) fn start(
        compute: Compute,
        clock: Arc<dyn Clock>,
        share: u64,
    ) -> std::io::Result<Self> {
        let inner = Arc::new(Inner::default());
        let worker = Arc::clone(&inner);
        let run = move || {
            urgency::yield_by(urgency::HISTORY);
            worker.run(&compute, &*clock, share);
        };
        let thread = std::thread::Builder::new().name("compute".to_owned()).spawn(run)?;
        Ok(Self { inner, thread: Mutex::new(Some(thread)) })
    }

    /// Says that there may be something to do.
    pub(crate) fn look(&self) {
        self.inner.signal(|signals| signals.look = true);
    }

    /// How far it is, while something is computed.
    pub(crate) fn running(&self) -> Option<Running> {
        self.inner.shown().running.clone()
    }

    /// Why the last piece of work failed; it is tried again.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.inner.shown().trouble.clone()
    }

    /// Stops the thread and waits for it, unless nobody folds what it waits for.
    pub(crate) fn stop(&self, is_folded: bool) {
        self.inner.signal(|signals| signals.stop = true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|_| is_folded)
            && thread.join().is_err()
        {
            tracing::error!("the thread that computes definitions panicked");
        }
    }
}

impl Inner {
    fn signal(&self, set: impl FnOnce(&mut Signals)) {
        set(&mut self.signals.lock().unwrap_or_else(PoisonError::into_inner));
        self.signalled.notify_all();
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits that long. `false` where it is to stop.
    fn rest(&self, pause: Duration) -> bool {
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.signalled.wait_timeout_while(signals, pause, |signals| !signals.stop);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    /// Waits that long, or until there may be something to do. `false` where it is to stop.
    fn await_work(&self, pause: Duration) -> bool {
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        let is_idle = |signals: &mut Signals| !signals.stop && !signals.look;
        let waited = self.signalled.wait_timeout_while(signals, pause, is_idle);
        let (mut signals, _) = waited.unwrap_or_else(PoisonError::into_inner);
        signals.look = false;
        !signals.stop
    }

    fn run(&self, compute: &Compute, clock: &dyn Clock, share: u64) {
        loop {
            let mut since = clock.monotonic_micros();
            let mut goes_on = |status: &ComputeStatus| {
                let now = clock.monotonic_micros();
                let before = self.shown().running.take();
                self.shown().running = Some(Running::of(status, before, now));
                let goes_on = self.rest(rest_after(now.saturating_sub(since), share));
                since = clock.monotonic_micros();
                // An engine that opens its state anew waits until nobody reads the old one.
                goes_on && compute.shared.view().is_some()
            };
            let stepped = catch_unwind(AssertUnwindSafe(|| compute.step(&mut goes_on)));
            let (trouble, pause) = match stepped {
                Ok(Ok(true)) => (None, Duration::ZERO),
                Ok(Ok(false)) => (None, LOOK),
                Ok(Err(error)) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "definitions could not be computed, it is tried again"
                    );
                    (Some(error.to_string()), BACK_OFF)
                }
                Err(_) => {
                    tracing::error!("computing definitions panicked, it is tried again");
                    (Some("a rule of the program is broken; see its log".to_owned()), BACK_OFF)
                }
            };
            let has_failed = trouble.is_some();
            *self.shown() = Shown { running: None, trouble };
            let goes_on = if has_failed { self.rest(pause) } else { self.await_work(pause) };
            if !goes_on {
                return;
            }
        }
    }
}

/// How long to rest after so many microseconds of work, for it to be that share of all time.
fn rest_after(worked: u64, share: u64) -> Duration {
    let share = share.clamp(1, 100);
    let rest = worked.saturating_mul(100 - share) / share;
    Duration::from_micros(rest).min(LONGEST_REST)
}

#[cfg(test)]
mod tests;
