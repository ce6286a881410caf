use axum::http::{HeaderMap, HeaderValue};

use super::{COOKIE_PLAIN, COOKIE_TLS, bearer, cookie, is_foreign, is_this_machine, set_cookie};

fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_cookie_is_found_among_others_by_its_whole_name() {
    let all = headers(&[("cookie", "a=1; selfsame=yes; b"), ("cookie", "__Host-selfsame=tls")]);
    assert_eq!(cookie(&all, COOKIE_PLAIN), Some("yes"));
    assert_eq!(cookie(&all, COOKIE_TLS), Some("tls"));
    let other = headers(&[("cookie", "xselfsame=1; selfsame2=2; __Host-selfsame=3")]);
    assert_eq!(cookie(&other, COOKIE_PLAIN), None);
}

#[test]
fn a_session_is_in_a_cookie_that_no_script_and_no_other_site_has() {
    let plain = set_cookie(false, "abc");
    assert_eq!(plain, "selfsame=abc; Path=/; HttpOnly; SameSite=Strict");
    let secure = set_cookie(true, "abc");
    assert_eq!(secure, "__Host-selfsame=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
    assert!(set_cookie(true, "").ends_with("Secure; Max-Age=0"));
}

#[test]
fn a_browser_says_who_asks() {
    for (site, foreign) in
        [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true)]
    {
        assert_eq!(is_foreign(&headers(&[("sec-fetch-site", site)])), foreign, "{site}");
    }
    assert!(!is_foreign(&HeaderMap::new()));
}

#[test]
fn names_of_this_machine() {
    for own in ["localhost", "localhost:8080", "127.0.0.1:80", "127.9.9.9", "[::1]:8080"] {
        assert!(is_this_machine(own), "{own}");
    }
    for other in ["example.com", "localhost.example.com", "192.0.2.1:80", "[2001:db8::1]", ""] {
        assert!(!is_this_machine(other), "{other}");
    }
}

#[test]
fn only_a_bearer_is_a_token() {
    assert_eq!(bearer(&headers(&[("authorization", "bearer  abc ")])), Some("abc"));
    assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
    assert_eq!(bearer(&HeaderMap::new()), None);
}
