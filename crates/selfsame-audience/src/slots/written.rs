//! The slots of a stream that all sections of a profile keep together, read where they were written.

use selfsame_event::Time;
use selfsame_event::packed::Reader;
use smallvec::SmallVec;

use super::{Front, Grain, LARGE_BYTES, MOST_SLOTS, Slot, Slots};
use crate::chain::Chain;
use crate::total::Kind;

/// What [`Slots::combine`] makes of the slots of all sections.
#[derive(Debug)]
pub(crate) enum Written<'a> {
    /// Those of each section by itself: together they have room as they are. Two sections may have slots of
    /// one moment.
    Apart { sections: SmallVec<[Chain<'a>; 2]>, kind: Kind, cut: Option<Time> },
    /// Slots that had to be made coarser.
    Together(Slots<'a>),
}

impl<'a> Written<'a> {
    /// Of what sections keep of a stream.
    pub(crate) fn of(kind: Kind, parts: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let (mut number, mut weight, mut is_fine, mut cut) = (0, 0, true, None);
        let mut sections = SmallVec::new();
        for part in parts.clone() {
            let mut reader = Reader(part);
            let Some(front) = Front::read(kind, &mut reader) else { continue };
            let Some(chain) = Chain::read(&mut reader) else { continue };
            number += chain.number;
            weight += front.weight.unwrap_or(0);
            is_fine &= front.grain == Grain::FINEST;
            cut = cut.max(front.cut);
            sections.push(chain);
        }
        if sections.len() < 2 || is_fine && number <= MOST_SLOTS && weight <= LARGE_BYTES {
            return Self::Apart { sections, kind, cut };
        }
        let all = parts.filter_map(|part| Slots::read(kind, &mut Reader(part)));
        let combine = |mut all: Slots<'a>, one| {
            all.combine(kind, one);
            all
        };
        Self::Together(all.reduce(combine).unwrap_or_else(Slots::new))
    }

    /// When the newest of those events happened that have left.
    pub(crate) fn cut(&self) -> Option<Time> {
        match self {
            Self::Apart { cut, .. } => *cut,
            Self::Together(slots) => slots.cut,
        }
    }

    /// The slots that end at that time or later.
    pub(crate) fn since(&self, start: Time, mut visit: impl FnMut(&Slot<'a>)) {
        match self {
            Self::Apart { sections, kind, .. } => {
                for chain in sections {
                    let mut walk = chain.walk();
                    let mut next = || walk.next(|first, reader| Slot::read(*kind, first, reader));
                    while let Some(slot) = next().filter(|slot| slot.last >= start) {
                        visit(&slot);
                    }
                }
            }
            Self::Together(slots) => {
                slots.iter().filter(|slot| slot.last >= start).for_each(visit);
            }
        }
    }
}
