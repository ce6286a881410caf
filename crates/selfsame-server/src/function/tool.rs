//! Functions where delivery speaks: a destination that is one, and one in front of a destination.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use selfsame_deliver::{
    Before, Carried, Carrying, Change, Changing, Failure, Interest, Job, Letter, Outcome, Share,
    Spoken, Tool, Withheld,
};
use selfsame_event::Time;
use selfsame_functions::{Family, Fault, FaultKind, Input, Returned};
use selfsame_pipeline::workspace::FunctionPlace;
use tokio::sync::OnceCell;

use super::batch::Batches;
use super::{Functions, NotCalled, sentence};

/// The one action of a function.
const ACTION: u8 = 0;

/// The kind of destinations that are functions.
pub(crate) const FUNCTION: &str = "function";
/// Calls of a function under way at once for one destination.
pub(crate) const CALLS: usize = 16;
/// Events under way at once of a destination whose function takes several at once.
pub(crate) const BATCHED: usize = 256;

/// The tools that functions are, by where they are used: the same ones as long as they stand for the same.
#[derive(Debug)]
pub(crate) struct FunctionTools {
    functions: Arc<Functions>,
    own: Mutex<BTreeMap<String, Arc<FunctionTool>>>,
    inserted: Mutex<BTreeMap<String, Arc<Inserted>>>,
    hooks: Mutex<BTreeMap<String, Arc<InFront>>>,
}

impl FunctionTools {
    pub(crate) fn new(functions: &Arc<Functions>) -> Self {
        let functions = Arc::clone(functions);
        let (own, inserted, hooks) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { functions, own, inserted, hooks }
    }

    /// What a destination speaks with that is a function; none while it has none.
    pub(crate) fn own(&self, destination: &str) -> Option<Spoken> {
        let place = FunctionPlace::Destination(destination.to_owned());
        if !self.functions.is_used(&place) {
            return None;
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let (functions, batches) = (Arc::clone(&self.functions), Batches::new(BATCHED));
        let make = || Arc::new(FunctionTool { functions, place, batches });
        let tool = own.entry(destination.to_owned()).or_insert_with(make);
        Some(Spoken(Arc::<FunctionTool>::clone(tool)))
    }

    /// How many events may be under way at once of a destination that a function stands at.
    pub(crate) fn concurrency(&self, place: &FunctionPlace) -> usize {
        if self.functions.batching(place).is_some() { BATCHED } else { CALLS }
    }

    /// A destination's tool, with the function in front of it if there is one. So many of its events may be
    /// under way at once.
    pub(crate) fn in_front(&self, destination: &str, spoken: Spoken, concurrency: usize) -> Spoken {
        let place = FunctionPlace::Insert(destination.to_owned());
        let mut inserted = self.inserted.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.functions.is_used(&place) {
            inserted.remove(destination);
            return spoken;
        }
        let known = inserted.get(destination);
        let is_same = |known: &&Arc<Inserted>| {
            Arc::ptr_eq(&known.tool, &spoken.0) && known.concurrency == concurrency
        };
        let known = known.filter(is_same).cloned();
        let tool = known.unwrap_or_else(|| {
            let (functions, tool) = (Arc::clone(&self.functions), spoken.0);
            let batches = Batches::new(concurrency);
            Arc::new(Inserted { functions, place, tool, concurrency, batches })
        });
        inserted.insert(destination.to_owned(), Arc::clone(&tool));
        Spoken(tool)
    }

    /// The function in front of a webhook, if there is one.
    pub(crate) fn before(&self, destination: &str) -> Option<Before> {
        let place = FunctionPlace::Insert(destination.to_owned());
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.functions.is_used(&place) {
            hooks.remove(destination);
            return None;
        }
        let (functions, batches) = (Arc::clone(&self.functions), Batches::new(BATCHED));
        let make = || Arc::new(InFront { functions, place, batches });
        let found = hooks.entry(destination.to_owned()).or_insert_with(make);
        Some(Before(Arc::<InFront>::clone(found)))
    }
}

/// A function in front of a webhook.
struct InFront {
    functions: Arc<Functions>,
    place: FunctionPlace,
    batches: Batches,
}

/// A destination that is a function.
struct FunctionTool {
    functions: Arc<Functions>,
    place: FunctionPlace,
    batches: Batches,
}

/// A tool with a function in front of it.
struct Inserted {
    functions: Arc<Functions>,
    place: FunctionPlace,
    tool: Arc<dyn Tool>,
    concurrency: usize,
    batches: Batches,
}

impl fmt::Debug for FunctionTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionTool").field("place", &self.place).finish_non_exhaustive()
    }
}

impl fmt::Debug for Inserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inserted").field("place", &self.place).finish_non_exhaustive()
    }
}

impl fmt::Debug for InFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFront").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Change for InFront {
    fn change<'a>(&'a self, body: &'a Bytes) -> Changing<'a> {
        Box::pin(async move {
            let failed = |failure| Carried::quiet(Outcome::failed(failure));
            let event = event(body).map_err(failed)?;
            match self.batches.call(&self.functions, &self.place, event).await? {
                Returned::Event(event) => Ok(event.into()),
                // There is nothing else that an insert function returns for one event.
                _ => Err(failed(Failure::Bug)),
            }
        })
    }
}

/// The event of a body, as a function gets it.
fn event(body: &Bytes) -> Result<&str, Failure> {
    std::str::from_utf8(body).map_err(|_| Failure::Unmapped)
}

/// Calls a function: what it returned, or how the attempt ended.
pub(super) async fn called(
    functions: &Functions,
    place: &FunctionPlace,
    input: Input,
) -> Result<Returned, Carried> {
    match functions.call(place, input).await {
        Ok(report) => report.result.map_err(|fault| ended(&fault)),
        // It was configured otherwise meanwhile; the connection is about to be another one.
        Err(NotCalled::None | NotCalled::Locked(_)) => Err(Carried::quiet(Outcome::Postponed)),
    }
}

/// How an attempt ended whose function failed.
pub(super) fn ended(fault: &Fault) -> Carried {
    let outcome = match (fault.kind.family(), fault.kind) {
        (Family::Filtered, _) => Outcome::Withheld(Withheld::Skipped),
        (Family::Refused, _) => Outcome::failed(Failure::Rejected),
        (Family::Retry, FaultKind::Busy | FaultKind::Stopping) => Outcome::Postponed,
        (Family::Retry, FaultKind::Timeout) => Outcome::failed(Failure::Timeout),
        // What it asked for may have been done, or not.
        (Family::Retry, _) => Outcome::failed(Failure::Server),
    };
    Carried { outcome, note: format!("{}: {}", fault.kind.label(), sentence(fault)) }
}

impl Tool for FunctionTool {
    fn open(self: Arc<Self>, body: &Bytes) -> Result<Box<dyn Letter>, Failure> {
        let event = event(body)?.to_owned();
        Ok(Box::new(Own { tool: self, event }))
    }
}

/// An event for a destination that is a function.
struct Own {
    tool: Arc<FunctionTool>,
    event: String,
}

impl Letter for Own {
    fn wanted_by(&self) -> Share {
        Share::WHOLE.with(ACTION)
    }

    fn carry<'a>(&'a self, _: u8, _: Job<'a>) -> Carrying<'a> {
        Box::pin(async move {
            let FunctionTool { functions, place, batches } = &*self.tool;
            match batches.call(functions, place, &self.event).await {
                Ok(_) => Carried::quiet(Outcome::Delivered { status: 200 }),
                Err(carried) => carried,
            }
        })
    }
}

impl Tool for Inserted {
    fn waits_until(&self, now: Time) -> Option<Time> {
        self.tool.waits_until(now)
    }

    fn open(self: Arc<Self>, body: &Bytes) -> Result<Box<dyn Letter>, Failure> {
        // Which actions want it, the event says as it came: a function cannot make one match.
        let wanted = Arc::clone(&self.tool).open(body)?.wanted_by();
        let event = event(body)?.to_owned();
        Ok(Box::new(Inserting { tool: self, event, wanted, changed: OnceCell::new() }))
    }

    fn interests(&self) -> Vec<Interest> {
        self.tool.interests()
    }
}

/// An event with a function in front of its destination.
struct Inserting {
    tool: Arc<Inserted>,
    event: String,
    wanted: Share,
    /// What the function made of it, for all actions.
    changed: OnceCell<Result<Box<dyn Letter>, Carried>>,
}

impl Inserting {
    async fn change(&self) -> Result<Box<dyn Letter>, Carried> {
        let Inserted { functions, place, tool, batches, .. } = &*self.tool;
        match batches.call(functions, place, &self.event).await? {
            Returned::Event(event) => {
                let opened = Arc::clone(tool).open(&event.into());
                opened.map_err(|failure| Carried::quiet(Outcome::failed(failure)))
            }
            // There is nothing else that an insert function returns for one event.
            _ => Err(Carried::quiet(Outcome::failed(Failure::Bug))),
        }
    }
}

impl Letter for Inserting {
    fn wanted_by(&self) -> Share {
        self.wanted
    }

    fn carry<'a>(&'a self, action: u8, job: Job<'a>) -> Carrying<'a> {
        Box::pin(async move {
            match self.changed.get_or_init(|| self.change()).await {
                Ok(letter) => letter.carry(action, job).await,
                Err(carried) => carried.clone(),
            }
        })
    }
}
