//! The value of a definition at a moment, and until when it is that.
//!
//! Everything here is a function of what sections keep, of the traits and of the moment.

mod select;

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;

use selfsame_event::{Raw, Time};
use selfsame_expr::query::Step;
use selfsame_expr::test::{self, Answer};
use selfsame_expr::{Value, read};
use smallvec::SmallVec;

use crate::accounts::Tally;
use crate::datum::{Datum, Packed};
use crate::elements::Element;
use crate::event::Fields;
use crate::moment::{Moment, earliest};
use crate::output::Output;
use crate::plan::{Check, Condition, Keep, Leaf, Of, Operand, Order, Quantifier, Read};
use crate::sections::{Kept, Sections};
use crate::state::State;
use crate::total::Total;
use crate::window::Start as _;

/// The traits that a profile has now.
pub trait Traits {
    /// The value of a top-level key.
    fn get(&self, key: &str) -> Option<Raw<'_>>;
}

/// What a definition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// Its value.
    pub value: Output,
    /// The first moment at which it may be another one though nothing happens.
    pub until: Moment,
    /// Whether a cap had a part in it.
    pub is_approximate: bool,
}

impl Evaluated {
    /// Of an audience that somebody cannot be in, whatever it says.
    pub fn nobody() -> Self {
        Self { value: Output::bool(false), until: Moment::default(), is_approximate: false }
    }
}

/// A profile at a moment, with what a definition of it reads beside its events.
pub(crate) struct View<'v, 'a> {
    sections: &'v Sections<'a>,
    traits: Option<&'v dyn Traits>,
    event: Option<&'v Fields<'a>>,
    /// Of an account: for how many of its users what holds.
    tally: Option<&'v Tally>,
    /// The time of an event, of which alone it is asked whether it makes a condition hold.
    by: Option<Time>,
    is_approximate: Cell<bool>,
    /// What was read of traits for one of many events, by the place of the operand in memory.
    read_for_all: RefCell<SmallVec<[(*const Operand, Values<'v>); 1]>>,
}

/// The kept events at hand, the innermost first.
#[derive(Clone, Copy)]
struct Frame<'f> {
    element: &'f Element<'f>,
    around: Option<&'f Self>,
    /// The time of an event, of which alone it is asked what it makes of this one.
    by: Option<Time>,
}

type Values<'v> = SmallVec<[Value<'v>; 2]>;

/// A value with when it may change: because something more counts, or because something no longer does.
struct Reading {
    value: Output,
    gain: Moment,
    loss: Moment,
}

impl<'v, 'a> View<'v, 'a> {
    pub(crate) fn new(
        sections: &'v Sections<'a>,
        traits: &'v dyn Traits,
        tally: Option<&'v Tally>,
    ) -> Self {
        let (is_approximate, read_for_all) = (Cell::new(false), RefCell::default());
        let (traits, event, by) = (Some(traits), None, None);
        Self { sections, traits, event, tally, by, is_approximate, read_for_all }
    }

    /// The same, of what an event of that time has to do with alone.
    pub(crate) fn by(self, event: Time) -> Self {
        Self { by: Some(event), ..self }
    }

    /// Whether an event meets a condition of the event alone.
    pub(crate) fn meets(event: &Fields<'_>, condition: &Condition) -> bool {
        let sections = Sections::new((&[], &[]), [], event.event().when.time);
        let view = View::<'_, '_> {
            sections: &sections,
            traits: None,
            event: Some(event),
            tally: None,
            by: None,
            is_approximate: Cell::new(false),
            read_for_all: RefCell::default(),
        };
        view.condition(condition, None).holds
    }

    pub(crate) fn holds(&self, condition: &Condition) -> Evaluated {
        let answer = self.condition(condition, None);
        self.evaluated(Output::bool(answer.holds), answer.until)
    }

    pub(crate) fn value(&self, operand: &Operand) -> Evaluated {
        match operand {
            Operand::Leaf(leaf) => {
                let reading = self.leaf(leaf, None);
                let until = earliest(reading.gain, reading.loss);
                self.evaluated(reading.value, until)
            }
            operand => {
                let (values, until) = self.values(operand, None);
                let mut known = values.iter().filter_map(Datum::of);
                let value = match operand {
                    Operand::Trait(steps) if steps.contains(&Step::Each) => {
                        Output::list(known.collect())
                    }
                    _ => Output::of(known.next()),
                };
                self.evaluated(value, until)
            }
        }
    }

    fn evaluated(&self, value: Output, until: Moment) -> Evaluated {
        Evaluated { value, until, is_approximate: self.is_approximate.replace(false) }
    }

    fn condition(&self, condition: &Condition, frame: Option<&Frame<'_>>) -> Answer {
        match condition {
            Condition::And(list) => {
                self.decided(list.iter().map(|one| self.condition(one, frame)), false)
            }
            Condition::Or(list) => {
                self.decided(list.iter().map(|one| self.condition(one, frame)), true)
            }
            Condition::Not(one) => {
                let answer = self.condition(one, frame);
                Answer { holds: !answer.holds, ..answer }
            }
            Condition::Users(quantifier, number) => {
                let holds = self.tally.is_some_and(|tally| match quantifier {
                    Quantifier::Any => tally.any(*number),
                    Quantifier::All => tally.all(*number),
                });
                Answer::always(holds)
            }
            Condition::Is(Operand::Leaf(leaf), check) => self.leaf_passes(leaf, check, frame),
            Condition::Is(operand, check) => {
                if let Some(value) = only(operand, frame) {
                    return self.one_passes(&value, check, frame);
                }
                let (values, until) = self.values(operand, frame);
                let answer = self.passes(&values, check, frame);
                Answer { until: earliest(until, answer.until), ..answer }
            }
        }
    }

    /// Of several answers, one of which is enough if it is `deciding`.
    fn decided(&self, answers: impl Iterator<Item = Answer>, deciding: bool) -> Answer {
        let (mut lasts, mut may_change) = (Some(Time::EPOCH), None);
        let mut is_decided = false;
        for answer in answers {
            if answer.holds == deciding {
                if answer.until.is_none() {
                    return answer;
                }
                is_decided = true;
                // The one that stays longest keeps it decided.
                lasts = match (lasts, answer.until) {
                    (Some(known), Some(until)) => Some(known.max(until)),
                    _ => None,
                };
            } else {
                may_change = earliest(may_change, answer.until);
            }
        }
        let until = if is_decided { lasts } else { may_change };
        Answer { holds: is_decided == deciding, until }
    }

    fn leaf_passes(&self, leaf: &Leaf, check: &Check, frame: Option<&Frame<'_>>) -> Answer {
        let Reading { value, gain, loss } = self.leaf(leaf, frame);
        let answer = self.passes(&[value.value()], check, frame);
        let until = match (leaf.read, check, answer.holds) {
            // More cannot end it, and less cannot begin it.
            (Read::Count, Check::Order(Order::AtLeast | Order::Greater, _), true)
            | (Read::Count, Check::Order(Order::AtMost | Order::Less, _), false) => loss,
            (Read::Count, Check::Order(..), _) => gain,
            _ => earliest(gain, loss),
        };
        Answer { until: earliest(until, answer.until), ..answer }
    }

    /// Whether one of the values passes; none at all are null.
    fn passes(&self, values: &[Value<'_>], check: &Check, frame: Option<&Frame<'_>>) -> Answer {
        if values.is_empty() {
            return self.one_passes(&Value::Null, check, frame);
        }
        self.decided(values.iter().map(|value| self.one_passes(value, check, frame)), true)
    }

    fn one_passes(&self, value: &Value<'_>, check: &Check, frame: Option<&Frame<'_>>) -> Answer {
        let now = self.sections.now;
        let against = |operand: &Operand, test: &dyn Fn(&Value<'_>) -> bool| {
            if let Some(other) = only(operand, frame) {
                return Answer::always(test(&other));
            }
            let (others, until) = self.values(operand, frame);
            let holds =
                if others.is_empty() { test(&Value::Null) } else { others.iter().any(test) };
            Answer { holds, until }
        };
        let dated = |test: &dyn Fn(i64) -> Answer| value.time().map_or(Answer::always(false), test);
        match check {
            Check::Equals(other) => against(other, &|other| test::equals(value, other)),
            Check::Differs(other) => against(other, &|other| test::differs(value, other)),
            Check::Order(order, other) => against(other, &|other| {
                test::order(value, other).is_some_and(|found| order.allows(found))
            }),
            Check::Absent => Answer::always(value.is_null()),
            Check::Exists => Answer::always(!value.is_null()),
            Check::Contains(list) => {
                let contains =
                    |other: &Value<'_>| test::texts(value, other, |text, part| text.contains(part));
                self.decided(list.iter().map(|other| against(other, &contains)), true)
            }
            Check::Omits(other) => {
                let omits = |other: &Value<'_>| {
                    !test::texts(value, other, |text, part| text.contains(part))
                };
                against(other, &omits)
            }
            Check::StartsWith(other) => against(other, &|other| {
                test::texts(value, other, |text, part| text.starts_with(part))
            }),
            Check::EndsWith(other) => against(other, &|other| {
                test::texts(value, other, |text, part| text.ends_with(part))
            }),
            Check::OneOf(list) => {
                Answer::always(list.iter().any(|other| test::equals(value, &other.value())))
            }
            Check::NoneOf(list) => {
                let is_one = list.iter().any(|other| test::equals(value, &other.value()));
                Answer::always(!value.is_null() && !is_one)
            }
            Check::BeforeDate(other) => {
                against(other, &|other| test::time_order(value, other) == Some(Ordering::Less))
            }
            Check::AfterDate(other) => {
                against(other, &|other| test::time_order(value, other) == Some(Ordering::Greater))
            }
            Check::WithinLast(span) => dated(&|time| test::within_last(time, *span, now)),
            Check::WithinNext(span) => dated(&|time| test::within_next(time, *span, now)),
            Check::BeforeLast(span) => dated(&|time| test::before_last(time, *span, now)),
            Check::AfterNext(span) => dated(&|time| test::after_next(time, *span, now)),
        }
    }

    fn values<'s>(
        &'s self,
        operand: &'s Operand,
        frame: Option<&Frame<'s>>,
    ) -> (Values<'s>, Moment) {
        let mut values = Values::new();
        let mut until = None;
        match operand {
            Operand::Literal(datum) => values.push(datum.value()),
            Operand::Trait(steps) if frame.is_none() => {
                self.read_trait(steps).into_iter().for_each(|value| values.push(value));
            }
            Operand::Trait(steps) => {
                // Of each of many events the same is asked.
                let known =
                    |(place, _): &&(*const Operand, Values<'v>)| std::ptr::eq(*place, operand);
                let mut all = self.read_for_all.borrow_mut();
                match all.iter().find(known) {
                    Some((_, known)) => known.iter().for_each(|value| values.push(value.clone())),
                    None => {
                        let read = self.read_trait(steps);
                        read.iter().for_each(|value| values.push(value.clone()));
                        all.push((operand, read));
                    }
                }
            }
            Operand::Column { depth, column } => {
                let column = at_depth(frame, *depth).map(|frame| frame.element.column(*column));
                let column = column.into_iter().flatten();
                values.extend(column.map(|one| one.map_or(Value::Null, Packed::value)));
            }
            Operand::Leaf(leaf) => {
                let reading = self.leaf(leaf, frame);
                until = earliest(reading.gain, reading.loss);
                values.push(owned(&reading.value));
            }
            Operand::Event(source) => {
                if let Some(event) = self.event {
                    event.read(source, &mut |value| values.push(value));
                }
            }
        }
        (values, until)
    }

    fn read_trait(&self, steps: &[Step]) -> Values<'v> {
        let mut values = Values::new();
        if let Some((Step::Key(key), rest)) = steps.split_first() {
            let value = self.traits.and_then(|traits| traits.get(key));
            read(value, rest, &mut |value| values.push(value));
        }
        values
    }

    fn leaf(&self, leaf: &Leaf, frame: Option<&Frame<'_>>) -> Reading {
        let read = |total: &Total<'_>| leaf.read.of(total);
        let nothing = || Reading { value: leaf.read.of_nothing(), gain: None, loss: None };
        let of_total = |total: &Total<'_>| match &leaf.of {
            Of::TotalWithin(span) => self.within(total, *span, leaf.read),
            _ => {
                self.note(total.is_cut());
                Reading { value: read(total), gain: None, loss: None }
            }
        };
        if let Some(total) = self.sections.total(leaf.stream) {
            return of_total(&total);
        }
        match (self.sections.combined(leaf.stream), &leaf.of) {
            (Some(Kept::State(State::Total(total))), Of::Total | Of::TotalWithin(_)) => {
                of_total(total)
            }
            (Some(Kept::State(State::Runs(runs))), Of::Session { gap }) => {
                let Some((run, is_cut)) = runs.last(*gap) else { return nothing() };
                let over = run.end.plus_micros(gap.saturating_add(1));
                if over <= self.sections.now {
                    return nothing();
                }
                self.note(is_cut || run.total.is_cut());
                Reading { value: read(&run.total), gain: None, loss: Some(over) }
            }
            (Some(Kept::State(State::Periods(periods))), Of::Period { which, calendar }) => {
                let start = which.start(calendar, self.sections.now);
                let until = Some(calendar.end(self.sections.now));
                let total = periods.of(start);
                self.note(total.is_some_and(Total::is_cut));
                let value = total.map_or_else(|| leaf.read.of_nothing(), read);
                Reading { value, gain: until, loss: until }
            }
            (Some(Kept::Slots(slots)), Of::Slots(window)) => {
                let Some(Keep::Slots { kind, .. }) = self.sections.keep(leaf.stream) else {
                    return nothing();
                };
                self.slots(slots, window, *kind, leaf.read)
            }
            (Some(Kept::Elements(elements)), Of::Elements(selection)) => {
                self.select(elements, selection, leaf.read, frame)
            }
            _ => nothing(),
        }
    }

    fn note(&self, is_approximate: bool) {
        self.is_approximate.set(self.is_approximate.get() || is_approximate);
    }

    /// What was there less than so long ago, of a total that knows when it last was.
    fn within(&self, total: &Total<'_>, span: i64, read: Read) -> Reading {
        let start = self.sections.now.plus_micros(1 - span);
        let mut loss = None;
        let value = match total {
            Total::Seen(seen) => {
                self.note(seen.cut().is_some_and(|cut| cut >= start));
                let values = seen.since(start).map(|(value, time)| {
                    loss = earliest(loss, Some(time.plus_micros(span)));
                    value.datum()
                });
                read.of_values(values.flatten().collect())
            }
            Total::Edge(Some((when, value))) if when.time >= start => {
                loss = Some(when.time.plus_micros(span));
                Output::of(value.datum())
            }
            _ => read.of_nothing(),
        };
        Reading { value, gain: None, loss }
    }
}

impl Order {
    fn allows(self, found: Ordering) -> bool {
        match self {
            Self::Less => found.is_lt(),
            Self::AtMost => found.is_le(),
            Self::AtLeast => found.is_ge(),
            Self::Greater => found.is_gt(),
        }
    }
}

fn at_depth<'f>(frame: Option<&Frame<'f>>, depth: usize) -> Option<Frame<'f>> {
    (0..depth).fold(frame.copied(), |frame, _| frame?.around.copied())
}

/// The value of what has one at any moment, and no more: as most that kept events are asked.
fn only<'s>(operand: &'s Operand, frame: Option<&Frame<'s>>) -> Option<Value<'s>> {
    match operand {
        Operand::Literal(datum) => Some(datum.value()),
        Operand::Column { depth, column } => {
            let value = at_depth(frame, *depth)?.element.column(*column).only()?;
            Some(value.map_or(Value::Null, Packed::value))
        }
        Operand::Trait(_) | Operand::Leaf(_) | Operand::Event(_) => None,
    }
}

/// The value on its own.
fn owned(output: &Output) -> Value<'static> {
    match output.value() {
        Value::Null => Value::Null,
        Value::Bool(bool) => Value::Bool(bool),
        Value::Number(number) => Value::Number(number),
        Value::Text(text) => Value::Text(text.into_owned().into()),
        // Of a list, only its text takes part in tests.
        Value::Json(raw) => Value::Text(raw.text().to_owned().into()),
    }
}
