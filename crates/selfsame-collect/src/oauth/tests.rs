use std::collections::BTreeMap;

use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;
const OURS: &str = "https://cdp.example.com/oauth2";
const PRIVATE: &str = include_str!("../../tests/keys/oauth-client.pem");
const PUBLIC: &str = include_str!("../../tests/keys/oauth-client.pub.pem");

fn at(seconds: i64) -> Time {
    Time::from_micros(seconds * 1_000_000)
}

fn rsa() -> RsaKeyPair {
    let inner: String = PRIVATE.lines().filter(|line| !line.starts_with('-')).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(inner).unwrap()).unwrap()
}

fn join(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(payload))
}

fn rs256(header: &Value, payload: &Value) -> String {
    let (signed, key) = (join(header, payload), rsa());
    let mut by = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut by).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(by))
}

fn header() -> Value {
    json!({ "alg": "RS256", "kid": "one", "typ": "JWT" })
}

/// What the Node SDK says: five seconds back, and good for a minute from there.
fn claims() -> Value {
    json!({ "iss": "app", "sub": "app", "aud": OURS, "iat": NOW - 5, "exp": f64::from(1_800_000_055), "jti": "j1" })
}

fn client() -> Client {
    let keys = vec![ClientKey::read("one", PUBLIC).unwrap()];
    Client { id: "app".to_owned(), source: SourceNumber(7), token_seconds: 3_600, keys }
}

fn check(assertion: &str, now: i64) -> Result<[u8; 32], AssertionError> {
    let client = client();
    let found = |id: &str| (id == client.id).then_some(&client);
    let asserted = check_assertion(assertion, found, |aud| aud == OURS, at(now))?;
    assert!(asserted.until > at(now) && asserted.until <= at(now + 180));
    Ok(asserted.once)
}

/// The claims with some changed, or left out where null.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

#[test]
fn an_assertion_of_the_client_holds_and_is_told_from_others() {
    let first = check(&rs256(&header(), &claims()), NOW).unwrap();
    assert_eq!(check(&rs256(&header(), &claims()), NOW + 60), Ok(first));
    let other = check(&rs256(&header(), &with(&json!({ "jti": "j2" }))), NOW).unwrap();
    assert_ne!(first, other);
    assert!(check(&rs256(&json!({ "alg": "RS256" }), &claims()), NOW).is_ok(), "no kid: any key");
    let several = with(&json!({ "aud": ["https://other.example.com", OURS] }));
    assert!(check(&rs256(&header(), &several), NOW).is_ok());
}

#[test]
fn what_is_wrong_with_an_assertion_is_named() {
    use AssertionError::{Algorithm, Audience, Client, Malformed, Time, TooLong};
    let claimed = |changes: Value| rs256(&header(), &with(&changes));
    for (assertion, why) in [
        (claimed(json!({ "sub": "nobody" })), Client),
        (claimed(json!({ "aud": "https://oauth2.segment.io" })), Audience),
        (claimed(json!({ "iat": NOW - 300, "exp": NOW - 60 })), Time),
        (claimed(json!({ "iat": NOW + 61, "exp": NOW + 100 })), Time),
        (claimed(json!({ "exp": NOW + 3_600 })), TooLong),
        (claimed(json!({ "iat": NOW + 50, "exp": NOW + 130 })), TooLong),
        (claimed(json!({ "jti": null })), Malformed),
        (claimed(json!({ "jti": "" })), Malformed),
        (claimed(json!({ "jti": "x".repeat(300) })), Malformed),
        (claimed(json!({ "exp": "soon" })), Malformed),
        (rs256(&json!({ "alg": "RS256", "kid": "two" }), &claims()), Client),
        (rs256(&json!({ "alg": "HS256", "kid": "one" }), &claims()), Algorithm),
        (rs256(&json!({ "alg": "none" }), &claims()), Algorithm),
        (rs256(&json!({ "alg": "ES256", "kid": "one" }), &claims()), Client),
        (rs256(&json!({ "alg": "RS256", "kid": "one", "crit": ["x"] }), &claims()), Malformed),
        (String::new(), Malformed),
        ("a.b.c".to_owned(), Malformed),
        ("x".repeat(10_000), Malformed),
    ] {
        assert_eq!(check(&assertion, NOW), Err(why), "{assertion}");
    }
}

#[test]
fn a_signature_of_somebody_else_or_over_something_else_proves_nothing() {
    let good = rs256(&header(), &claims());
    let (_, by) = good.rsplit_once('.').unwrap();
    let other = format!("{}.{by}", join(&header(), &with(&json!({ "jti": "j2" }))));
    assert_eq!(check(&other, NOW), Err(AssertionError::Signature));
    // The public key as if it were a secret.
    let signed = join(&json!({ "alg": "RS256", "kid": "one" }), &claims());
    let key = hmac::Key::new(hmac::HMAC_SHA256, PUBLIC.as_bytes());
    let by = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    assert_eq!(check(&format!("{signed}.{by}"), NOW), Err(AssertionError::Signature));
}

#[test]
fn a_key_on_the_curve_signs_too() {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) });
    let key = ClientKey::read("curve", &jwk.to_string()).unwrap();
    assert_eq!(key.algorithm(), "ES256");
    let client = Client { keys: vec![key], ..client() };
    let signed = join(&json!({ "alg": "ES256", "kid": "curve" }), &claims());
    let by = text(pair.sign(&random, signed.as_bytes()).unwrap().as_ref());
    let assertion = format!("{signed}.{by}");
    assert!(check_assertion(&assertion, |_| Some(&client), |_| true, at(NOW)).is_ok());
}

#[test]
fn keys_are_read_in_every_form_and_weak_or_private_ones_are_not() {
    let inner: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(inner).unwrap();
    // What stands behind the head of 24 bytes is the key on its own.
    let own = STANDARD.encode(&der[24..]);
    let pkcs1 = format!("-----BEGIN RSA PUBLIC KEY-----\n{own}\n-----END RSA PUBLIC KEY-----\n");
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    // In it, behind two heads and a zero: 2,048 bits and their exponent.
    let (n, e) = (der[33..33 + 256].to_vec(), vec![1, 0, 1]);
    let jwk =
        |n: &[u8], e: &[u8]| json!({ "kty": "RSA", "n": number(n), "e": number(e) }).to_string();
    let assertion = rs256(&header(), &claims());
    for text in [PUBLIC.to_owned(), pkcs1, jwk(&n, &e)] {
        let client = Client { keys: vec![ClientKey::read("one", &text).unwrap()], ..client() };
        let checked = check_assertion(&assertion, |_| Some(&client), |_| true, at(NOW));
        assert!(checked.is_ok(), "{text}");
    }
    let private = json!({ "kty": "RSA", "n": number(&n), "e": "AQAB", "d": "AQAB" }).to_string();
    for text in [PRIVATE.to_owned(), private] {
        assert_eq!(ClientKey::read("k", &text).err(), Some(ClientKeyError::PrivateKey));
    }
    let mut even = n.clone();
    *even.last_mut().unwrap() &= 0xfe;
    let wrong = [
        String::new(),
        "{}".to_owned(),
        jwk(&n[..128], &e),
        jwk(&even, &e),
        jwk(&n, &[1]),
        jwk(&n, &[]),
        jwk(&[], &e),
        jwk(&[], &[]),
        json!({ "kty": "RSA" }).to_string(),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_owned(),
        "-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----".to_owned(),
    ];
    for text in wrong {
        assert_eq!(ClientKey::read("k", &text).err(), Some(ClientKeyError::PublicKey), "{text}");
    }
}

fn keys() -> [AccessKey; 2] {
    [AccessKey::new("new", &[1; 32]), AccessKey::new("old", &[2; 32])]
}

fn access(token: &str, source: u32, now: i64) -> Result<(), Problem> {
    check_access(token, &keys(), SourceNumber(source), |client| client == "app", at(now))
}

#[test]
fn an_access_token_is_for_its_source_and_its_time_and_its_client() {
    let token = keys()[1].issue(&client(), &[3; 16], at(NOW));
    assert_eq!(access(&token, 7, NOW), Ok(()));
    assert_eq!(access(&token, 7, NOW + 3_599), Ok(()));
    assert_eq!(access(&token, 7, NOW + 3_600), Err(Problem::AccessExpired));
    assert_eq!(access(&token, 8, NOW), Err(Problem::AccessInvalid));
    let gone = check_access(&token, &keys(), SourceNumber(7), |_| false, at(NOW));
    assert_eq!(gone, Err(Problem::AccessInvalid));
    let other = AccessKey::new("old", &[9; 32]).issue(&client(), &[3; 16], at(NOW));
    assert_eq!(access(&other, 7, NOW), Err(Problem::AccessInvalid));
    assert_ne!(token, keys()[1].issue(&client(), &[4; 16], at(NOW)));
    // An assertion is no access token.
    assert_eq!(access(&rs256(&header(), &claims()), 7, NOW), Err(Problem::AccessInvalid));
}

proptest! {
    #[test]
    fn any_text_is_refused_without_panic(text in "\\PC{0,200}", dots in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        for text in [&text, &dots] {
            prop_assert!(check(text, NOW).is_err());
            prop_assert!(access(text, 7, NOW).is_err());
            prop_assert!(ClientKey::read("k", text).is_err());
        }
    }

    #[test]
    fn a_changed_token_is_refused(place: prop::sample::Index, letter in "[A-Za-z0-9_.-]") {
        let token = keys()[0].issue(&client(), &[3; 16], at(NOW));
        let (at, _) = token.char_indices().nth(place.index(token.len())).unwrap();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &letter);
        // The last letter of a part may have bits that mean nothing.
        let same = changed == token || decoded(&changed) == decoded(&token);
        prop_assert!(same || access(&changed, 7, NOW).is_err());
    }

    #[test]
    fn any_der_is_read_or_refused_without_panic(bytes: Vec<u8>, cut in 0_usize..300) {
        let inner: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
        let mut der = STANDARD.decode(inner).unwrap();
        der.truncate(cut);
        der.extend(bytes);
        let text = STANDARD.encode(der);
        let text = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----");
        let _read = ClientKey::read("k", &text);
    }
}

fn decoded(token: &str) -> BTreeMap<usize, Option<Vec<u8>>> {
    token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok()).enumerate().collect()
}
