//! The processes that programs of the pack run in: this program, with nothing but two pipes. Each is started by the
//! first call that goes to it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use selfsame_event::Clock;
use selfsame_functions::{Apart, Call, Pool, Report};
use selfsame_pack::{NoFetch, Programs, Runner, worker};

use crate::function::launch;

/// Most processes.
const MOST: usize = 4;

/// Programs that run on threads of this process: for a command that calls one once.
pub(crate) fn here(clock: Arc<dyn Clock>) -> std::io::Result<Programs> {
    Ok(Programs::new(Arc::new(Pool::start(worker(), Arc::new(NoFetch), clock)?)))
}

/// Processes that run programs.
#[derive(Debug)]
pub(crate) struct Workers(Mutex<Vec<Option<Arc<Apart>>>>);

impl Default for Workers {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self(Mutex::new(vec![None; cores.min(MOST)]))
    }
}

impl Workers {
    /// Ends them. Calls that are under way are told so.
    pub(crate) fn stop(&self) {
        for worker in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if let Some(worker) = worker.take() {
                worker.stop();
            }
        }
    }

    /// The process that the calls of a connection go to.
    fn of(&self, connection: &str) -> std::io::Result<Arc<Apart>> {
        let mut hasher = DefaultHasher::new();
        connection.hash(&mut hasher);
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u64::try_from(workers.len()).unwrap_or(1);
        let at = usize::try_from(hasher.finish() % count).unwrap_or(0);
        if let Some(one) = &workers[at] {
            return Ok(Arc::clone(one));
        }
        let made = Arc::new(Apart::start(Box::new(|| launch("pack-worker")), Arc::new(NoFetch))?);
        workers[at] = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl Runner for Workers {
    fn call(&self, call: Call, done: Box<dyn FnOnce(Report) + Send>) {
        match self.of(&call.instance.connection) {
            Ok(worker) => worker.call(call, done),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the process of the actions pack cannot be started");
                done(Report::unstarted());
            }
        }
    }
}
