//! Random definitions, and random histories of some people, in which spans of time meet.
//!
//! Borders are hit only where the distances of events are those of windows. So what happens is as far
//! apart as one of the lengths of time that the definitions of the case have, or a microsecond less or more.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use selfsame_audience::{CompileError, Plans, Query};
use selfsame_event::Time;
use selfsame_expr::query::testing::{Shape, Words, condition, scalar};
use selfsame_expr::query::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Period, Place, Reduce,
    Relative, Scalar, Step as PathStep, Stream, Subject, Test, Which,
};
use serde_json::{Map, Value as Json, json};

use super::SECTIONS;
use crate::reference::{Event, Kind};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Definitions and what happens.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// By the numbers of their keys; each reads only keys before its own.
    pub(super) queries: Vec<Query>,
    pub(super) steps: Vec<Step>,
}

/// Something that happens, and when it is looked at.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// How long after the one before.
    pub(super) after: Length,
    pub(super) what: What,
    /// How long after it is looked.
    pub(super) probes: Vec<Length>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Event {
        event: Box<Event>,
        section: usize,
        /// How long before its arrival it happened.
        late: Length,
    },
    Traits {
        section: usize,
        traits: Map<String, Json>,
    },
    /// People are merged and taken apart: whose each section is from now on.
    People([usize; SECTIONS]),
}

/// A length of time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Length {
    /// One that the definitions have, and so much more.
    Window(usize, i64),
    /// Two of them together.
    Both(usize, usize),
    /// What one of them is longer than another one.
    Rest(usize, usize),
    Micros(i64),
}

impl Length {
    /// In microseconds, given those of the definitions.
    pub(super) fn micros(self, windows: &[i64]) -> i64 {
        let window =
            |number: usize| windows.get(number % windows.len().max(1)).copied().unwrap_or(HOUR);
        match self {
            Self::Window(number, more) => (window(number) + more).max(0),
            Self::Both(one, other) => window(one) + window(other),
            Self::Rest(one, other) => (window(one) - window(other)).abs(),
            Self::Micros(micros) => micros,
        }
    }
}

/// A case, of at most so many definitions that may read each other.
pub(super) fn case(most: usize) -> impl Strategy<Value = Case> {
    let queries: Vec<_> = (0..most).map(query).collect();
    (queries, 1..=most, vec(step(), 1..14)).prop_map(|(mut queries, number, steps)| {
        queries.truncate(number);
        for query in &mut queries {
            // Some of them would keep too much, and are refused for that.
            if let Err(CompileError::Size { .. }) = Plans::compile(std::slice::from_ref(query)) {
                let key = vec![PathStep::Key("plan".to_owned())];
                *query = Query::Trait(Scalar::Trait(Path { steps: key, place: Place::default() }));
            }
        }
        Case { queries, steps }
    })
}

/// The key of the definition of that number.
pub(super) fn key(number: usize) -> String {
    format!("k{number}")
}

/// The definition of that number, which may read those before it.
fn query(number: usize) -> BoxedStrategy<Query> {
    let mut words = Words::default();
    let keys: Vec<_> = (0..number).map(|nth| vec![PathStep::Key(key(nth))]).collect();
    for _ in 0..4 {
        words.traits.extend(keys.iter().cloned());
    }
    let any = Shape { words: words.clone(), ..Shape::default() };
    words.events = vec!["A".to_owned(), "B".to_owned()];
    // Fewer conditions, so that more events count.
    let traits = words.traits.clone();
    let bare =
        Shape { words, comparisons: 2, where_share: 0.25, window_share: 0.8, ..Shape::default() };
    let passed = select(traits)
        .prop_map(|steps| Query::Trait(Scalar::Trait(Path { steps, place: Place::default() })));
    prop_oneof![
        5 => condition(&any).prop_map(Query::Audience),
        5 => scalar(&any).prop_map(Query::Trait),
        4 => condition(&bare).prop_map(Query::Audience),
        5 => scalar(&bare).prop_map(Query::Trait),
        4 => funnel(),
        1 => passed,
    ]
    .boxed()
}

/// One event after another, within a time or between two.
fn funnel() -> impl Strategy<Value = Query> {
    let spans = Words::default().spans;
    let pairs: Vec<_> = spans.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let (span, relative) = (move || select(spans.clone()), Relative::Parent);
    let after = prop_oneof![
        2 => span().prop_map(move |span| Filter::Within { span, relative }),
        1 => select(pairs).prop_map(move |(from, to)| Filter::Between { from, to, relative }),
    ];
    let within = |span| Filter::Within { span, relative: Relative::Now };
    let which = select(vec![Which::This, Which::Previous]);
    let calendar = |which| Calendar { which, period: Period::Month, zone: None };
    let window = prop_oneof![
        2 => span().prop_map(within),
        2 => span().prop_map(Filter::ExpiresAfter),
        1 => which.prop_map(move |which| Filter::Calendar(calendar(which))),
    ];
    let window = option::weighted(0.5, window);
    let test = (0..3_u32, 0..3_u8);
    let name = || select(vec!["A", "A", "B"]);
    (name(), name(), after, window, test, 0..3_u32).prop_map(
        |(first, then, after, window, (times, test), most)| {
            let place = Place::default();
            let count = |name: &str, filters| {
                let stream = Stream { subject: Subject::Event(name.to_owned()), filters, place };
                Scalar::Reduced(Box::new(Reduce { stream, aggregate: Aggregate::Count }))
            };
            let number = |number: u32| Scalar::Literal(Literal::Number(number.to_string()));
            let is = |value, test| Condition::Is(Comparison { value, test, place });
            let test = match test {
                0 => Test::AtLeast(number(times)),
                1 => Test::Equals(number(times)),
                _ => Test::AtMost(number(times)),
            };
            let followed = is(count(then, vec![after]), test);
            let filters = std::iter::once(Filter::Where(followed)).chain(window).collect();
            let all = count(first, filters);
            match most {
                0 => Query::Trait(all),
                most => Query::Audience(is(all, Test::AtLeast(number(most)))),
            }
        },
    )
}

fn length() -> impl Strategy<Value = Length> {
    let others = vec![1, SECOND, HOUR / 2, 2 * HOUR, DAY, 2 * DAY, 31 * DAY, 45 * DAY];
    prop_oneof![
        3 => Just(Length::Micros(0)),
        6 => (0..8_usize, -1..=1_i64).prop_map(|(number, more)| Length::Window(number, more)),
        1 => (0..8_usize, 0..8_usize).prop_map(|(one, other)| Length::Both(one, other)),
        1 => (0..8_usize, 0..8_usize).prop_map(|(one, other)| Length::Rest(one, other)),
        2 => select(others).prop_map(Length::Micros),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let section = 0..SECTIONS;
    let late = prop_oneof![3 => Just(Length::Micros(0)), 1 => length()];
    let event = (event(), section.clone(), late).prop_map(|(event, section, late)| What::Event {
        event: Box::new(event),
        section,
        late,
    });
    let traits = (section, traits()).prop_map(|(section, traits)| What::Traits { section, traits });
    // Mostly one person; the others are there to be merged.
    let people = prop_oneof![
        2 => Just([0; SECTIONS]),
        3 => proptest::array::uniform3(0..SECTIONS),
    ];
    let what = prop_oneof![
        8 => event,
        1 => traits,
        1 => people.prop_map(What::People),
    ];
    (length(), what, vec(length(), 0..3)).prop_map(|(after, what, probes)| Step {
        after,
        what,
        probes,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let name = select(vec!["A", "A", "A", "B", "B", "C", "Page Viewed"]);
    let source = select(vec!["web", "web", "server"]);
    let context = option::of(one()).prop_map(|locale| {
        locale.map_or(json!({}), |locale| json!({ "locale": locale, "page": { "url": "a" } }))
    });
    (name, source, properties(), context, any::<[u8; 16]>()).prop_map(
        |(name, source, properties, context, record)| {
            let kind = if name == "Page Viewed" { Kind::Page } else { Kind::Track };
            let name = (kind == Kind::Track).then(|| name.to_owned());
            let source = source.to_owned();
            let (time, item) = (Time::EPOCH, 0);
            Event { kind, name, time, record, item, source, properties, context }
        },
    )
}

fn one() -> impl Strategy<Value = Json> {
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(2),
        json!(10),
        json!(-1),
        json!(""),
        json!("a"),
        json!("b"),
        json!("ab"),
        json!("1"),
        json!("10"),
        json!("true"),
        json!("2026-01-01"),
        json!("2026-01-03T12:00:00Z"),
        json!("2026-01-20T00:00:00Z"),
    ];
    prop_oneof![
        12 => select(values.to_vec()),
        1 => Just(serde_json::from_str("0.5").expect("a number")),
        1 => Just(json!({"k": 1})),
        1 => Just(json!(["a", "b"])),
    ]
}

fn list() -> impl Strategy<Value = Json> {
    prop_oneof![4 => vec(one(), 0..4).prop_map(Json::from), 1 => one()]
}

fn objects() -> impl Strategy<Value = Json> {
    let object = option::of(one()).prop_map(|k| k.map_or(json!({}), |k| json!({ "k": k })));
    prop_oneof![4 => vec(object, 0..3).prop_map(Json::from), 1 => one()]
}

fn put(object: &mut Map<String, Json>, key: &str, value: Option<Json>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value);
    }
}

fn properties() -> impl Strategy<Value = Json> {
    let fields = (
        option::weighted(0.8, one()),
        option::of(one()),
        option::of(one()),
        option::of(one()),
        option::of(list()),
        option::of(objects()),
        option::weighted(0.2, one()),
    );
    fields.prop_map(|(n, s, at, k, l, os, dotted)| {
        let mut object = Map::new();
        put(&mut object, "n", n);
        put(&mut object, "s", s);
        put(&mut object, "at", at);
        put(&mut object, "o", k.map(|k| json!({ "k": k })));
        put(&mut object, "l", l);
        put(&mut object, "os", os);
        put(&mut object, "a.b", dotted);
        Json::Object(object)
    })
}

fn traits() -> impl Strategy<Value = Map<String, Json>> {
    let fields = (
        option::of(one()),
        option::of(one()),
        option::of(one()),
        option::of(one()),
        option::of(list()),
        option::of(one()),
    );
    fields.prop_map(|(plan, score, seen, vip, tags, k)| {
        let mut object = Map::new();
        put(&mut object, "plan", plan);
        put(&mut object, "score", score);
        put(&mut object, "seen", seen);
        put(&mut object, "vip", vip);
        put(&mut object, "tags", tags);
        put(&mut object, "o", k.map(|k| json!({ "k": k })));
        object
    })
}
