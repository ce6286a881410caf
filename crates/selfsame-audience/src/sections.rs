//! What the sections of one profile keep, put together when it is asked for.

use std::cell::OnceCell;
use std::fmt;

use selfsame_event::Time;
use smallvec::SmallVec;

use crate::elements::Newest;
use crate::loose::{Keeps, Loose};
use crate::plan::{Keep, Stream};
use crate::row::Parts;
use crate::slots::Written;
use crate::state::State;
use crate::total::Total;

/// The sections of a profile at a moment.
pub(crate) struct Sections<'a> {
    streams: &'a [Stream],
    /// The numbers under which rows keep them.
    numbers: &'a [usize],
    sections: SmallVec<[Section<'a>; 4]>,
    pub(crate) now: Time,
    /// By stream: what it took some reading to put together.
    combined: OnceCell<Vec<OnceCell<Box<Kept<'a>>>>>,
}

/// What one section keeps.
enum Section<'a> {
    Row(&'a [u8], OnceCell<Parts<'a>>),
    Loose(&'a Loose),
}

/// What all sections together keep of a stream.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is in a box of its own")]
pub(crate) enum Kept<'a> {
    /// Little enough to be read whole.
    State(State<'a>),
    Elements(Newest<'a>),
    Slots(Written<'a>),
}

impl<'a> Sections<'a> {
    pub(crate) fn new(
        (streams, numbers): (&'a [Stream], &'a [usize]),
        sections: impl IntoIterator<Item = Keeps<'a>>,
        now: Time,
    ) -> Self {
        let section = |keeps| match keeps {
            Keeps::Row(row) => Section::Row(row, OnceCell::new()),
            Keeps::Loose(loose) => Section::Loose(loose),
        };
        let sections = sections.into_iter().map(section).collect();
        Self { streams, numbers, sections, now, combined: OnceCell::new() }
    }

    /// What is kept of a stream.
    pub(crate) fn keep(&self, index: usize) -> Option<&'a Keep> {
        self.streams.get(index).map(|stream| &stream.keep)
    }

    /// What all sections together keep of a stream.
    pub(crate) fn combined(&self, index: usize) -> Option<&Kept<'a>> {
        let stream = self.streams.get(index)?;
        let parts = self.parts_of(index)?;
        let none = || self.streams.iter().map(|_| OnceCell::new()).collect();
        let known = self.combined.get_or_init(none).get(index)?;
        Some(known.get_or_init(|| Box::new(put_together(stream, parts))))
    }

    /// What all sections together keep of a stream, where that is one value: it is read sooner than it is found.
    pub(crate) fn total(&self, index: usize) -> Option<Total<'a>> {
        let Keep::Total { kind, .. } = self.keep(index)? else { return None };
        if !kind.is_one_value() {
            return None;
        }
        let totals = self.parts_of(index)?.filter_map(|part| Total::read_whole(*kind, part));
        let combine = |mut all: Total<'a>, one| {
            all.combine(*kind, one);
            all
        };
        Some(totals.reduce(combine).unwrap_or_else(|| Total::new(*kind)))
    }

    /// What each section keeps of a stream.
    fn parts_of(&self, index: usize) -> Option<impl Iterator<Item = &'a [u8]> + Clone> {
        let number = *self.numbers.get(index)?;
        Some(self.sections.iter().filter_map(move |section| section.part(number)))
    }
}

impl<'a> Section<'a> {
    fn part(&self, number: usize) -> Option<&'a [u8]> {
        match self {
            Self::Row(row, parts) => parts.get_or_init(|| Parts::of(row)).get(number),
            Self::Loose(loose) => loose.get(number),
        }
    }
}

fn put_together<'a>(stream: &'a Stream, parts: impl Iterator<Item = &'a [u8]> + Clone) -> Kept<'a> {
    match &stream.keep {
        Keep::Elements { room, .. } => {
            Kept::Elements(Newest::of(stream.columns.len(), *room, parts))
        }
        Keep::Slots { kind, .. } => Kept::Slots(Written::of(*kind, parts)),
        Keep::Total { .. } | Keep::Runs { .. } | Keep::Periods { .. } => {
            let states = parts.filter_map(|part| State::read(stream, part));
            let combine = |mut all: State<'a>, one| {
                all.combine(&stream.keep, one);
                all
            };
            Kept::State(states.reduce(combine).unwrap_or_else(|| State::new(&stream.keep)))
        }
    }
}

impl fmt::Debug for Sections<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sections").field("sections", &self.sections.len()).finish_non_exhaustive()
    }
}
