//! What the sections of one profile keep, put together when it is asked for.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use selfsame_event::Time;
use smallvec::SmallVec;

use crate::elements::Newest;
use crate::plan::{Keep, Stream};
use crate::row::{self, Parts};
use crate::slots::Written;
use crate::state::State;

/// The sections of a profile at a moment.
pub(crate) struct Sections<'a> {
    streams: &'a [Stream],
    /// The numbers under which rows keep them.
    numbers: &'a [usize],
    rows: &'a [&'a [u8]],
    pub(crate) now: Time,
    /// What each row keeps.
    parts: OnceCell<SmallVec<[Parts<'a>; 2]>>,
    /// By stream: what it took some reading to put together.
    combined: RefCell<Vec<(usize, Rc<Kept<'a>>)>>,
}

/// What all sections together keep of a stream.
#[derive(Debug)]
pub(crate) enum Kept<'a> {
    /// Little enough to be read whole.
    State(State<'a>),
    Elements(Newest<'a>),
    Slots(Written<'a>),
}

/// It, for whoever evaluates.
#[expect(clippy::large_enum_variant, reason = "it is on the stack, for one reading")]
pub(crate) enum Combined<'a> {
    /// Of this reading alone.
    Own(Kept<'a>),
    /// Of all that ask for it.
    Shared(Rc<Kept<'a>>),
}

impl<'a> Deref for Combined<'a> {
    type Target = Kept<'a>;

    fn deref(&self) -> &Kept<'a> {
        match self {
            Self::Own(state) => state,
            Self::Shared(state) => state,
        }
    }
}

impl<'a> Sections<'a> {
    pub(crate) fn new(
        (streams, numbers): (&'a [Stream], &'a [usize]),
        rows: &'a [&'a [u8]],
        now: Time,
    ) -> Self {
        let (parts, combined) = (OnceCell::new(), RefCell::default());
        Self { streams, numbers, rows, now, parts, combined }
    }

    /// What is kept of a stream.
    pub(crate) fn keep(&self, index: usize) -> Option<&'a Keep> {
        self.streams.get(index).map(|stream| &stream.keep)
    }

    /// What all sections together keep of a stream.
    pub(crate) fn combined(&self, index: usize) -> Option<Combined<'a>> {
        let stream = self.streams.get(index)?;
        // One number is read sooner than it is found.
        if matches!(&stream.keep, Keep::Total { kind, .. } if kind.is_small()) {
            return self.put_together(index, stream).map(Combined::Own);
        }
        let place = self.combined.borrow().binary_search_by_key(&index, |(known, _)| *known);
        let place = match place {
            Ok(place) => {
                let known = self.combined.borrow().get(place).map(|(_, state)| Rc::clone(state));
                return known.map(Combined::Shared);
            }
            Err(place) => place,
        };
        let state = Rc::new(self.put_together(index, stream)?);
        self.combined.borrow_mut().insert(place, (index, Rc::clone(&state)));
        Some(Combined::Shared(state))
    }

    fn put_together(&self, index: usize, stream: &'a Stream) -> Option<Kept<'a>> {
        let number = *self.numbers.get(index)?;
        let all = || self.rows.iter().map(|row| row::parts(row)).collect();
        let parts = self.parts.get_or_init(all).iter().filter_map(|parts| {
            let at = parts.binary_search_by_key(&number, |(known, _)| *known).ok()?;
            parts.get(at).map(|(_, part)| *part)
        });
        Some(match &stream.keep {
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
        })
    }
}

impl fmt::Debug for Sections<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sections").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}
