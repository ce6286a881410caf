use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};

use super::{POLICY, kind, takes_brotli};

#[test]
fn brotli_goes_to_who_takes_it() {
    for (accepts, is_taken) in [
        ("gzip, deflate, br, zstd", true),
        ("br", true),
        ("gzip;q=1.0, br;q=0.5", true),
        ("br;q=0", false),
        ("br; q=0.0", false),
        ("gzip, brotli", false),
        ("", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepts));
        assert_eq!(takes_brotli(&headers), is_taken, "{accepts}");
    }
    assert!(!takes_brotli(&HeaderMap::new()));
}

#[test]
fn no_policy_lets_anything_in_from_elsewhere() {
    for part in POLICY.split(';') {
        let mut words = part.split_whitespace();
        let name = words.next().expect("a name");
        for source in words {
            let own = matches!(source, "'none'" | "'self'");
            let odd = matches!(
                (name, source),
                ("img-src", "data:")
                    | ("require-trusted-types-for", "'script'")
                    | ("trusted-types", "svelte-trusted-html")
            );
            assert!(own || odd, "{name} {source}");
        }
    }
}

#[test]
fn kinds_follow_from_names() {
    assert_eq!(kind("index.html"), "text/html; charset=utf-8");
    assert_eq!(kind("assets/a-1.js"), "text/javascript; charset=utf-8");
    assert_eq!(kind("LICENSE"), "text/plain; charset=utf-8");
}
