//! Events that go together.
//!
//! ```text
//! event 1 ──┐ leads: waits until the batch is full, or for a moment
//! event 2 ──┼──> batch ──> one exchange ──> an outcome for each
//! event 3 ──┘              refused as a whole: its halves, down to single events
//! ```
//!
//! Every event is an attempt of its own to the delivery, which gives as many at once as a batch may hold (party.rs)
//! and waits here for their outcomes. Of one profile there is at most one in a batch, because the next one comes only
//! after it has ended; but where the receiver takes a batch in order, all of it or nothing, several of them come at
//! once and stay together, in their order: a company. A batch is no unit of anything: an event that fails is tried
//! again with whatever is there then.
//!
//! **Invariant:** of a company none is sent behind one that has to be tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_deliver::{Carried, Failure, Job, Outcome, Withheld};
use selfsame_destinations::{Connection, Done, Manifest, Outcome as Meaning, Verdict};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use crate::carry::{Answered, Course, is_to_be_tried_again};
use crate::config::Line;
use crate::connector::Connector;
use crate::credentials::Held;
use crate::meaning;

mod party;

pub(crate) use party::Passenger;

/// How long the first event of a batch waits at most, whatever a manifest says: what has not come by then is
/// not about to.
const MOST_WAIT: Duration = Duration::from_millis(250);

/// What a batch may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) wait: Duration,
    /// Whether they are taken in order, all of them or none.
    pub(crate) ordered: bool,
}

impl Room {
    /// That of an action, where it sends batches.
    pub(crate) fn of(manifest: &Manifest, action: &str) -> Option<Self> {
        let action = manifest.action(action)?;
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let bytes = action.max_batch_bytes().or(manifest.limits.max_body_bytes);
        let wait = action.max_wait_seconds().map_or(MOST_WAIT, Duration::from_secs);
        Some(Self {
            events: count(action.max_events()?).max(1),
            bytes: bytes.map_or(usize::MAX, count),
            wait: wait.min(MOST_WAIT),
            ordered: manifest.is_ordered(&action.key),
        })
    }
}

/// An event that waits.
#[derive(Debug)]
struct Member {
    event: Arc<Value>,
    /// Its idempotency key.
    key: String,
    size: usize,
    /// The same for events of one person that came together.
    company: u64,
    /// Its place among those that came at once, and where its outcome goes.
    place: usize,
    ended: mpsc::Sender<(usize, Carried)>,
}

impl Member {
    /// Says how it ended. Who came with it has room for all of them, or has gone.
    fn end(self, carried: Carried) {
        self.ended.try_send((self.place, carried)).ok();
    }
}

/// What events have in common that go together: the mapping, and what the manifest says.
type Common = (u8, String);

#[derive(Debug)]
struct Gathered {
    number: u64,
    members: Vec<Member>,
    bytes: usize,
    full: Arc<Notify>,
}

/// The batches of a connection.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    /// Those that events can join.
    open: BTreeMap<Common, Gathered>,
    /// Those that are full, until the event that leads them takes them.
    full: BTreeMap<u64, Vec<Member>>,
    waiting: usize,
    companies: u64,
}

/// How a batch went that was sent once.
pub(crate) enum Together {
    /// Its parts may fare better.
    Parts,
    /// Other tokens may mend it.
    Renew,
    /// What it means for each of its events.
    Ended(Vec<Carried>),
}

impl Together {
    /// What it means where nothing is sent.
    pub(crate) fn skipped(count: usize) -> Vec<Carried> {
        vec![Carried::quiet(Outcome::Withheld(Withheld::Skipped)); count]
    }
}

/// What has to be done by who leads a batch. Dropped, nobody waits for it any more.
struct Lead<'b> {
    batches: &'b Batches,
    number: u64,
    full: Arc<Notify>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        drop(self.batches.take(self.number));
    }
}

impl Batches {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each company joins the batch that is open, or begins one, which the caller leads. `most` events can wait at
    /// once. A company stays together: it is no more than a batch may hold.
    fn join(
        &self,
        common: &Common,
        companies: Vec<Vec<Member>>,
        room: Room,
        most: usize,
    ) -> Vec<Lead<'_>> {
        let (mut inner, mut leads) = (self.lock(), Vec::new());
        for company in companies {
            let begun = inner.join(common, company, room);
            leads.extend(begun.map(|(number, full)| Lead { batches: self, number, full }));
        }
        if inner.waiting >= most {
            // No more can come: none of them becomes fuller.
            while let Some(common) = inner.open.keys().next().cloned() {
                inner.close(&common);
            }
        }
        leads
    }

    /// Takes a batch to send it.
    fn take(&self, number: u64) -> Vec<Member> {
        let mut inner = self.lock();
        let open = inner.open.iter().find(|(_, open)| open.number == number);
        if let Some(common) = open.map(|(common, _)| common.clone()) {
            inner.close(&common);
        }
        let members = inner.full.remove(&number).unwrap_or_default();
        inner.waiting -= members.len();
        members
    }
}

impl Inner {
    /// A company joins the batch that is open, or begins one: its number, and what says that it is full.
    fn join(
        &mut self,
        common: &Common,
        mut members: Vec<Member>,
        room: Room,
    ) -> Option<(u64, Arc<Notify>)> {
        let size = members.iter().map(|member| member.size).fold(0, usize::saturating_add);
        self.waiting += members.len();
        self.companies += 1;
        members.iter_mut().for_each(|member| member.company = self.companies);
        let too_large = |open: &Gathered| {
            open.bytes.saturating_add(size) > room.bytes
                || open.members.len() + members.len() > room.events
        };
        if self.open.get(common).is_some_and(too_large) {
            self.close(common);
        }
        let mut lead = None;
        let next = &mut self.next;
        let open = self.open.entry(common.clone()).or_insert_with(|| {
            *next += 1;
            let full = Arc::<Notify>::default();
            lead = Some((*next, Arc::clone(&full)));
            Gathered { number: *next, members: Vec::new(), bytes: 0, full }
        });
        open.members.extend(members);
        open.bytes = open.bytes.saturating_add(size);
        if open.members.len() >= room.events {
            self.close(common);
        }
        lead
    }

    fn close(&mut self, common: &Common) {
        if let Some(Gathered { number, members, full, .. }) = self.open.remove(common) {
            self.full.insert(number, members);
            full.notify_one();
        }
    }
}

impl Connector {
    pub(crate) fn connection<'c>(&'c self, held: &'c Held, job: Job<'_>) -> Connection<'c> {
        Connection {
            settings: &self.config.settings,
            auth: &held.auth,
            audience: &Value::Null,
            now_ms: job.clock.wall().millis(),
        }
    }

    /// Sends a batch, or its parts where it is refused as a whole, and tells each event its outcome.
    async fn send_all(&self, members: Vec<Member>, line: &Line, job: Job<'_>) {
        let mut parts = vec![members];
        // Of these companies one has to be tried again.
        let mut held: BTreeSet<u64> = BTreeSet::new();
        while let Some(part) = parts.pop() {
            let (behind, mut part): (Vec<Member>, Vec<Member>) =
                part.into_iter().partition(|member| held.contains(&member.company));
            for member in behind {
                member.end(Carried::quiet(Outcome::Postponed));
            }
            let outcomes = match part.as_slice() {
                [] => continue,
                [Member { event, key, .. }] => {
                    let job = Job { key, ..job };
                    vec![self.carry(event, line, job, &mut None).await]
                }
                several => match self.send_batch(several, line, job).await {
                    Some(outcomes) => outcomes,
                    None => {
                        let behind = part.split_off(part.len() / 2);
                        parts.extend([behind, part]);
                        continue;
                    }
                },
            };
            for (member, carried) in part.into_iter().zip(outcomes) {
                if is_to_be_tried_again(carried.outcome) {
                    held.insert(member.company);
                }
                member.end(carried);
            }
        }
    }

    /// Sends a batch once. None where its parts may fare better.
    async fn send_batch(&self, part: &[Member], line: &Line, job: Job<'_>) -> Option<Vec<Carried>> {
        let all = |carried: Carried| Some(vec![carried; part.len()]);
        let Ok(_place) = self.exchanges.acquire().await else {
            return all(Carried::quiet(Outcome::Postponed));
        };
        match self.room(job.clock.wall()) {
            Some(0) => return all(Carried::quiet(Outcome::Postponed)),
            Some(left) if left < part.len() as u64 => return None,
            Some(_) | None => {}
        }
        let events: Vec<&Value> = part.iter().map(|member| &*member.event).collect();
        let mut held = self.credentials.current(self, job).await;
        let mut has_renewed = false;
        loop {
            let tokens = match held {
                Ok(tokens) => tokens,
                Err(carried) => return all(carried),
            };
            let may_renew = !has_renewed && self.can_renew(&tokens);
            let went = match line.is_program {
                true => {
                    let events: Vec<Value> = events.iter().copied().cloned().collect();
                    self.batch_by_program(&events, line, &tokens, may_renew, job).await
                }
                false => self.batch_exchange(&events, line, &tokens, may_renew, job).await,
            };
            match went {
                Together::Renew => {
                    has_renewed = true;
                    held = self.credentials.renew(&tokens, self, job).await;
                }
                Together::Parts => return None,
                Together::Ended(outcomes) => {
                    if outcomes.iter().any(is_throttled) {
                        self.pace.throttled(job.clock.monotonic_micros());
                    }
                    return Some(outcomes);
                }
            }
        }
    }

    /// Sends a batch as the manifest says.
    async fn batch_exchange(
        &self,
        events: &[&Value],
        line: &Line,
        tokens: &Held,
        may_renew: bool,
        job: Job<'_>,
    ) -> Together {
        let connection = self.connection(tokens, job);
        let manifest = &*self.config.manifest;
        let exchange =
            manifest.batch_exchange(&line.subscription, events.iter().copied(), connection);
        let Ok((mut exchange, refused)) = exchange else { return Together::Parts };
        let members = exchange.members().to_vec();
        let weight = u64::try_from(members.len()).unwrap_or(u64::MAX);
        let mut course = Course { weight, ..Course::unnoted() };
        let driven = self.drive(&mut exchange, tokens, &mut course, job, &mut None).await;
        let (done, last) = match driven {
            Ok(driven) => driven,
            Err(carried) if is_to_be_tried_again(carried.outcome) => {
                return Together::Ended(vec![carried; events.len()]);
            }
            Err(_) => return Together::Parts,
        };
        let verdict = match &done {
            Done::Answered { verdict, .. } => verdict.outcome,
            Done::Refused(_) => Meaning::SplitBatch,
            Done::Delivered | Done::Skipped => Meaning::Ok,
        };
        if verdict == Meaning::RefreshAuth && may_renew {
            return Together::Renew;
        }
        if matches!(verdict, Meaning::SplitBatch | Meaning::Reject) {
            return Together::Parts;
        }
        let mut outcomes = Together::skipped(events.len());
        for (index, refusal) in &refused {
            outcomes[*index] = meaning::refused(refusal, None, &tokens.mask);
        }
        for (place, index) in members.into_iter().enumerate() {
            outcomes[index] = self.of_member(place, &done, last.as_ref(), tokens);
        }
        Together::Ended(outcomes)
    }

    /// What the end of a batch means for one of its events.
    fn of_member(
        &self,
        place: usize,
        done: &Done,
        last: Option<&Answered>,
        held: &Held,
    ) -> Carried {
        let last = last.map(|(reply, after)| (reply, *after));
        let Done::Answered { step, verdict } = done else {
            return meaning::of(done, last, &held.mask);
        };
        if verdict.outcome != Meaning::PerItem {
            return meaning::of(done, last, &held.mask);
        }
        let verdict = of_item(verdict, place);
        let status = last.map_or(200, |(reply, _)| reply.status);
        if verdict.outcome == Meaning::Ok {
            return Carried::quiet(Outcome::Delivered { status });
        }
        meaning::of(&Done::Answered { step: step.clone(), verdict }, last, &held.mask)
    }
}

/// The verdict of one item: by its place in the list, or by the `index` that it has. What is not listed is good.
fn of_item(verdict: &Verdict, place: usize) -> Verdict {
    let ok = Verdict { outcome: Meaning::Ok, after_seconds: None, message: None, items: None };
    let Some(Value::Array(items)) = &verdict.items else { return ok };
    let indexed = items.iter().any(|item| item.get("index").is_some());
    let item = match indexed {
        true => items.iter().find(|item| {
            let index = item.get("index").and_then(Value::as_u64);
            index.and_then(|index| usize::try_from(index).ok()) == Some(place)
        }),
        false => items.get(place),
    };
    let Some(item) = item else { return ok };
    let word = item.as_str().or_else(|| item.get("outcome").and_then(Value::as_str));
    let outcome = match word {
        None => Meaning::Ok,
        Some(word) => match Meaning::of_word(word) {
            // An item has no items.
            Meaning::PerItem | Meaning::SplitBatch => Meaning::Reject,
            outcome => outcome,
        },
    };
    let message = item.get("message").and_then(Value::as_str).map(str::to_owned);
    Verdict { outcome, message, ..ok }
}

fn is_throttled(carried: &Carried) -> bool {
    matches!(carried.outcome, Outcome::Failed { failure: Failure::Throttled, .. })
}

#[cfg(test)]
mod tests;
