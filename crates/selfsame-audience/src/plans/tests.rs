use selfsame_event::{Context, EventType, Raw, RecordId, Time};
use selfsame_expr::query::{Holder, condition, scalar};

use super::{Numbered, Plans, Query};
use crate::evaluate::Traits;
use crate::event::Event;
use crate::when::When;

struct NoTraits;

impl Traits for NoTraits {
    fn get(&self, _: &str) -> Option<Raw<'_>> {
        None
    }
}

fn audience(text: &str) -> Query {
    Query::Audience(condition(text).expect("parses"))
}

fn value(text: &str) -> Query {
    Query::Trait(scalar(text).expect("parses"))
}

fn bought(number: u8) -> Event<'static> {
    Event {
        kind: EventType::Track,
        name: Some("Bought"),
        when: When::new(Time::from_micros(i64::from(number)), RecordId([number; 16]), 0),
        source: "shop",
        properties: Some(Raw::trusted(r#"{"price":3}"#)),
        context: Context::default(),
    }
}

const NOW: Time = Time::from_micros(1_000);

#[test]
fn a_row_is_read_by_definitions_that_were_compiled_among_others() {
    let (count, sum) =
        (value("event('Bought').count()"), value("event('Bought').sum(property('price'))"));
    let often = audience("event('Bought').count() >= 2");
    let mut next = 0;
    let numbered = |query, streams| Numbered { query, holder: Holder::Users, streams };
    let first = Plans::numbered(&[numbered(&count, &[]), numbered(&sum, &[])], &mut next);
    let first = first.expect("compiles");
    let numbers: Vec<Vec<u32>> = (0..2).map(|one| first.streams_of(one).collect()).collect();
    let mut row = Vec::new();
    for number in 1..4 {
        row = first.fold(&row, &bought(number), NOW).expect("is kept");
    }
    // Without the first, with another one before the second.
    let later = [numbered(&often, &[]), numbered(&sum, &numbers[1])];
    let later = Plans::numbered(&later, &mut next).expect("compiles");
    let rows = [&row[..]];
    let profile = later.profile(&rows, NOW);
    assert_eq!(profile.evaluate(1, &NoTraits).map(|it| it.value.json()).as_deref(), Some("9"));
    assert_eq!(profile.evaluate(2, &NoTraits), None);
    let new: Vec<u32> = later.streams_of(0).collect();
    let is_used = |number: &u32| numbers.iter().flatten().any(|known| known == number);
    assert!(!new.is_empty() && !new.iter().any(is_used), "a number is given once: {new:?}");
}

#[test]
fn what_was_kept_apart_is_put_together() {
    let queries = [value("event('Bought').count()"), audience("event('Bought').count() >= 4")];
    let plans = Plans::compile(&queries).expect("compiles");
    let fold = |numbers: std::ops::Range<u8>| {
        numbers.fold(Vec::new(), |row, number| {
            plans.fold(&row, &bought(number), NOW).expect("is kept")
        })
    };
    let whole = fold(1..6);
    assert_eq!(plans.take_over(&fold(1..3), &plans.hand_over(&fold(3..6))), whole);
    assert_eq!(plans.take_over(&whole, &[]), whole);
    let rows = [&whole[..]];
    let profile = plans.profile(&rows, NOW);
    assert_eq!(profile.evaluate(0, &NoTraits).map(|it| it.value.json()).as_deref(), Some("5"));
    assert_eq!(profile.evaluate(1, &NoTraits).map(|it| it.value.json()).as_deref(), Some("true"));
}

#[test]
fn streams_are_folded_that_are_wanted() {
    let plans = Plans::compile(&[
        value("event('Bought').count()"),
        value("event('Bought').sum(property('price'))"),
    ]);
    let plans = plans.expect("compiles");
    let second: Vec<u32> = plans.streams_of(1).collect();
    let mut touched = Vec::new();
    let wants = |number| second.contains(&number);
    let row = plans.fold_some(&[], &bought(1), NOW, wants, &mut touched).expect("is kept");
    assert_eq!(touched, second);
    assert_eq!(plans.fold_some(&row, &bought(2), NOW, |_| false, &mut touched), None);
}
