use selfsame_event::Time;
use serde_json::{Value, json};

use super::{KINDS, NAMES, Observed, PROPERTIES};

fn see(observed: &mut Observed, name: &str, at: i64, inside: &Value) {
    let inside = inside.as_object().expect("an object");
    observed.see("track", Some(name), Time::from_micros(at), inside);
}

fn kinds(observed: &Observed, path: &str) -> Vec<(&'static str, u64)> {
    let named = observed.names.values().next().expect("a name");
    let counts = KINDS.into_iter().zip(named.properties[path].kinds);
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn properties_are_counted_with_their_types_and_nulls() {
    let mut observed = Observed::default();
    see(
        &mut observed,
        "Bought",
        5,
        &json!({ "total": 1, "coupon": null, "to": { "city": "Ulm" } }),
    );
    see(&mut observed, "Bought", 3, &json!({ "total": 1.5, "coupon": "x", "to": { "city": 7 } }));
    see(&mut observed, "Bought", 4, &json!({ "total": 2 }));
    let named = &observed.names[&("track".to_owned(), Some("Bought".to_owned()))];
    assert_eq!((named.count, named.first.micros(), named.last.micros()), (3, 3, 5));
    assert_eq!(kinds(&observed, "total"), [("integer", 2), ("number", 1)]);
    assert_eq!(kinds(&observed, "coupon"), [("string", 1), ("null", 1)]);
    let drifts = |path: &str| named.properties[path].drifts();
    assert!(drifts("to.city") && !drifts("total") && !drifts("coupon") && !drifts("to"));
    assert_eq!(named.properties["coupon"].nulls(), 1);
    assert_eq!(named.properties["total"].present, 3);
    assert_eq!(named.properties["coupon"].example.as_deref(), Some("x"));
    assert!(!observed.truncated);
}

#[test]
fn what_is_kept_is_bounded_whatever_comes() {
    let mut observed = Observed::default();
    let wide: serde_json::Map<_, _> = (0..1_000).map(|n| (format!("p{n}"), json!(n))).collect();
    see(&mut observed, "wide", 0, &Value::Object(wide));
    assert!(observed.truncated);
    let named = observed.names.values().next().expect("a name");
    assert_eq!(named.properties.len(), PROPERTIES);
    for number in 0..1_000 {
        see(&mut observed, &format!("n{number}"), 0, &json!({ "long": "ä".repeat(5_000) }));
    }
    assert_eq!((observed.names.len(), observed.events), (NAMES, 1_001));
    let long = observed.names.values().find_map(|named| named.properties.get("long"));
    let example = long.and_then(|long| long.example.as_deref()).expect("an example");
    assert_eq!(example.chars().count(), 80);
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let mut other = Observed::default();
    see(&mut other, "deep", 0, &deep);
    let paths: Vec<_> = other.names.values().flat_map(|named| named.properties.keys()).collect();
    assert_eq!(paths, ["a", "a.a", "a.a.a"]);
}
