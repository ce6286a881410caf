use super::{Query, read};

fn body(query: &str) -> String {
    String::from_utf8(read(query).body).expect("text")
}

#[test]
fn dots_make_objects_and_the_later_one_counts() {
    assert_eq!(
        body("userId=u&properties.a=1&properties.b.c=x+y"),
        r#"{"userId":"u","properties":{"a":"1","b":{"c":"x y"}}}"#
    );
    assert_eq!(body("a=1&a.b=2"), r#"{"a":{"b":"2"}}"#);
    assert_eq!(body("a.b=2&a=1"), r#"{"a":"1"}"#);
    assert_eq!(body("a=1&a=2&&=3"), r#"{"a":"2","":"3"}"#);
    assert_eq!(body("na%2Eme=%C3%A9"), r#"{"na":{"me":"é"}}"#);
}

#[test]
fn dots_have_an_end() {
    let levels = body(&format!("{}=1", vec!["a"; 1_000].join("."))).matches('{').count();
    assert_eq!(levels, 16);
}

#[test]
fn a_key_is_found_beside_data() {
    let query = read("data=e30%3D&writeKey=k&userId=ignored");
    let expected = Query { write_key: Some("k".to_owned()), body: b"{}".to_vec() };
    assert_eq!(query, expected);
    assert_eq!(body("data=***"), "***");
}
