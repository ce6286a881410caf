//! The threads that functions run on.
//!
//! Calls of one connection go to one thread as long as that is not much busier than the others, where
//! they find its sandboxes warm. A thread runs one piece of code at a time, and others while it waits
//! for answers. What comes in beyond [`PoolConfig::waiting`] is refused at once, to be tried again.
//!
//! The engine looks at the time every ten thousand steps of code. Where a step is long, that is late: a
//! thread that runs the same code for longer than [`PoolConfig::patience`] is given up, another one takes
//! its place, and that code is not run again. It ends by itself as soon as the engine looks. While
//! [`LOST`] threads have not, no function is run.

mod done;
mod mailbox;
mod worker;

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use selfsame_event::Clock;

pub(crate) use self::done::Done;
use self::mailbox::{Job, Mailbox};
use self::worker::Worker;
use crate::{Call, Fault, FaultKind, Fetch, Instance, Limits, Report};

/// How many threads may be given up and not have ended.
pub const LOST: usize = 4;
/// How many instances that are not run again are remembered.
const LOCKED: usize = 100;
/// Where a call goes though another thread would keep it waiting less, if not by more than this.
const BUSIER: usize = 4;

/// How functions are run.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// Threads.
    pub threads: usize,
    /// Sandboxes of a thread, each with at most [`Limits::memory_bytes`].
    pub sandboxes: usize,
    /// Most bytes of the heaps of a thread's sandboxes together, as far as they were looked at: beyond, those go
    /// that were not used for longest.
    pub heap_bytes: u64,
    /// Calls that wait for a thread.
    pub waiting: usize,
    /// How long code may run without the engine looking at the time.
    pub patience: Duration,
    /// What a call may use.
    pub limits: Limits,
    /// Run on each thread first.
    pub begin: fn(),
    /// Run when a thread was given up, behind everything else.
    pub lost: fn(),
}

impl Default for PoolConfig {
    fn default() -> Self {
        let (patience, limits) = (Duration::from_secs(2), Limits::default());
        Self {
            threads: 2,
            sandboxes: 16,
            heap_bytes: u64::MAX,
            waiting: 1_000,
            patience,
            limits,
            begin: || (),
            lost: || (),
        }
    }
}

/// Runs functions. They are stopped when it is dropped.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads, those who call and the one who watches have in common.
struct Shared {
    config: PoolConfig,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    mailboxes: Vec<Arc<Mailbox>>,
    /// Whose code is not run again.
    locked: Mutex<Vec<Instance>>,
    /// Threads that were given up and have not ended.
    lost: AtomicUsize,
    is_stopping: AtomicBool,
    /// Whether there are calls to watch over.
    watched: (Mutex<bool>, Condvar),
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts the threads.
    pub fn start(
        config: PoolConfig,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let mailbox = |_| Arc::new(Mailbox::new(config.waiting));
        let shared = Arc::new(Shared {
            mailboxes: (0..config.threads.max(1)).map(mailbox).collect(),
            config,
            fetch,
            clock,
            locked: Mutex::default(),
            lost: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
            watched: (Mutex::new(false), Condvar::new()),
        });
        let mut threads = Vec::new();
        for mailbox in &shared.mailboxes {
            threads.push(shared.start(mailbox, 0)?);
        }
        let watching = Arc::clone(&shared);
        let watch = std::thread::Builder::new().name("functions-watch".to_owned());
        threads.push(watch.spawn(move || watching.watch())?);
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Calls a function. `done` is told what it came to, on a thread of the pool: it must not wait.
    pub fn call(&self, call: Call, done: impl FnOnce(Report) + Send + 'static) {
        let done = Done::new(done);
        if let Some(fault) = self.shared.refusal(&call.instance) {
            done.tell(Report::failed(fault));
            return;
        }
        let mut hasher = DefaultHasher::new();
        call.instance.connection.hash(&mut hasher);
        let mailboxes = &self.shared.mailboxes;
        let count = u64::try_from(mailboxes.len()).unwrap_or(1);
        let own = usize::try_from(hasher.finish() % count).unwrap_or(0);
        let loads: Vec<usize> = mailboxes.iter().map(|mailbox| mailbox.load()).collect();
        let least = (0..loads.len()).min_by_key(|at| loads[*at]).unwrap_or(0);
        let at = if loads[own] > loads[least] + BUSIER { least } else { own };
        match mailboxes[at].call(Job { call, done }) {
            Ok(()) => self.shared.wake_watch(),
            Err(done) => done.tell(Report::failed(busy())),
        }
    }

    /// Ends the threads, but for those that were given up. Calls that are under way are told so.
    pub fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        self.shared.mailboxes.iter().for_each(|mailbox| mailbox.stop());
        self.shared.wake_watch();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // One that panicked has told its calls, and one that is lost is not waited for.
            while !thread.is_finished() && self.shared.lost.load(Ordering::Acquire) == 0 {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            if thread.is_finished() {
                drop(thread.join());
            }
        }
    }
}

fn busy() -> Fault {
    Fault::new(FaultKind::Busy, "too many calls of functions wait for a thread")
}

impl Shared {
    fn start(self: &Arc<Self>, mailbox: &Arc<Mailbox>, number: u32) -> io::Result<JoinHandle<()>> {
        let (shared, mailbox) = (Arc::clone(self), Arc::clone(mailbox));
        let thread = std::thread::Builder::new().name("functions".to_owned());
        thread.spawn(move || {
            (shared.config.begin)();
            let (fetch, clock) = (Arc::clone(&shared.fetch), Arc::clone(&shared.clock));
            Worker::new(&shared.config, (Arc::clone(&mailbox), number), fetch, clock).run();
            if mailbox.was_given_up(number) {
                shared.lost.fetch_sub(1, Ordering::AcqRel);
            }
        })
    }

    /// Why code is not run, if it is not.
    fn refusal(&self, instance: &Instance) -> Option<Fault> {
        if self.lost.load(Ordering::Acquire) >= LOST {
            let text = "functions that ran too long have not ended yet";
            return Some(Fault::new(FaultKind::Busy, text));
        }
        let locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.iter().any(|one| one.code.is_same(&instance.code)).then(|| {
            let text = "this code had to be given up while it ran; change it to have it run again";
            Fault::new(FaultKind::LockedOut, text)
        })
    }

    fn wake_watch(&self) {
        let (wanted, changed) = &self.watched;
        let mut wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut wanted, true) {
            changed.notify_one();
        }
    }

    /// Gives threads up that run the same code for too long.
    fn watch(self: Arc<Self>) {
        let patience = self.config.patience;
        let micros = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
        while !self.is_stopping.load(Ordering::Acquire) {
            let (wanted, changed) = &self.watched;
            let mut wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
            *wanted = self.mailboxes.iter().any(|mailbox| mailbox.load() > 0);
            let waited = if *wanted {
                let waited = changed.wait_timeout(wanted, patience / 4);
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = changed.wait_while(wanted, |wanted| !*wanted);
                waited.unwrap_or_else(PoisonError::into_inner)
            };
            drop(waited);
            let moment = self.clock.monotonic_micros().saturating_sub(micros);
            for mailbox in &self.mailboxes {
                if let Some(left) = mailbox.give_up(moment) {
                    self.replace(mailbox, left);
                }
            }
        }
    }

    /// Locks out the code that a thread was given up for, tells who waited, and starts another thread.
    fn replace(self: &Arc<Self>, mailbox: &Arc<Mailbox>, left: mailbox::Left) {
        self.lost.fetch_add(1, Ordering::AcqRel);
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.len() >= LOCKED {
            locked.remove(0);
        }
        locked.push(left.instance);
        drop(locked);
        if self.start(mailbox, left.thread).is_err() {
            // Nobody would look into it.
            mailbox.stop();
        }
        if let Some(done) = left.running {
            let text = "the call used far more than its processor time in few steps";
            done.tell(Report::failed(Fault::new(FaultKind::GivenUp, text)));
        }
        for done in left.others {
            done.tell(Report::failed(busy()));
        }
        (self.config.lost)();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}
