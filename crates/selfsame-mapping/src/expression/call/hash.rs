//! Digests and encodings.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::{digest, hmac};

use crate::item::Item;

use super::{Given, Name, md5};

/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let text = given.text()?.into_owned();
    given.budget().spend(text.len())?;
    let made = match given.call.name {
        Name::Base64 => STANDARD.encode(&text),
        Name::Base64Url => URL_SAFE_NO_PAD.encode(&text),
        Name::Base64Decode => decoded(&text)?,
        Name::Hmac => signed(given, &text)?,
        Name::UuidOf => uuid(&text),
        _ if text.is_empty() => return None,
        Name::Sha256 => {
            let digest = digest::digest(&digest::SHA256, text.as_bytes());
            let form = given.argument_text(1);
            formed(digest.as_ref(), form.as_deref())?
        }
        Name::Hashed => hashed(&text),
        Name::Sha512 => digested(&digest::SHA512, &text),
        Name::Sha1 => digested(&digest::SHA1_FOR_LEGACY_USE_ONLY, &text),
        Name::Md5 => hexadecimal(&md5::digest(text.as_bytes())),
        _ => return None,
    };
    given.made(made)
}

fn digested(algorithm: &'static digest::Algorithm, text: &str) -> String {
    hexadecimal(digest::digest(algorithm, text.as_bytes()).as_ref())
}

fn hashed(text: &str) -> String {
    let is_hash = text.len() == SHA256_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { text.to_ascii_lowercase() } else { digested(&digest::SHA256, text) }
}

fn signed(given: &mut Given<'_, '_, '_>, text: &str) -> Option<String> {
    let key = given.argument_text(1)?;
    let algorithm = match given.argument_text(2).as_deref() {
        None | Some("sha256") => hmac::HMAC_SHA256,
        Some("sha512") => hmac::HMAC_SHA512,
        Some("sha1") => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Some(_) => return None,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), text.as_bytes());
    formed(tag.as_ref(), given.argument_text(3).as_deref())
}

/// Bytes as text, in a form that has a name.
fn formed(bytes: &[u8], form: Option<&str>) -> Option<String> {
    match form {
        None | Some("hex") => Some(hexadecimal(bytes)),
        Some("base64") => Some(STANDARD.encode(bytes)),
        Some("base64url") => Some(URL_SAFE_NO_PAD.encode(bytes)),
        Some(_) => None,
    }
}

fn decoded(text: &str) -> Option<String> {
    let digits = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(digits).or_else(|_| URL_SAFE_NO_PAD.decode(digits)).ok()?;
    String::from_utf8(bytes).ok()
}

/// A UUID of version 8 of the first bytes of a SHA-256.
fn uuid(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0_u8; 16];
    for (byte, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *byte = *from;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hexadecimal(&bytes);
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default().to_owned();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
