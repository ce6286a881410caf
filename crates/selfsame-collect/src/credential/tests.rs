use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};

fn key(value: &'static str) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
    super::of(&headers)
}

#[test]
fn the_user_of_basic_is_the_key() {
    let some = Some("key".to_owned());
    assert_eq!(key("Basic a2V5Og=="), some);
    assert_eq!(key("basic a2V5Og"), some);
    assert_eq!(key("BASIC   a2V5"), some);
    assert_eq!(key("Basic a2V5OnNlY3JldA=="), some);
    assert_eq!(key("Bearer key"), some);
}

#[test]
fn nothing_readable_is_no_key() {
    for value in
        ["", "Basic", "Basic ", "Basic Og==", "Basic %%%", "Basic /w==", "Bearer ", "Key key"]
    {
        assert_eq!(key(value), None, "{value}");
    }
}
