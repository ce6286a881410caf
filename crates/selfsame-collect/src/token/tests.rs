use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;
const SECRET: &str = "a secret that is long enough for HS256";
const OTHER_SECRET: &str = "another secret that is long enough too";

fn join(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(payload))
}

fn hs256(secret: &[u8], header: &Value, payload: &Value) -> String {
    let signed = join(header, payload);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let by = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{by}")
}

struct Pair(EcdsaKeyPair);

impl Pair {
    fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    fn sign(&self, header: &Value, payload: &Value) -> String {
        let signed = join(header, payload);
        let by = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(by))
    }

    fn pem(&self) -> String {
        let der = [SPKI, self.0.public_key().as_ref()].concat();
        let text = STANDARD.encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    fn jwk(&self) -> String {
        let point = self.0.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..]);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "use": "sig"}).to_string()
    }
}

fn payload() -> Value {
    json!({"sub": "ada", "aud": "key", "exp": NOW + 600})
}

fn but(name: &str, value: Value) -> Value {
    let mut payload = payload();
    payload[name] = value;
    payload
}

fn without(name: &str) -> Value {
    let mut payload = payload();
    payload.as_object_mut().unwrap().remove(name);
    payload
}

/// What a token is found to be by these keys, on an event of Ada's.
fn check(keys: &TokenKeys, token: &str) -> TokenVerdict {
    let now = Time::from_millis(NOW * 1_000);
    Opener::new(keys).check(token, &Wanted { audience: "key", subject: Some("ada"), now })
}

fn secret() -> TokenKeys {
    TokenKeys(vec![TokenKey::hs256("k1", SECRET).unwrap()])
}

#[test]
fn a_token_proves_its_subject_to_its_audience_until_it_ends() {
    let head = json!({"alg": "HS256", "typ": "JWT"});
    let of = |payload: &Value| check(&secret(), &hs256(SECRET.as_bytes(), &head, payload));
    assert_eq!(of(&payload()), TokenVerdict::Valid);
    assert_eq!(of(&but("aud", json!(["other", "key"]))), TokenVerdict::Valid);
    assert_eq!(of(&but("aud", json!(["other"]))), TokenVerdict::Audience);
    assert_eq!(of(&but("aud", json!("other"))), TokenVerdict::Audience);
    assert_eq!(of(&but("sub", json!("eve"))), TokenVerdict::Subject);
    assert_eq!(of(&but("exp", json!(NOW - 59))), TokenVerdict::Valid);
    assert_eq!(of(&but("exp", json!(NOW - 60))), TokenVerdict::Expired);
    assert_eq!(of(&but("exp", json!(0))), TokenVerdict::Expired);
    assert_eq!(of(&but("exp", json!(-1e300))), TokenVerdict::Expired);
    assert_eq!(of(&but("nbf", json!(NOW + 60))), TokenVerdict::Valid);
    assert_eq!(of(&but("nbf", json!(NOW + 61))), TokenVerdict::NotYet);
    for name in ["sub", "aud", "exp"] {
        assert_eq!(of(&without(name)), TokenVerdict::Malformed, "without {name}");
    }
    for odd in [json!("1800000600"), json!(null), json!({}), json!([NOW])] {
        assert_eq!(of(&but("exp", odd)), TokenVerdict::Malformed);
    }
    assert_eq!(of(&but("sub", json!(7))), TokenVerdict::Malformed);
}

#[test]
fn a_token_without_a_user_on_the_event_proves_nothing() {
    let token = hs256(SECRET.as_bytes(), &json!({"alg": "HS256"}), &payload());
    let now = Time::from_millis(NOW * 1_000);
    let wanted = Wanted { audience: "key", subject: None, now };
    assert_eq!(Opener::new(&secret()).check(&token, &wanted), TokenVerdict::Subject);
}

#[test]
fn the_key_says_the_algorithm_and_the_token_cannot() {
    let pair = Pair::new();
    let es256 = TokenKeys(vec![TokenKey::es256("e1", &pair.pem()).unwrap()]);
    let both = TokenKeys([secret().0, es256.0.clone()].concat());
    let (hs, es, none) = (json!({"alg": "HS256"}), json!({"alg": "ES256"}), json!({"alg": "none"}));
    assert_eq!(check(&es256, &pair.sign(&es, &payload())), TokenVerdict::Valid);
    assert_eq!(check(&both, &pair.sign(&es, &payload())), TokenVerdict::Valid);
    assert_eq!(check(&secret(), &pair.sign(&es, &payload())), TokenVerdict::NoKey);
    // A public key as if it were the secret of HS256.
    let der = [SPKI, pair.0.public_key().as_ref()].concat();
    let pem = pair.pem();
    for public in [pem.as_bytes(), pem.trim().as_bytes(), &der, pair.0.public_key().as_ref()] {
        let confused = hs256(public, &hs, &payload());
        assert_eq!(check(&es256, &confused), TokenVerdict::NoKey);
        assert_eq!(check(&both, &confused), TokenVerdict::Signature);
        assert_eq!(check(&es256, &hs256(public, &es, &payload())), TokenVerdict::Signature);
    }
    for name in ["none", "None", "NONE", "", "HS512", "RS256", "hs256"] {
        let unsigned = join(&json!({"alg": name}), &payload());
        assert_eq!(check(&both, &format!("{unsigned}.")), TokenVerdict::Algorithm, "{name}");
    }
    assert_eq!(check(&both, &hs256(SECRET.as_bytes(), &none, &payload())), TokenVerdict::Algorithm);
    assert_eq!(check(&both, &format!("{}.", join(&hs, &payload()))), TokenVerdict::Signature);
    assert_eq!(check(&both, &format!("{}.", join(&es, &payload()))), TokenVerdict::Signature);
}

#[test]
fn keys_are_chosen_by_their_id_and_may_be_several_while_they_rotate() {
    let keys = TokenKeys(vec![
        TokenKey::hs256("old", SECRET).unwrap(),
        TokenKey::hs256("new", OTHER_SECRET).unwrap(),
    ]);
    let of = |secret: &str, head: Value| check(&keys, &hs256(secret.as_bytes(), &head, &payload()));
    assert_eq!(of(SECRET, json!({"alg": "HS256"})), TokenVerdict::Valid);
    assert_eq!(of(OTHER_SECRET, json!({"alg": "HS256"})), TokenVerdict::Valid);
    assert_eq!(of(OTHER_SECRET, json!({"alg": "HS256", "kid": "new"})), TokenVerdict::Valid);
    assert_eq!(of(OTHER_SECRET, json!({"alg": "HS256", "kid": "old"})), TokenVerdict::Signature);
    assert_eq!(of(OTHER_SECRET, json!({"alg": "HS256", "kid": "gone"})), TokenVerdict::NoKey);
    assert_eq!(
        of("some third secret, also long enough", json!({"alg": "HS256"})),
        TokenVerdict::Signature
    );
    assert_eq!(of(SECRET, json!({"alg": "HS256", "crit": ["b64"]})), TokenVerdict::Malformed);
    let token = hs256(SECRET.as_bytes(), &json!({"alg": "HS256"}), &payload());
    assert_eq!(check(&TokenKeys::default(), &token), TokenVerdict::NoKey);
}

#[test]
fn what_is_no_token_is_malformed_and_a_long_one_is_not_read() {
    let good = hs256(SECRET.as_bytes(), &json!({"alg": "HS256"}), &payload());
    let long = hs256(
        SECRET.as_bytes(),
        &json!({"alg": "HS256"}),
        &but("pad", json!("x".repeat(limits::TOKEN_BYTES))),
    );
    let mut odd = vec!["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "\u{e9}.\u{e9}.\u{e9}", &long];
    let (padded, spaced) = (format!("{good}="), format!(" {good}"));
    odd.extend([&*padded, &*spaced]);
    for token in odd {
        assert_eq!(check(&secret(), token), TokenVerdict::Malformed, "{token:.40}");
    }
    // A member twice: which one counts must not depend on who reads.
    let twice = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#),
        URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"eve","sub":"ada","aud":"key","exp":{NOW}}}"#)),
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let by = URL_SAFE_NO_PAD.encode(hmac::sign(&key, twice.as_bytes()));
    assert_eq!(check(&secret(), &format!("{twice}.{by}")), TokenVerdict::Malformed);
}

#[test]
fn a_request_with_many_tokens_has_only_the_first_ones_checked() {
    let (keys, now) = (secret(), Time::from_millis(NOW * 1_000));
    let wanted = Wanted { audience: "key", subject: Some("ada"), now };
    let mut opener = Opener::new(&keys);
    let token = |n: i64| {
        hs256(SECRET.as_bytes(), &json!({"alg": "HS256"}), &but("exp", json!(NOW + 100 + n)))
    };
    for n in 0..32 {
        assert_eq!(opener.check(&token(n), &wanted), TokenVerdict::Valid);
    }
    assert_eq!(opener.check(&token(32), &wanted), TokenVerdict::TooMany);
    assert_eq!(opener.check(&token(31), &wanted), TokenVerdict::Valid);
}

#[test]
fn keys_are_read_from_pem_and_jwk_and_private_ones_are_refused() {
    let pair = Pair::new();
    let token = pair.sign(&json!({"alg": "ES256", "kid": "e1"}), &payload());
    for text in [pair.pem(), pair.jwk(), format!("\n{}\n", pair.pem())] {
        let keys = TokenKeys(vec![TokenKey::es256("e1", &text).unwrap()]);
        assert_eq!(check(&keys, &token), TokenVerdict::Valid, "{text}");
        assert_eq!(format!("{keys:?}"), "TokenKeys([TokenKey(e1, ES256, …)])");
    }
    let mut private: Value = serde_json::from_str(&pair.jwk()).unwrap();
    private["d"] = json!("AAAA");
    let pem = "-----BEGIN PRIVATE KEY-----\nMIG=\n-----END PRIVATE KEY-----";
    for text in [private.to_string().as_str(), pem] {
        assert_eq!(TokenKey::es256("e1", text).unwrap_err(), TokenKeyError::PrivateKey);
    }
    let curve = pair.jwk().replace("P-256", "P-384");
    for text in ["", "{}", "rubbish", "-----BEGIN PUBLIC KEY-----", &curve] {
        assert_eq!(TokenKey::es256("e1", text).unwrap_err(), TokenKeyError::PublicKey, "{text}");
    }
    assert_eq!(TokenKey::hs256("k1", "short").unwrap_err(), TokenKeyError::ShortSecret);
    assert!(!format!("{:?}", TokenKey::hs256("k1", SECRET)).contains("secret"));
}

/// What the documents say that a backend does.
#[test]
fn the_token_in_the_documents_is_valid() {
    let page = include_str!("../../../../docs/concepts/identity.md");
    let call = page.lines().find(|line| line.starts_with("For `(")).expect("the example");
    let [user, key, secret] = [1, 3, 5].map(|at| call.split('"').nth(at).expect("an argument"));
    let token = page.lines().find(|line| line.starts_with("eyJ")).expect("what it gives");
    let keys = TokenKeys(vec![TokenKey::hs256("k1", secret).unwrap()]);
    let now = Time::from_millis(1_800_000_000_000);
    let wanted = Wanted { audience: key, subject: Some(user), now };
    assert_eq!(Opener::new(&keys).check(token, &wanted), TokenVerdict::Valid);
    let later = Wanted { now: now.plus_micros(3_661_000_000), ..wanted };
    assert_eq!(Opener::new(&keys).check(token, &later), TokenVerdict::Expired);
}

proptest! {
    #[test]
    fn no_change_of_a_byte_leaves_a_token_valid(at: prop::sample::Index, byte in 33_u8..127) {
        let token = hs256(SECRET.as_bytes(), &json!({"alg": "HS256"}), &payload());
        let mut bytes = token.into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert_ne!(check(&secret(), &changed), TokenVerdict::Valid);
    }

    #[test]
    fn any_text_is_checked_without_a_panic(token in "[A-Za-z0-9_.{}\":-]{0,80}") {
        prop_assert_ne!(check(&secret(), &token), TokenVerdict::Valid);
    }
}
