//! How long something takes: `90s`, `30m`, `2h` or `7d`.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(u32);

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// The longest that there is.
const MOST_SECONDS: u32 = 30 * 86_400;

impl Span {
    /// So many seconds, at most thirty days.
    pub const fn seconds(seconds: u32) -> Self {
        Self(if seconds > MOST_SECONDS { MOST_SECONDS } else { seconds })
    }

    /// So many minutes.
    pub const fn minutes(minutes: u32) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// So many hours.
    pub const fn hours(hours: u32) -> Self {
        Self::seconds(hours.saturating_mul(3_600))
    }

    /// In seconds.
    pub const fn as_seconds(self) -> i64 {
        // A `From` is not const.
        self.0 as i64
    }
}

/// A text that says no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSpan;

impl fmt::Display for NoSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time is such as 90s, 30m, 2h or 7d, and at most 30d")
    }
}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let unit =
            UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)));
        let (count, seconds) = unit.ok_or(NoSpan)?;
        if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoSpan);
        }
        let seconds = count.parse::<u32>().ok().and_then(|count| count.checked_mul(*seconds));
        seconds.filter(|seconds| *seconds <= MOST_SECONDS).map(Self).ok_or(NoSpan)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, seconds): &&(char, u32)| self.0.is_multiple_of(*seconds);
        match UNITS.iter().filter(|_| self.0 > 0).find(whole) {
            Some((unit, seconds)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A length of time as people say it.
pub(crate) fn said(seconds: i64) -> String {
    match seconds {
        0..=119 => format!("{seconds} seconds"),
        120..=7_199 => format!("{} minutes", seconds / 60),
        7_200..=172_799 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
