use std::io::Read;

use flate2::read::GzDecoder;

use super::Scripts;

#[test]
fn any_key_fits_between_the_halves() {
    let script = [&b"a".repeat(70_000)[..], b"__WRITE_KEY__", &b"b".repeat(70_000)[..]].concat();
    let scripts = Scripts::new(&script, []);
    for key in ["k", "a-b_C9", &"x".repeat(128)] {
        let served = scripts.script(key).expect("built");
        let mut text = Vec::new();
        GzDecoder::new(&served.gzip[..]).read_to_end(&mut text).expect("gzip");
        assert_eq!(text, served.plain);
        assert_eq!(text.len(), 140_000 + key.len());
    }
    assert_ne!(scripts.script("a").expect("built").tag, scripts.script("b").expect("built").tag);
}

#[test]
fn a_script_without_a_place_for_the_key_is_served_as_it_is() {
    let served = Scripts::new(b"x", []).script("");
    assert_eq!(served.expect("built").plain, "x");
    assert!(Scripts::default().script("k").is_none());
}
