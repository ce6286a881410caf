//! A filter is read and evaluated without a panic; a text that is none lets nothing through.
#![no_main]

use libfuzzer_sys::fuzz_target;
use selfsame_event::Raw;
use selfsame_expr::fql;

const EVENT: &str = r#"{"type": "track", "event": "a b", "userId": null,
    "properties": {"n": 5, "s": "a*b", "b": true, "l": ["a", 5, null], "o": {"a": [1]}, "ip": "10.1.2.3"}}"#;

fuzz_target!(|input: &[u8]| {
    // The filter, and behind a zero an event that may be none.
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let Some(Ok(text)) = parts.next().map(std::str::from_utf8) else { return };
    let event = Raw::check(EVENT.as_bytes()).expect("JSON");
    match fql::parse(text) {
        Ok(filter) => {
            assert_eq!(fql::closed(text).holds(event), filter.holds(event));
            let other = parts.next().and_then(Raw::check);
            other.map(|event| filter.holds(event));
            filter.intermediate();
        }
        Err(error) => {
            assert!(usize::try_from(error.place.end).is_ok_and(|end| end <= text.len()));
            assert!(!error.to_string().is_empty());
            assert!(!fql::closed(text).holds(event));
        }
    }
});
