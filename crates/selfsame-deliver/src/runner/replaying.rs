//! What a task does that is a replay: it reads its part of the feed at its pace, sends beside its
//! connection and never before it, and says how far it is.

use std::sync::Arc;
use std::time::Duration;

use selfsame_event::Time;

use super::Runner;
use super::reading::Reading;
use crate::feed::FeedPage;
use crate::lane::Numbers;
use crate::pace::{Pace, Speed};
use crate::record::{Entry, Record};
use crate::replay::{Replay, ReplayState, ReplayStatus, Sought, Tally};
use crate::retry::plus;
use crate::status::ConnectionState;

/// How often it is looked whether the connection sends again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Replaying {
    pub(super) replay: Replay,
    pace: Pace,
    speed: Speed,
}

impl Replaying {
    pub(super) fn new(replay: Replay, now: Time) -> Self {
        let pace = Pace::new(replay.wish.rate, now);
        Self { replay, pace, speed: Speed::default() }
    }
}

impl Runner {
    /// Whether attempts may be made. A replay waits while its connection does not send.
    pub(super) fn may_send(&self) -> bool {
        let settings = self.settings();
        let now = self.parts.clock.wall();
        let waits = settings.tool.as_ref().is_some_and(|tool| tool.0.waits_until(now).is_some());
        if !settings.enabled || waits {
            return false;
        }
        let Some(Replaying { replay, .. }) = &self.replaying else { return true };
        let connection = self.shared.status(replay.connection);
        connection.is_some_and(|status| status.state == ConnectionState::Running)
    }

    /// Reads on, if there is something to read, room for it, and the pace allows it.
    pub(super) fn read_replay(&mut self, now: Time) {
        let may_send = self.may_send();
        let end = self.feed_end.borrow_and_update().at;
        let filter = self.settings().filter.clone();
        let Some(Replaying { replay, pace, .. }) = &mut self.replaying else { return };
        let to = replay.wish.to;
        let is_through = replay.is_cancelled || self.lane.read_to() >= to;
        // After a crash the feed is a while shorter than it was.
        if is_through || !may_send || end < to || self.reading.is_some() || now < self.read_again_at
        {
            return;
        }
        let max = self.lane.room().min(pace.allows(now));
        if max == 0 {
            return;
        }
        let sought = Sought { filter, matching: Arc::clone(&replay.wish.matching), to };
        let (feed, from) = (Arc::clone(&self.parts.feed), self.lane.read_to());
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let from = from.max(feed.first()).min(to);
            (Reading::Replay, sought.read(&*feed, from, max))
        }));
    }

    /// Takes what was read.
    pub(super) fn replay(&mut self, page: FeedPage, now: Time) {
        let Some(Replaying { replay, pace, .. }) = &mut self.replaying else { return };
        if replay.is_cancelled {
            return;
        }
        pace.spend(page.effects.len());
        if page.next >= replay.wish.to {
            // So that it is written down that nothing is left.
            self.idle_at = now;
        }
        self.lane.offer(page, &crate::connection::Filter::ALL);
    }

    /// When something may go that may not now.
    pub(super) fn replay_wake(&self, now: Time) -> Option<Time> {
        let Replaying { replay, pace, .. } = self.replaying.as_ref()?;
        let is_through = replay.is_cancelled || self.lane.read_to() >= replay.wish.to;
        if !self.may_send() {
            return (!is_through || !self.lane.is_empty()).then(|| plus(now, LOOK_AGAIN));
        }
        pace.next_at().filter(|at| !is_through && *at > now)
    }

    /// Whether it has nothing more to do, unless somebody asks.
    pub(super) fn is_over(&self) -> bool {
        self.replaying.as_ref().is_some_and(|replaying| {
            let Replay { wish, is_cancelled, .. } = &replaying.replay;
            self.lane.is_empty() && (*is_cancelled || self.lane.image().cursor >= wish.to)
        })
    }

    /// Ends it before it is through.
    pub(super) async fn cancel(&mut self) {
        let is_over = self.is_over();
        let Some(Replaying { replay, .. }) = &mut self.replaying else { return };
        if is_over || replay.is_cancelled {
            return;
        }
        replay.is_cancelled = true;
        let record = Record { connection: self.id, entry: Entry::Replay(replay.clone()) };
        let offset = super::append(&*self.parts.ledger, &record).await;
        self.shared.appended(offset);
        self.lane.withhold();
        self.is_changed = true;
    }

    fn replay_state(&self, replay: &Replay, numbers: &Numbers) -> ReplayState {
        match () {
            () if replay.is_cancelled => ReplayState::Cancelled,
            () if self.is_over() => ReplayState::Finished,
            () if numbers.paused.is_some() => ReplayState::Paused,
            () if numbers.is_down || !self.may_send() => ReplayState::Waiting,
            () => ReplayState::Running,
        }
    }

    /// Says how far it is.
    pub(super) fn publish_replay(&mut self, numbers: &Numbers, now: Time) {
        let pending = numbers.window + numbers.aside;
        let tally = Tally {
            accepted: numbers.looked + numbers.window + numbers.extra,
            delivered: numbers.delivered,
            filtered: numbers.filtered,
            dead: numbers.dead,
            pending,
            reasons: numbers.reasons,
        };
        let read_to = self.lane.read_to();
        let Some(Replaying { replay, speed, .. }) = &mut self.replaying else { return };
        speed.note(now, [tally.accepted - pending, read_to.record.offset]);
        let [per_second, records] = speed.per_second();
        let (from, to) = (replay.wish.from.record.offset, replay.wish.to.record.offset);
        let done = read_to.record.offset.saturating_sub(from);
        let percent = match read_to < replay.wish.to {
            true => u128::from(done) * 100 / u128::from((to - from).max(1)),
            false => 100,
        };
        let rest = to.saturating_sub(read_to.record.offset);
        let replay = replay.clone();
        let state = self.replay_state(&replay, numbers);
        let is_moving = state == ReplayState::Running && records > 0.0;
        let left = is_moving.then(|| seconds(rest, records)).flatten();
        let image = self.lane.image();
        let aside = image.aside.first_key_value().map(|(at, _)| *at);
        let question = self.config.lag_limit.question(image.cursor, now);
        let needed_from = match self.is_over() {
            true => image.dead_needs(&self.measured, question.oldest),
            false => Some(aside.map_or(image.cursor, |aside| aside.min(image.cursor))),
        };
        let status = ReplayStatus {
            replay,
            state,
            read_to,
            percent: u32::try_from(percent).unwrap_or(100),
            tally,
            per_second,
            left,
            last_failure: numbers.last_failure,
            needed_from,
        };
        self.shared.publish_replay(self.id, status);
    }
}

/// How long so many take at that pace.
fn seconds(count: u64, per_second: f64) -> Option<Duration> {
    let count = f64::from(u32::try_from(count).ok()?);
    Duration::try_from_secs_f64((count / per_second).ceil()).ok()
}
