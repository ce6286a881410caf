//! The requests of a day that a vendor allows.

use selfsame_destinations::{Limits, Window};
use selfsame_event::Time;

use crate::connector::Connector;
use crate::journal::{Day, Notebook};

/// What a vendor allows for a day, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daily {
    /// Requests of a day.
    pub most: u64,
    /// Those that went out, or may have.
    pub used: u64,
    /// When there is room again, where there is none.
    pub free_at: Option<Time>,
}

impl Daily {
    pub(crate) fn of(limits: &Limits, notes: &Notebook, now: Time) -> Option<Self> {
        let day = day(limits, now)?;
        Some(Self { most: day.most, used: notes.spent(day), free_at: notes.free_at(day) })
    }
}

fn day(limits: &Limits, now: Time) -> Option<Day> {
    let most = limits.daily_requests?;
    let fixed = match limits.window(now.millis()) {
        Window::Rolling => None,
        Window::Fixed { from_ms, until_ms } => {
            Some((Time::from_millis(from_ms), Time::from_millis(until_ms)))
        }
    };
    Some(Day { now, fixed, most })
}

impl Connector {
    /// Counts a request that is about to go out; false where the day has no room for it. `events` are those
    /// that it carries.
    pub(crate) async fn spend(&self, events: u64, now: Time) -> bool {
        let limits = &self.config.manifest.limits;
        let Some(day) = day(limits, now) else { return true };
        let requests = if limits.daily_counts_events { events.max(1) } else { 1 };
        self.notes.spend(day, requests).await
    }

    /// How many events a batch may have, where the vendor counts them.
    pub(crate) fn room(&self, now: Time) -> Option<u64> {
        let limits = &self.config.manifest.limits;
        let day = day(limits, now).filter(|_| limits.daily_counts_events)?;
        Some(day.most.saturating_sub(self.notes.spent(day)))
    }
}
