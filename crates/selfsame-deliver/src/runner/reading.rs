//! Reading the feed: what comes next, what is given up, and dead ranges that are sent again.

use std::sync::Arc;

use selfsame_event::{ItemPosition, Time};
use tokio::task::JoinError;

use super::{READ_AGAIN, Runner, log_chain};
use crate::feed::{FeedError, FeedPage};
use crate::lane::{Offer, Reread, Unwanted};
use crate::pages::{Next, Page};
use crate::retry::plus;

/// Effects of a page that is given up.
const GIVE_UP_PAGE: usize = 4_096;

/// Pages that are taken before something else gets its turn.
const PAGES_AT_ONCE: usize = 64;

/// What a page is read for that is nobody else's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// To be counted as dead.
    GiveUp,
    /// To be sent again.
    Again(Reread),
    /// To be replayed.
    Replay,
}

pub(super) type Read = (Reading, Result<FeedPage, FeedError>);
/// A page, and the number in it of what was asked for.
pub(super) type Loaded = Result<(Arc<Page>, u64), FeedError>;

impl Runner {
    pub(super) fn read(&mut self, now: Time) {
        if self.replaying.is_some() {
            return self.read_replay(now);
        }
        self.follow(now);
        let is_behind = self.lane.read_to() < self.feed_end.borrow().at;
        if self.reading.is_some() || now < self.read_again_at {
            return;
        }
        let Some((what, from, max)) = self.next_reading(is_behind, now) else { return };
        let feed = Arc::clone(&self.parts.feed);
        self.reading = Some(tokio::task::spawn_blocking(move || (what, feed.read(from, max))));
    }

    /// What to read besides what all read.
    fn next_reading(
        &mut self,
        is_behind: bool,
        now: Time,
    ) -> Option<(Reading, ItemPosition, usize)> {
        if self.lane.is_giving_up() {
            return is_behind.then_some((Reading::GiveUp, self.lane.read_to(), GIVE_UP_PAGE));
        }
        if !self.lane.is_resending() || !self.settings().enabled {
            return None;
        }
        let reread = self.lane.reread(self.parts.feed.first(), now);
        self.is_changed |= self.lane.has_news_of_ranges();
        let reread = reread?;
        Some((Reading::Again(reread), reread.from, reread.max))
    }

    /// Takes the pages that come next, as far as there is room.
    fn follow(&mut self, now: Time) {
        self.has_more = false;
        for _ in 0..PAGES_AT_ONCE {
            let at = self.lane.read_to();
            let is_behind = at < self.feed_end.borrow_and_update().at;
            let is_full = self.lane.room() == 0 || self.lane.is_giving_up();
            if !is_behind || is_full || self.loading.is_some() || now < self.read_again_at {
                return;
            }
            match self.shared.pages.next(self.id, at) {
                Next::Page(page, number) if !self.take_page(&page, number) => return,
                Next::Page(..) => {}
                Next::Quiet(quiet, to) => {
                    let by_name = quiet.events(&self.settings().filter);
                    if by_name > 0 && !self.is_sending() {
                        return;
                    }
                    self.lane.pass(Unwanted { count: quiet.count, by_name }, to);
                }
                Next::Unread => {
                    let pages = Arc::clone(&self.shared.pages);
                    self.loading = Some(tokio::spawn(pages.load(at)));
                    return;
                }
            }
            self.is_changed = true;
        }
        self.has_more = true;
    }

    /// Whether it sends. While it does not, it passes nothing that another mapping may want: it may be about to
    /// have one.
    fn is_sending(&self) -> bool {
        self.may_send() && !self.lane.is_paused()
    }

    /// Takes a page from a number on. `false` if it waits until it sends.
    fn take_page(&mut self, page: &Page, from: u64) -> bool {
        let settings = self.settings();
        let filter = if page.has_changes() { self.filter() } else { settings.filter.clone() };
        let chosen = page.of(self.id, from, |change| filter.accepts(change.topic()));
        let events = chosen.iter().filter(|(_, effect)| effect.subject.is_none()).count() as u64;
        if page.count(&filter, from, page.total) > events && !self.is_sending() {
            return false;
        }
        let offer = Offer { chosen: &chosen, numbers: (from, page.total), next: page.next };
        self.lane.choose(offer, |from, to| page.count(&filter, from, to));
        true
    }

    pub(super) fn loaded(&mut self, page: Result<Loaded, JoinError>) {
        let now = self.parts.clock.wall();
        match page {
            // While it was read, what was before it may have been given up.
            Ok(Ok((page, number))) if page.number_of(self.lane.read_to()) == Some(number) => {
                if !self.lane.is_giving_up() && page.next > page.from {
                    self.is_changed |= self.take_page(&page, number);
                }
                return;
            }
            Ok(Ok(_)) => return,
            Ok(Err(error)) => log_chain(&error, "the feed could not be read, trying again"),
            Err(error) => log_chain(&error, "reading the feed ended, trying again"),
        }
        self.read_again_at = plus(now, READ_AGAIN);
    }

    pub(super) fn offered(&mut self, page: Result<Read, JoinError>) {
        let now = self.parts.clock.wall();
        match page {
            Ok((what, Ok(page))) => {
                match what {
                    Reading::GiveUp if self.lane.is_giving_up() => {
                        let filter = self.filter();
                        self.lane.give_up(page, &filter);
                    }
                    // Somebody resumed meanwhile: it is read again, to be sent.
                    Reading::GiveUp => {}
                    Reading::Again(reread) => self.lane.offer_again(reread, page, now),
                    Reading::Replay => self.replay(page, now),
                }
                self.is_changed = true;
                return;
            }
            Ok((_, Err(error))) => log_chain(&error, "the feed could not be read, trying again"),
            Err(error) => log_chain(&error, "reading the feed ended, trying again"),
        }
        self.read_again_at = plus(now, READ_AGAIN);
    }
}
