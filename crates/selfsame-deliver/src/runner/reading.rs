//! Reading the feed: what comes next, what is given up, and dead ranges that are sent again.

use std::sync::Arc;

use selfsame_event::{ItemPosition, Time};
use tokio::task::JoinError;

use super::{READ_AGAIN, Runner, log_chain};
use crate::feed::{FeedError, FeedPage};
use crate::lane::Reread;
use crate::retry::plus;

/// Effects of a page that is given up.
const GIVE_UP_PAGE: usize = 4_096;

/// What a page is read for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// To be sent.
    Next,
    /// To be counted as dead.
    GiveUp,
    /// To be sent again.
    Again(Reread),
    /// To be replayed.
    Replay,
}

pub(super) type Read = (Reading, Result<FeedPage, FeedError>);

impl Runner {
    pub(super) fn read(&mut self, now: Time) {
        if self.replaying.is_some() {
            return self.read_replay(now);
        }
        let is_behind = self.lane.read_to() < self.feed_end.borrow_and_update().at;
        if self.reading.is_some() || now < self.read_again_at {
            return;
        }
        let Some((what, from, max)) = self.next_reading(is_behind, now) else { return };
        let feed = Arc::clone(&self.parts.feed);
        self.reading = Some(tokio::task::spawn_blocking(move || (what, feed.read(from, max))));
    }

    /// What to read: the feed and a range in turn where there is both.
    fn next_reading(
        &mut self,
        is_behind: bool,
        now: Time,
    ) -> Option<(Reading, ItemPosition, usize)> {
        let (from, room) = (self.lane.read_to(), self.lane.room());
        if self.lane.is_giving_up() {
            return is_behind.then_some((Reading::GiveUp, from, GIVE_UP_PAGE));
        }
        let next = (is_behind && room > 0).then_some((Reading::Next, from, room));
        if next.is_some() && !self.is_range_next {
            self.is_range_next = true;
            return next;
        }
        self.is_range_next = false;
        if !self.lane.is_resending() || !self.settings().enabled {
            return next;
        }
        let reread = self.lane.reread(self.parts.feed.first(), now);
        self.is_changed |= self.lane.has_news_of_ranges();
        let again = reread.map(|reread| (Reading::Again(reread), reread.from, reread.max));
        again.or(next)
    }

    pub(super) fn offered(&mut self, page: Result<Read, JoinError>) {
        let now = self.parts.clock.wall();
        match page {
            Ok((what, Ok(page))) => {
                let filter = self.filter();
                match what {
                    Reading::Next => self.lane.offer(page, &filter),
                    Reading::GiveUp if self.lane.is_giving_up() => self.lane.give_up(page, &filter),
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
