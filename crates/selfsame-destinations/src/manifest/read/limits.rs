//! What a vendor allows.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Limits, Reader};

impl Reader<'_> {
    pub(super) fn limits(&mut self, value: Option<&Value>) -> Limits {
        let of = |name: &str| value.and_then(|value| value.get(name));
        let count = |name: &str| of(name).and_then(Value::as_u64);
        let zone = of("daily_zone").and_then(Value::as_str);
        let daily_zone = zone.and_then(|name| {
            let found = TimeZone::get(name).ok();
            if found.is_none() {
                let message = format!("there is no time zone `{name}`");
                self.problems.add("/limits/daily_zone", message);
            }
            found
        });
        Limits {
            requests_per_second: of("requests_per_second").and_then(Value::as_f64),
            concurrency: count("concurrency"),
            max_body_bytes: count("max_body_bytes"),
            timeout_seconds: count("timeout_seconds"),
            daily_requests: count("daily_requests"),
            daily_counts_events: of("daily_counts").and_then(Value::as_str) == Some("events"),
            daily_zone,
        }
    }
}
