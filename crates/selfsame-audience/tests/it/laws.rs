//! What holds whatever the definition and the history: a second opinion on the naive evaluator.

mod any;

use proptest::prelude::*;
use selfsame_expr::query::{
    Aggregate, Condition, Filter, Quantity, Reduce, Relative, Scalar, Span, Stream,
};
use serde_json::Value as Json;

use self::any::{Anything, anything, condition, history, scalar, span, stream, where_};
use crate::notation::{NOW, X, and, days, not, number, or, property, seconds, time};
use crate::reference::{
    Account, Collection, Decimal, Definition, Event, History, Query, Subject, Value, all, holds,
    moments, value,
};

fn now_of(scalar: &Scalar, history: &History) -> Json {
    value(scalar, &Subject::user(history), time(NOW)).json()
}

fn now_holds(condition: &Condition, history: &History) -> bool {
    holds(condition, &Subject::user(history), time(NOW))
}

/// A stream with one more filter, reduced.
fn reduced(stream: &Stream, filter: Filter, aggregate: Aggregate) -> Scalar {
    let mut stream = stream.clone();
    stream.filters.push(filter);
    Scalar::Reduced(Box::new(Reduce { stream, aggregate }))
}

fn count(stream: &Stream, history: &History) -> i64 {
    let stream = stream.clone();
    let count = Scalar::Reduced(Box::new(Reduce { stream, aggregate: Aggregate::Count }));
    now_of(&count, history).as_i64().expect("a count")
}

fn count_with(stream: &Stream, filter: Filter, history: &History) -> i64 {
    let mut stream = stream.clone();
    stream.filters.push(filter);
    count(&stream, history)
}

fn between(from: Span, to: Span) -> Filter {
    Filter::Between { from, to, relative: Relative::Now }
}

fn within(span: Span) -> Filter {
    Filter::Within { span, relative: Relative::Now }
}

fn at_p(aggregate: fn(Scalar) -> Aggregate) -> Aggregate {
    aggregate(property("p").0)
}

proptest! {
    #[test]
    fn within_is_between_now_and_then(of in history(), stream in stream(), span in span()) {
        for aggregate in [Aggregate::Count, at_p(Aggregate::Sum), at_p(Aggregate::Last)] {
            let one = reduced(&stream, within(span), aggregate.clone());
            let other = reduced(&stream, between(seconds(0), span), aggregate);
            prop_assert_eq!(now_of(&one, &of), now_of(&other, &of));
        }
    }

    /// What is in one of two windows that meet is in the window of both, and nothing is in two.
    #[test]
    fn windows_that_meet_add_up(of in history(), stream in stream(), middle in span()) {
        let (near, far) = (within(middle), between(middle, days(90)));
        let both = count_with(&stream, within(days(90)), &of);
        prop_assert_eq!(count_with(&stream, near, &of) + count_with(&stream, far, &of), both);
    }

    #[test]
    fn a_condition_and_its_opposite_share_the_events(
        of in history(), stream in stream(), condition in where_(),
    ) {
        let with = count_with(&stream, Filter::Where(condition.clone()), &of);
        let without = count_with(&stream, Filter::Where(not(condition)), &of);
        prop_assert_eq!(with + without, count(&stream, &of));
    }

    #[test]
    fn conditions_are_those_of_logic(of in history(), a in condition(), b in condition()) {
        let (is_a, is_b) = (now_holds(&a, &of), now_holds(&b, &of));
        prop_assert_eq!(now_holds(&and([a.clone(), b.clone()]), &of), is_a && is_b);
        prop_assert_eq!(now_holds(&or([a.clone(), b.clone()]), &of), is_a || is_b);
        let neither = and([not(a.clone()), not(b.clone())]);
        prop_assert_eq!(now_holds(&not(or([a, b])), &of), now_holds(&neither, &of));
    }

    #[test]
    fn filters_may_stand_in_any_order(of in history(), scalar in scalar()) {
        let Scalar::Reduced(reduce) = &scalar else { return Ok(()) };
        let mut turned = reduce.clone();
        turned.stream.filters.reverse();
        prop_assert_eq!(now_of(&Scalar::Reduced(turned), &of), now_of(&scalar, &of));
    }

    #[test]
    fn numbers_agree_with_each_other(of in history(), stream in stream()) {
        let with = |aggregate| reduced(&stream, within(days(90)), aggregate);
        let decimal = |aggregate| {
            let value = value(&with(aggregate), &Subject::user(&of), time(NOW));
            value.number()
        };
        let least = decimal(Aggregate::Min(property("p").0, Quantity::Number));
        let most = decimal(Aggregate::Max(property("p").0, Quantity::Number));
        let average = decimal(at_p(Aggregate::Average));
        prop_assert!(least <= average && average <= most);
        prop_assert_eq!(least.is_some(), average.is_some());
        prop_assert_eq!(least.is_some(), decimal(at_p(Aggregate::Sum)).is_some());
    }

    #[test]
    fn values_agree_with_each_other(of in history(), stream in stream(), each in any::<bool>()) {
        let path = || property(if each { "p.$" } else { "p" }).0;
        let with = |aggregate| now_of(&reduced(&stream, within(days(90)), aggregate), &of);
        let unique = with(Aggregate::Unique(path()));
        let unique = unique.as_array().cloned().unwrap_or_default();
        prop_assert_eq!(with(Aggregate::UniqueCount(path())), Json::from(unique.len()));
        for aggregate in [Aggregate::First(path()), Aggregate::Last(path())] {
            let value = with(aggregate);
            prop_assert!(unique.contains(&value) || (value.is_null() && unique.is_empty()));
        }
        let mode = with(Aggregate::Mode { of: path(), kind: None, at_least: None });
        let texts: Vec<_> = unique.iter().filter_map(|value| Value::read(value).text()).collect();
        prop_assert!(texts.is_sorted());
        prop_assert_eq!(mode.is_null(), unique.is_empty());
        prop_assert!(mode.as_str().is_none_or(|mode| texts.iter().any(|text| text == mode)));
    }

    /// The longer the gap that is allowed, the more there is in the last session; and there is one
    /// as long as the last event is no longer ago than the gap.
    #[test]
    fn a_session_grows_with_its_gap(of in history(), stream in stream(), gap in span()) {
        let session = |gap| count_with(&stream, Filter::ExpiresAfter(gap), &of);
        prop_assert!(session(gap) <= session(days(90)));
        prop_assert_eq!(session(days(90)), count(&stream, &of));
        let a_bit_more = seconds(u32::try_from(gap.micros() / 1_000_000).expect("a span") + 1);
        prop_assert!(count_with(&stream, within(gap), &of) == 0 || session(gap) > 0);
        prop_assert!(session(gap) == 0 || count_with(&stream, within(a_bit_more), &of) > 0);
    }

    #[test]
    fn the_order_in_which_events_came_does_not_matter(
        of in history(), scalar in scalar(), condition in condition(), turn in 0_usize..10,
    ) {
        let mut other = of.clone();
        other.events.reverse();
        let turn = turn.min(other.events.len());
        other.events.rotate_left(turn);
        prop_assert_eq!(now_of(&scalar, &other), now_of(&scalar, &of));
        prop_assert_eq!(now_holds(&condition, &other), now_holds(&condition, &of));
    }

    /// An event of another name changes nothing.
    #[test]
    fn other_events_do_not_matter(of in history(), scalar in scalar(), condition in condition()) {
        let mut more = of.clone();
        let other = Event { name: Some("Z".to_owned()), ..any::event_now() };
        more.events.push(other);
        prop_assert_eq!(now_of(&scalar, &more), now_of(&scalar, &of));
        prop_assert_eq!(now_holds(&condition, &more), now_holds(&condition, &of));
    }

    /// Between two moments nothing changes: all moments at which something may are known.
    #[test]
    fn nothing_changes_between_moments(
        of in history(), definitions in proptest::collection::vec(anything(), 1..4), at in any::<u64>(),
    ) {
        let definitions: Vec<_> = definitions.into_iter().enumerate().map(definition).collect();
        let (from, to) = (time("-60h"), time("+100h"));
        let account = Account { users: vec![of], ..Account::default() };
        let mut moments = moments(&definitions, &account, from, to);
        moments.extend([from, to.plus_micros(1)]);
        let moments: Vec<_> = moments.into_iter().collect();
        for span in moments.windows(2) {
            let [begin, end] = span else { panic!("two moments") };
            let length = end.micros().abs_diff(begin.micros());
            let within = begin.plus_micros(i64::try_from(at % length).expect("a length"));
            let values = |now| all(&definitions, &account.users[0], now);
            prop_assert_eq!(values(*begin), values(within));
            prop_assert_eq!(values(*begin), values(end.plus_micros(-1)));
        }
    }

    /// A day later, everything that happened a day later is the same, where no date is written.
    #[test]
    fn only_the_distance_of_times_matters(of in history(), stream in stream(), span in span()) {
        let said = format!("{stream:?}");
        let asks_the_clock = |test| said.contains(test);
        prop_assume!(!["WithinLast", "WithinNext", "BeforeLast", "AfterNext"].iter().any(asks_the_clock));
        let later = |history: &History| {
            let mut history = history.clone();
            for event in &mut history.events {
                event.time = event.time.plus_micros(1_234_567_890_123);
            }
            history
        };
        let sum = reduced(&stream, within(span), at_p(Aggregate::Sum));
        let now = time(NOW).plus_micros(1_234_567_890_123);
        let value_later = value(&sum, &Subject::user(&later(&of)), now).json();
        prop_assert_eq!(value_later, now_of(&sum, &of));
    }

    /// A number and its rounding, by another way: as a count of units of its last place.
    #[test]
    fn a_number_is_rounded_as_division_rounds(units in any::<i64>(), places in 0_u32..18) {
        let digits = format!("{:0width$}", units.unsigned_abs(), width = 1 + places as usize);
        let (whole, fraction) = digits.split_at(digits.len() - places as usize);
        let sign = if units < 0 { "-" } else { "" };
        let read = Decimal::parse(&format!("{sign}{whole}.{fraction}")).expect("a number");

        let divisor = 10_i128.pow(places);
        let billionths = i128::from(units) * 1_000_000_000;
        let (below, rest) = (billionths.div_euclid(divisor), billionths.rem_euclid(divisor));
        let above = 2 * rest > divisor || 2 * rest == divisor && below % 2 != 0;
        let expected = format!("{}e-9", below + i128::from(above));
        prop_assert_eq!(Some(read), Decimal::parse(&expected));
        prop_assert_eq!(Decimal::parse(&read.text()), Some(read));
        let X(Scalar::Literal(literal)) = number(&expected) else { panic!("a number") };
        prop_assert_eq!(Value::written(&literal), Value::Number(read));
    }
}

fn definition((number, anything): (usize, Anything)) -> Definition {
    let query = match anything {
        Anything::Condition(condition) => Query::Audience(condition),
        Anything::Scalar(scalar) => Query::Trait(scalar),
    };
    Definition { key: format!("k{number}"), collection: Collection::Users, query }
}
