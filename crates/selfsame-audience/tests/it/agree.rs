//! The engine and the reference agree, at every step of random histories of users.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use selfsame_audience::{Event as Folded, Plans, Query, Traits, When};
use selfsame_event::{Context, EventType, Raw, RecordId, Time};
use selfsame_expr::query::testing::{Shape, condition, scalar};
use serde_json::{Map, Value as Json, json};

use crate::reference::{self, Event, History, Kind, Subject};

/// Sections that events are divided among.
const SECTIONS: usize = 3;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An event that arrives, and what is looked at before the next one does.
#[derive(Debug, Clone)]
struct Arrival {
    event: Event,
    section: usize,
    /// How long after the one before.
    after: i64,
    /// How long before its arrival it happened.
    late: i64,
    traits: Option<Map<String, Json>>,
    /// How long after it is looked.
    probes: Vec<i64>,
}

/// Lengths of time around those that windows have.
fn length() -> impl Strategy<Value = i64> {
    let lengths = [
        0,
        1,
        SECOND,
        30 * SECOND,
        10 * MINUTE,
        HOUR,
        2 * HOUR,
        6 * HOUR,
        DAY,
        2 * DAY,
        3 * DAY,
        7 * DAY,
        30 * DAY,
        45 * DAY,
    ];
    (select(lengths.to_vec()), -1..=1_i64).prop_map(|(length, off)| (length + off).max(0))
}

fn short_length() -> impl Strategy<Value = i64> {
    let lengths = [0, 1, SECOND, 30 * SECOND, 10 * MINUTE, HOUR, 6 * HOUR, DAY];
    prop_oneof![3 => select(lengths.to_vec()), 1 => length()]
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

fn arrival() -> impl Strategy<Value = Arrival> {
    let name = select(vec!["A", "A", "B", "B", "C", "Page Viewed"]);
    let source = select(vec!["web", "server"]);
    let late = prop_oneof![3 => Just(0), 1 => short_length(), 1 => length()];
    let context = option::of(one()).prop_map(|locale| {
        locale.map_or(json!({}), |locale| json!({ "locale": locale, "page": { "url": "a" } }))
    });
    let probes = vec(length(), 0..3);
    let event = (name, source, properties(), context, any::<[u8; 16]>());
    let rest = (0..SECTIONS, short_length(), late, option::weighted(0.2, traits()), probes);
    (event, rest).prop_map(|((name, source, properties, context, record), rest)| {
        let kind = if name == "Page Viewed" { Kind::Page } else { Kind::Track };
        let name = (kind == Kind::Track).then(|| name.to_owned());
        let event = Event {
            kind,
            name,
            time: Time::EPOCH,
            record,
            item: 0,
            source: source.to_owned(),
            properties,
            context,
        };
        let (section, after, late, traits, probes) = rest;
        Arrival { event, section, after, late, traits, probes }
    })
}

/// Traits as the engine reads them.
struct Known(Vec<(String, String)>);

impl Known {
    fn new(traits: &Map<String, Json>) -> Self {
        Self(traits.iter().map(|(key, value)| (key.clone(), value.to_string())).collect())
    }
}

impl Traits for Known {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        let (_, json) = self.0.iter().find(|(known, _)| known == key)?;
        Some(Raw::trusted(json))
    }
}

fn fold(plans: &Plans, row: &mut Vec<u8>, event: &Event, now: Time) {
    let (properties, context) = (event.properties.to_string(), event.context.to_string());
    let folded = Folded {
        kind: match event.kind {
            Kind::Page => EventType::Page,
            _ => EventType::Track,
        },
        name: event.name.as_deref(),
        when: When::new(event.time, RecordId(event.record), event.item),
        source: &event.source,
        properties: Some(Raw::trusted(&properties)),
        context: Context { own: Some(Raw::trusted(&context)), shared: None },
    };
    if let Some(written) = plans.fold(row, &folded, now) {
        *row = written;
    }
}

fn expected(query: &Query, history: &History, now: Time) -> Json {
    let subject = Subject::user(history);
    match query {
        Query::Audience(condition) => Json::Bool(reference::holds(condition, &subject, now)),
        Query::Trait(scalar) => reference::value(scalar, &subject, now).json(),
    }
}

/// Folds a history and looks at it all the way.
fn agree(query: &Query, arrivals: Vec<Arrival>) -> Result<(), TestCaseError> {
    let plans = Plans::compile(std::slice::from_ref(query)).expect("a valid definition compiles");
    let mut rows = vec![Vec::new(); SECTIONS];
    let mut history = History::default();
    let mut now = Time::parse("2026-01-01T00:00:00Z").expect("a time");
    for arrival in arrivals {
        now = now.plus_micros(arrival.after);
        let mut event = arrival.event;
        event.time = now.plus_micros(-arrival.late);
        fold(&plans, &mut rows[arrival.section], &event, now);
        history.events.push(event);
        if let Some(traits) = arrival.traits {
            history.traits = traits;
        }
        let traits = Known::new(&history.traits);
        let sections: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let evaluate = |now| plans.evaluate(0, &sections, &traits, now).expect("there is one");
        let first = evaluate(now);
        prop_assert!(!first.is_approximate);
        let mut probes: Vec<Time> = arrival.probes.iter().map(|at| now.plus_micros(*at)).collect();
        probes.extend(first.until.into_iter().flat_map(|until| [until, until.plus_micros(-1)]));
        probes.push(now);
        for probe in probes {
            let found = evaluate(probe);
            let found_json: Json = serde_json::from_str(&found.value.json()).expect("it is JSON");
            let expected = expected(query, &history, probe);
            prop_assert_eq!(&found_json, &expected, "at {}, of {:?}", probe, history);
            if first.until.is_none_or(|until| probe < until) {
                prop_assert_eq!(
                    &found.value,
                    &first.value,
                    "{} is before {:?}",
                    probe,
                    first.until
                );
            }
        }
    }
    Ok(())
}

fn query() -> impl Strategy<Value = Query> {
    let shape = Shape::default();
    prop_oneof![condition(&shape).prop_map(Query::Audience), scalar(&shape).prop_map(Query::Trait),]
}

/// How many histories are tried: `AUDIENCE_CASES=1000000` tries a million.
#[expect(clippy::disallowed_methods, reason = "a setting of this test alone")]
fn cases() -> u32 {
    std::env::var("AUDIENCE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_engine_says_what_the_reference_says(
        query in query(),
        arrivals in vec(arrival(), 1..14),
    ) {
        agree(&query, arrivals)?;
    }
}
