//! The thread that seals closed segments. Nobody waits for it, so it yields to those who append.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::chain::Chain;

/// The thread that seals closed segments. Stops and is waited for when dropped.
#[derive(Debug)]
pub(crate) struct Sealer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many segments the log had when someone last looked.
    asked: bool,
    stopped: bool,
}

impl Sealer {
    pub(crate) fn start(chain: Arc<Chain>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("log-seal".into())
            .spawn(move || run(&chain, &theirs))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Says that there may be something to seal.
    pub(crate) fn ask(&self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).asked = true;
        self.shared.changed.notify_one();
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Lets other threads go first, where a thread can say so for itself alone.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::warn!(error = %error, "the sealing thread could not be made less urgent");
    }
}

fn run(chain: &Chain, shared: &Shared) {
    yield_to_others();
    loop {
        {
            let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = shared.changed.wait_while(state, |state| !state.asked && !state.stopped);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            if state.stopped {
                return;
            }
            state.asked = false;
        }
        while !shared.state.lock().unwrap_or_else(PoisonError::into_inner).stopped {
            match chain.seal_next() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    chain.counters.seal_failures.fetch_add(1, Ordering::Relaxed);
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "failed to seal a segment, will try at the next roll");
                    break;
                }
            }
        }
    }
}
