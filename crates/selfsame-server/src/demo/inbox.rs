//! The demo's own receiver: what a partner's server would get, with its signature checked.
//!
//! The check is written from the words of Standard Webhooks 1.0.0 and shares no code with delivery,
//! so that the demo would show it if the two disagreed.
//!
//! **Invariants:** the newest [`KEPT`] deliveries are kept; one that comes again by its id is
//! answered, and not kept twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use hyper::HeaderMap;
use selfsame_event::Time;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use tokio::sync::broadcast;

/// How many deliveries are kept.
const KEPT: usize = 500;
/// How far a delivery's time may be from ours.
const TOLERANCE_SECONDS: i64 = 5 * 60;

/// One delivery.
#[derive(Debug, Serialize)]
pub(super) struct Delivery {
    pub(super) webhook_id: String,
    received_at: String,
    pub(super) signature_valid: bool,
    r#type: String,
    event: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) anonymous_id: Option<String>,
    pub(super) profile_id: Option<String>,
    body: Box<RawValue>,
}

/// What was delivered.
#[derive(Debug)]
pub(super) struct Inbox {
    secret: [u8; 32],
    kept: Mutex<Kept>,
    news: broadcast::Sender<Arc<Delivery>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The newest first.
    deliveries: VecDeque<Arc<Delivery>>,
    total: u64,
}

/// What the inbox answers to `GET`.
#[derive(Debug, Serialize)]
pub(super) struct Listing {
    deliveries: Vec<Arc<Delivery>>,
    total: u64,
}

/// What a delivery says of its event.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    r#type: String,
    event: Option<String>,
    name: Option<String>,
    user_id: Option<String>,
    anonymous_id: Option<String>,
    profile_id: Option<String>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    Kept,
    Known,
    BadSignature,
    Unreadable,
}

impl Inbox {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self { secret, kept: Mutex::default(), news: broadcast::Sender::new(KEPT) }
    }

    /// The secret as a destination is given it.
    pub(super) fn secret(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.secret))
    }

    /// Takes a delivery. One with a bad signature is kept as well, to be seen.
    pub(super) fn receive(&self, headers: &HeaderMap, body: &Bytes, now: Time) -> Received {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let id = header("webhook-id").unwrap_or_default().to_owned();
        let said = serde_json::from_slice::<Said>(body);
        let whole = serde_json::from_slice::<Box<RawValue>>(body);
        let (Ok(said), Ok(body_json)) = (said, whole) else { return Received::Unreadable };
        let signature_valid = self.is_signed(headers, body, now);
        let delivery = Arc::new(Delivery {
            webhook_id: id,
            received_at: now.to_string(),
            signature_valid,
            r#type: said.r#type,
            event: said.event.or(said.name),
            user_id: said.user_id,
            anonymous_id: said.anonymous_id,
            profile_id: said.profile_id,
            body: body_json,
        });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |one: &Arc<Delivery>| {
            one.webhook_id == delivery.webhook_id && one.signature_valid >= signature_valid
        };
        if kept.deliveries.iter().any(known) {
            return if signature_valid { Received::Known } else { Received::BadSignature };
        }
        kept.deliveries.push_front(Arc::clone(&delivery));
        kept.deliveries.truncate(KEPT);
        kept.total += 1;
        drop(kept);
        // Nobody may be following.
        drop(self.news.send(delivery));
        if signature_valid { Received::Kept } else { Received::BadSignature }
    }

    fn is_signed(&self, headers: &HeaderMap, body: &[u8], now: Time) -> bool {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(id), Some(timestamp), Some(signatures)) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
        else {
            return false;
        };
        let seconds = timestamp.parse::<i64>().ok();
        let age = seconds.map(|at| (now.millis() / 1_000).abs_diff(at));
        if age.is_none_or(|age| age > TOLERANCE_SECONDS.unsigned_abs()) {
            return false;
        }
        signatures.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|signature| {
            let Ok(signature) = STANDARD.decode(signature) else { return false };
            let mut mac =
                Hmac::<Sha256>::new_from_slice(&self.secret).expect("a key may have any length");
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            mac.verify_slice(&signature).is_ok()
        })
    }

    /// The newest deliveries.
    pub(super) fn list(&self, limit: usize) -> Listing {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let deliveries = kept.deliveries.iter().take(limit).cloned().collect();
        Listing { deliveries, total: kept.total }
    }

    /// How many came.
    pub(super) fn total(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    /// Deliveries as they come.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Delivery>> {
        self.news.subscribe()
    }
}

#[cfg(test)]
mod tests;
