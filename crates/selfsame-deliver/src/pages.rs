//! What connections read together: pages of the feed, who may want what of them, and bodies.
//!
//! ```text
//! feed      ########## ########## ########## ####.            read once, whoever reads it
//! page      total 10, kept {2, 5, 9}, wanted {a: [2, 9], b: [5]}
//! a         |filtered 2|2|filtered 6|9|                       and so on, without looking at the others
//! c         |filtered 10|
//! ```
//!
//! A page is routed when it is read (routing.rs): an effect that nobody may want is only counted in it, and a
//! connection that may want none of it passes it in one step. At the end of the feed one task reads for all
//! and wakes those that may want what came; the others look now and then, and pass all of it in one step.
//! A body is read and parsed once for all that send it.
//!
//! **Invariants:**
//! - a page has every effect from its first place up to its end exactly once, counted or kept;
//! - what a page does not give a connection, that connection surely did not want as it was configured when the
//!   page was read;
//! - pages and bodies are bounded in bytes; what is not here any more is read again;
//! - a body is not sent from here for longer than [`BODY_AGE`]: what was erased meanwhile is not found again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_event::{Class, ItemPosition};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::connection::{Connection, ConnectionId, Filter};
use crate::deliverer::log_chain;
use crate::feed::{BodyError, Effect, EffectKind, Feed, FeedError};
use crate::tool::Body;

mod routing;
mod tail;

use routing::Index;
pub use routing::Name;

/// Effects of a page.
const PAGE_EFFECTS: usize = 1_024;
/// Kept effects whose bodies are read together.
const PART: usize = 128;
/// About how many bytes of pages there are.
const PAGE_BYTES: usize = 48 << 20;
/// About how many bytes bodies take, those of what was parsed included.
const BODY_BYTES: usize = 48 << 20;
/// For how long a body that was read may be sent.
const BODY_AGE: Duration = Duration::from_secs(10);
/// What a parsed body takes, as a multiple of its text.
const PARSED: usize = 6;
/// How many ends of pages at the end of the feed are known, so that they can be passed in one step.
const ENDS: usize = 4_096;

/// A count for each kind of events; kinds of changes are others.
type ByKind = [u64; 8];
/// What stands for the kind of a change.
const CHANGE: u8 = u8::MAX;

/// Effects in order, routed.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) from: ItemPosition,
    pub(crate) next: ItemPosition,
    /// How many effects it has.
    pub(crate) total: u64,
    /// Those that somebody may want, with their numbers in it.
    kept: Vec<(u64, Effect)>,
    /// Which of `kept` a connection may want.
    wanted: HashMap<ConnectionId, Vec<u32>>,
    /// Which of `kept` are changes.
    changes: Vec<u32>,
    /// The kind of each of its effects; of changes one that no filter lets through.
    kinds: Vec<u8>,
    bodies: Vec<Bodies>,
    version: u64,
}

/// A part of a page: its bodies, while they are kept, and whose turn it is to read them.
#[derive(Debug, Default)]
struct Bodies {
    read: Mutex<Option<Part>>,
    turn: tokio::sync::Mutex<()>,
}

/// Bodies that were read together.
#[derive(Debug, Clone)]
struct Part {
    read_at: Instant,
    bodies: Arc<[Option<Body>]>,
}

impl Page {
    /// The number in it of what is at a place, if it can say so.
    pub(crate) fn number_of(&self, at: ItemPosition) -> Option<u64> {
        if at == self.from {
            return Some(0);
        }
        let place = self.kept.binary_search_by(|(_, effect)| effect.at.cmp(&at)).ok()?;
        Some(self.kept[place].0)
    }

    /// What a connection may want of it from a number on, in order; of changes only those that `hears`.
    pub(crate) fn of(
        &self,
        connection: ConnectionId,
        from: u64,
        hears: impl Fn(&Effect) -> bool,
    ) -> Vec<(u64, Effect)> {
        let events = self.wanted.get(&connection).map_or(&[][..], Vec::as_slice);
        let heard =
            |place: &&u32| self.kept.get(**place as usize).is_some_and(|(_, one)| hears(one));
        let mut places: Vec<u32> = events.to_vec();
        if !self.changes.is_empty() {
            places.extend(self.changes.iter().filter(heard));
            places.sort_unstable();
        }
        let kept = places.iter().filter_map(|place| self.kept.get(*place as usize).copied());
        kept.filter(|(number, _)| *number >= from).collect()
    }

    /// Whether it has changes of computed traits or audiences.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// How many of the events in a span of numbers a filter lets through.
    pub(crate) fn count(&self, filter: &Filter, from: u64, to: u64) -> u64 {
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let kinds = self.kinds.get(place(from)..place(to)).unwrap_or_default();
        kinds.iter().filter(|kind| filter.accepts(EffectKind(**kind))).count() as u64
    }

    /// How many events it has of each kind.
    fn by_kind(&self) -> ByKind {
        let mut by_kind = ByKind::default();
        for kind in &self.kinds {
            if let Some(count) = by_kind.get_mut(usize::from(*kind)) {
                *count += 1;
            }
        }
        by_kind
    }

    fn size(&self) -> usize {
        let wanted: usize = self.wanted.values().map(|places| 64 + 4 * places.len()).sum();
        256 + self.kinds.len() + 112 * self.kept.len() + wanted + 160 * self.bodies.len()
    }

    /// The body of one of its effects that was read before, and not long ago.
    fn body(&self, at: ItemPosition) -> Found {
        let Ok(place) = self.kept.binary_search_by(|(_, effect)| effect.at.cmp(&at)) else {
            return Found::Nowhere;
        };
        let (part, index) = (place / PART, place % PART);
        match lock(&self.bodies[part].read)
            .as_ref()
            .filter(|part| part.read_at.elapsed() < BODY_AGE)
        {
            Some(part) => {
                part.bodies.get(index).cloned().flatten().map_or(Found::Nowhere, Found::Body)
            }
            None => Found::Unread(part),
        }
    }

    /// Reads the bodies of a part. How many bytes that took.
    fn read_part(&self, part: usize, feed: &dyn Feed) -> usize {
        let kept = self.kept.chunks(PART).nth(part).unwrap_or_default();
        let effects: Vec<Effect> = kept.iter().map(|(_, effect)| *effect).collect();
        let bodies: Arc<[Option<Body>]> =
            feed.bodies(&effects).into_iter().map(|body| body.map(Body::new)).collect();
        let bytes = bodies.iter().flatten().map(|body| body.bytes().len() * PARSED).sum();
        *lock(&self.bodies[part].read) = Some(Part { read_at: Instant::now(), bodies });
        bytes
    }
}

/// Where a body is.
enum Found {
    Body(Body),
    /// In this part, which is to be read.
    Unread(usize),
    Nowhere,
}

/// What a connection finds at a place.
#[derive(Debug)]
pub(crate) enum Next {
    /// A page, to be taken from that number on.
    Page(Arc<Page>, u64),
    /// So many effects of which it wants none, up to a place.
    Quiet(Quiet, ItemPosition),
    /// Nothing that was read: [`Pages::load`] reads it.
    Unread,
}

/// Effects that somebody wants none of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Quiet {
    pub(crate) count: u64,
    by_kind: ByKind,
}

impl Quiet {
    /// How many of them are events that a filter lets through.
    pub(crate) fn events(&self, filter: &Filter) -> u64 {
        let kinds = (0_u8..).zip(self.by_kind);
        kinds.filter(|(kind, _)| filter.accepts(EffectKind(*kind))).map(|(_, count)| count).sum()
    }
}

/// The pages of a feed.
#[derive(Debug)]
pub(crate) struct Pages {
    feed: Arc<dyn Feed>,
    inner: Mutex<Inner>,
    /// One of those that are behind reads at a time: who waited for the same finds it.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    index: Arc<Index>,
    pages: BTreeMap<ItemPosition, Arc<Page>>,
    order: VecDeque<ItemPosition>,
    page_bytes: usize,
    /// Parts whose bodies were read, oldest first, with what they take.
    parts: VecDeque<(Arc<Page>, usize, usize)>,
    body_bytes: usize,
    tail: tail::Tail,
    news: HashMap<ConnectionId, Arc<Notify>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pages {
    pub(crate) fn new(feed: Arc<dyn Feed>) -> Self {
        Self { feed, inner: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// Routes by these connections from now on.
    pub(crate) fn route(&self, connections: &[Connection]) {
        let mut inner = lock(&self.inner);
        let index = Index::of(connections, inner.index.version + 1);
        if inner.index.is_same(&index) {
            return;
        }
        let news = std::mem::take(&mut inner.news);
        *inner = Inner { index: Arc::new(index), news, ..Inner::default() };
    }

    /// What wakes a connection when something came that it may want.
    pub(crate) fn news(&self, connection: ConnectionId) -> Arc<Notify> {
        Arc::clone(lock(&self.inner).news.entry(connection).or_default())
    }

    /// A connection is not there any more.
    pub(crate) fn forget(&self, connection: ConnectionId) {
        lock(&self.inner).news.remove(&connection);
    }

    /// What is at a place, for a connection.
    pub(crate) fn next(&self, connection: ConnectionId, at: ItemPosition) -> Next {
        let inner = lock(&self.inner);
        if let Some((count, to)) = inner.tail.quiet(connection, at) {
            return Next::Quiet(count, to);
        }
        match inner.find(at) {
            Some((page, number)) => Next::Page(page, number),
            None => Next::Unread,
        }
    }

    /// Reads a page from a place on, unless there is one. Those who are behind take turns.
    pub(crate) async fn load(
        self: Arc<Self>,
        at: ItemPosition,
    ) -> Result<(Arc<Page>, u64), FeedError> {
        let _turn = self.reading.lock().await;
        self.read(at).await
    }

    /// The same, without a turn.
    async fn read(&self, at: ItemPosition) -> Result<(Arc<Page>, u64), FeedError> {
        let index = {
            let inner = lock(&self.inner);
            if let Some(found) = inner.find(at) {
                return Ok(found);
            }
            Arc::clone(&inner.index)
        };
        let feed = Arc::clone(&self.feed);
        let read = move || {
            let page = feed.read(at, PAGE_EFFECTS)?;
            index.page(&*feed, at, page)
        };
        let ended = |error| FeedError { source: Box::new(error), class: Class::Bug };
        let page = Arc::new(tokio::task::spawn_blocking(read).await.map_err(ended)??);
        lock(&self.inner).insert(&page);
        Ok((page, 0))
    }

    /// The body of an event.
    pub(crate) async fn body(self: &Arc<Self>, effect: &Effect) -> Result<Body, BodyError> {
        let page = lock(&self.inner).page_with(effect.at);
        self.body_of(effect, page.as_ref()).await
    }

    /// The bodies of some events.
    pub(crate) async fn bodies(
        self: &Arc<Self>,
        effects: impl Iterator<Item = &Effect> + Clone,
    ) -> Vec<Result<Body, BodyError>> {
        let pages: Vec<Option<Arc<Page>>> = {
            let inner = lock(&self.inner);
            effects.clone().map(|effect| inner.page_with(effect.at)).collect()
        };
        let mut bodies = Vec::with_capacity(pages.len());
        for (effect, page) in effects.zip(&pages) {
            bodies.push(self.body_of(effect, page.as_ref()).await);
        }
        bodies
    }

    /// The body of an event that is on a page, if it is on one.
    async fn body_of(
        self: &Arc<Self>,
        effect: &Effect,
        page: Option<&Arc<Page>>,
    ) -> Result<Body, BodyError> {
        let at = effect.at;
        if let Some(page) = page {
            match page.body(at) {
                Found::Body(body) => return Ok(body),
                Found::Nowhere => {}
                Found::Unread(part) => {
                    // Of those that need it one reads, on a thread that may block. The others wait here.
                    let _turn = page.bodies[part].turn.lock().await;
                    if let Found::Body(body) = page.body(at) {
                        return Ok(body);
                    }
                    let (pages, read) = (Arc::clone(self), Arc::clone(page));
                    let reading = tokio::task::spawn_blocking(move || {
                        let bytes = read.read_part(part, &*pages.feed);
                        pages.count(read, part, bytes);
                    });
                    if let Err(error) = reading.await {
                        log_chain(&error, "reading bodies ended");
                    }
                    if let Found::Body(body) = page.body(at) {
                        return Ok(body);
                    }
                }
            }
        }
        // It is alone, or it has none: this says why.
        let (feed, effect) = (Arc::clone(&self.feed), *effect);
        let read = tokio::task::spawn_blocking(move || feed.body(&effect)).await;
        let unavailable = |error| BodyError::Unavailable(Box::new(error));
        read.map_err(unavailable)?.map(Body::new)
    }

    /// Counts bodies that were read, and lets go of those that were read first.
    fn count(&self, page: Arc<Page>, part: usize, bytes: usize) {
        let mut inner = lock(&self.inner);
        inner.body_bytes += bytes;
        inner.parts.push_back((page, part, bytes));
        let mut gone = Vec::new();
        while inner.body_bytes > BODY_BYTES
            && let Some((page, part, bytes)) = inner.parts.pop_front()
        {
            inner.body_bytes -= bytes;
            gone.push((page, part));
        }
        drop(inner);
        for (page, part) in gone {
            lock(&page.bodies[part].read).take();
        }
    }
}

impl Inner {
    fn page_with(&self, at: ItemPosition) -> Option<Arc<Page>> {
        let (_, page) = self.pages.range(..=at).next_back()?;
        (page.next > at).then(|| Arc::clone(page))
    }

    fn find(&self, at: ItemPosition) -> Option<(Arc<Page>, u64)> {
        let page = self.page_with(at).filter(|page| page.version == self.index.version)?;
        let number = page.number_of(at)?;
        Some((page, number))
    }

    fn insert(&mut self, page: &Arc<Page>) {
        // One without effects says how far nothing is; what comes there is not in it.
        if page.version != self.index.version || page.next <= page.from {
            return;
        }
        self.page_bytes += page.size();
        if let Some(before) = self.pages.insert(page.from, Arc::clone(page)) {
            self.page_bytes -= before.size();
        } else {
            self.order.push_back(page.from);
        }
        while self.page_bytes > PAGE_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.page_bytes -= self.pages.remove(&oldest).map_or(0, |page| page.size());
        }
    }
}

#[cfg(test)]
mod tests;
