//! Settings.

use std::time::Duration;

use selfsame_event::limits;
use serde::Deserialize;

use crate::Network;

/// `[collect]`: how events come in over HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollectConfig {
    /// Largest body of a route that takes one event, compressed or not.
    pub event_bytes: usize,
    /// Largest body of a route that takes a batch, compressed or not.
    pub batch_bytes: usize,
    /// Most bytes of bodies held at once, over all requests. Beyond: 429.
    pub in_flight_bytes: usize,
    /// How long a body may take in all. Beyond: 408.
    pub body_seconds: u32,
    /// How long a body may be as slow as it likes.
    pub body_grace_seconds: u32,
    /// How fast a body must come once the grace is over, on average. Slower: 408.
    pub body_bytes_per_second: u32,
    /// How many times larger than its compressed form a body of more than 64 KiB may be.
    pub gzip_ratio: u32,
    /// What `Retry-After` says when too many bytes are in flight or the disk is full.
    pub retry_after_seconds: u32,
    /// The networks of proxies in front of the server (`"10.0.0.0/8"`), whose `X-Forwarded-For`,
    /// `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether an IPv6 address of a customer's connection is kept as `context.ip`.
    pub collect_ipv6: bool,
    /// Origins (`"https://shop.example"`) whose pages send events with credentials.
    pub credential_origins: Vec<String>,
    /// How long a browser or proxy may keep the settings document.
    pub settings_cache_seconds: u32,
    /// How long a browser or proxy may keep the script.
    pub script_cache_seconds: u32,
}

impl Default for CollectConfig {
    fn default() -> Self {
        Self {
            event_bytes: limits::EVENT_BYTES,
            batch_bytes: limits::BATCH_BYTES,
            in_flight_bytes: 64 << 20,
            body_seconds: 60,
            body_grace_seconds: 10,
            body_bytes_per_second: 1_024,
            gzip_ratio: 400,
            retry_after_seconds: 1,
            trusted_proxies: Vec::new(),
            collect_ipv6: false,
            credential_origins: Vec::new(),
            settings_cache_seconds: 60,
            script_cache_seconds: 300,
        }
    }
}

impl CollectConfig {
    /// By when, after the start of a body, more of it must have come.
    pub(crate) fn patience(&self, received: usize) -> Duration {
        let total = Duration::from_secs(self.body_seconds.into());
        let rate = u64::from(self.body_bytes_per_second.max(1));
        let earned = Duration::from_millis((received as u64).saturating_mul(1_000) / rate);
        total.min(Duration::from_secs(self.body_grace_seconds.into()) + earned)
    }
}
