//! The records of the journal, as JSON: one object each.
//!
//! ```text
//! {"version": 1, "begin": true}                  what is before it is said again behind it
//! {"version": 1, "kept": {"of": connection, "key": idempotency key, "at": microseconds,
//!   "place": number of the request, "digest": hex, "status": 201, "headers": {…}, "body": "…"}}
//! {"version": 1, "forgotten": {"of": connection, "keys": [key…]}}
//! {"version": 1, "spent": {"of": connection, "slot": quarter hours since 1970, "requests": at most so many}}
//! ```

use bytes::Bytes;
use selfsame_destinations::Reply;
use selfsame_event::Time;
use serde_json::{Value, json};

use super::Kept;

const VERSION: u64 = 1;

/// A record of the journal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    Begin,
    Kept { of: String, key: String, at: Time, kept: Kept },
    Forgotten { of: String, keys: Vec<String> },
    Spent { of: String, slot: i64, requests: u64 },
}

impl Record {
    pub(super) fn write(&self) -> Bytes {
        let value = match self {
            Self::Begin => json!({ "version": VERSION, "begin": true }),
            Self::Kept { of, key, at, kept: Kept { place, digest, reply } } => {
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                let Reply { status, headers, body } = reply;
                json!({ "version": VERSION, "kept": { "of": of, "key": key, "at": at.micros(),
                    "place": place, "digest": digest, "status": status, "headers": headers,
                    "body": body } })
            }
            Self::Forgotten { of, keys } => {
                json!({ "version": VERSION, "forgotten": { "of": of, "keys": keys } })
            }
            Self::Spent { of, slot, requests } => {
                json!({ "version": VERSION, "spent": { "of": of, "slot": slot, "requests": requests } })
            }
        };
        value.to_string().into()
    }

    /// Reads a record; none where it is no record of this version.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        if value.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let text = |of: &Value, name: &str| Some(of.get(name)?.as_str()?.to_owned());
        if let Some(kept) = value.get("kept") {
            let reply = Reply {
                status: u16::try_from(kept.get("status")?.as_u64()?).ok()?,
                headers: kept.get("headers")?.as_object()?.clone(),
                body: text(kept, "body")?,
            };
            let place = usize::try_from(kept.get("place")?.as_u64()?).ok()?;
            let digest = digest(kept.get("digest")?.as_str()?)?;
            return Some(Self::Kept {
                of: text(kept, "of")?,
                key: text(kept, "key")?,
                at: Time::from_micros(kept.get("at")?.as_i64()?),
                kept: Kept { place, digest, reply },
            });
        }
        if let Some(forgotten) = value.get("forgotten") {
            let keys = forgotten.get("keys")?.as_array()?.iter();
            let keys = keys.map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>()?;
            return Some(Self::Forgotten { of: text(forgotten, "of")?, keys });
        }
        if let Some(spent) = value.get("spent") {
            let (slot, requests) = (spent.get("slot")?.as_i64()?, spent.get("requests")?.as_u64()?);
            return Some(Self::Spent { of: text(spent, "of")?, slot, requests });
        }
        value.get("begin").map(|_| Self::Begin)
    }
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
