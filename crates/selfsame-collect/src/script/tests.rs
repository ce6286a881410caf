use std::io::Read;

use flate2::read::GzDecoder;

use super::Scripts;
use crate::BrowserSdk::{Official, Selfsame};

#[test]
fn any_key_fits_between_the_halves() {
    let script = [&b"a".repeat(70_000)[..], b"__WRITE_KEY__", &b"b".repeat(70_000)[..]].concat();
    let scripts = Scripts::default().with(Official, &script, []);
    for key in ["k", "a-b_C9", &"x".repeat(128)] {
        let served = scripts.script(Official, key).expect("built");
        let mut text = Vec::new();
        GzDecoder::new(&served.gzip[..]).read_to_end(&mut text).expect("gzip");
        assert_eq!(text, served.plain);
        assert_eq!(text.len(), 140_000 + key.len());
    }
    let tag = |key| scripts.script(Official, key).expect("built").tag;
    assert_ne!(tag("a"), tag("b"));
}

#[test]
fn a_script_without_a_place_for_the_key_is_served_as_it_is() {
    let scripts = Scripts::default().with(Selfsame, b"x", []);
    assert_eq!(scripts.script(Selfsame, "").expect("built").plain, "x");
    assert!(scripts.script(Official, "k").is_none());
}
