//! The end of the feed: read once for all as it moves, so that only those are woken that may want what came.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use selfsame_event::ItemPosition;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{ENDS, Page, Pages, Quiet, lock};
use crate::connection::ConnectionId;
use crate::deliverer::log_chain;
use crate::feed::FeedEnd;

/// How often those are woken that wanted nothing, so that they say how far they are.
const EVERYBODY: Duration = Duration::from_millis(100);
/// How long a read that failed waits.
const AGAIN: Duration = Duration::from_secs(1);

/// What was read at the end of the feed.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Places between pages, and how many effects were before them, counted from some place on.
    ends: VecDeque<(ItemPosition, Quiet)>,
    /// The end of the last page that a connection may have wanted something of, and of the last with changes.
    wanted: HashMap<ConnectionId, ItemPosition>,
    changed: ItemPosition,
}

impl Tail {
    /// Adds the next page.
    fn add(&mut self, page: &Page) {
        let last = self.ends.back().copied().filter(|(at, _)| *at == page.from);
        let Some((_, before)) = last else {
            // What is before it is not known.
            *self = Self { changed: page.next, ..Self::default() };
            self.ends.push_back((page.next, Quiet::default()));
            return;
        };
        let mut by_kind = before.by_kind;
        by_kind.iter_mut().zip(page.by_kind()).for_each(|(count, more)| *count += more);
        self.ends.push_back((page.next, Quiet { count: before.count + page.total, by_kind }));
        if self.ends.len() > ENDS {
            self.ends.pop_front();
        }
        for connection in page.wanted.keys() {
            self.wanted.insert(*connection, page.next);
        }
        if page.has_changes() {
            self.changed = page.next;
        }
    }

    /// The effects from a place on of which a connection surely wants none, and up to where.
    pub(super) fn quiet(
        &self,
        connection: ConnectionId,
        at: ItemPosition,
    ) -> Option<(Quiet, ItemPosition)> {
        let (end, upto) = *self.ends.back().filter(|(end, _)| *end > at)?;
        let wanted = self.wanted.get(&connection).copied().unwrap_or_default();
        if wanted.max(self.changed) > at {
            return None;
        }
        let place = self.ends.binary_search_by(|(end, _)| end.cmp(&at)).ok()?;
        let (_, before) = self.ends.get(place)?;
        let mut by_kind = upto.by_kind;
        by_kind.iter_mut().zip(before.by_kind).for_each(|(count, less)| *count -= less);
        Some((Quiet { count: upto.count - before.count, by_kind }, end))
    }
}

impl Pages {
    /// Reads the end of the feed as it moves.
    pub(crate) async fn follow(self: Arc<Self>, mut feed_end: watch::Receiver<FeedEnd>) {
        let mut at = feed_end.borrow_and_update().at;
        let mut everybody_at: Option<Instant> = None;
        loop {
            tokio::select! {
                changed = feed_end.changed() => if changed.is_err() { return },
                () = sleep_until(everybody_at.unwrap_or_else(Instant::now)), if everybody_at.is_some() => {
                    everybody_at = None;
                    lock(&self.inner).news.values().for_each(|news| news.notify_one());
                    continue;
                }
            }
            let end = feed_end.borrow_and_update().at;
            while at < end {
                match self.read(at).await {
                    Ok((page, _)) if page.next > at => {
                        at = page.next;
                        self.came(&page);
                    }
                    Ok(_) => break,
                    Err(error) => {
                        log_chain(&error, "the feed could not be read, trying again");
                        sleep(AGAIN).await;
                    }
                }
            }
            everybody_at.get_or_insert_with(|| Instant::now() + EVERYBODY);
        }
    }

    fn came(&self, page: &Page) {
        let mut inner = lock(&self.inner);
        if page.version == inner.index.version {
            inner.tail.add(page);
        }
        if page.has_changes() {
            inner.news.values().for_each(|news| news.notify_one());
            return;
        }
        for connection in page.wanted.keys() {
            if let Some(news) = inner.news.get(connection) {
                news.notify_one();
            }
        }
    }
}
