//! What a window leaves of the events that are kept: added up, or looked at one by one.

use selfsame_event::Time;
use selfsame_expr::test::Answer;
use smallvec::SmallVec;

use super::{Frame, Reading, View};
use crate::elements::{Element, Newest};
use crate::moment::earliest;
use crate::plan::{Condition, Of, Operand, Read, Selection, Window};
use crate::sections::Kept;
use crate::slots::{Slot, Written};
use crate::total::{Kind, Total};
use crate::when::When;
use crate::window::{Range, last_session};

impl View<'_, '_> {
    /// What happened in a window, of which a slot at its border may know no more than that it is close.
    /// A slot is where its last event is.
    pub(super) fn slots(
        &self,
        slots: &Written<'_>,
        window: &Window,
        kind: Kind,
        read: Read,
    ) -> Reading {
        let range = Range::new(Some(window), self.sections.now);
        let (mut gain, mut loss) = (range.turns, range.turns);
        let mut total = Total::new(kind);
        let is_cut = |slot: &Slot<'_>, border| slot.first < border && border <= slot.last;
        slots.since(range.start, |slot| {
            self.note(is_cut(slot, range.start) || is_cut(slot, range.end));
            // It is approximate from when a border reaches it.
            for time in [slot.first, slot.last] {
                if time >= range.end {
                    gain = earliest(gain, range.enters(time));
                } else {
                    loss = earliest(loss, range.leaves(time));
                }
            }
            if slot.last < range.end {
                total.combine(kind, slot.total.clone());
            }
        });
        self.note(slots.cut().is_some_and(|cut| cut >= range.start) || total.is_cut());
        Reading { value: read.of(&total), gain, loss }
    }

    pub(super) fn select(
        &self,
        elements: &Newest<'_>,
        selection: &Selection,
        read: Read,
        frame: Option<&Frame<'_>>,
    ) -> Reading {
        let range = Range::new(selection.window.as_ref(), self.sections.now);
        let (mut gain, mut loss) = (range.turns, range.turns);
        let behind = frame.map(|frame| frame.element.when).zip(selection.behind);
        let by = frame.map_or(self.by, |frame| frame.by);
        let mut start = range.start;
        let mut place = 0;
        if let Some((parent, (_, to))) = behind {
            place = elements.place_behind(parent.time, to);
        }
        if let Some(by) = by {
            place = place.max(elements.place_until(by));
            // Where the event is nothing to the others, only what happened with it is looked at.
            let reach = selection.condition.as_ref().and_then(|one| self.reach(one, by));
            start = start.max(by.plus_micros(reach.unwrap_or(0).saturating_neg()));
        }
        let is_over = |element: &Element<'_>| {
            let is_before = |(parent, (from, _)): (When, (i64, i64))| {
                let distance = element.when.time.micros() - parent.time.micros();
                element.when <= parent || distance < from
            };
            element.when.time < start || behind.is_some_and(is_before)
        };
        if range.end < Time::MAX {
            // What is still to come into the window counts for when it does: the oldest of it does first.
            let come = elements.place_until(range.end.plus_micros(-1));
            let started = elements.place_until(start.plus_micros(-1)).min(come);
            let mut coming = (place..started).rev().filter_map(|place| elements.get(place));
            let first = coming.find(|element| !is_over(element));
            gain = earliest(gain, first.and_then(|first| range.enters(first.when.time)));
            place = place.max(come);
        }
        let mut chosen: SmallVec<[Element<'_>; 16]> = SmallVec::new();
        let mut is_enough = false;
        while let Some(element) = elements.get(place).filter(|element| !is_over(element)) {
            place += 1;
            let time = element.when.time;
            let mut answer = Answer::always(true);
            if let Some(condition) = &selection.condition {
                // An event that was looked at before is met by this one or not at all.
                let by = by.filter(|by| selection.is_made_by_one && time != *by);
                answer = self
                    .condition(condition, Some(&Frame { element: &element, around: frame, by }));
            }
            if !answer.holds {
                gain = earliest(gain, answer.until);
                loss = earliest(loss, answer.until);
                continue;
            }
            loss = earliest(loss, earliest(range.leaves(time), answer.until));
            gain = earliest(gain, answer.until);
            chosen.push(element);
            is_enough = selection.most.is_some_and(|most| u64::try_from(chosen.len()) == Ok(most));
            if is_enough {
                break;
            }
        }
        let reach = behind.map_or(range.start, |(parent, _)| parent.time.max(range.start));
        self.note(!is_enough && elements.is_cut_since(reach));
        if let Some(Window::Session(gap)) = selection.window {
            loss = earliest(loss, last_session(&mut chosen, gap, self.sections.now));
        }
        let mut total = Total::new(selection.kind);
        for element in chosen.iter().rev() {
            let column = selection.column.map(|column| element.column(column));
            total.fold(selection.kind, element.when, column.into_iter().flatten().flatten());
        }
        self.note(total.is_cut());
        Reading { value: read.of(&total), gain, loss }
    }

    /// How many microseconds behind an event there may be one that has to do with what happened at that time;
    /// nothing where that has no part in a condition on kept events.
    fn reach(&self, condition: &Condition, by: Time) -> Option<i64> {
        match condition {
            Condition::And(list) | Condition::Or(list) => {
                list.iter().filter_map(|one| self.reach(one, by)).max()
            }
            Condition::Not(one) => self.reach(one, by),
            Condition::Is(Operand::Leaf(leaf), _) => {
                let Of::Elements(inner) = &leaf.of else { return None };
                let deeper = inner.condition.as_ref().and_then(|one| self.reach(one, by));
                let is_one = || match self.sections.combined(leaf.stream) {
                    Some(Kept::Elements(elements)) => elements.has(by),
                    _ => false,
                };
                let (_, to) = inner.behind.filter(|_| deeper.is_some() || is_one())?;
                Some(to.saturating_add(deeper.unwrap_or(0)))
            }
            Condition::Is(..) | Condition::Users(..) => None,
        }
    }
}
