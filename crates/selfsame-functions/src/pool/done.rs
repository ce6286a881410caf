//! Whoever waits for a call is told in any case.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Fault, FaultKind, Report};

/// Tells what a call came to: once, and if only that the server is stopping. The thread that runs the call
/// has one, and whoever watches that thread has another; the first to tell is believed.
#[derive(Clone)]
pub(crate) struct Done(Arc<Inside>);

struct Inside(Mutex<Option<Telling>>);

type Telling = Box<dyn FnOnce(Report) + Send>;

impl Done {
    pub(crate) fn new(telling: impl FnOnce(Report) + Send + 'static) -> Self {
        Self(Arc::new(Inside(Mutex::new(Some(Box::new(telling))))))
    }

    pub(crate) fn tell(&self, report: Report) {
        self.0.tell(report);
    }
}

impl Inside {
    fn tell(&self, report: Report) {
        let telling = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(telling) = telling {
            telling(report);
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let fault = Fault::new(FaultKind::Stopping, "the functions of this server are stopping");
        self.tell(Report::failed(fault));
    }
}
