//! Cursors: opaque to callers, checked when they come back.
//!
//! ```text
//! events   base64 of <unix nanoseconds>::<message id>::<record tie, hex>.<item>.<position>
//! ids      map_<identifier key, hex>
//! search   <anchor, hex>
//! ```

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use selfsame_event::{IdentifierKey, Position, Time};
use selfsame_profile::EntryKey;

use crate::problem::Problem;

fn wrong() -> Problem {
    Problem::invalid("`next` is not a cursor of this resource.")
}

/// The cursor behind an event.
pub(crate) fn of_event(key: EntryKey, message_id: &str) -> String {
    let EntryKey { time, tie, item, position } = key;
    let nanos = i128::from(time.micros()) * 1_000;
    let tie = hex(&tie);
    let Position { partition, offset } = position;
    STANDARD.encode(format!("{nanos}::{message_id}::{tie}.{item}.{partition}.{offset}"))
}

/// The entry that a cursor is behind.
pub(crate) fn event(cursor: &str) -> Result<EntryKey, Problem> {
    read_event(cursor).ok_or_else(wrong)
}

fn read_event(cursor: &str) -> Option<EntryKey> {
    let standard = cursor.replace('-', "+").replace('_', "/").replace(' ', "+");
    let bytes = STANDARD.decode(&standard).or_else(|_| URL_SAFE_NO_PAD.decode(cursor)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (nanos, rest) = text.split_once("::")?;
    let (_, tie) = rest.rsplit_once("::")?;
    let mut parts = tie.split('.');
    let tie = unhex(parts.next()?)?;
    let item = parts.next()?.parse().ok()?;
    let partition = parts.next()?.parse().ok()?;
    let offset = parts.next()?.parse().ok()?;
    let micros = i64::try_from(nanos.parse::<i128>().ok()? / 1_000).ok()?;
    let is_end = parts.next().is_none();
    let position = Position { partition, offset };
    is_end.then(|| EntryKey { time: Time::from_micros(micros), tie, item, position })
}

/// The cursor at an identifier.
pub(crate) fn of_key(key: IdentifierKey, prefix: &str) -> String {
    format!("{prefix}{}", hex(&key.0))
}

/// The identifier that a cursor is at.
pub(crate) fn key(cursor: &str, prefix: &str) -> Result<IdentifierKey, Problem> {
    cursor.strip_prefix(prefix).and_then(unhex).map(IdentifierKey).ok_or_else(wrong)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
