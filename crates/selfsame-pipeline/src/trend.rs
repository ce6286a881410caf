//! How identity goes from day to day, and what in it deserves somebody's look.
//!
//! Days are of log time. A day is compared with the mean of the days before it, as a rate of its
//! events, so that a busy day alone is nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reader::IdentityHealth;

/// For how many days counts are kept.
pub const DAYS_KEPT: usize = 30;
/// Fewest events of a day that says something about rates.
const FEWEST_EVENTS: u64 = 1_000;
/// Fewest days that a day is compared with.
const FEWEST_DAYS: usize = 3;
/// How many times the mean is unusual.
const UNUSUAL: u64 = 3;
/// Fewest of what happened that are worth a look, whatever the mean.
const FEWEST: u64 = 50;
/// From how many profiles on that wanted it, an identifier is shared.
const SHARED_BY: u64 = 10;
/// Fewest identifiers of a giant, should the cap be small.
const FEWEST_IDENTIFIERS: u32 = 100;

/// What happened on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DayCounts {
    /// Events folded.
    pub events: u64,
    /// Events that identified nobody.
    pub unattached: u64,
    /// Profiles created.
    pub profiles: u64,
    /// Merges made.
    pub merges: u64,
    /// Limits, blocks and vetoes met.
    pub violations: u64,
}

/// How large the profiles of a collection were, as they were looked at last on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayGraph {
    /// How many profiles had up to as many identifiers as [`crate::SIZES`] says, and more than the size before.
    pub sizes: Vec<u64>,
    /// The most identifiers of one profile.
    pub largest: u32,
    /// Profiles that were hardly one person, among those that were looked at.
    pub giants: u64,
    /// Identifiers that were hardly one person's, among those that were looked at.
    pub shared: u64,
    /// Profiles that had more than the rules let them.
    pub over_rules: u64,
}

impl DayGraph {
    /// What a look at the graph says, where a profile may have so many identifiers.
    pub fn of(health: &IdentityHealth, cap: u32) -> Self {
        let giants = health.largest.iter().filter(|one| is_giant(one.identifiers, cap));
        let shared = health.wanted.iter().filter(|one| is_shared(one.profiles));
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self {
            sizes: health.sizes.to_vec(),
            largest: health.largest.first().map_or(0, |one| one.identifiers),
            giants: number(giants.count()),
            shared: number(shared.count()),
            over_rules: health.over_rules,
        }
    }
}

/// The counts of a day, where the oldest days leave.
pub(crate) fn of_day(days: &mut BTreeMap<u32, DayCounts>, day: u32) -> &mut DayCounts {
    while days.len() >= DAYS_KEPT && !days.contains_key(&day) {
        days.pop_first();
    }
    days.entry(day).or_default()
}

/// What a rate is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Merges.
    Merges,
    /// Limits, blocks and vetoes met.
    Violations,
    /// Events that identified nobody.
    Unattached,
}

impl Rate {
    const ALL: [Self; 3] = [Self::Merges, Self::Violations, Self::Unattached];

    fn of(self, counts: &DayCounts) -> u64 {
        match self {
            Self::Merges => counts.merges,
            Self::Violations => counts.violations,
            Self::Unattached => counts.unattached,
        }
    }
}

/// A day that is unlike those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusual {
    /// What of.
    pub rate: Rate,
    /// The day, counted from 1970-01-01.
    pub day: u32,
    /// How many there were on a thousand events.
    pub per_thousand: u64,
    /// How many there were on a thousand events of the days before.
    pub before: u64,
}

/// What of the newest day is at least three times what it was before.
pub fn unusual(days: &BTreeMap<u32, DayCounts>) -> Vec<Unusual> {
    let says = |counts: &DayCounts| counts.events + counts.unattached >= FEWEST_EVENTS;
    let mut telling = days.iter().filter(|(_, counts)| says(counts)).rev();
    let Some((day, newest)) = telling.next() else { return Vec::new() };
    let before: Vec<&DayCounts> = telling.map(|(_, counts)| counts).collect();
    if before.len() < FEWEST_DAYS {
        return Vec::new();
    }
    let events = |counts: &DayCounts| counts.events + counts.unattached;
    let all_events: u64 = before.iter().map(|counts| events(counts)).sum();
    let is_unusual = |rate: &Rate| {
        let (now, then): (u64, u64) =
            (rate.of(newest), before.iter().map(|counts| rate.of(counts)).sum());
        let per_thousand = now * 1_000 / events(newest).max(1);
        let before = then * 1_000 / all_events.max(1);
        let is_more = u128::from(now) * u128::from(all_events)
            >= u128::from(UNUSUAL) * u128::from(then) * u128::from(events(newest));
        (now >= FEWEST && is_more).then_some(Unusual {
            rate: *rate,
            day: *day,
            per_thousand,
            before,
        })
    };
    Rate::ALL.iter().filter_map(is_unusual).collect()
}

/// Whether a profile has so many identifiers that it is hardly one person: half of what the cap on
/// mappings allows.
pub fn is_giant(identifiers: u32, cap: u32) -> bool {
    identifiers >= (cap / 2).max(FEWEST_IDENTIFIERS)
}

/// Whether so many profiles wanted an identifier that it is hardly one person's.
pub fn is_shared(profiles: u64) -> bool {
    profiles >= SHARED_BY
}

#[cfg(test)]
mod tests;
