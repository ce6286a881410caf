//! What a text has to look like.

use std::net::Ipv4Addr;
use std::str::FromStr as _;
use std::sync::LazyLock;

use regex::Regex;

/// A form of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    Date,
    DateTime,
    /// Anything that can be read as a moment.
    DateLike,
    Email,
    Hostname,
    Ipv4,
    Time,
    Uri,
    Uuid,
}

impl TextFormat {
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "time" => Self::Time,
            "uri" => Self::Uri,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Date => "a date such as 2026-11-29",
            Self::DateTime => "a moment such as 2026-11-29T12:00:00Z",
            Self::DateLike => "a date",
            Self::Email => "an address of e-mail",
            Self::Hostname => "the name of a host",
            Self::Ipv4 => "an IPv4 address",
            Self::Time => "a time such as 12:00:00Z",
            Self::Uri => "an absolute address",
            Self::Uuid => "a UUID",
        }
    }

    /// Whether a text is of this form.
    pub(super) fn holds(self, text: &str) -> bool {
        match self {
            Self::Date => is(&DATE, text),
            Self::DateTime => is(&DATE_TIME, text) && jiff_reads(text),
            Self::DateLike => date_like(text),
            Self::Email => is(&EMAIL, text),
            Self::Hostname => is(&HOSTNAME, text) && text.len() <= 253,
            Self::Ipv4 => Ipv4Addr::from_str(text).is_ok(),
            Self::Time => is(&TIME, text),
            Self::Uri => is(&URI, text),
            Self::Uuid => is(&UUID, text),
        }
    }
}

type Pattern = LazyLock<Regex>;

fn is(pattern: &Pattern, text: &str) -> bool {
    pattern.is_match(text)
}

fn compiled(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file")
}

static DATE: Pattern = LazyLock::new(|| compiled(r"^\d{4}-\d\d-\d\d$"));
static TIME: Pattern =
    LazyLock::new(|| compiled(r"^\d\d:\d\d:\d\d(\.\d+)?([zZ]|[+-]\d\d(:?\d\d)?)?$"));
static DATE_TIME: Pattern = LazyLock::new(|| {
    compiled(r"^\d{4}-\d\d-\d\d[tT ]\d\d:\d\d:\d\d(\.\d+)?([zZ]|[+-]\d\d(:?\d\d)?)$")
});
static EMAIL: Pattern = LazyLock::new(|| {
    compiled(concat!(
        r"(?i)^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
        r"@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
    ))
});
static HOSTNAME: Pattern = LazyLock::new(|| {
    compiled(r"(?i)^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$")
});
static URI: Pattern =
    LazyLock::new(|| compiled(r#"(?i)^[a-z][a-z0-9+.-]*:(//)?[^\s<>"\\^`{|}\[\]]+$"#));
static UUID: Pattern = LazyLock::new(|| {
    compiled(r"(?i)^(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
});
/// Dates as people and programs write them; names of months are left to the last one.
static LOOSE: Pattern = LazyLock::new(|| {
    compiled(
        r"^\d{4}([-/]?\d{1,2}([-/]?\d{1,2})?)?([Tt\s]*\d{1,2}(:?\d{1,2}(:?\d{1,2}([.:]?\d+)?)?)?)?\s*([zZ]|[+-]\d\d(:?\d\d)?)?$",
    )
});
static WORDS: Pattern = LazyLock::new(|| {
    compiled(
        r"(?i)(^\d{1,2}[/-]\d{1,2}[/-]\d{2,4}\b)|(\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b.*\d{4})|(\d{4}.*\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)",
    )
});

fn jiff_reads(text: &str) -> bool {
    text.replace(' ', "T").parse::<jiff::Timestamp>().is_ok()
}

fn date_like(text: &str) -> bool {
    let number = text.parse::<f64>().is_ok_and(f64::is_finite);
    number || is(&LOOSE, text) || is(&WORDS, text)
}
