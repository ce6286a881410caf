//! The day that a vendor counts requests of.

use jiff::{Timestamp, ToSpan as _};

use crate::manifest::Limits;

/// What is counted together, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last 24 hours, at any moment.
    Rolling,
    /// From one midnight to the next.
    Fixed {
        /// When it began.
        from_ms: i64,
        /// When the next one begins.
        until_ms: i64,
    },
}

impl Limits {
    /// The day that a moment is in.
    pub fn window(&self, now_ms: i64) -> Window {
        let fixed = || {
            let zone = self.daily_zone.clone()?;
            let day =
                Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone).start_of_day().ok()?;
            let next = day.checked_add(1.day()).ok()?.start_of_day().ok()?;
            let [from_ms, until_ms] = [day, next].map(|one| one.timestamp().as_millisecond());
            Some(Window::Fixed { from_ms, until_ms })
        };
        fixed().unwrap_or(Window::Rolling)
    }
}

#[cfg(test)]
mod tests;
