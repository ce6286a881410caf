//! What streams have to keep: for which aggregate, over which window, for which test.

use selfsame_expr::query::{Aggregate, Literal, Path, Quantity, Scalar, Step, Test};
use selfsame_expr::{Decimal, query};

use crate::compile::refused;
use crate::elements::Room;
use crate::fault::CompileError;
use crate::periods::ONE_PERIOD_BYTES;
use crate::plan::{Form, From, Keep, Of, Read, Selection, Source, Window};
use crate::runs::ONE_RUN_BYTES;
use crate::slots::{MOST_SLOTS, ONE_SLOT_BYTES};
use crate::total::{self, Kind};

/// Most events that are kept one by one where each is held against others, or against traits.
pub const MOST_COMPARED: usize = 1_000;
/// Most bytes that they take with what is read of them: three such streams fit into one definition.
pub const MOST_COMPARED_BYTES: usize = 20 * 1_024;
/// Most bytes for values that are counted or listed one by one.
pub const MOST_VALUES_BYTES: usize = 48 * 1_024;
/// Most bytes that a definition may keep of each section.
pub const MOST_BYTES: usize = 64 * 1_024;

const DAY: i64 = query::Unit::Day.micros();

type Result<T> = std::result::Result<T, CompileError>;

/// Beyond which number of events the answer of a test is always the same.
pub(crate) fn most_that_matters(test: &Test) -> Option<u64> {
    let (said, more) = match test {
        Test::AtLeast(said) | Test::LessThan(said) => (said, 0),
        Test::GreaterThan(said) | Test::AtMost(said) => (said, 1),
        Test::Equals(said) | Test::Differs(said) => (said, 1),
        _ => return None,
    };
    let Scalar::Literal(Literal::Number(text)) = said else { return None };
    let number = u64::try_from(Decimal::parse(text)?.as_whole()?).ok()?;
    number.checked_add(more).filter(|most| *most > 0)
}

/// What is kept of a stream whose events are judged once, and which part of it counts.
pub(crate) fn kept(kind: Kind, window: Option<Window>, most: Option<u64>) -> (Keep, Of) {
    let Some(window) = window else { return (Keep::Total { kind, horizon: None }, Of::Total) };
    match window {
        Window::Within(span) if matches!(kind, Kind::Seen(_)) => {
            (Keep::Total { kind, horizon: Some(span) }, Of::TotalWithin(span))
        }
        Window::Within(span) if kind == Kind::Last => {
            (Keep::Total { kind, horizon: None }, Of::TotalWithin(span))
        }
        Window::Session(gap) => {
            (Keep::Runs { kind: kind.in_bytes(ONE_RUN_BYTES), gap }, Of::Session { gap })
        }
        Window::Calendar(which, calendar) => {
            let kind = kind.in_bytes(ONE_PERIOD_BYTES);
            (Keep::Periods { kind, calendar: calendar.clone() }, Of::Period { which, calendar })
        }
        Window::Within(to) | Window::Between(_, to) => {
            // The newest so many decide on "so many within": no older one can.
            let enough = most.filter(|_| matches!(window, Window::Within(_)));
            let enough = enough.and_then(|most| usize::try_from(most).ok());
            let Some(events) = enough.filter(|enough| *enough <= MOST_SLOTS) else {
                let kind = kind.in_bytes(ONE_SLOT_BYTES);
                return (Keep::Slots { kind, horizon: to }, Of::Slots(window));
            };
            let room = Room { events, bytes: usize::MAX };
            let window = Some(window);
            let (behind, condition, column, is_made_by_one) = (None, None, None, false);
            let of = Selection { window, behind, condition, kind, column, most, is_made_by_one };
            (Keep::Elements { room, horizon: Some(to) }, Of::Elements(of))
        }
    }
}

/// How far back a window reaches, whatever the moment.
pub(crate) fn horizon(window: &Window) -> Option<i64> {
    match window {
        Window::Within(span) | Window::Between(_, span) => Some(*span),
        // Two months and a change of the clocks.
        Window::Calendar(..) => Some(63 * DAY),
        Window::Session(_) => None,
    }
}

/// What an aggregate keeps, of what, and how it is read.
pub(crate) fn reading(aggregate: &Aggregate) -> Result<(Kind, Option<Source>, Read)> {
    let ordered = |quantity: Quantity| match quantity {
        Quantity::Number => (total::Order::Number, Form::Number),
        Quantity::Text | Quantity::List => (total::Order::Text, Form::Text),
    };
    let of = |said: &Scalar, form: Form| Ok(Some(Source { form, ..source(said)? }));
    let each = |said: &Scalar| of(said, Form::Each);
    Ok(match aggregate {
        Aggregate::Count => (Kind::Count, None, Read::Count),
        Aggregate::Sum(said) => (Kind::Sum, each(said)?, Read::Sum),
        Aggregate::Average(said) => (Kind::Sum, each(said)?, Read::Average),
        Aggregate::Min(said, by) => {
            let (order, form) = ordered(*by);
            (Kind::Least(order), of(said, form)?, Read::Best)
        }
        Aggregate::Max(said, by) => {
            let (order, form) = ordered(*by);
            (Kind::Greatest(order), of(said, form)?, Read::Best)
        }
        Aggregate::Mode { of: said, kind, at_least } => {
            let is_list =
                |path: &Source| *kind == Some(Quantity::List) && path.steps.contains(&Step::Each);
            let form = if is_list(&source(said)?) { Form::OneList } else { Form::Each };
            let read = Read::Mode(u64::from(at_least.unwrap_or(1)));
            (Kind::Counts(MOST_VALUES_BYTES), of(said, form)?, read)
        }
        Aggregate::First(said) => (Kind::First, each(said)?, Read::Edge),
        Aggregate::Last(said) => (Kind::Last, each(said)?, Read::Edge),
        Aggregate::Unique(said) => (Kind::Seen(MOST_VALUES_BYTES), each(said)?, Read::Unique),
        Aggregate::UniqueCount(said) => {
            (Kind::Seen(MOST_VALUES_BYTES), each(said)?, Read::UniqueCount)
        }
    })
}

fn source(said: &Scalar) -> Result<Source> {
    match said {
        Scalar::Property(path) => Ok(Source::of(From::Properties, path)),
        Scalar::Context(path) => Ok(Source::of(From::Context, path)),
        _ => Err(refused()),
    }
}

impl Source {
    pub(crate) fn of(from: From, path: &Path) -> Self {
        Self { from, steps: path.steps.clone(), form: Form::Each }
    }
}
