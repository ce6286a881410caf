//! OAuth of sources: a client proves with a signed assertion who it is, gets an access token for a while,
//! and sends it with its events.
//!
//! ```text
//! client                                   server
//!   | POST /oauth2/token, assertion: JWT     |   the client's public key checks it: RS256 or ES256;
//!   |--------------------------------------->|   for this server, for a minute, once
//!   |<---------------------------------------|   access token: JWT, HS256 by a key of the server's
//!   | POST /v1/batch, Bearer access token    |
//!   |--------------------------------------->|   for this source, not expired, its client still there
//! ```
//!
//! Nothing here reads a clock or keeps anything: that an assertion is used once is for whoever asks.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use selfsame_event::{SourceNumber, Time};
use serde::{Deserialize, Serialize};
use serde_json::Number;

pub use self::key::{ClientKey, ClientKeyError};
use crate::Problem;

mod key;

/// The one scope there is.
pub const SCOPE: &str = "tracking_api:write";
/// Longest assertion or access token.
const TOKEN_BYTES: usize = 8 << 10;
/// How far the clocks of client and server may be apart.
const LEEWAY_SECONDS: f64 = 60.0;
/// How long an assertion may be good for.
const ASSERTION_SECONDS: f64 = 60.0;
const JTI_BYTES: usize = 256;
const ISSUER: &str = "selfsame";

/// A client that may get tokens for a source.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id: the `sub` of its assertions.
    pub id: String,
    /// For which source.
    pub source: SourceNumber,
    /// How long its tokens are good for.
    pub token_seconds: u64,
    /// Its public keys.
    pub keys: Vec<ClientKey>,
}

/// Why an assertion proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Not a JWT with the claims that are needed.
    #[error("the assertion is not a JWT with sub, aud, iat, exp and jti")]
    Malformed,
    /// Signed by an algorithm that is not one of ours.
    #[error("the assertion is signed by another algorithm than RS256 and ES256")]
    Algorithm,
    /// No client has this id.
    #[error("there is no such client, or it has no such key")]
    Client,
    /// No key of the client made the signature.
    #[error("the signature of the assertion is not the client's")]
    Signature,
    /// It is for another server.
    #[error("the assertion is for another server: its `aud` is not this one's address")]
    Audience,
    /// It is over, or has not begun.
    #[error("the assertion has expired, or is from the future: check the clocks")]
    Time,
    /// It is good for too long.
    #[error("the assertion is good for more than 60 seconds")]
    TooLong,
}

impl AssertionError {
    /// What the caller can do about it.
    pub fn class(self) -> selfsame_event::Class {
        match self {
            Self::Malformed | Self::Algorithm | Self::TooLong => selfsame_event::Class::Invalid,
            _ => selfsame_event::Class::Denied,
        }
    }
}

/// An assertion that holds.
#[derive(Debug, Clone, Copy)]
pub struct Asserted<'c> {
    /// Who made it.
    pub client: &'c Client,
    /// What makes it different from others of that client: a digest of its `jti`.
    pub once: [u8; 32],
    /// Until when it would be taken again.
    pub until: Time,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    iat: Number,
    exp: Number,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn any(&self, is_ours: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(one) => is_ours(one),
            Self::Several(all) => all.iter().any(|one| is_ours(one)),
        }
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The signed text of a JWT, its header, its payload's text and its signature.
fn split(token: &str) -> Option<(&str, Header, &str, Vec<u8>)> {
    if token.len() > TOKEN_BYTES {
        return None;
    }
    let (signed, by) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header: Header = part(header)?;
    // An extension that has to be understood is not understood.
    if header.crit.is_some() {
        return None;
    }
    Some((signed, header, payload, URL_SAFE_NO_PAD.decode(by).ok()?))
}

/// Checks an assertion. `client` finds clients by their ids, `is_ours` says which audiences are this
/// server. Whoever calls it takes each `once` of a client one time only.
pub fn check_assertion<'c>(
    assertion: &str,
    client: impl Fn(&str) -> Option<&'c Client>,
    is_ours: impl Fn(&str) -> bool,
    now: Time,
) -> Result<Asserted<'c>, AssertionError> {
    let (signed, header, payload, by) = split(assertion).ok_or(AssertionError::Malformed)?;
    if !matches!(&*header.alg, "RS256" | "ES256") {
        return Err(AssertionError::Algorithm);
    }
    // Who it says it is from only chooses among keys; nothing of it is believed before the signature.
    let claims: Claims = part(payload).ok_or(AssertionError::Malformed)?;
    let client = client(&claims.sub).ok_or(AssertionError::Client)?;
    let mut keys = client
        .keys
        .iter()
        .filter(|key| key.algorithm() == header.alg)
        .filter(|key| header.kid.as_ref().is_none_or(|kid| kid == key.id()))
        .peekable();
    if keys.peek().is_none() {
        return Err(AssertionError::Client);
    }
    if !keys.any(|key| key.made(signed.as_bytes(), &by)) {
        return Err(AssertionError::Signature);
    }
    if !claims.aud.any(is_ours) {
        return Err(AssertionError::Audience);
    }
    let seconds = |number: &Number| number.as_f64().ok_or(AssertionError::Malformed);
    let (iat, exp) = (seconds(&claims.iat)?, seconds(&claims.exp)?);
    let at = now.micros() as f64 / 1e6;
    if exp + LEEWAY_SECONDS <= at || iat - LEEWAY_SECONDS > at {
        return Err(AssertionError::Time);
    }
    if exp - iat > ASSERTION_SECONDS + 1.0 || exp > at + ASSERTION_SECONDS + LEEWAY_SECONDS {
        return Err(AssertionError::TooLong);
    }
    if claims.jti.is_empty() || claims.jti.len() > JTI_BYTES {
        return Err(AssertionError::Malformed);
    }
    let mut once = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, claims.jti.as_bytes());
    once.copy_from_slice(digest.as_ref());
    // Two minutes at most, by what was checked above, and the leeway.
    let left = Duration::try_from_secs_f64(exp + LEEWAY_SECONDS - at).unwrap_or_default();
    let until = now.plus_micros(i64::try_from(left.as_micros()).unwrap_or(i64::MAX));
    Ok(Asserted { client, once, until })
}

/// A key that makes and checks access tokens. `Debug` shows which one it is.
#[derive(Clone)]
pub struct AccessKey {
    id: String,
    key: hmac::Key,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({}, …)", self.id)
    }
}

#[derive(Serialize)]
struct AccessHeader<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Access {
    iss: String,
    /// The client.
    sub: String,
    /// The number of the source.
    src: u32,
    scope: String,
    iat: i64,
    exp: i64,
    jti: String,
}

impl AccessKey {
    /// A key of these bytes, which are secret.
    pub fn new(id: &str, bytes: &[u8; 32]) -> Self {
        Self { id: id.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// Makes a token for a client; `unique` makes it different from others.
    pub fn issue(&self, client: &Client, unique: &[u8; 16], now: Time) -> String {
        let iat = now.micros().div_euclid(1_000_000);
        let lasts = i64::try_from(client.token_seconds).unwrap_or(i64::MAX);
        let header = AccessHeader { alg: "HS256", typ: "JWT", kid: &self.id };
        let access = Access {
            iss: ISSUER.to_owned(),
            sub: client.id.clone(),
            src: client.source.0,
            scope: SCOPE.to_owned(),
            iat,
            exp: iat.saturating_add(lasts),
            jti: URL_SAFE_NO_PAD.encode(unique),
        };
        let header = serde_json::to_vec(&header).expect("texts are JSON");
        let access = serde_json::to_vec(&access).expect("texts and numbers are JSON");
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(access));
        let by = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(by))
    }
}

/// Checks an access token: made by one of the keys, for this source, not expired. `is_there` says whether
/// a client still is.
pub fn check_access(
    token: &str,
    keys: &[AccessKey],
    source: SourceNumber,
    is_there: impl Fn(&str) -> bool,
    now: Time,
) -> Result<(), Problem> {
    let (signed, header, payload, by) = split(token).ok_or(Problem::AccessInvalid)?;
    if header.alg != "HS256" {
        return Err(Problem::AccessInvalid);
    }
    let mut keys = keys.iter().filter(|key| header.kid.as_ref() == Some(&key.id));
    if !keys.any(|key| hmac::verify(&key.key, signed.as_bytes(), &by).is_ok()) {
        return Err(Problem::AccessInvalid);
    }
    let access: Access = part(payload).ok_or(Problem::AccessInvalid)?;
    if access.iss != ISSUER || access.src != source.0 || access.scope != SCOPE {
        return Err(Problem::AccessInvalid);
    }
    if access.exp <= now.micros().div_euclid(1_000_000) {
        return Err(Problem::AccessExpired);
    }
    if is_there(&access.sub) { Ok(()) } else { Err(Problem::AccessInvalid) }
}

#[cfg(test)]
mod tests;
