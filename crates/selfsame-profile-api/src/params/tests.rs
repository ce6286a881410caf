use super::*;

fn part(text: &str) -> Option<String> {
    decode(text).ok()
}

#[test]
fn a_part_of_a_path_is_decoded_once_and_a_plus_is_a_plus() {
    assert_eq!(part("email:a+b%40x.y").as_deref(), Some("email:a+b@x.y"));
    assert_eq!(part("email:a%2Bb%40x.y").as_deref(), Some("email:a+b@x.y"));
    assert_eq!(part("x:%2540").as_deref(), Some("x:%40"));
    assert_eq!(part("x:%e2%82%ac").as_deref(), Some("x:€"));
}

#[test]
fn malformed_escapes_are_refused() {
    for text in ["%", "a%2", "%zz", "%ff", "%c3", "%e2%82"] {
        assert!(decode(text).is_err(), "{text}");
    }
}

#[test]
fn an_id_is_split_at_its_first_colon_and_its_value_keeps_its_case() {
    let named = |kind: &str, value: &str| {
        Some(ProfileRef::Identifier { kind: kind.to_owned(), value: value.to_owned() })
    };
    assert_eq!(profile_ref("user_id:A:b:c").ok(), named("user_id", "A:b:c"));
    assert_eq!(profile_ref("USER_ID:use_1").ok(), named("USER_ID", "use_1"));
    for text in ["", ":", "user_id:", ":x", "use_1", "plain"] {
        assert!(profile_ref(text).is_err(), "{text}");
    }
}

#[test]
fn parameters_are_read_as_forms_write_them() {
    let params = Params::read("a=1&b=x+y%2B&a=2&empty=&list=p,q&list=%20r,").expect("reads");
    assert_eq!(params.get("a"), Some("2"));
    assert_eq!(params.get("b"), Some("x y+"));
    assert_eq!(params.get("empty"), None);
    assert_eq!(params.list("list"), ["p", "q", "r"]);
    assert!(Params::read("a=%f").is_err());
}

#[test]
fn limits_times_flags_and_positions_are_checked() {
    let read = |query: &str| Params::read(query).expect("reads");
    assert_eq!(read("").limit(10).ok(), Some(10));
    assert_eq!(read("limit=10000").limit(10).ok(), Some(10_000));
    for wrong in ["limit=0", "limit=10001", "limit=-1", "limit=x", "limit=1.5"] {
        assert!(read(wrong).limit(10).is_err(), "{wrong}");
    }
    let time = |query: &str| read(query).time("at").ok().flatten().map(|time| time.to_string());
    assert_eq!(time("at=2026-01-02").as_deref(), Some("2026-01-02T00:00:00.000Z"));
    let zoned = time("at=2026-01-02T03:00:00+01:00");
    assert_eq!(zoned.as_deref(), Some("2026-01-02T02:00:00.000Z"));
    assert!(read("at=yesterday").time("at").is_err());
    assert_eq!(read("verbose=true").flag("verbose").ok(), Some(true));
    assert!(read("verbose=1").flag("verbose").is_err());
    assert_eq!(read("p=0-7").position("p").ok(), Some(Some(Position::embedded(7))));
    for wrong in ["p=7", "p=1-7", "p=0-", "p=0--1"] {
        assert!(read(wrong).position("p").is_err(), "{wrong}");
    }
}
