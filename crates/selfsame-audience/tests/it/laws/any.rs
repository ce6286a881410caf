//! Random histories and definitions. Times lie on few points, so that borders are hit and events
//! coincide; values are few, so that they are equal.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use selfsame_expr::query::{Aggregate, Condition, Filter, Quantity, Reduce, Scalar, Span, Stream};
use serde_json::{Value as Json, json};

use crate::notation::{
    In, X, and, context, date, days, event, hours, minutes, not, or, parent, property, seconds,
    time, trait_,
};
use crate::reference::{Event, History, Kind};

pub(crate) fn history() -> impl Strategy<Value = History> {
    let traits = vec((select(vec!["t", "d"]), value()), 0..3);
    (vec(any_event(), 0..10), traits).prop_map(|(events, traits)| {
        let number = |(number, event)| Event { record: [number; 16], ..event };
        let traits = traits.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        History { events: (0..).zip(events).map(number).collect(), traits, ..History::default() }
    })
}

fn value() -> impl Strategy<Value = Json> {
    select(vec![
        json!(null),
        json!(1),
        json!(2.5),
        json!("2.50"),
        json!("b"),
        json!(true),
        json!([1, "b"]),
        json!([]),
        json!({"q": 1}),
        json!("2024-05-14T12:00:00Z"),
        json!("2024-05-15T13:00:00.000001Z"),
        json!("2024-05-17"),
    ])
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = select(vec![Kind::Track, Kind::Track, Kind::Track, Kind::Page, Kind::Identify]);
    let at = (0_i64..8, -1_i64..2).prop_map(|(quarters, off)| {
        time("0").plus_micros(-1_800_000_000 * quarters * quarters + off.min(0))
    });
    let source = select(vec!["web", "app"]);
    let name = select(vec!["A", "B"]);
    (kind, name, at, source, value(), value()).prop_map(|parts| {
        let (kind, name, time, source, p, c) = parts;
        Event {
            kind,
            name: Some(name.to_owned()),
            time,
            source: source.to_owned(),
            properties: json!({ "p": p }),
            context: json!({ "c": c }),
            ..event_now()
        }
    })
}

pub(crate) fn event_now() -> Event {
    Event {
        kind: Kind::Track,
        name: Some("A".to_owned()),
        time: time("0"),
        record: [u8::MAX; 16],
        item: 0,
        source: "web".to_owned(),
        properties: json!({"p": 1}),
        context: json!({}),
    }
}

pub(crate) fn span() -> impl Strategy<Value = Span> {
    select(vec![seconds(1), minutes(30), hours(1), hours(2), minutes(150), days(1), days(2)])
}

/// A value of an event, perhaps of its parent, or of the profile.
fn of_event(nested: bool) -> impl Strategy<Value = X> {
    let mut all =
        vec![property("p"), property("p.$"), context("c"), trait_("t"), property("page_name")];
    if nested {
        all.push(parent("p"));
    }
    select(all)
}

fn test(of: X, other: X, span: Span) -> impl Strategy<Value = Condition> {
    let of = move || of.clone();
    select(vec![
        of().exists(),
        of().absent(),
        of().eq(other.clone()),
        of().ne(other.clone()),
        of().gt(1),
        of().le(other.clone()),
        of().contains([other.clone()]),
        of().omits(other),
        of().one_of([1, 2]),
        of().none_of(["b"]),
        of().before_date(date("2024-05-15")),
        of().within_last(span),
        of().within_next(span),
        of().before_last(span),
        of().after_next(span),
    ])
}

fn simple(nested: bool) -> impl Strategy<Value = Condition> {
    (of_event(nested), of_event(nested), span())
        .prop_flat_map(|(of, other, span)| test(of, other, span))
}

/// What a `where` may ask: of the event, or of what came after it.
pub(crate) fn where_() -> impl Strategy<Value = Condition> {
    let child = (select(vec!["A", "B"]), span(), option::of(simple(true)), 0..2, any::<bool>());
    let followed = child.prop_map(|(name, span, condition, count, parent)| {
        let stream = event(name);
        let stream = if parent {
            stream.within_of_parent(span)
        } else {
            stream.between_of_parent(minutes(30), days(2)).within(span)
        };
        let stream = match condition {
            Some(condition) => stream.given(condition),
            None => stream,
        };
        stream.count().eq(count)
    });
    prop_oneof![
        simple(false),
        followed,
        (simple(false), simple(false)).prop_map(|(a, b)| and([a, not(b)])),
        (simple(false), simple(false)).prop_map(|(a, b)| or([a, b])),
    ]
}

/// A stream without a window.
pub(crate) fn stream() -> impl Strategy<Value = Stream> {
    let name = select(vec!["A", "B", "Page Viewed"]);
    (name, option::of(where_()), any::<bool>()).prop_map(|(name, condition, sources)| {
        let mut stream = event(name);
        if let Some(condition) = condition {
            stream = stream.given(condition);
        }
        if sources {
            stream = stream.without_sources(["app"]);
        }
        stream.into_stream()
    })
}

fn window() -> impl Strategy<Value = Filter> {
    let filters = |span| {
        let of = || event("A");
        let berlin = "Europe/Berlin";
        let streams = [
            of().within(span),
            of().between(minutes(30), days(3)),
            of().between(span, days(3)),
            of().expires_after(span),
            of().this(In::Day(berlin)),
            of().this(In::Week("")),
            of().previous(In::Day("")),
            of().previous(In::Month(berlin)),
        ];
        select(streams.map(|stream| stream.into_stream().filters.remove(0)).to_vec())
    };
    span().prop_flat_map(filters)
}

pub(crate) fn scalar() -> impl Strategy<Value = Scalar> {
    let p = property("p").0;
    let each = property("p.$").0;
    let aggregate = select(vec![
        Aggregate::Count,
        Aggregate::Sum(p.clone()),
        Aggregate::Average(each.clone()),
        Aggregate::Min(p.clone(), Quantity::Number),
        Aggregate::Max(each.clone(), Quantity::Text),
        Aggregate::Mode { of: p.clone(), kind: None, at_least: Some(2) },
        Aggregate::Mode { of: each.clone(), kind: Some(Quantity::List), at_least: None },
        Aggregate::First(each.clone()),
        Aggregate::Last(p.clone()),
        Aggregate::Unique(each),
        Aggregate::UniqueCount(p),
    ]);
    (stream(), option::of(window()), aggregate).prop_map(|(mut stream, window, aggregate)| {
        stream.filters.extend(window);
        Scalar::Reduced(Box::new(Reduce { stream, aggregate }))
    })
}

/// What an audience may ask: of the values of streams and of traits.
pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    let of =
        prop_oneof![scalar().prop_map(X), select(vec![trait_("t"), trait_("d"), trait_("t.$")]),];
    let other = select(vec![X::from(1), X::from("b"), trait_("d"), X::from("2.5")]);
    (of, other, span()).prop_flat_map(|(of, other, span)| test(of, other, span))
}

#[derive(Debug, Clone)]
pub(crate) enum Anything {
    Condition(Condition),
    Scalar(Scalar),
}

pub(crate) fn anything() -> impl Strategy<Value = Anything> {
    prop_oneof![condition().prop_map(Anything::Condition), scalar().prop_map(Anything::Scalar),]
}
