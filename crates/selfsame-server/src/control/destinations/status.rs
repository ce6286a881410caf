//! What a destination does, in numbers.

use selfsame_connector::Daily;
use selfsame_deliver::{ConnectionStatus, NOTICE_PERCENT, PROBLEM_PERCENT, Tally};

use super::super::shape::shape;

shape! {
    /// What a destination does. accepted = delivered + filtered + dead + pending.
    pub(crate) struct DestinationStatus {
        /// running, disabled, paused or down.
        state: String,
        /// Why it is paused: gone (the receiver answered 410), denied (it does not take the credentials) or
        /// behind (it was beyond its lag limit); null where it is not.
        pause: Option<String>,
        /// Events since it began, and those of its replays; one that several mappings want counts for each of them.
        accepted: u64,
        /// Events that the receiver took.
        delivered: u64,
        /// Events that it does not want, and what was not to be sent any more.
        filtered: u64,
        /// The part of `filtered` that a newer change replaced before it was sent.
        superseded: u64,
        /// Dead letters, and events in dead ranges.
        dead: u64,
        /// The part of `dead` that is in dead ranges.
        dead_in_ranges: u64,
        /// The rest.
        pending: u64,
        /// The part of `pending` that is in flight.
        in_flight: u64,
        /// The part of `pending` that waits for a retry, or behind one.
        waiting: u64,
        /// The part of all of these numbers that is of replays.
        replayed: ReplayedShown,
        /// Requests that its vendor allows for a day, where the manifest says so.
        daily_requests: Option<DailyShown>,
        /// Retries whose time has come and which the retry budget holds back.
        held_retries: u64,
        /// Why the last attempt failed; null after a success.
        last_failure: Option<String>,
        /// How old the oldest event is that was read and has not ended.
        lag_seconds: f64,
        /// How old the event is that its cursor is at.
        cursor_age_seconds: f64,
        /// How many bytes of log there are behind its cursor.
        cursor_bytes: u64,
        /// How much of its lag limit that is; at 100 it is paused, and what it missed is a dead range.
        lag_percent: u32,
        /// `none`, `notice` from 50 % on, `problem` from 80 % on and while it is paused.
        alarm: String,
    }

    /// Requests of a day. What has no room waits: it is among `pending`.
    pub(crate) struct DailyShown {
        /// How many the vendor allows.
        most: u64,
        /// How many went out, or may have before a sudden end of the process.
        used: u64,
        /// When more may go out, where none may now.
        waits_until: Option<String>,
    }

    /// Numbers of the replays that are kept. accepted = delivered + filtered + dead + pending.
    pub(crate) struct ReplayedShown {
        /// Events that were found to be replayed.
        accepted: u64,
        /// Those that the receiver took.
        delivered: u64,
        /// Those that were not to be sent any more.
        filtered: u64,
        /// Dead letters of replays.
        dead: u64,
        /// The rest.
        pending: u64,
    }
}

pub(super) fn status_of(status: &ConnectionStatus, daily: Option<Daily>) -> DestinationStatus {
    DestinationStatus {
        state: status.state.label().to_owned(),
        pause: status.pause.map(|pause| pause.label().to_owned()),
        accepted: status.accepted,
        delivered: status.delivered,
        filtered: status.filtered,
        superseded: status.superseded,
        dead: status.dead,
        dead_in_ranges: status.dead_in_ranges,
        pending: status.pending,
        in_flight: status.in_flight,
        waiting: status.waiting,
        replayed: replayed(status.replayed),
        daily_requests: daily.map(|Daily { most, used, free_at }| DailyShown {
            most,
            used,
            waits_until: free_at.map(|time| time.to_string()),
        }),
        held_retries: status.held_retries,
        last_failure: status.last_failure.map(|failure| failure.label().to_owned()),
        lag_seconds: status.lag.as_secs_f64(),
        cursor_age_seconds: status.behind.age.as_secs_f64(),
        cursor_bytes: status.behind.bytes,
        lag_percent: status.behind.percent,
        alarm: alarm(status).to_owned(),
    }
}

fn replayed(tally: Tally) -> ReplayedShown {
    let Tally { accepted, delivered, filtered, dead, pending, .. } = tally;
    ReplayedShown { accepted, delivered, filtered, dead, pending }
}

pub(crate) fn alarm(status: &ConnectionStatus) -> &'static str {
    match status.behind.percent {
        _ if status.pause.is_some() => "problem",
        PROBLEM_PERCENT.. => "problem",
        NOTICE_PERCENT.. => "notice",
        _ => "none",
    }
}
