//! Requests by connection and quarter of an hour. Every time zone's midnight is the beginning of one.
//!
//! A count is reserved before it is used: what the log has is never less than what went out. A process that is
//! killed leaves a part of what it had reserved unused, [`RESERVED`] requests at most.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_event::Time;

use super::record::Record;

/// A quarter of an hour, in microseconds.
const SLOT: i64 = 900 * 1_000_000;
/// Quarters of a day.
const DAY: i64 = 96;
/// Requests that are reserved at a time, at most.
const RESERVED: u64 = 100;

/// What a vendor counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) now: Time,
    /// When it began, and when it ends; none where it is always the last 24 hours.
    pub(crate) fixed: Option<(Time, Time)>,
    /// The requests of it.
    pub(crate) most: u64,
}

impl Day {
    /// The quarter that it is.
    pub(super) fn slot(&self) -> i64 {
        self.now.micros() / SLOT
    }

    /// The first quarter that counts.
    fn first(&self) -> i64 {
        match self.fixed {
            Some((from, _)) => from.micros() / SLOT,
            // The quarter that began 24 hours ago may have requests of the last 24 hours in it.
            None => self.slot() - DAY,
        }
    }
}

/// What came of counting requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// There is no room.
    No,
    /// They are counted.
    Yes,
    /// They are, when it is durable that so many went out in this quarter.
    Reserve(u64),
}

#[derive(Debug, Default)]
pub(super) struct Spent(BTreeMap<Arc<str>, BTreeMap<i64, Slot>>);

#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    used: u64,
    reserved: u64,
}

impl Spent {
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// What the log says of a quarter.
    pub(super) fn put(&mut self, of: &Arc<str>, slot: i64, requests: u64) {
        let slots = self.0.entry(Arc::clone(of)).or_default();
        slots.insert(slot, Slot { used: requests, reserved: requests });
    }

    pub(super) fn used(&self, of: &str, day: Day) -> u64 {
        let slots = self.0.get(of).into_iter().flat_map(|slots| slots.range(day.first()..));
        slots.map(|(_, slot)| slot.used).sum()
    }

    pub(super) fn spend(&mut self, of: &Arc<str>, day: Day, requests: u64) -> Taken {
        let used = self.used(of, day);
        if used.saturating_add(requests) > day.most {
            return Taken::No;
        }
        let slots = self.0.entry(Arc::clone(of)).or_default();
        // What no window can reach any more, whatever the zone.
        slots.retain(|slot, _| *slot >= day.slot() - 2 * DAY);
        let slot = slots.entry(day.slot()).or_default();
        slot.used += requests;
        if slot.used <= slot.reserved {
            return Taken::Yes;
        }
        let ahead = RESERVED.min(day.most - used - requests);
        slot.reserved = slot.used + ahead;
        Taken::Reserve(slot.reserved)
    }

    /// When there is room for one request again; none where there is.
    pub(super) fn free_at(&self, of: &str, day: Day) -> Option<Time> {
        let mut used = self.used(of, day);
        if used < day.most {
            return None;
        }
        if let Some((_, until)) = day.fixed {
            return Some(until);
        }
        for (slot, Slot { used: gone, .. }) in self.0.get(of)?.range(day.first()..) {
            used -= gone;
            if used < day.most {
                return Some(Time::from_micros((slot + DAY + 1) * SLOT));
            }
        }
        None
    }

    pub(super) fn expire(&mut self, now: Time) {
        let first = now.micros() / SLOT - 2 * DAY;
        self.0.values_mut().for_each(|slots| slots.retain(|slot, _| *slot >= first));
        self.0.retain(|_, slots| !slots.is_empty());
    }

    pub(super) fn forget(&mut self, of: &str) {
        self.0.remove(of);
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.0.iter().flat_map(|(of, slots)| {
            slots.iter().map(|(slot, one)| Record::Spent {
                of: of.to_string(),
                slot: *slot,
                requests: one.reserved,
            })
        })
    }
}
