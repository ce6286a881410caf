//! Public keys of OAuth clients.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;

use crate::token::TokenKey;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// The algorithm of an RSA key, as its DER has it: rsaEncryption, without parameters.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// Checks the assertions of a client.
#[derive(Clone)]
pub struct ClientKey {
    id: String,
    check: Check,
}

#[derive(Clone)]
enum Check {
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
    Es256(TokenKey),
}

/// Why something is not the public key of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeyError {
    /// Neither a PEM nor a JWK of a key that can be used.
    #[error(
        "a public key is a PEM (`-----BEGIN PUBLIC KEY-----`) or a JWK, of RSA with 2,048 to 8,192 bits \
         or of the curve P-256"
    )]
    PublicKey,
    /// A key that signs where one that checks is wanted.
    #[error("this is a private key: it stays with whoever signs; give the public one")]
    PrivateKey,
}

impl ClientKeyError {
    /// What the caller can do about it.
    pub fn class(self) -> selfsame_event::Class {
        selfsame_event::Class::Invalid
    }
}

impl ClientKey {
    /// Reads a public key, PEM or JWK, of RSA or of the curve P-256.
    pub fn read(id: &str, text: &str) -> Result<Self, ClientKeyError> {
        let text = text.trim();
        if text.contains("PRIVATE KEY-----") {
            return Err(ClientKeyError::PrivateKey);
        }
        let check = match read_rsa(text) {
            Some(rsa) => Check::Rs256(rsa?),
            None => Check::Es256(TokenKey::es256(id, text).map_err(|error| match error {
                crate::token::TokenKeyError::PrivateKey => ClientKeyError::PrivateKey,
                _ => ClientKeyError::PublicKey,
            })?),
        };
        Ok(Self { id: id.to_owned(), check })
    }

    /// The `kid` of its assertions.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of its algorithm in a JWT.
    pub fn algorithm(&self) -> &'static str {
        match self.check {
            Check::Rs256(_) => "RS256",
            Check::Es256(_) => "ES256",
        }
    }

    pub(super) fn made(&self, signed: &[u8], by: &[u8]) -> bool {
        match &self.check {
            Check::Rs256(rsa) => rsa.verify(&RSA_PKCS1_2048_8192_SHA256, signed, by).is_ok(),
            Check::Es256(key) => key.made(signed, by),
        }
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientKey({}, {})", self.id, self.algorithm())
    }
}

/// An RSA key; `None` for a text that says it is something else.
fn read_rsa(text: &str) -> Option<Result<RsaPublicKeyComponents<Vec<u8>>, ClientKeyError>> {
    if text.starts_with('{') {
        #[derive(Deserialize)]
        struct Jwk {
            kty: String,
            n: Option<String>,
            e: Option<String>,
            d: Option<serde::de::IgnoredAny>,
        }
        let jwk: Jwk = serde_json::from_str(text).ok()?;
        if jwk.kty != "RSA" {
            return None;
        }
        if jwk.d.is_some() {
            return Some(Err(ClientKeyError::PrivateKey));
        }
        let number = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        return Some(components(number(jwk.n), number(jwk.e)));
    }
    let body = |kind: &str| {
        let inner = text
            .strip_prefix(&*format!("-----BEGIN {kind}-----"))?
            .strip_suffix(&*format!("-----END {kind}-----"))?;
        STANDARD.decode(inner.split_whitespace().collect::<String>()).ok()
    };
    if let Some(der) = body("RSA PUBLIC KEY") {
        return Some(
            from_der(&der)
                .ok_or(ClientKeyError::PublicKey)
                .and_then(|(n, e)| components(Some(n), Some(e))),
        );
    }
    let der = body("PUBLIC KEY")?;
    let (outer, rest) = take(&der, SEQUENCE)?;
    let (algorithm, after) = take(outer, SEQUENCE)?;
    if algorithm != RSA {
        return None;
    }
    let key = take(after, BIT_STRING).filter(|(_, after)| after.is_empty() && rest.is_empty());
    let key = key.and_then(|(bits, _)| from_der(bits.strip_prefix(&[0])?));
    Some(match key {
        Some((n, e)) => components(Some(n), Some(e)),
        None => Err(ClientKeyError::PublicKey),
    })
}

/// Modulus and exponent of a key as PKCS #1 writes it.
fn from_der(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (inner, rest) = take(der, SEQUENCE)?;
    let (n, after) = take(inner, INTEGER)?;
    let (e, end) = take(after, INTEGER)?;
    (rest.is_empty() && end.is_empty()).then(|| (n.to_vec(), e.to_vec()))
}

/// The content of the DER value at the front, and what is behind it.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let mut length = usize::from(*first);
    if length > 0x7f {
        let (digits, behind) = rest.split_at_checked(length & 0x7f)?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = behind;
    }
    rest.split_at_checked(length)
}

fn components(
    n: Option<Vec<u8>>,
    e: Option<Vec<u8>>,
) -> Result<RsaPublicKeyComponents<Vec<u8>>, ClientKeyError> {
    let plain = |number: Option<Vec<u8>>| {
        let number = number.ok_or(ClientKeyError::PublicKey)?;
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        number.get(zeros..).map(<[u8]>::to_vec).ok_or(ClientKeyError::PublicKey)
    };
    let (n, e) = (plain(n)?, plain(e)?);
    let zeros = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let bits = n.len() * 8 - zeros.min(n.len() * 8);
    let is_exponent = is_odd(&e) && e.len() <= 4 && e != [1];
    if MODULUS_BITS.contains(&bits) && is_odd(&n) && is_exponent {
        Ok(RsaPublicKeyComponents { n, e })
    } else {
        Err(ClientKeyError::PublicKey)
    }
}
