//! Events that go to a function's `onBatch` together.
//!
//! ```text
//! event 1 ──┐ leads: waits until the batch is full, or for a moment
//! event 2 ──┼──> one call ──> a result for each
//! event 3 ──┘    refused as a whole: its halves, down to single events
//! ```
//!
//! Every event is an attempt of its own to the delivery, which waits here for its result. Of one profile there
//! is at most one in a batch, because the next one comes only after it has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_deliver::{Carried, Failure, Outcome};
use selfsame_functions::{Family, FaultKind, Input, Item, Returned};
use selfsame_pipeline::workspace::FunctionPlace;
use tokio::sync::{Notify, oneshot};

use super::tool::{called, ended};
use super::{Functions, Running};

/// Events of a batch.
const EVENTS: usize = 100;
/// Bytes of a batch, as far as several events make them.
const BYTES: usize = 512 << 10;
/// How long the first event of a batch waits: what has not come by then is not about to.
const WAIT: Duration = Duration::from_millis(100);
/// What the prelude says of code without `onBatch`. It has run nothing then.
const NO_BATCH: &str = "the function has no onBatch";

/// An event that waits.
#[derive(Debug)]
struct Member {
    event: String,
    ended: oneshot::Sender<Result<Returned, Carried>>,
}

#[derive(Debug)]
struct Gathered {
    number: u64,
    members: Vec<Member>,
    bytes: usize,
    full: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    /// The one that events can join.
    open: Option<Gathered>,
    /// Those that are full, until the event that leads them takes them.
    full: BTreeMap<u64, Vec<Member>>,
    waiting: usize,
}

/// The batches of a place where a function is used.
#[derive(Debug)]
pub(super) struct Batches {
    /// How many events can wait at once: no more are under way.
    most: usize,
    /// The code that turned out to have no `onBatch`.
    without: Mutex<Option<Running>>,
    inner: Mutex<Inner>,
}

/// What the event has to do that leads a batch.
struct Lead {
    number: u64,
    full: Arc<Notify>,
}

impl Batches {
    /// Batches of a destination of which so many events are under way at once.
    pub(super) fn new(most: usize) -> Self {
        Self { most, without: Mutex::default(), inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_without(&self, running: &Running) -> bool {
        let without = self.without.lock().unwrap_or_else(PoisonError::into_inner);
        without.as_ref() == Some(running)
    }

    fn note_without(&self, running: Running) {
        *self.without.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }

    /// Calls the function of a place for an event: together with others, if it has `onBatch`.
    pub(super) async fn call(
        &self,
        functions: &Functions,
        place: &FunctionPlace,
        event: &str,
    ) -> Result<Returned, Carried> {
        let running = functions.batching(place).filter(|running| !self.is_without(running));
        let Some(running) = running else {
            return called(functions, place, Input::Event(event.to_owned())).await;
        };
        let (ended, result) = oneshot::channel();
        let lead = self.lock().join(Member { event: event.to_owned(), ended }, self.most);
        if let Some(Lead { number, full }) = lead {
            // Full, or waited for long enough: it is the same from here on.
            tokio::time::timeout(WAIT, full.notified()).await.ok();
            let members = self.lock().take(number);
            self.call_all((functions, place, running), members).await;
        }
        // Whoever led it has gone: the attempt is made again.
        result.await.unwrap_or_else(|_| Err(Carried::quiet(Outcome::Postponed)))
    }

    async fn call_all(
        &self,
        (functions, place, running): (&Functions, &FunctionPlace, Running),
        members: Vec<Member>,
    ) {
        let mut batches = vec![members];
        while let Some(mut members) = batches.pop() {
            let events = members.iter().map(|member| member.event.clone()).collect();
            let fault = match functions.call(place, Input::Batch(events)).await {
                Ok(report) => match report.result {
                    Ok(Returned::Batch(items)) => {
                        tell(members, items.into_iter().map(result));
                        continue;
                    }
                    // There is nothing else that a batch comes to.
                    Ok(_) => {
                        tell_all(members, &Carried::quiet(Outcome::failed(Failure::Bug)));
                        continue;
                    }
                    Err(fault) => fault,
                },
                // It was configured otherwise meanwhile; the connection is about to be another one.
                Err(_) => {
                    tell_all(members, &Carried::quiet(Outcome::Postponed));
                    continue;
                }
            };
            if fault.kind == FaultKind::Unsupported && fault.message == NO_BATCH {
                self.note_without(running);
                for member in members {
                    let result = called(functions, place, Input::Event(member.event)).await;
                    // Whoever waited may have gone.
                    drop(member.ended.send(result));
                }
                return;
            }
            if fault.kind.family() == Family::Refused && members.len() > 1 {
                // One of them is the reason, or there are too many for the limits.
                let second = members.split_off(members.len() / 2);
                batches.push(second);
                batches.push(members);
                continue;
            }
            tell_all(members, &ended(&fault));
        }
    }
}

/// What became of one event.
fn result(item: Item) -> Result<Returned, Carried> {
    match item {
        Item::Done => Ok(Returned::Done),
        Item::Event(event) => Ok(Returned::Event(event)),
        Item::Failed(fault) => Err(ended(&fault)),
    }
}

fn tell(members: Vec<Member>, results: impl Iterator<Item = Result<Returned, Carried>>) {
    for (member, result) in members.into_iter().zip(results) {
        // Whoever waited may have gone.
        drop(member.ended.send(result));
    }
}

fn tell_all(members: Vec<Member>, carried: &Carried) {
    tell(members, std::iter::repeat_with(|| Err(carried.clone())));
}

impl Inner {
    /// Joins the batch that is open, or begins one and leads it.
    fn join(&mut self, member: Member, most: usize) -> Option<Lead> {
        self.waiting += 1;
        let size = member.event.len();
        if self.open.as_ref().is_some_and(|open| open.bytes.saturating_add(size) > BYTES) {
            self.close();
        }
        let mut lead = None;
        let next = &mut self.next;
        let open = self.open.get_or_insert_with(|| {
            *next += 1;
            let full = Arc::<Notify>::default();
            lead = Some(Lead { number: *next, full: Arc::clone(&full) });
            Gathered { number: *next, members: Vec::new(), bytes: 0, full }
        });
        open.members.push(member);
        open.bytes = open.bytes.saturating_add(size);
        if open.members.len() >= EVENTS || self.waiting >= most {
            // It is full, or no more can come.
            self.close();
        }
        lead
    }

    fn close(&mut self) {
        if let Some(Gathered { number, members, full, .. }) = self.open.take() {
            self.full.insert(number, members);
            full.notify_one();
        }
    }

    /// Takes a batch to call the function with it.
    fn take(&mut self, number: u64) -> Vec<Member> {
        if self.open.as_ref().is_some_and(|open| open.number == number) {
            self.close();
        }
        let members = self.full.remove(&number).unwrap_or_default();
        self.waiting -= members.len();
        members
    }
}

#[cfg(test)]
mod tests;
