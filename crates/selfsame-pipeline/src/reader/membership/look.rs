//! The newest events of a profile, or of all users of an account, looked at once for all comparisons.

use std::collections::{BinaryHeap, VecDeque};

use selfsame_audience::{Tally, When};
use selfsame_event::{ProfileId, Time};
use selfsame_profile::{EntryKey, Order, Outline};
use smallvec::SmallVec;

use super::super::{EventQuery, Found, LookupError, ProfileEvent};
use super::Counted;
use super::parts::{Leaf, Parts};
use crate::computed::{SpacePlans, Values, seen, with_own_traits, with_traits};

/// How many events are looked at, the newest.
const EVENTS: usize = 10_000;
/// How many are read at once, of all users together, and of each at least.
const PAGE: (usize, usize) = (1_000, 4);
/// How many events are named for one comparison, the newest; and for each user of an account.
const NAMED: (usize, usize) = (10, 3);

/// A user: what the sections keep, and what was kept of the events that were looked at.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) profile: ProfileId,
    pub(super) sections: SmallVec<[Outline<'a>; 4]>,
    pub(super) values: Values<'a>,
    pub(super) kept: Vec<&'a [u8]>,
    pub(super) looked: Vec<u8>,
    /// By comparison.
    pub(super) noted: Vec<Noted>,
}

/// The events that a comparison looks at.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    pub(super) count: u64,
    pub(super) events: Vec<Counted>,
}

impl<'a> Side<'a> {
    pub(super) fn new(
        profile: ProfileId,
        sections: SmallVec<[Outline<'a>; 4]>,
        values: Values<'a>,
        parts: &Parts,
    ) -> Self {
        let kept = sections.iter().map(|section| section.computed).collect();
        let noted = vec![Noted::default(); parts.leaves.len()];
        Self { profile, sections, values, kept, looked: Vec::new(), noted }
    }
}

/// The traits of an account, and what was noted for it.
#[derive(Debug)]
pub(super) struct Own<'a> {
    pub(super) sections: &'a [Outline<'a>],
    pub(super) values: Values<'a>,
    /// Whether it may have more users than those that are looked at.
    pub(super) is_cut: bool,
    /// By comparison.
    pub(super) noted: Vec<Noted>,
}

/// Folds the newest events of these profiles into what is kept of each, and notes them for the comparisons that
/// look at them. Says how many there were, and whether there are older ones.
pub(super) fn look(
    (parts, plans): (&Parts, &SpacePlans),
    found: &[&Found<'_>],
    sides: &mut [Side<'_>],
    mut own: Option<&mut Own<'_>>,
    now: Time,
) -> Result<(u64, bool), LookupError> {
    let page = (PAGE.0 / found.len().max(1)).max(PAGE.1);
    let mut timelines = Vec::with_capacity(found.len());
    let mut newest = BinaryHeap::new();
    for (user, found) in found.iter().enumerate() {
        let mut timeline = Timeline::new(found, page);
        newest.extend(timeline.next()?.map(|key| (key, user)));
        timelines.push(timeline);
    }
    let mut looked = 0;
    while let Some((_, user)) = newest.pop() {
        if looked == EVENTS {
            return Ok((u64::try_from(looked).unwrap_or(u64::MAX), true));
        }
        looked += 1;
        let (Some(timeline), Some(side)) = (timelines.get_mut(user), sides.get_mut(user)) else {
            continue;
        };
        if let Some(event) = timeline.page.pop_front() {
            note((parts, plans), timeline.found, side, own.as_deref_mut(), &event, now);
        }
        newest.extend(timeline.next()?.map(|key| (key, user)));
    }
    Ok((u64::try_from(looked).unwrap_or(u64::MAX), false))
}

/// The timeline of one profile, the newest event first.
struct Timeline<'f> {
    found: &'f Found<'f>,
    query: EventQuery,
    page: VecDeque<ProfileEvent>,
    has_more: bool,
}

impl<'f> Timeline<'f> {
    fn new(found: &'f Found<'f>, page: usize) -> Self {
        let mut query = EventQuery::default();
        (query.range.order, query.range.limit) = (Order::NewestFirst, page);
        Self { found, query, page: VecDeque::new(), has_more: true }
    }

    /// The place of the next event.
    fn next(&mut self) -> Result<Option<EntryKey>, LookupError> {
        while self.page.is_empty() && self.has_more {
            let page = self.found.events(&self.query)?;
            self.has_more = page.next.is_some();
            self.query.range.behind = page.next;
            self.page.extend(page.events);
        }
        Ok(self.page.front().map(|event| event.key))
    }
}

fn note(
    (parts, plans): (&Parts, &SpacePlans),
    found: &Found<'_>,
    side: &mut Side<'_>,
    mut own: Option<&mut Own<'_>>,
    event: &ProfileEvent,
    now: Time,
) {
    let Some(json) = event.json() else { return };
    let when = When::new(event.time(), event.record().id, event.key.item);
    let seen = seen(&json.event, when, found.read.source_id(event.source()));
    let mut touched = Vec::new();
    let at = event.record().time;
    let folded = parts.plans.fold_some(&side.looked, &seen, at, |_| true, &mut touched);
    side.looked = folded.unwrap_or_else(|| std::mem::take(&mut side.looked));
    if touched.is_empty() {
        return;
    }
    let alone = parts.plans.fold(&[], &seen, at).unwrap_or_default();
    let name = json.name().map(|name| name.to_string()).unwrap_or_default();
    let (key, message_id) = (event.key, event.message_id());
    for (number, leaf) in parts.leaves.iter().enumerate() {
        if !touched.iter().any(|stream| leaf.streams.contains(stream)) {
            continue;
        }
        let is_of_account = own.is_some() && !leaf.is_asked;
        let most = if own.is_some() && leaf.is_asked { NAMED.1 } else { NAMED.0 };
        let noted = match own.as_deref() {
            Some(own) if is_of_account => own.noted.get(number),
            _ => side.noted.get(number),
        };
        let named = noted.map_or(0, |noted| noted.events.len());
        let counted = (named < most).then(|| {
            let with = |row: &[u8], place| match own.as_deref() {
                Some(own) if is_of_account => {
                    with_own_traits(plans, &own.values, own.sections, |traits| {
                        let profile = [row];
                        let profile = parts.plans.profile(&profile, now);
                        profile.evaluate_account(place, traits, &Tally::default())
                    })
                }
                _ => with_traits(plans, &side.values, &side.sections, now, |traits| {
                    parts.plans.evaluate(place, &[row], traits, now)
                }),
            };
            let Leaf { test, value, .. } = leaf;
            let counts = test.iter().chain(value).any(|place| {
                let [with, without] = [&alone[..], &[]].map(|row| with(row, *place));
                with.map(|it| it.value) != without.map(|it| it.value)
            });
            Counted { key, name: name.clone(), message_id: message_id.clone(), counts }
        });
        let noted = match own.as_deref_mut() {
            Some(own) if is_of_account => own.noted.get_mut(number),
            _ => side.noted.get_mut(number),
        };
        if let Some(noted) = noted {
            noted.count += 1;
            noted.events.extend(counted);
        }
    }
}
