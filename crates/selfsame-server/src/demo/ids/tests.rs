use super::*;

#[track_caller]
fn check(query: &str, expected: &[(&str, &str)]) {
    let pairs = expected.iter().map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned()));
    assert_eq!(Ids::read(Some(query)), Ok(Ids(pairs.collect())));
}

#[test]
fn values_are_split_before_they_are_decoded() {
    check("ids=user_id%3Aa%2Cb", &[("user_id", "a,b")]);
    check("x=1&ids=user_id:a:b", &[("user_id", "a:b")]);
    check("ids=user_id:b,anonymous_id:a", &[("anonymous_id", "a"), ("user_id", "b")]);
}

#[test]
fn what_is_not_an_id_is_refused() {
    for query in ["", "ids=", "ids=ada", "ids=user_id:%ff"] {
        assert!(Ids::read(Some(query)).is_err(), "{query}");
    }
    let many = vec!["user_id:a"; MOST + 1].join(",");
    assert!(Ids::read(Some(&format!("ids={many}"))).is_err());
}
