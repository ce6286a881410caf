//! Identity tokens: a backend's word, in a JWT, that the sender of an event is a certain user.
//!
//! ```text
//! base64url({"alg":"HS256","kid":"…"}) . base64url({"sub":…,"aud":…,"exp":…}) . base64url(signature)
//! ```
//!
//! A key says by which algorithm its signatures are made; what the token says of that only chooses
//! among keys. So there is no unsigned token, and a public key is never a secret. Whether a secret
//! made a signature is found out in constant time, and before anything else in the token is believed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use selfsame_event::{Time, TokenVerdict, limits};
use serde::Deserialize;
use serde_json::Number;

/// How far the clocks of two servers may be apart.
const LEEWAY_SECONDS: f64 = 60.0;
/// Fewest bytes of a secret: what RFC 7518 asks for HS256.
const SECRET_BYTES: usize = 32;
const POINT_BYTES: usize = 65;
const UNCOMPRESSED: u8 = 4;
/// What stands before the point in the DER form of a P-256 public key.
const SPKI: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\
    \x3d\x03\x01\x07\x03\x42\x00";

/// Checks the signatures of one key.
#[derive(Clone)]
pub struct TokenKey {
    id: String,
    check: Check,
}

#[derive(Clone)]
enum Check {
    Hs256(hmac::Key),
    Es256([u8; POINT_BYTES]),
}

/// Why something is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenKeyError {
    /// Too short to be a secret.
    #[error("a secret has at least 32 bytes")]
    ShortSecret,
    /// Neither a PEM nor a JWK of a public key on P-256.
    #[error("a public key is a PEM (`-----BEGIN PUBLIC KEY-----`) or a JWK of the curve P-256")]
    PublicKey,
    /// A key that signs where one that checks is wanted.
    #[error("this is a private key: it stays with whoever signs; give the public one")]
    PrivateKey,
}

impl TokenKeyError {
    /// What the caller can do about it.
    pub fn class(self) -> selfsame_event::Class {
        selfsame_event::Class::Invalid
    }
}

impl TokenKey {
    /// A key of HS256: the bytes of the secret's text.
    pub fn hs256(id: &str, secret: &str) -> Result<Self, TokenKeyError> {
        if secret.len() < SECRET_BYTES {
            return Err(TokenKeyError::ShortSecret);
        }
        let check = Check::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        Ok(Self { id: id.to_owned(), check })
    }

    /// A key of ES256: a public key as PEM or JWK.
    pub fn es256(id: &str, text: &str) -> Result<Self, TokenKeyError> {
        let text = text.trim();
        let point = if text.starts_with('{') { jwk(text)? } else { pem(text)? };
        // Whether the point is on the curve is looked at with each signature.
        match point[0] {
            UNCOMPRESSED => Ok(Self { id: id.to_owned(), check: Check::Es256(point) }),
            _ => Err(TokenKeyError::PublicKey),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self.check {
            Check::Hs256(_) => "HS256",
            Check::Es256(_) => "ES256",
        }
    }

    pub(crate) fn made(&self, signed: &[u8], by: &[u8]) -> bool {
        match &self.check {
            Check::Hs256(key) => hmac::verify(key, signed, by).is_ok(),
            Check::Es256(point) => {
                let algorithm = &signature::ECDSA_P256_SHA256_FIXED;
                signature::UnparsedPublicKey::new(algorithm, point).verify(signed, by).is_ok()
            }
        }
    }
}

/// A key is a secret: `Debug` shows which one it is.
impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({}, {}, …)", self.id, self.algorithm())
    }
}

fn jwk(text: &str) -> Result<[u8; POINT_BYTES], TokenKeyError> {
    #[derive(Deserialize)]
    struct Jwk {
        kty: String,
        crv: String,
        x: String,
        y: String,
        d: Option<serde::de::IgnoredAny>,
    }
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| TokenKeyError::PublicKey)?;
    if jwk.d.is_some() {
        return Err(TokenKeyError::PrivateKey);
    }
    if jwk.kty != "EC" || jwk.crv != "P-256" {
        return Err(TokenKeyError::PublicKey);
    }
    let mut point = vec![UNCOMPRESSED];
    for coordinate in [jwk.x, jwk.y] {
        let bytes = URL_SAFE_NO_PAD.decode(coordinate).map_err(|_| TokenKeyError::PublicKey)?;
        point.extend(bytes);
    }
    point.try_into().map_err(|_| TokenKeyError::PublicKey)
}

fn pem(text: &str) -> Result<[u8; POINT_BYTES], TokenKeyError> {
    if text.contains("PRIVATE KEY-----") {
        return Err(TokenKeyError::PrivateKey);
    }
    let inner = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----")
        .and_then(|text| text.strip_suffix("-----END PUBLIC KEY-----"))
        .ok_or(TokenKeyError::PublicKey)?;
    let inner: String = inner.split_whitespace().collect();
    let der = base64::engine::general_purpose::STANDARD.decode(inner);
    let der = der.map_err(|_| TokenKeyError::PublicKey)?;
    let point = der.strip_prefix(SPKI).ok_or(TokenKeyError::PublicKey)?;
    point.try_into().map_err(|_| TokenKeyError::PublicKey)
}

/// The identity keys of a source.
#[derive(Debug, Clone, Default)]
pub struct TokenKeys(pub Vec<TokenKey>);

/// What a token is to prove.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'w> {
    /// The write key of the request.
    pub(crate) audience: &'w str,
    /// The event's user id.
    pub(crate) subject: Option<&'w str>,
    /// The time.
    pub(crate) now: Time,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Payload {
    sub: String,
    aud: Audience,
    exp: Number,
    nbf: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The tokens of one request: each is opened once, and not too many of them.
#[derive(Debug)]
pub(crate) struct Opener<'k> {
    keys: &'k TokenKeys,
    opened: Vec<(String, Result<Payload, TokenVerdict>)>,
}

impl<'k> Opener<'k> {
    pub(crate) fn new(keys: &'k TokenKeys) -> Self {
        Self { keys, opened: Vec::new() }
    }

    /// What a token proves.
    pub(crate) fn check(&mut self, token: &str, wanted: &Wanted<'_>) -> TokenVerdict {
        let known = self.opened.iter().position(|(known, _)| known == token);
        let place = match known {
            Some(place) => place,
            None if self.opened.len() >= limits::REQUEST_TOKENS => return TokenVerdict::TooMany,
            None => {
                self.opened.push((token.to_owned(), self.keys.open(token)));
                self.opened.len() - 1
            }
        };
        let proven = match &self.opened[place].1 {
            Ok(payload) => payload.proves(wanted),
            Err(verdict) => Err(*verdict),
        };
        proven.err().unwrap_or(TokenVerdict::Valid)
    }
}

impl TokenKeys {
    /// The user that a token proves, to whoever sends with that write key.
    pub(crate) fn subject(
        &self,
        token: &str,
        audience: &str,
        now: Time,
    ) -> Result<String, TokenVerdict> {
        let payload = self.open(token)?;
        payload.proves(&Wanted { audience, subject: Some(&payload.sub), now })?;
        Ok(payload.sub)
    }

    /// What a token says, if one of the keys made its signature.
    fn open(&self, token: &str) -> Result<Payload, TokenVerdict> {
        if token.len() > limits::TOKEN_BYTES {
            return Err(TokenVerdict::Malformed);
        }
        let (signed, by) = token.rsplit_once('.').ok_or(TokenVerdict::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenVerdict::Malformed)?;
        let header: Header = part(header)?;
        if !matches!(&*header.alg, "HS256" | "ES256") {
            return Err(TokenVerdict::Algorithm);
        }
        // An extension that has to be understood is not understood.
        if header.crit.is_some() {
            return Err(TokenVerdict::Malformed);
        }
        let mut keys = self
            .0
            .iter()
            .filter(|key| key.algorithm() == header.alg)
            .filter(|key| header.kid.as_ref().is_none_or(|kid| *kid == key.id))
            .peekable();
        if keys.peek().is_none() {
            return Err(TokenVerdict::NoKey);
        }
        let by = URL_SAFE_NO_PAD.decode(by).map_err(|_| TokenVerdict::Malformed)?;
        if !keys.any(|key| key.made(signed.as_bytes(), &by)) {
            return Err(TokenVerdict::Signature);
        }
        part(payload)
    }
}

impl Payload {
    fn proves(&self, wanted: &Wanted<'_>) -> Result<(), TokenVerdict> {
        let now = wanted.now.micros() as f64 / 1e6;
        let seconds = |number: &Number| number.as_f64().ok_or(TokenVerdict::Malformed);
        if seconds(&self.exp)? + LEEWAY_SECONDS <= now {
            return Err(TokenVerdict::Expired);
        }
        if let Some(begins) = &self.nbf
            && seconds(begins)? - LEEWAY_SECONDS > now
        {
            return Err(TokenVerdict::NotYet);
        }
        let is_for_us = match &self.aud {
            Audience::One(one) => one == wanted.audience,
            Audience::Several(all) => all.iter().any(|one| one == wanted.audience),
        };
        match wanted.subject {
            _ if !is_for_us => Err(TokenVerdict::Audience),
            Some(subject) if subject == self.sub => Ok(()),
            _ => Err(TokenVerdict::Subject),
        }
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, TokenVerdict> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenVerdict::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenVerdict::Malformed)
}

#[cfg(test)]
mod tests;
