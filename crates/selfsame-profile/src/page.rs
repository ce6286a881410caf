//! Reading a timeline: one page of the merged entries of several sections.
//!
//! A chunk is loaded when the page reaches its times, and not before: a page of the newest events
//! loads the chunks that overlap it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use selfsame_event::Time;

use crate::section::Section;
use crate::timeline::{Chunk, Entry, EntryKey};

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The latest.
    #[default]
    NewestFirst,
    /// The earliest.
    OldestFirst,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// Not before this.
    pub from: Time,
    /// Not after this.
    pub to: Time,
    /// Which end comes first.
    pub order: Order,
    /// Only what comes behind this entry, in that order.
    pub behind: Option<EntryKey>,
    /// How many at most.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            from: Time::EPOCH,
            to: Time::MAX,
            order: Order::NewestFirst,
            behind: None,
            limit: 100,
        }
    }
}

impl Query {
    fn may_want(&self, min: Time, max: Time) -> bool {
        let behind = match (self.behind, self.order) {
            (None, _) => true,
            (Some(key), Order::NewestFirst) => min <= key.time,
            (Some(key), Order::OldestFirst) => max >= key.time,
        };
        behind && min <= self.to && max >= self.from
    }

    fn wants(&self, key: EntryKey) -> bool {
        let behind = match (self.behind, self.order) {
            (None, _) => true,
            (Some(behind), Order::NewestFirst) => key < behind,
            (Some(behind), Order::OldestFirst) => key > behind,
        };
        behind && self.from <= key.time && key.time <= self.to
    }
}

/// An entry, and which of the sections it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The index of the section in what was asked.
    pub section: usize,
    /// The entry.
    pub entry: Entry,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Its entries, in the order asked for.
    pub entries: Vec<Placed>,
    /// Whether there are more. The next page is what lies behind the last entry of this one.
    pub more: bool,
}

/// Reads one page of the timelines of these sections as one. `accept` chooses by type and name;
/// `load` is asked for a chunk by section index and chunk number.
pub fn page<E>(
    sections: &[&Section],
    query: &Query,
    mut accept: impl FnMut(&Entry) -> bool,
    mut load: impl FnMut(usize, u32) -> Result<Chunk, E>,
) -> Result<Page, E> {
    let mut merge = Merge { query, heads: BinaryHeap::new() };
    for (index, section) in sections.iter().enumerate() {
        merge.add_run(index, section.open_entries());
        merge.add_chunks(index, section);
    }
    let mut page = Page::default();
    while let Some(head) = merge.heads.pop() {
        match head.run {
            Run::Stored(number) => {
                let chunk = load(head.section, number)?;
                merge.add_run(head.section, chunk.entries());
            }
            Run::Loaded { entry, rest } => {
                merge.push_entry(head.section, rest);
                if !accept(&entry) {
                    continue;
                }
                if page.entries.len() >= query.limit {
                    page.more = true;
                    break;
                }
                page.entries.push(Placed { section: head.section, entry });
            }
        }
    }
    Ok(page)
}

struct Merge<'q> {
    query: &'q Query,
    heads: BinaryHeap<Head>,
}

/// The next thing of a run of entries.
struct Head {
    /// Where it is, or for a chunk that is not loaded, the nearest that it may be.
    place: (Time, Option<EntryKey>),
    order: Order,
    section: usize,
    run: Run,
}

enum Run {
    /// A chunk that is not loaded.
    Stored(u32),
    /// An entry and those after it, the next one last.
    Loaded { entry: Entry, rest: Vec<Entry> },
}

impl Merge<'_> {
    fn add_chunks(&mut self, section: usize, of: &Section) {
        for (number, times) in (0..).zip(of.chunks()) {
            if self.query.may_want(times.min, times.max) {
                let time = match self.query.order {
                    Order::NewestFirst => times.max,
                    Order::OldestFirst => times.min,
                };
                let order = self.query.order;
                self.heads.push(Head {
                    place: (time, None),
                    order,
                    section,
                    run: Run::Stored(number),
                });
            }
        }
    }

    fn add_run(&mut self, section: usize, newest_first: impl Iterator<Item = Entry>) {
        let mut rest: Vec<Entry> =
            newest_first.filter(|entry| self.query.wants(entry.key)).collect();
        if self.query.order == Order::NewestFirst {
            rest.reverse();
        }
        self.push_entry(section, rest);
    }

    fn push_entry(&mut self, section: usize, mut rest: Vec<Entry>) {
        let Some(entry) = rest.pop() else { return };
        let place = (entry.key.time, Some(entry.key));
        let order = self.query.order;
        self.heads.push(Head { place, order, section, run: Run::Loaded { entry, rest } });
    }
}

/// The heap gives the greatest: what comes first is greatest. At one time a chunk that is not loaded
/// comes before entries, as any of its entries may be the next.
impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = match self.order {
            Order::NewestFirst => (self.place, other.place),
            Order::OldestFirst => (other.place, self.place),
        };
        one.0
            .cmp(&two.0)
            .then_with(|| self.place.1.is_none().cmp(&other.place.1.is_none()))
            .then_with(|| one.1.cmp(&two.1))
            .then_with(|| other.section.cmp(&self.section))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}
