//! What is kept is bounded; what a bound leaves out is said, and does not depend on the order.

use selfsame_audience::{
    CompileError, Event, MOST_BYTES, MOST_COMPARED, MOST_SLOTS, Plans, Query, Traits, When,
};
use selfsame_event::{Context, EventType, Raw, RecordId, Time};
use selfsame_expr::query;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

struct NoTraits;

impl Traits for NoTraits {
    fn get(&self, _: &str) -> Option<Raw<'_>> {
        None
    }
}

fn condition(text: &str) -> Query {
    Query::Audience(query::condition(text).expect("a condition"))
}

fn scalar(text: &str) -> Query {
    Query::Trait(query::scalar(text).expect("a value"))
}

fn start() -> Time {
    Time::parse("2026-01-01T00:00:00Z").expect("a time")
}

/// The row of events `A` at these microseconds, whose property `n` is the number of the event.
fn folded(plans: &Plans, events: impl Iterator<Item = (usize, i64)>, now: Time) -> Vec<u8> {
    let mut row = Vec::new();
    for (number, at) in events {
        let properties = format!("{{\"n\":{number},\"s\":\"text {number}\"}}");
        let event = Event {
            kind: EventType::Track,
            name: Some("A"),
            when: When::new(start().plus_micros(at), RecordId([7; 16]), 0),
            source: "web",
            properties: Some(Raw::trusted(&properties)),
            context: Context { own: None, shared: None },
        };
        if let Some(written) = plans.fold(&row, &event, now) {
            row = written;
        }
    }
    row
}

fn refused(query: Query) -> CompileError {
    Plans::compile(&[query]).expect_err("it is refused")
}

/// One event about every six minutes for 20 days.
fn at(number: usize) -> i64 {
    let number = i64::try_from(number).expect("few");
    number * 6 * MINUTE + number * number * 7_919 % (5 * MINUTE)
}

#[test]
fn a_busy_month_is_wrong_by_what_a_border_cuts_and_says_so() {
    let plans = Plans::compile(&[scalar("event('A').within(18 days).count()")]).expect("it fits");
    let number = MOST_SLOTS + 700;
    let end = start().plus_micros(at(number));
    // All of them are looked at when the first is still inside.
    let early = start().plus_micros(14 * DAY);
    let row = folded(&plans, (0..number).map(|number| (number, at(number))), early);
    let part = |rest| {
        let part = (0..number).filter(move |number| number % 3 == rest);
        folded(&plans, part.map(|number| (number, at(number))), early)
    };
    let parts = [part(0), part(1), part(2)];
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let (mut approximate, mut exact) = (0, 0);
    for step in 0..100 {
        let now = end.plus_micros(step * 78 * MINUTE + 17);
        let found = plans.evaluate(0, &[&row], &NoTraits, now).expect("there is one");
        assert_eq!(plans.evaluate(0, &parts, &NoTraits, now).as_ref(), Some(&found));
        let border = now.plus_micros(-18 * DAY).micros() - start().micros();
        let count = |border| (0..number).filter(|number| at(*number) > border).count();
        let value: usize = found.value.json().parse().expect("a count");
        match found.is_approximate {
            true => {
                approximate += 1;
                let (least, most) = (count(border + 60 * MINUTE), count(border - 60 * MINUTE));
                assert!(least <= value && value <= most, "{least} <= {value} <= {most}");
            }
            false => {
                exact += 1;
                assert_eq!(value, count(border));
            }
        }
    }
    assert!(approximate > 9 && exact > 9, "{approximate} approximate, {exact} exact");
}

#[test]
fn of_compared_events_the_newest_stay() {
    let text = "event('A').where(property('n') >= trait('t') OR property('n') >= 0).count()";
    let plans = Plans::compile(&[scalar(text)]).expect("it fits");
    let row = folded(&plans, (0..MOST_COMPARED).map(|number| (number, at(number))), start());
    let of = |row: &[u8]| plans.evaluate(0, &[row], &NoTraits, start()).expect("there is one");
    assert!(!of(&row).is_approximate);
    assert_eq!(of(&row).value.json(), MOST_COMPARED.to_string());
    let more = 0..=MOST_COMPARED;
    let row = folded(&plans, more.clone().map(|number| (number, at(number))), start());
    assert!(of(&row).is_approximate);
    assert_eq!(of(&row).value.json(), MOST_COMPARED.to_string());
    let reversed = folded(&plans, more.rev().map(|number| (number, at(number))), start());
    assert_eq!(row, reversed);
}

#[test]
fn long_values_take_the_room_of_several() {
    let text = "event('A').where(property('s') != trait('t')).count() = 0";
    let plans = Plans::compile(&[condition(text), scalar("event('A').unique(property('s'))")])
        .expect("they fit");
    let row = folded(&plans, (0..5_000).map(|number| (number, at(number))), start());
    // 20 KiB and 48 KiB, and what stands before the parts.
    assert!(row.len() < 20 * 1_024 + 48 * 1_024 + 64, "{}", row.len());
    for definition in 0..2 {
        let found = plans.evaluate(definition, &[&row], &NoTraits, start()).expect("there is one");
        assert!(found.is_approximate);
    }
    let unique = plans.evaluate(1, &[&row], &NoTraits, start()).expect("there is one");
    assert!(unique.value.json().contains("\"text 4999\""));
    assert!(!unique.value.json().contains("\"text 0\""));
}

#[test]
fn what_would_keep_too_much_is_refused_with_how_much() {
    let two = "event('A').unique(property('p')).count() > event('B').unique(property('p')).count()";
    let Err(CompileError::Size { bytes }) = Plans::compile(&[condition(two)]) else {
        panic!("two lists are too much");
    };
    assert!(bytes > MOST_BYTES);
    let message = refused(condition(two)).to_string();
    assert_eq!(
        message,
        "It could keep 98336 bytes of each person, and a definition may keep 65536: make computed \
         traits of parts of it and refer to them with `trait('…')`."
    );
    // In a definition of its own each of them is not.
    let one = scalar("event('A').unique(property('p')).count()");
    let other = scalar("event('B').unique(property('p')).count()");
    Plans::compile(&[one, other]).expect("each of them fits");
}

#[test]
fn what_definitions_usually_are_fits() {
    for text in [
        "event('A').within(7 days).sum(property('p')) > event('A').within(30 days).avg(property('p'))",
        "event('A').where(event('B').where(property('id') = property(parent: 'id') AND \
         event('C').where(property('id') = property(parent: 'id')).within(parent: 1 day).count() > 0) \
         .within(parent: 1 day).count() > 0).within(30 days).count() > 0",
        "event('A').within(30 days).count() >= 1000 AND event('B').previous(month).mode(property('p')) = 'x'",
    ] {
        Plans::compile(&[condition(text)]).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn what_has_no_meaning_is_refused_with_the_reason() {
    let cases = [
        ("event('A').within(1 day).within(2 days).count() > 0", "at most one window"),
        ("entity('e').count() > 0", "needs tables"),
        ("ANY trait('x') = 1", "definition of an account"),
        ("event('A').this(day, 'Mars/Base').count() > 0", "no time zone `Mars/Base`"),
        ("event('A').within(parent: 1 day).count() > 0", "event around this one"),
        ("property('x') = 1", "Only an event has properties"),
    ];
    for (text, reason) in cases {
        let message = refused(condition(text)).to_string();
        assert!(message.contains(reason), "{text}: {message}");
    }
    let long = "x".repeat(1_025);
    let message = refused(condition(&format!("trait('t') = '{long}'"))).to_string();
    assert!(message.contains("1025 bytes"), "{message}");
    let nested = Query::Audience(query::condition("ANY ALL trait('x') = 1").expect("grammatical"));
    let message = Plans::compile_accounts(&[nested]).expect_err("it is refused").to_string();
    assert!(message.contains("cannot stand in each other"), "{message}");
}
