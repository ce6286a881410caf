//! What one evaluation may cost, and what went wrong in it.

use std::cell::{Cell, RefCell};

use crate::limits::WORK;
use crate::mapping::Failure;

/// The work that is left.
///
/// Whoever makes something asks first. When nothing is left, everything that is asked for is undefined,
/// so that the evaluation ends soon, whatever it was about to do.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
    failure: RefCell<Option<Failure>>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { left: Cell::new(WORK), failure: RefCell::new(None) }
    }

    /// Takes so much of it. `None`: there is not that much, and nothing is left.
    pub(crate) fn spend(&self, units: usize) -> Option<()> {
        let left = self.left.get().checked_sub(units);
        self.left.set(left.unwrap_or(0));
        left.map(drop)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    /// Remembers the first failure.
    pub(crate) fn fail(&self, pointer: &str, reason: impl FnOnce() -> String) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            *failure = Some(Failure { pointer: pointer.to_owned(), reason: reason() });
        }
    }

    pub(crate) fn failure(self) -> Option<Failure> {
        if self.is_spent() {
            self.fail("", || "what the event becomes is too large".to_owned());
        }
        self.failure.into_inner()
    }
}
