//! Every setting: its section, key, kind, default and sentence. One table, of which the structs, the
//! defaults and `docs/reference/settings.md` are made.

use std::path::PathBuf;

use selfsame_collect::CollectConfig;
use selfsame_deliver::{AttemptLimits, DeliverConfig, RetryBudget};
use serde::{Deserialize, Serialize};

/// A section of the reference: its name, its sentence, and its keys with theirs.
#[cfg(test)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) keys: &'static [(&'static str, &'static str)],
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $section:ident: $name:ident {
            $($(#[doc = $about:literal])+ $key:ident: $type:ty = $default:expr;)+
        }
    )+) => {
        /// Every setting.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct Settings {
            $($(#[doc = $doc])+ pub(crate) $section: $name,)+
        }

        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub(crate) struct $name {
                $($(#[doc = $about])+ pub(crate) $key: $type,)+
            }

            impl Default for $name {
                fn default() -> Self {
                    Self { $($key: $default,)+ }
                }
            }
        )+

        /// What the reference says.
        #[cfg(test)]
        pub(crate) const SECTIONS: &[Section] = &[$(Section {
            name: stringify!($section),
            about: concat!($($doc),+),
            keys: &[$((stringify!($key), concat!($($about),+)),)+],
        },)+];
    };
}

settings! {
    /// Where it listens and keeps its data.
    server: ServerSettings {
        /// The data folder.
        data: PathBuf = PathBuf::from("selfsame-data");
        /// The file with the key that seals secrets; empty: `key` in the data folder. It is made if it is
        /// not there.
        key_file: PathBuf = PathBuf::new();
        /// Whether to start although secrets cannot be opened: their destinations wait, and identity tokens
        /// that they check prove nothing.
        start_locked: bool = false;
        /// The address that SDKs and the APIs use.
        listen: String = "127.0.0.1:8080".to_owned();
        /// An address of its own for the Control API and the metrics; empty: the same one.
        control_listen: String = String::new();
        /// The certificate chain, PEM; empty: no TLS.
        tls_cert: PathBuf = PathBuf::new();
        /// Its key, PEM.
        tls_key: PathBuf = PathBuf::new();
        /// Whether an address other than loopback may be served without TLS.
        plain_http: bool = false;
        /// Most connections at once. More wait to be accepted.
        connections: usize = 10_000;
        /// How long a connection may take to send the head of a request.
        header_seconds: u64 = 5;
        /// How the server's log is written: `text` or `json`.
        log_format: String = "text".to_owned();
    }

    /// How events come in.
    collect: CollectSettings {
        /// Largest body of a route that takes one event.
        event_bytes: usize = CollectConfig::default().event_bytes;
        /// Largest body of a route that takes a batch.
        batch_bytes: usize = CollectConfig::default().batch_bytes;
        /// Most bytes of bodies held at once.
        in_flight_bytes: usize = CollectConfig::default().in_flight_bytes;
        /// How long a body may take in all.
        body_seconds: u32 = CollectConfig::default().body_seconds;
        /// Networks of proxies whose forwarded addresses are believed.
        trusted_proxies: Vec<String> = Vec::new();
        /// Whether an IPv6 address of a customer's connection is kept.
        collect_ipv6: bool = CollectConfig::default().collect_ipv6;
        /// What OAuth clients may call this server in the `aud` of their assertions; empty: the address of
        /// the request and `/oauth2`, such as `https://cdp.example.com/oauth2`.
        oauth_audiences: Vec<String> = Vec::new();
        /// Origins whose pages send events with credentials.
        credential_origins: Vec<String> = CollectConfig::default().credential_origins;
    }

    /// The event log and its retention.
    log: LogSettings {
        /// How large a segment becomes.
        segment_bytes: u32 = 64 << 20;
        /// After how many days records may be removed; 0: never.
        retention_days: u64 = 0;
        /// Above how many bytes of log the oldest records may be removed; 0: never.
        retention_bytes: u64 = 0;
    }

    /// Deliveries to destinations.
    deliver: DeliverSettings {
        /// For how many hours a destination may be behind. Beyond, it is paused, and what it missed is a
        /// dead range; 0: for ever.
        lag_limit_hours: u64 = 72;
        /// How many bytes of log a destination may be behind; 0: any number.
        lag_limit_bytes: u64 = 10_000_000_000;
        /// Failed events of a destination that are set aside. Beyond, its cursor stops.
        failed_events: usize = DeliverConfig::default().exception_limit;
        /// Failed events of one profile that are set aside. Beyond, the destination's cursor stops.
        failed_events_per_profile: usize = DeliverConfig::default().profile_exception_limit;
        /// Dead letters of a destination. Beyond, failures are retried on.
        dead_letters: usize = DeliverConfig::default().dead_letter_limit;
        /// A folder of manifests of destinations, beside those of the program; empty: there is none. It is
        /// looked at every second.
        destinations: PathBuf = PathBuf::new();
        /// How many bytes of attempts are kept of a destination, to be searched. Beyond, the oldest go.
        attempt_bytes: u64 = AttemptLimits::default().bytes;
        /// For how many days attempts are kept, to be searched.
        attempt_days: u64 = 7;
        /// How many retries a destination gets, in hundredths of its first attempts.
        retry_percent: u32 = RetryBudget::default().percent;
        /// How many retries a second it may always get.
        retries_per_second: u32 = RetryBudget::default().floor_per_second;
        /// About how many requests to destinations may be under way at once. Each destination has its share.
        requests: usize = DeliverConfig::default().requests;
    }

    /// The console.
    console: ConsoleSettings {
        /// For how many days it is kept who did what; 0: for ever.
        audit_days: u64 = 400;
    }

    /// Alerts.
    alerts: AlertSettings {
        /// Hosts of mail servers that alerts may be sent through although their addresses are not public.
        mail_relays: Vec<String> = Vec::new();
    }

    /// Memory and checkpoints.
    engine: EngineSettings {
        /// Memory for hot profile state, identifiers included.
        memory_bytes: usize = 620 << 20;
        /// After how many events a checkpoint begins.
        checkpoint_events: u64 = 150_000;
        /// After how many seconds a checkpoint begins, if anything was folded.
        checkpoint_seconds: u64 = 30;
        /// For how many hours of log time a `messageId` is remembered.
        dedupe_hours: u64 = selfsame_dedupe::Config::default().window.as_secs() / 3600;
        /// Disk for remembered message ids. Beyond: the window shrinks, with an alarm.
        dedupe_disk_bytes: u64 = selfsame_dedupe::Config::default().disk_budget_bytes;
        /// How much of one processor new definitions may take to be computed over the history, in percent.
        compute_percent: u64 = 30;
        /// Memory for remembered message ids.
        dedupe_memory_bytes: u64 = selfsame_dedupe::Config::default().memory_budget_bytes;
    }
}
