//! The events of a stream that all sections of a profile keep together, read from the newest on as far as
//! somebody looks.

use std::cell::RefCell;

use selfsame_event::Time;
use selfsame_event::packed::Reader;
use smallvec::SmallVec;

use super::{Element, Front, Room};
use crate::chain::Walk;
use crate::when::When;

/// What [`super::Elements::combine`] makes of the lists of all sections, the newest first.
#[derive(Debug)]
pub(crate) struct Newest<'a> {
    columns: usize,
    room: Room,
    read: RefCell<Read<'a>>,
}

/// How far they are read.
#[derive(Debug)]
struct Read<'a> {
    /// What is left of each section, with its next event.
    sections: SmallVec<[(Walk<'a>, Option<Element<'a>>); 2]>,
    /// The newest first.
    list: SmallVec<[Element<'a>; 4]>,
    /// What these take.
    bytes: usize,
    /// The newest of those that are not kept.
    cut: Option<When>,
    is_over: bool,
}

impl<'a> Newest<'a> {
    /// Of what sections keep of a stream.
    pub(crate) fn of(columns: usize, room: Room, parts: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut sections = SmallVec::new();
        let mut cut = None;
        for part in parts {
            let Some(front) = Front::read(columns, &mut Reader(part)) else { continue };
            cut = cut.max(front.cut);
            let mut walk = front.chain.walk();
            let first = walk.next(|time, reader| Element::read(columns, time, reader));
            sections.push((walk, first));
        }
        let read = Read { sections, list: SmallVec::new(), bytes: 0, cut, is_over: false };
        Self { columns, room, read: RefCell::new(read) }
    }

    /// The event at that place, from 0 for the newest on.
    pub(crate) fn get(&self, place: usize) -> Option<Element<'a>> {
        let mut read = self.read.borrow_mut();
        while read.list.len() <= place && read.next(self.columns, self.room) {}
        read.list.get(place).copied()
    }

    /// The place of the newest event that happened at that time or before.
    pub(crate) fn place_until(&self, last: Time) -> usize {
        self.place(|element| element.when.time > last)
    }

    /// The place of the newest event that happened less than so many microseconds behind that time.
    pub(crate) fn place_behind(&self, time: Time, to: i64) -> usize {
        self.place(|element| element.when.time.micros() - time.micros() >= to)
    }

    /// Whether there is an event of that time.
    pub(crate) fn has(&self, time: Time) -> bool {
        self.get(self.place_until(time)).is_some_and(|element| element.when.time == time)
    }

    /// The first place of which something does not hold that holds of newer events alone.
    fn place(&self, is_newer: impl Fn(&Element<'_>) -> bool) -> usize {
        let mut read = self.read.borrow_mut();
        while read.list.last().is_none_or(&is_newer) && read.next(self.columns, self.room) {}
        read.list.partition_point(is_newer)
    }

    /// Whether an event of that time or later is not kept, though it may count.
    pub(crate) fn is_cut_since(&self, start: Time) -> bool {
        let mut read = self.read.borrow_mut();
        let is_earlier = |element: &Element<'_>| element.when.time < start;
        while !read.list.last().is_some_and(is_earlier) && read.next(self.columns, self.room) {}
        read.cut.is_some_and(|cut| cut.time >= start)
    }
}

impl<'a> Read<'a> {
    /// Reads one more, if there is one.
    fn next(&mut self, columns: usize, room: Room) -> bool {
        let when = |next: &Option<Element<'a>>| next.map(|element| element.when);
        let newest = self.sections.iter_mut().max_by_key(|(_, next)| when(next));
        let Some((walk, next)) = newest else { return false };
        let Some(element) = *next else { return false };
        let is_cut = self.is_over || self.cut.is_some_and(|cut| element.when <= cut);
        let bytes = self.bytes + element.size();
        if is_cut || self.list.len() >= room.events || bytes > room.bytes {
            self.cut = self.cut.max(Some(element.when));
            self.is_over = true;
            self.sections.clear();
            return false;
        }
        self.bytes = bytes;
        *next = walk.next(|time, reader| Element::read(columns, time, reader));
        self.list.push(element);
        true
    }
}

#[cfg(test)]
mod tests;
