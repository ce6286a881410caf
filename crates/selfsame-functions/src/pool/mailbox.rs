//! What is handed to a thread: calls, answers to its requests, and that it is to stop.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Done;
use crate::{Call, FetchResponse, Instance};

/// A call, and who waits for it.
pub(crate) struct Job {
    pub(crate) call: Call,
    pub(crate) done: Done,
}

/// The answer to a request of a call.
pub(crate) struct Answer {
    pub(crate) call: u64,
    pub(crate) request: u32,
    pub(crate) response: Result<FetchResponse, String>,
}

/// What a thread finds.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) job: Option<Job>,
    /// Whether the thread is to end.
    pub(crate) is_over: bool,
}

/// The mailbox of a thread; of the next one, when that had to be given up. Answers are not more than the
/// requests under way, so they have no limit of their own.
pub(crate) struct Mailbox {
    inside: Mutex<Inside>,
    changed: Condvar,
    limit: usize,
}

#[derive(Default)]
struct Inside {
    jobs: VecDeque<Job>,
    answers: VecDeque<Answer>,
    /// Calls that the thread has begun and not ended, by their numbers.
    under_way: BTreeMap<u64, Done>,
    /// The code that runs just now.
    running: Option<Running>,
    /// Which of its threads is the one that counts.
    thread: u32,
    is_stopping: bool,
}

/// Code that runs just now.
#[derive(Clone)]
struct Running {
    call: u64,
    instance: Instance,
    since: u64,
}

/// What was left by a thread that was given up.
pub(crate) struct Left {
    /// Whose code it was running.
    pub(crate) instance: Instance,
    /// Who waits for that.
    pub(crate) running: Option<Done>,
    /// Who waits for other calls that it had begun.
    pub(crate) others: Vec<Done>,
    /// The number of the thread that takes its place.
    pub(crate) thread: u32,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("load", &self.load()).finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self { inside: Mutex::default(), changed: Condvar::new(), limit }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a call over, or gives back who waits for it.
    pub(crate) fn call(&self, job: Job) -> Result<(), Done> {
        let mut inside = self.inside();
        if inside.jobs.len() >= self.limit || inside.is_stopping {
            return Err(job.done);
        }
        inside.jobs.push_back(job);
        drop(inside);
        self.changed.notify_one();
        Ok(())
    }

    /// Hands an answer over.
    pub(crate) fn answer(&self, answer: Answer) {
        self.inside().answers.push_back(answer);
        self.changed.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.inside().is_stopping = true;
        self.changed.notify_all();
    }

    /// How many calls wait or are under way.
    pub(crate) fn load(&self) -> usize {
        let inside = self.inside();
        inside.jobs.len() + inside.under_way.len()
    }

    /// Waits for something to do, at most that long. A call is taken only where there is room for one.
    pub(crate) fn take(&self, thread: u32, patience: Option<Duration>, has_room: bool) -> Found {
        let mut inside = self.inside();
        let is_over = |inside: &Inside| inside.is_stopping || inside.thread != thread;
        let is_idle = |inside: &mut Inside| {
            let has_job = has_room && !inside.jobs.is_empty();
            !has_job && inside.answers.is_empty() && !is_over(inside)
        };
        inside = match patience {
            Some(patience) => {
                let waited = self.changed.wait_timeout_while(inside, patience, is_idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.changed.wait_while(inside, is_idle);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
        if is_over(&inside) {
            return Found { is_over: true, ..Found::default() };
        }
        let answers = std::mem::take(&mut inside.answers);
        let job = if has_room { inside.jobs.pop_front() } else { None };
        Found { answers, job, is_over: false }
    }

    /// A call is begun.
    pub(crate) fn begin(&self, call: u64, done: &Done) {
        self.inside().under_way.insert(call, done.clone());
    }

    /// A call has ended.
    pub(crate) fn end(&self, call: u64) {
        self.inside().under_way.remove(&call);
    }

    /// Code of a call begins to run. `false` if the thread was given up.
    pub(crate) fn enter(&self, thread: u32, call: u64, instance: &Instance, now: u64) -> bool {
        let mut inside = self.inside();
        if inside.thread == thread {
            inside.running = Some(Running { call, instance: instance.clone(), since: now });
        }
        inside.thread == thread
    }

    /// Code has stopped running. `false` if the thread was given up.
    pub(crate) fn leave(&self, thread: u32) -> bool {
        let mut inside = self.inside();
        if inside.thread == thread {
            inside.running = None;
        }
        inside.thread == thread
    }

    /// Gives the thread up if it has been running the same code since before a moment.
    pub(crate) fn give_up(&self, moment: u64) -> Option<Left> {
        let mut inside = self.inside();
        let running = inside.running.take_if(|running| running.since < moment)?;
        inside.thread += 1;
        // Their sandboxes are in the thread that is lost.
        let mut under_way = std::mem::take(&mut inside.under_way);
        inside.answers.clear();
        let own = under_way.remove(&running.call);
        Some(Left {
            instance: running.instance,
            running: own,
            others: under_way.into_values().collect(),
            thread: inside.thread,
        })
    }

    /// Whether another thread has taken the place of this one.
    pub(crate) fn was_given_up(&self, thread: u32) -> bool {
        self.inside().thread != thread
    }

    /// Ends: what waits is given up.
    pub(crate) fn close(&self, thread: u32) {
        let mut inside = self.inside();
        if inside.thread != thread {
            return;
        }
        inside.is_stopping = true;
        let (jobs, under_way) =
            (std::mem::take(&mut inside.jobs), std::mem::take(&mut inside.under_way));
        drop(inside);
        drop((jobs, under_way));
    }
}
