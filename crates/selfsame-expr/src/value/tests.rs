use selfsame_event::{Raw, Time};

use super::{Value, read};
use crate::Decimal;
use crate::query::Step;

fn value(json: &str) -> Value<'_> {
    Value::of(Raw::check(json.as_bytes()).expect("it is JSON"))
}

#[test]
fn texts_of_values() {
    let cases = [
        ("null", None),
        ("true", Some("true")),
        ("1.50", Some("1.5")),
        ("1e2", Some("100")),
        ("1e40", Some("1e40")),
        (r#""a b""#, Some("a b")),
        (r#""a\"b""#, Some("a\"b")),
        (r#"[1, "a b\" c" , {"k" : 2}]"#, Some(r#"[1,"a b\" c",{"k":2}]"#)),
        (r#"["\\", 1]"#, Some(r#"["\\",1]"#)),
        (r#"[1.50,1e40,"\u0041\u000a\u0001"]"#, Some("[1.5,\"1e40\",\"A\\n\\u0001\"]")),
        (r#"{"b":1,"a":2,"b":3}"#, Some(r#"{"b":3,"a":2}"#)),
        (r#""\ud800""#, None),
    ];
    for (json, text) in cases {
        assert_eq!(value(json).text().as_deref(), text, "{json}");
    }
}

#[test]
fn numbers_and_times_of_values() {
    assert_eq!(value(r#""12.5""#).number(), Some(Decimal(12_500_000_000)));
    assert_eq!(value("12.5").number(), Some(Decimal(12_500_000_000)));
    for json in [r#""12.5 ""#, "true", "[1]", "null", "1e40", r#""""#] {
        assert_eq!(value(json).number(), None, "{json}");
    }
    let midnight = Time::parse("2026-01-02").expect("a date").micros();
    for json in [r#""2026-01-02""#, r#""2026-01-02T01:00:00+01:00""#, r#""2026-01-02T00:00:00""#] {
        assert_eq!(value(json).time(), Some(midnight), "{json}");
    }
    assert_eq!(value(r#""1969-12-31T23:59:59Z""#).time(), Some(-1_000_000));
    for json in ["20260102", r#""yesterday""#, "null", r#""1""#] {
        assert_eq!(value(json).time(), None, "{json}");
    }
}

#[test]
fn paths_lead_to_values() {
    let key = |key: &str| Step::Key(key.to_owned());
    let cases = [
        (vec![key("a")], vec!["1"]),
        (vec![key("list")], vec![r#"[{"p":1},{"p":2},{},3]"#]),
        (vec![key("list"), Step::Each, key("p")], vec!["1", "2", "-", "-"]),
        (vec![key("list"), key("p")], vec!["-"]),
        (vec![key("deep"), Step::Each, Step::Each], vec!["1", "2", "3"]),
        (vec![key("none")], vec!["-"]),
        (vec![key("none"), Step::Each], vec![]),
        (vec![key("a"), Step::Each], vec![]),
        (vec![key("twice")], vec!["2"]),
    ];
    let json = r#"{"a":1,"list":[{"p":1},{"p":2},{},3],"deep":[[1,2],[3],4],"twice":1,"twice":2}"#;
    let root = Raw::check(json.as_bytes());
    for (steps, expected) in cases {
        let mut found = Vec::new();
        read(root, &steps, &mut |value| {
            found.push(value.text().map_or_else(|| "-".to_owned(), |text| text.into_owned()));
        });
        assert_eq!(found, expected, "{steps:?}");
    }
}
