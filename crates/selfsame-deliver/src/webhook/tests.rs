use super::*;

#[test]
fn a_signature_is_that_of_the_specification() {
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("valid");
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let signature = sign(&secret, id, 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_key_depends_on_effect_and_connection_alone() {
    let first = key(&[1; 16], ConnectionId([2; 16]));
    assert_eq!(first, key(&[1; 16], ConnectionId([2; 16])));
    assert_ne!(first, key(&[2; 16], ConnectionId([2; 16])));
    assert_ne!(first, key(&[1; 16], ConnectionId([3; 16])));
    assert_eq!(first, "msg_f12db6f59177d8a79ff7f5e26cdada08");
}

#[test]
fn a_note_is_short_and_shows_what_is_hidden() {
    assert_eq!(note(b"no such hook"), "no such hook");
    assert_eq!(note(b"a\r\n\x1b[31mb\0"), "a\\u{d}\\u{a}\\u{1b}[31mb\\u{0}");
    assert_eq!(note("a\u{202e}b\u{200b}".as_bytes()), "a\\u{202e}b\\u{200b}");
    assert_eq!(note(b"\xff"), "\u{fffd}");
    assert_eq!(note(&[b'x'; 100_000]), "x".repeat(65_536));
    assert!(note(&[0; 100_000]).len() <= 65_536);
    assert!(note(&[0xff; 100_000]).len() <= 65_536);
}

/// The signatures were made by the `standardwebhooks` package for Python, version 1.1.0.
#[test]
fn signatures_equal_those_of_another_implementation() {
    let sign = |key: &[u8]| {
        let secret = Secret::parse(&format!("whsec_{}", STANDARD.encode(key))).expect("valid");
        let id = "msg_f12db6f59177d8a79ff7f5e26cdada08";
        sign(&secret, id, 1_800_000_000, r#"{"name":"Zoë","n":1}"#.as_bytes())
    };
    let long: Vec<u8> = (0..64).collect();
    assert_eq!(sign(&[9; 32]), "v1,myIMV03TrbZT60UuvPYMUsMpDossmA+Cpt4zp6W7aVQ=");
    assert_eq!(sign(&long), "v1,VjJSftdsJvRmpn0xAkPaNx2sHtw+g3fItDnXvuatMg8=");
}
