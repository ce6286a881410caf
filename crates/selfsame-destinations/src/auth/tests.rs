use selfsame_mapping::{Scope, Tree};
use serde_json::{Value, json};
use url::Url;

use super::{Auth, Hmac, Jwt, SigV4};
use crate::auth::Algorithm;
use crate::request::{Body, Request};

#[expect(clippy::needless_pass_by_value, reason = "what is written where it is called")]
fn tree(value: Value) -> Tree {
    Tree::compile(&value).expect("a tree")
}

fn request(method: &str, url: &str, body: Body) -> Request {
    let url = Url::parse(url).expect("an address");
    Request { method: method.to_owned(), url, headers: Vec::new(), body }
}

fn applied(auth: &Auth, mut request: Request) -> Request {
    let settings = json!({ "user": "Aladdin", "password": "open sesame", "none": null });
    let scope = Scope::at(0).with("settings", &settings);
    auth.apply(&mut request, &scope, 1_440_938_160_000).expect("it can be signed");
    request
}

/// The example of RFC 7617, section 2.
#[test]
fn a_user_name_and_a_password() {
    let (username, password) =
        (tree(json!("=settings.user")), Some(tree(json!("=settings.password"))));
    let sent =
        applied(&Auth::Basic { username, password }, request("GET", "https://a/", Body::Empty));
    assert_eq!(sent.header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[test]
fn a_token_that_is_not_there_is_not_sent() {
    let sent = applied(
        &Auth::Bearer(tree(json!("=settings.none"))),
        request("GET", "https://a/", Body::Empty),
    );
    assert_eq!(sent.header("authorization"), None);
}

#[test]
fn a_key_in_the_address_is_escaped() {
    let auth = Auth::Query(vec![("key".to_owned(), tree(json!("a b&c")))]);
    let sent = applied(&auth, request("GET", "https://a/?x=1", Body::Empty));
    assert_eq!(sent.url.as_str(), "https://a/?x=1&key=a+b%26c");
}

/// The example of Amazon's documents: a request to list the users of IAM.
#[test]
fn amazons_signature() {
    let auth = Auth::SigV4(Box::new(SigV4 {
        access_key_id: tree(json!("AKIDEXAMPLE")),
        secret_access_key: tree(json!("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
        session_token: None,
        region: tree(json!("us-east-1")),
        service: tree(json!("iam")),
    }));
    let mut sent = request(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        Body::Empty,
    );
    sent.set("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())
        .expect("a header");
    let sent = applied(&auth, sent);
    assert_eq!(
        sent.header("authorization"),
        Some(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        )
    );
}

/// The example of the specification of Standard Webhooks.
#[test]
fn a_keyed_hash_of_what_the_manifest_says() {
    let hmac = Hmac {
        header: "webhook-signature".to_owned(),
        key: tree(json!("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        key_is_base64: true,
        signs: Some(tree(json!("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{{ body }}"))),
        sha1: false,
        base64: true,
        prefix: "v1,".to_owned(),
    };
    let body = Body::Text("{\"test\": 2432232314}".to_owned());
    let sent = applied(&Auth::Hmac(Box::new(hmac)), request("POST", "https://a/", body));
    assert_eq!(
        sent.header("webhook-signature"),
        Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    );
}

#[test]
fn a_token_of_the_request() {
    let jwt = Jwt {
        algorithm: Algorithm::Hs256,
        key: tree(json!("secret")),
        key_id: Some(tree(json!("k1"))),
        claims: vec![("iss".to_owned(), tree(json!("=settings.user")))],
        seconds: 60,
        header: None,
    };
    let sent = applied(&Auth::Jwt(Box::new(jwt)), request("GET", "https://a/", Body::Empty));
    let token = sent.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let parts: Vec<&str> = token.expect("a token").split('.').collect();
    let read = |part: &str| -> Value {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    assert_eq!(read(parts[0]), json!({ "alg": "HS256", "typ": "JWT", "kid": "k1" }));
    assert_eq!(
        read(parts[1]),
        json!({ "iat": 1_440_938_160, "exp": 1_440_938_220, "iss": "Aladdin" })
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secret");
    let signed = format!("{}.{}", parts[0], parts[1]);
    use base64::Engine as _;
    let tag = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(parts[2]).expect("base64");
    assert!(ring::hmac::verify(&key, signed.as_bytes(), &tag).is_ok());
}
