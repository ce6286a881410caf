//! Points in time, and the one trait that reads a clock.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Microseconds since 1970-01-01T00:00:00Z. Used for event time and for log time alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// 1970-01-01T00:00:00Z, the earliest effective event time.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z, the latest time that has a four-digit year.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// A time from microseconds since the epoch, held to the years 1970 to 9999.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < 0 {
            Self::EPOCH
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// A time from milliseconds since the epoch, held to the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Days since the epoch; 0 before it.
    pub fn day(self) -> u32 {
        u32::try_from(self.0 / 86_400_000_000).unwrap_or(0)
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This time moved by so many microseconds, held to the years 1970 to 9999.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Reads an ISO 8601 time. A time without a zone is taken as UTC, a date as its midnight in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_micros(text).map(Self::from_micros)
    }

    /// Reads such a time as microseconds since the epoch, in whatever year it is.
    pub fn parse_micros(text: &str) -> Option<i64> {
        let text = text.trim();
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time.as_microsecond());
        }
        let civil = text
            .parse::<DateTime>()
            .or_else(|_| {
                text.parse::<Date>().map(|date| date.to_datetime(jiff::civil::time(0, 0, 0, 0)))
            })
            .ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
    }
}

/// RFC 3339 in UTC with milliseconds, and with microseconds where there are any.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(time) = Timestamp::from_microsecond(self.0) else { return f.write_str("invalid") };
        if self.0 % 1_000 == 0 { write!(f, "{time:.3}") } else { write!(f, "{time:.6}") }
    }
}

/// What reads the time. The engine has none: time is a field of its records.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock. May jump either way.
    fn wall(&self) -> Time;
    /// Microseconds since some fixed moment; never goes back.
    fn monotonic_micros(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the `Clock` that the rule asks for")]
    fn default() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the `Clock` that the rule asks for")]
    fn wall(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time::from_micros(since.ok().and_then(|d| i64::try_from(d.as_micros()).ok()).unwrap_or(0))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
