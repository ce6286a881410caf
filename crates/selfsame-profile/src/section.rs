//! The section: everything folded for one anchor.
//!
//! Invariants:
//! - a section is a function of the set of events folded into it and of the rules; the order in
//!   which they came shows only in which of them share a chunk of the timeline;
//! - sections with the same open entries and chunks are the same bytes;
//! - `folded_to` is the position of the furthest record folded in. Whoever folds again after a
//!   restart skips records up to it; the section itself does not know an event that comes twice.
//!
//! What is known of most profiles is little, so that it lies packed in one buffer (see `parts`).

use selfsame_event::{EventType, Position, Raw, Time};

use crate::links::{self, Link, Linked};
use crate::outline::Outline;
use crate::parts::{Part, Parts};
use crate::rules::{FoldEvent, Limits, Role, Rules};
use crate::stamp::Stamp;
use crate::timeline::{self, CHUNK_ENTRIES, Chunk, ChunkTimes, Entry};
use crate::traits::{Assigned, Table, Trait};
use selfsame_event::packed::Scratch;

/// Everything folded for one anchor. `Default` is the section of an anchor without events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    pub(crate) folded_to: Position,
    pub(crate) events: u64,
    pub(crate) timeline_sum: u64,
    pub(crate) parts: Parts,
}

/// What folding one event did.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Folded {
    /// A chunk that this event completed, to be stored under (anchor, its number).
    pub chunk: Option<Chunk>,
    /// Traits that were set or removed.
    pub traits_set: u32,
    /// Traits that a later event had already set.
    pub traits_older: u32,
    /// New trait keys that the cap refused.
    pub traits_refused: u32,
    /// Traits whose value is too large; what was there before stays.
    pub traits_too_large: u32,
    /// Older trait keys that left at the cap, because a new one ranks before them.
    pub traits_displaced: u32,
    /// Whether the event's traits were passed over because it came from this space itself.
    pub own_output: bool,
    /// What became of its link.
    pub link: Linked,
}

impl Section {
    /// Folds one event in.
    pub fn fold(&mut self, event: &FoldEvent<'_>, role: Role, rules: &Rules<'_>) -> Folded {
        let mut folded = Folded::default();
        self.folded_to = self.folded_to.max(event.position);
        self.widen(event);
        self.fold_traits(event, role, rules, &mut folded);
        folded.link = self.fold_link(event, &rules.limits);
        self.events += 1;
        folded.chunk = self.append(&event.entry());
        folded
    }

    /// The section of those events alone that happened at `until` or before.
    pub fn as_of<'e>(
        until: Time,
        events: impl IntoIterator<Item = FoldEvent<'e>>,
        role: Role,
        rules: &Rules<'_>,
    ) -> Self {
        let mut section = Self::default();
        for event in events.into_iter().filter(|event| event.happened_at <= until) {
            section.fold(&event, role, rules);
        }
        section
    }

    /// Position of the furthest record folded in.
    pub fn folded_to(&self) -> Position {
        self.folded_to
    }

    /// How many events were folded in.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The earliest event.
    pub fn first(&self) -> Option<Stamp<'_>> {
        self.stamp(Part::First)
    }

    /// The latest event.
    pub fn last(&self) -> Option<Stamp<'_>> {
        self.stamp(Part::Last).or_else(|| self.first())
    }

    /// Every trait by key; one that was removed has no value.
    pub fn traits(&self) -> impl Iterator<Item = Trait<'_>> {
        let table = Table::trusted(self.parts.get(Part::Traits));
        table.registers().collect::<smallvec::SmallVec<[_; 12]>>().into_iter()
    }

    /// What definitions read of it.
    pub fn outline(&self) -> Outline<'_> {
        Outline { traits: self.parts.get(Part::Traits), computed: self.computed() }
    }

    /// Puts that as what is kept of the events for definitions.
    pub fn keep(&mut self, computed: &[u8]) {
        self.parts.set(Part::Computed, computed);
    }

    /// About how many bytes it takes beside itself.
    pub fn memory(&self) -> usize {
        self.parts.memory()
    }

    /// What is kept of the events for definitions: whoever put it there knows what it means.
    pub fn computed(&self) -> &[u8] {
        self.parts.get(Part::Computed)
    }

    /// Says that the section is folded up to that record, which is not one of events.
    pub fn reach(&mut self, position: Position) {
        self.folded_to = self.folded_to.max(position);
    }

    /// The links by anchor.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        links::read_all(self.parts.get(Part::Links))
    }

    /// The entries of the timeline that are in no full chunk yet, newest first.
    pub fn open_entries(&self) -> impl Iterator<Item = Entry> {
        timeline::entries(self.parts.get(Part::Open))
    }

    /// The times of the full chunks, by number.
    pub fn chunks(&self) -> impl Iterator<Item = ChunkTimes> {
        ChunkTimes::read_all(self.parts.get(Part::Chunks))
    }

    /// Forgets traits that were removed before that time. A value from before it that arrives later
    /// would come back. Returns how many there were.
    pub fn drop_tombstones(&mut self, before: Time) -> usize {
        let mut table = Table::trusted(self.parts.get(Part::Traits));
        let dropped = table.drop_tombstones(before);
        if dropped > 0 {
            let packed = table.packed();
            drop(table);
            self.parts.set(Part::Traits, &packed);
        }
        dropped
    }

    fn stamp(&self, part: Part) -> Option<Stamp<'_>> {
        Stamp::read(&mut selfsame_event::packed::Reader(self.parts.get(part)))
    }

    /// Makes the event the first or the last one, if it is. Most are the last, by their time alone.
    fn widen(&mut self, event: &FoldEvent<'_>) {
        let stamp = || event.stamp();
        let Some(first) = Stamp::time_of(self.parts.get(Part::First)) else {
            return self.set_stamp(Part::First, stamp());
        };
        let last = Stamp::time_of(self.parts.get(Part::Last)).unwrap_or(first);
        let time = event.happened_at;
        if time > last || time == last && Some(stamp()) > self.last() {
            self.set_stamp(Part::Last, stamp());
        } else if time < first || time == first && Some(stamp()) < self.first() {
            if self.parts.get(Part::Last).is_empty() {
                let only = Scratch::from_slice(self.parts.get(Part::First));
                self.parts.set(Part::Last, &only);
            }
            self.set_stamp(Part::First, stamp());
        }
    }

    fn set_stamp(&mut self, part: Part, stamp: Stamp<'_>) {
        let mut packed = Scratch::new();
        stamp.write(&mut packed);
        self.parts.set(part, &packed);
    }

    fn fold_traits(
        &mut self,
        event: &FoldEvent<'_>,
        role: Role,
        rules: &Rules<'_>,
        folded: &mut Folded,
    ) {
        let sets = match role {
            Role::User => EventType::Identify,
            Role::Account => EventType::Group,
        };
        let Some(traits) = event.event.traits.filter(|_| event.event.kind == sets) else { return };
        let mut assigned = Assigned::new(traits);
        if assigned.is_empty() {
            return;
        }
        if is_own_output(event, rules.space_id) {
            folded.own_output = true;
            return;
        }
        folded.traits_too_large = assigned.refuse_large();
        if assigned.is_empty() {
            return;
        }
        let mut table = Table::trusted(self.parts.get(Part::Traits));
        let written = table.assign(event.stamp(), &assigned, rules.limits.traits);
        folded.traits_set = written.set;
        folded.traits_older = written.older;
        folded.traits_refused = written.refused;
        folded.traits_displaced = written.displaced;
        if written.set > 0 || written.displaced > 0 {
            let packed = table.packed();
            drop(table);
            self.parts.set(Part::Traits, &packed);
        }
    }

    fn fold_link(&mut self, event: &FoldEvent<'_>, limits: &Limits) -> Linked {
        let Some(anchor) = event.link.filter(|_| event.event.kind == EventType::Group) else {
            return Linked::None;
        };
        let mut list: links::List = self.links().collect();
        let link = Link { anchor, since: event.happened_at, source: event.source };
        let linked = links::add(&mut list, link, limits.links);
        if matches!(linked, Linked::Written | Linked::Displaced) {
            let mut packed = Scratch::new();
            links::write_all(&list, &mut packed);
            self.parts.set(Part::Links, &packed);
        }
        linked
    }

    /// Adds an entry to the timeline. The events were counted before: every 256th completes a chunk.
    fn append(&mut self, entry: &Entry) -> Option<Chunk> {
        self.timeline_sum = self.timeline_sum.wrapping_add(entry.digest());
        let place = timeline::insertion(self.parts.get(Part::Open), entry);
        self.parts.splice(Part::Open, place.at, place.removed, &place.bytes);
        if !self.events.is_multiple_of(CHUNK_ENTRIES as u64) {
            return None;
        }
        let number = self.events / CHUNK_ENTRIES as u64 - 1;
        let number = u32::try_from(number).expect("a profile has fewer than 2^40 events");
        let chunk = Chunk::new(number, self.parts.get(Part::Open));
        let mut packed = Scratch::from_slice(self.parts.get(Part::Chunks));
        chunk.times().write(&mut packed);
        self.parts.set(Part::Open, &[]);
        self.parts.set(Part::Chunks, &packed);
        Some(chunk)
    }
}

fn is_own_output(event: &FoldEvent<'_>, space_id: &str) -> bool {
    let named = || event.event.context.at(&["personas", "space_id"]).and_then(Raw::string);
    !space_id.is_empty() && named().is_some_and(|named| named == space_id)
}

#[cfg(test)]
mod tests;
