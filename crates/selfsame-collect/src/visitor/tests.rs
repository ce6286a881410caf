use super::{VisitorError, parameter};

#[test]
fn a_parameter_is_decoded_once_and_there_once() {
    let of = |query: &str| parameter(query, "anonymousId");
    assert_eq!(of("anonymousId=a%2Bb%25c&x=1"), Ok(Some("a+b%c".to_owned())));
    assert_eq!(of("anonymousId=a+b"), Ok(Some("a b".to_owned())));
    assert_eq!(of("anonymousid=a"), Ok(None));
    assert_eq!(of("anonymousId="), Ok(None));
    assert_eq!(of(""), Ok(None));
    let wrong = Err(VisitorError::Parameter("anonymousId"));
    assert_eq!(of("anonymousId=a&anonymousId=b"), wrong);
    assert_eq!(of("anonymousId=%ff"), wrong);
    assert_eq!(of(&format!("anonymousId={}", "x".repeat(501))), wrong);
    assert_eq!(of(&format!("anonymousId={}", "ä".repeat(500))).map(|id| id.is_some()), Ok(true));
}
