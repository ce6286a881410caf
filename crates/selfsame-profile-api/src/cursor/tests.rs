use super::*;

fn entry() -> EntryKey {
    let position = Position { partition: 0, offset: 77 };
    EntryKey { time: Time::from_micros(1_513_755_436_867_123), tie: [1, 2, 255], item: 3, position }
}

#[test]
fn a_cursor_of_an_event_begins_as_segments_does_and_comes_back() {
    for id in ["ajs-721a", "", "with::colons::in it", "ü"] {
        let cursor = of_event(entry(), id);
        let text = String::from_utf8(STANDARD.decode(&cursor).expect("decodes")).expect("UTF-8");
        assert_eq!(text, format!("1513755436867123000::{id}::0102ff.3.0.77"));
        assert_eq!(event(&cursor).expect("reads"), entry());
        // As it comes where somebody did not escape its plus signs.
        assert_eq!(event(&cursor.replace('+', " ")).expect("reads"), entry());
    }
}

#[test]
fn a_cursor_of_something_else_is_refused() {
    let encoded = |text: &str| STANDARD.encode(text);
    let wrong = [
        String::new(),
        "browser".to_owned(),
        encoded("1513755436867000000::ajs"),
        encoded("x::ajs::0102ff.3.0.77"),
        encoded("1::ajs::0102.3.0.77"),
        encoded("1::ajs::0102ff.3.0.77.1"),
        encoded("1::ajs::0102ff.3.0"),
    ];
    for cursor in wrong {
        assert!(event(&cursor).is_err(), "{cursor}");
    }
    assert!(key("map_00", "map_").is_err());
    assert!(key(&"0".repeat(32), "map_").is_err());
}

#[test]
fn a_cursor_at_an_identifier_comes_back() {
    let one = IdentifierKey([171; 16]);
    assert_eq!(key(&of_key(one, "map_"), "map_").expect("reads"), one);
    assert_eq!(key(&of_key(one, ""), "").expect("reads"), one);
}
