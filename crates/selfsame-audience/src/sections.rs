//! What the sections of one profile keep, put together when it is asked for.

use std::cell::OnceCell;
use std::fmt;

use selfsame_event::Time;

use crate::plan::{Keep, Stream};
use crate::row::{self, Parts};
use crate::state::State;
use crate::total::Kind;

/// The sections of a profile at a moment.
pub(crate) struct Sections<'a> {
    streams: &'a [Stream],
    /// The numbers under which rows keep them.
    numbers: &'a [usize],
    rows: &'a [&'a [u8]],
    pub(crate) now: Time,
    /// What each row keeps.
    parts: OnceCell<Vec<Parts<'a>>>,
    /// By stream.
    combined: Vec<OnceCell<Box<Combined<'a>>>>,
}

/// What all of them together keep of a stream.
pub(crate) struct Combined<'a> {
    pub(crate) state: State<'a>,
    /// Of slots, what they are totals of.
    pub(crate) kind: Option<Kind>,
}

impl<'a> Sections<'a> {
    pub(crate) fn new(
        (streams, numbers): (&'a [Stream], &'a [usize]),
        rows: &'a [&'a [u8]],
        now: Time,
    ) -> Self {
        let combined = streams.iter().map(|_| OnceCell::new()).collect();
        Self { streams, numbers, rows, now, parts: OnceCell::new(), combined }
    }

    /// What all sections together keep of a stream.
    pub(crate) fn combined(&self, index: usize) -> Option<&Combined<'a>> {
        let stream = self.streams.get(index)?;
        let number = *self.numbers.get(index)?;
        let combined = self.combined.get(index)?.get_or_init(|| {
            let all = || self.rows.iter().map(|row| row::parts(row)).collect();
            let parts = self.parts.get_or_init(all).iter().filter_map(|parts| {
                let at = parts.binary_search_by_key(&number, |(known, _)| *known).ok()?;
                parts.get(at).map(|(_, part)| *part)
            });
            let states = parts.filter_map(|part| State::read(stream, part));
            let combine = |mut all: State<'a>, one| {
                all.combine(&stream.keep, one);
                all
            };
            let state = states.reduce(combine).unwrap_or_else(|| State::new(&stream.keep));
            let kind = match &stream.keep {
                Keep::Slots { kind, .. } => Some(*kind),
                _ => None,
            };
            Box::new(Combined { state, kind })
        });
        Some(combined)
    }
}

impl fmt::Debug for Sections<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sections").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}
