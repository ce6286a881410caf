//! What the one who asked can do about an error.

/// The class of an error. Statuses, retries and log levels are decided from this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request is wrong; sending it again changes nothing.
    Invalid,
    /// Not allowed.
    Denied,
    /// There is no such thing.
    Missing,
    /// Someone else was first; read again, then retry.
    Conflict,
    /// Too much, too fast; retry later.
    Limited,
    /// We or they are not there; retry with backoff.
    Unavailable,
    /// Stored bytes are wrong. Never retried: what owns the bytes stops.
    Corrupt,
    /// We broke our own rule.
    Bug,
}

impl Class {
    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Limited | Self::Unavailable)
    }

    /// The word that metrics and JSON use.
    pub fn label(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::Limited => "limited",
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Bug => "bug",
        }
    }
}
