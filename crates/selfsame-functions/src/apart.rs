//! Functions in a process of their own.
//!
//! The engine is written in C, and there are loops in it that nothing ends and heaps that it does not
//! survive. So the pool runs in a child of the program that has nothing else: no environment, no files of
//! ours, no sockets. What it sends, it asks its parent for. When it ends, the calls that were under way are
//! told so, another one is started, and code that was under way three times is not run again.
//!
//! ```text
//! parent --stdin-->  instance, call, answer
//! child  --stdout->  fetch, report              each a frame: length: u32, little-endian | JSON
//! ```
//!
//! Both are the same program, so the frames have no version.

pub(crate) mod bytes;
mod child;
mod frame;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use self::child::serve;
use self::frame::{Down, Up, read, write};
use crate::fetch::FetchReply;
use crate::pool::Done;
use crate::{Call, Code, Fault, FaultKind, Fetch, Instance, Report};

/// How the child is started: a program that calls [`serve`], with its standard input and output piped.
pub type Launch = Box<dyn Fn() -> io::Result<Child> + Send + Sync>;

/// Instances that the child knows at once.
const INSTANCES: usize = 256;
/// Calls that are under way at once.
const WAITING: usize = 1_000;
/// So many ends of the process with a code under way, and it is not run again.
const CRASHES: u32 = 3;
/// How long another process waits to be started behind one that ended at once.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs functions in a child. It is ended when this is dropped.
pub struct Apart {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The pipe is held while something is written, which may take as long as the child takes to read; who
/// listens to the child needs the state alone, so that both go on.
struct Shared {
    fetch: Arc<dyn Fetch>,
    pipe: Mutex<Pipe>,
    state: Mutex<State>,
    is_stopping: AtomicBool,
}

/// The way to the child.
#[derive(Default)]
struct Pipe {
    /// While there is a child.
    stdin: Option<ChildStdin>,
    /// What the child knows, the one that was used last at the end.
    instances: Vec<(u64, Instance)>,
    next: u64,
}

#[derive(Default)]
struct State {
    child: Option<Child>,
    /// The calls under way.
    waiting: BTreeMap<u64, Waiting>,
    /// Code that was under way when the process ended, and how often; [`CRASHES`]: it is not run again.
    suspects: Vec<(Code, u32)>,
    next: u64,
}

/// A call under way: who waits, whose code it is, and what sends its requests.
struct Waiting {
    done: Done,
    code: Code,
    fetch: Option<Arc<dyn Fetch>>,
}

impl fmt::Debug for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apart").finish_non_exhaustive()
    }
}

impl Apart {
    /// Starts the child and the thread that listens to it.
    pub fn start(launch: Launch, fetch: Arc<dyn Fetch>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            fetch,
            pipe: Mutex::default(),
            state: Mutex::default(),
            is_stopping: AtomicBool::new(false),
        });
        let first = shared.launch(&launch)?;
        let keeping = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("functions".to_owned());
        let thread = thread.spawn(move || keeping.keep(&launch, first))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Calls a function. `done` is told what it came to, on a thread of this: it must not wait.
    pub fn call(&self, call: Call, done: impl FnOnce(Report) + Send + 'static) {
        self.shared.call(call, &Done::new(done));
    }

    /// The process that runs the code, while there is one.
    pub fn process(&self) -> Option<u32> {
        self.shared.state().child.as_ref().map(Child::id)
    }

    /// Ends the child. Calls that are under way are told so.
    pub fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        self.shared.end_child();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // One that panicked has told its calls already.
            drop(thread.join());
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, call: Call, done: &Done) {
        let (code, fetch) = (call.instance.code.clone(), call.fetch.clone());
        let id = match self.state().admit(Waiting { done: done.clone(), code, fetch }) {
            Ok(id) => id,
            Err(fault) => {
                done.tell(Report::failed(fault));
                return;
            }
        };
        if self.pipe().send(id, call).is_err() {
            self.state().waiting.remove(&id);
            let text = "the process of functions is being started";
            done.tell(Report::failed(Fault::new(FaultKind::Busy, text)));
        }
    }

    /// Starts a child, and makes it the one that calls go to.
    fn launch(&self, launch: &Launch) -> io::Result<ChildStdout> {
        let mut child = launch()?;
        let unpiped = || io::Error::other("the child has no pipes");
        let stdout = child.stdout.take().ok_or_else(unpiped)?;
        let stdin = child.stdin.take().ok_or_else(unpiped)?;
        self.state().child = Some(child);
        let mut pipe = self.pipe();
        pipe.stdin = Some(stdin);
        pipe.instances.clear();
        Ok(stdout)
    }

    /// Listens to the child, and to the next one when it has ended.
    fn keep(self: Arc<Self>, launch: &Launch, first: ChildStdout) {
        let mut stdout = Some(first);
        loop {
            if let Some(stdout) = stdout.take() {
                self.listen(stdout);
                self.end_child();
                self.tell_of_end();
            }
            if self.is_stopping.load(Ordering::Acquire) {
                return;
            }
            std::thread::park_timeout(PAUSE);
            // Where none can be started, calls are told to come again, and the next pause is waited for.
            stdout = self.launch(launch).ok();
            if self.is_stopping.load(Ordering::Acquire) {
                // Whoever stops it may not have seen this one.
                self.end_child();
            }
        }
    }

    /// Takes what the child says, until it ends.
    fn listen(self: &Arc<Self>, stdout: ChildStdout) {
        let mut input = BufReader::new(stdout);
        while let Ok(Some(up)) = read::<Up>(&mut input) {
            match up {
                Up::Report { call, report } => self.report(call, report),
                Up::Fetch { call, id, request } => {
                    let shared = Arc::downgrade(self);
                    let reply = FetchReply::new(move |response| {
                        if let Some(shared) = shared.upgrade() {
                            // A child that ended meanwhile needs no answer.
                            drop(shared.pipe().write(&Down::Answer { id, response }));
                        }
                    });
                    let own = self.state().waiting.get(&call).and_then(|one| one.fetch.clone());
                    own.as_ref().unwrap_or(&self.fetch).fetch(request, reply);
                }
            }
        }
    }

    fn report(&self, call: u64, report: Report) {
        let mut state = self.state();
        let Some(Waiting { done, code, .. }) = state.waiting.remove(&call) else { return };
        match report.result.as_ref().err().map(|fault| fault.kind) {
            Some(FaultKind::GivenUp) => state.suspect(&code, CRASHES),
            Some(FaultKind::Busy | FaultKind::Stopping) => {}
            // It did not end the process, so it was another one.
            _ => state.suspects.retain(|(known, _)| !known.is_same(&code)),
        }
        drop(state);
        done.tell(report);
    }

    /// The child has ended: whoever waits is told so, and their codes are suspected.
    fn tell_of_end(&self) {
        let mut state = self.state();
        let waiting = std::mem::take(&mut state.waiting);
        let is_stopping = self.is_stopping.load(Ordering::Acquire);
        let mut seen: Vec<&Code> = Vec::new();
        for one in waiting.values().filter(|_| !is_stopping) {
            if !seen.iter().any(|known| known.is_same(&one.code)) {
                state.suspect(&one.code, 1);
                seen.push(&one.code);
            }
        }
        drop(state);
        for Waiting { done, .. } in waiting.values() {
            let (kind, text) = if is_stopping {
                (FaultKind::Stopping, "the functions of this server are stopping")
            } else {
                (FaultKind::Crashed, "the process of functions ended while the call was under way")
            };
            done.tell(Report::failed(Fault::new(kind, text)));
        }
    }

    /// Ends the child, whatever it does.
    fn end_child(&self) {
        let child = self.state().child.take();
        if let Some(mut child) = child {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
        // Whoever writes to it has been told that it is gone.
        drop(self.pipe().stdin.take());
    }
}

impl Pipe {
    fn send(&mut self, id: u64, call: Call) -> io::Result<()> {
        let Call { instance, input, measure, .. } = call;
        let known = self.instances.iter().position(|(_, one)| one.shares(&instance));
        let number = if let Some(at) = known {
            let known = self.instances.remove(at);
            let number = known.0;
            self.instances.push(known);
            number
        } else {
            let forget = if self.instances.len() >= INSTANCES {
                Some(self.instances.remove(0).0)
            } else {
                None
            };
            let number = self.next;
            self.next += 1;
            self.write(&Down::Instance {
                number,
                forget,
                connection: instance.connection.to_string(),
                kind: instance.code.kind(),
                code: instance.code.text().to_owned(),
                settings: instance.settings.to_string(),
            })?;
            self.instances.push((number, instance));
            number
        };
        self.write(&Down::Call { id, instance: number, input, measure })
    }

    fn write(&mut self, down: &Down) -> io::Result<()> {
        match &mut self.stdin {
            Some(stdin) => write(stdin, down),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl State {
    /// Notes a call that is to be made, unless it must not be.
    fn admit(&mut self, call: Waiting) -> Result<u64, Fault> {
        let is_locked =
            |(known, count): &(Code, u32)| *count >= CRASHES && known.is_same(&call.code);
        if self.suspects.iter().any(is_locked) {
            let text = "this code ended the process that it ran in; change it to have it run again";
            return Err(Fault::new(FaultKind::LockedOut, text));
        }
        if self.waiting.len() >= WAITING {
            let text = "too many calls of functions wait";
            return Err(Fault::new(FaultKind::Busy, text));
        }
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, call);
        Ok(id)
    }

    fn suspect(&mut self, code: &Code, count: u32) {
        if let Some((_, known)) = self.suspects.iter_mut().find(|(known, _)| known.is_same(code)) {
            *known = known.saturating_add(count);
            return;
        }
        if self.suspects.len() >= INSTANCES {
            self.suspects.remove(0);
        }
        self.suspects.push((code.clone(), count));
    }
}
