//! The webhook destination: a POST of JSON, signed as Standard Webhooks 1.0.0 says.
//!
//! ```text
//! webhook-id:        msg_<32 hex digits>      the idempotency key
//! webhook-timestamp: <seconds since 1970>     of this attempt
//! webhook-signature: v1,<base64> [v1,<base64>]   one for each secret, the current one first
//!
//! signed: HMAC-SHA256(secret, "<id>.<timestamp>.<body>")
//! ```
//!
//! The key is derived from (effect, connection, action, and recipient where there is one): a retry, a resend of a dead letter and a
//! restart all carry the same one, so a receiver that remembers keys takes every effect once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use selfsame_event::Time;
use sha2::{Digest, Sha256};

use crate::connection::{Connection, ConnectionId, Secret};
use crate::outbound::{ANSWER_BYTES, Outbound, Request, UrlError};
use crate::told::Recipient;

/// The action of a webhook connection, as it enters the key.
const ACTION: &[u8] = b"webhook";

/// The idempotency key of an effect for a connection.
pub fn key(effect: &[u8; 16], connection: ConnectionId) -> String {
    named(effect, connection, ACTION, &[])
}

/// The idempotency key of what an effect tells one recipient.
pub fn key_to(effect: &[u8; 16], connection: ConnectionId, to: &Recipient) -> String {
    named(effect, connection, ACTION, to)
}

/// The idempotency key of an action of a connection that has actions.
pub(crate) fn key_of_action(
    effect: &[u8; 16],
    connection: ConnectionId,
    action: u8,
    to: Option<&Recipient>,
) -> String {
    let to = to.map_or(&[][..], |to| &to[..]);
    named(effect, connection, &[b'a', b'c', b't', action], to)
}

fn named(effect: &[u8; 16], connection: ConnectionId, action: &[u8], to: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(effect);
    hash.update(connection.0);
    hash.update(action);
    hash.update(to);
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    let mut key = String::with_capacity(36);
    key.push_str("msg_");
    for byte in hash.finalize().iter().take(16) {
        key.extend([digit(byte >> 4), digit(*byte)]);
    }
    key
}

/// The signature of a body.
pub fn sign(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.key()).expect("a key may have any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The request that delivers a body.
pub fn request(
    outbound: &Outbound,
    connection: &Connection,
    id: &str,
    body: Bytes,
    now: Time,
) -> Result<Request, UrlError> {
    let url = outbound.check(&connection.url, connection.allow_loopback)?;
    let timestamp = now.micros().div_euclid(1_000_000);
    let secrets = [Some(&connection.secret), connection.previous_secret.as_ref()];
    let signatures: Vec<_> =
        secrets.into_iter().flatten().map(|secret| sign(secret, id, timestamp, &body)).collect();
    let mut headers = HeaderMap::new();
    let mut header = |name: &'static str, value: String| {
        let value = HeaderValue::try_from(value).map_err(|_| UrlError::Invalid)?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    header("webhook-id", id.to_owned())?;
    header("webhook-timestamp", timestamp.to_string())?;
    header("webhook-signature", signatures.join(" "))?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let Connection { timeout, allow_loopback, .. } = *connection;
    Ok(Request { url, headers, body, timeout, allow_loopback })
}

/// Most bytes kept of a failed answer's body.
const NOTE_BYTES: usize = ANSWER_BYTES;

/// An answer's body, to be kept and shown: at most 64 KiB, control characters and what is not UTF-8
/// escaped.
pub fn note(body: &[u8]) -> String {
    let mut note = String::new();
    let head = body.get(..NOTE_BYTES).unwrap_or(body);
    for letter in String::from_utf8_lossy(head).chars() {
        let before = note.len();
        if letter.is_control() || is_invisible(letter) {
            note.extend(letter.escape_unicode());
        } else {
            note.push(letter);
        }
        if note.len() > NOTE_BYTES {
            note.truncate(before);
            break;
        }
    }
    note
}

/// Characters that reorder or hide what stands around them.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
