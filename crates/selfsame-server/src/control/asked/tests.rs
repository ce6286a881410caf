use selfsame_event::Position;

use super::{choose_id, item, position};

fn chosen(asked: Option<&str>, name: &str, taken: &[&str]) -> Option<String> {
    choose_id(asked.map(str::to_owned), name, |id| taken.contains(&id)).ok()
}

#[test]
fn an_id_is_made_from_the_name() {
    let check =
        |name, expected: &str| assert_eq!(chosen(None, name, &[]).as_deref(), Some(expected));
    check("Web Shop", "web-shop");
    check("  --Große  Straße! ", "gro-e-stra-e");
    check("顧客", "unnamed");
    assert_eq!(chosen(None, "a", &["a", "a-2"]).as_deref(), Some("a-3"));
}

#[test]
fn an_id_that_was_asked_for_is_taken_or_refused() {
    assert_eq!(chosen(Some("web_1-a"), "x", &[]).as_deref(), Some("web_1-a"));
    for wrong in ["", "-a", "_a", "A", "a b", "a/b", "..", "ä", &"a".repeat(65)] {
        assert_eq!(chosen(Some(wrong), "x", &[]), None, "{wrong}");
    }
    assert_eq!(chosen(Some("a"), "x", &["a"]), None);
}

#[test]
fn positions_are_read_as_they_are_shown() {
    let at = Position::embedded(17).item(3);
    assert_eq!(item(&at.to_string()), Some(at));
    assert_eq!(position("0-17"), Some(at.record));
    for wrong in ["", "0-", "-1", "0-1", "0-1.", "0.1-2", "a-b.c", "0-99999999999999999999.0"] {
        assert_eq!(item(wrong), None, "{wrong}");
    }
}
