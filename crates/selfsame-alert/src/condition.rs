//! What a rule looks for.

use serde::{Deserialize, Serialize};

use crate::rule::RuleError;
use crate::span::Span;

/// A condition. Lists name what is looked at; where they are empty, it is everything of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// A source that had events has none for so long; where it is not said how long, for longer than is
    /// usual for it.
    SourceSilent {
        /// The sources.
        #[serde(default)]
        sources: Vec<String>,
        /// For how long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Span>,
    },
    /// A source had that much more or less events in a day than in the day before.
    SourceVolume {
        /// The sources.
        #[serde(default)]
        sources: Vec<String>,
        /// By how many percent.
        percent: u32,
        /// Fewest events of the larger of the two days.
        #[serde(default = "thousand")]
        events: u64,
    },
    /// So much of what a source sent was set aside.
    EventsRejected {
        /// The sources.
        #[serde(default)]
        sources: Vec<String>,
        /// From how many percent on.
        percent: u32,
        /// Fewest events that were set aside.
        #[serde(default = "twenty")]
        events: u64,
        /// Within the last so long.
        #[serde(default = "hour")]
        within: Span,
    },
    /// So much of what a source sent was there before: a message id that is sent again and again
    /// silences a source.
    EventsRepeated {
        /// The sources.
        #[serde(default)]
        sources: Vec<String>,
        /// From how many percent on.
        percent: u32,
        /// Fewest events that were there before.
        #[serde(default = "thousand")]
        events: u64,
        /// Within the last so long.
        #[serde(default = "hour")]
        within: Span,
    },
    /// A receiver fails, or a destination that is switched on cannot be spoken to.
    DestinationFailing {
        /// The destinations.
        #[serde(default)]
        destinations: Vec<String>,
    },
    /// A destination waits for somebody to resume it.
    DestinationPaused {
        /// The destinations.
        #[serde(default)]
        destinations: Vec<String>,
    },
    /// A destination is behind by so much of its lag limit, or its oldest waiting event is so old.
    DestinationBehind {
        /// The destinations.
        #[serde(default)]
        destinations: Vec<String>,
        /// From how many percent of the lag limit on.
        percent: u32,
        /// From which age of the oldest waiting event on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        age: Option<Span>,
    },
    /// So much of what a destination was sent became dead letters.
    DeadLetters {
        /// The destinations.
        #[serde(default)]
        destinations: Vec<String>,
        /// From how many percent on.
        percent: u32,
        /// Fewest dead letters.
        #[serde(default = "twenty")]
        letters: u64,
        /// Within the last so long.
        #[serde(default = "hour")]
        within: Span,
    },
    /// What a destination accepted is not what became of it: a bug.
    Unaccounted {
        /// The destinations.
        #[serde(default)]
        destinations: Vec<String>,
    },
    /// So many records are durable and not folded yet.
    FoldBehind {
        /// From how many on.
        records: u64,
    },
    /// The disk of the data folder is nearly full.
    DiskLow {
        /// Below how many percent that are free.
        percent: u32,
        /// Below how many bytes that are free.
        #[serde(default)]
        bytes: u64,
    },
    /// An audience became that much larger or smaller.
    AudienceSize {
        /// The audiences: the id of the space, a slash, and that of the audience.
        #[serde(default)]
        audiences: Vec<String>,
        /// By how many percent.
        percent: u32,
        /// Fewest members of the larger of the two sizes.
        #[serde(default = "hundred")]
        members: u64,
        /// Within the last so long.
        #[serde(default = "day")]
        within: Span,
    },
    /// The health of identity has an alarm: `giant_profile`, `shared_identifier`, `merges`, `violations`
    /// or `unattached`.
    IdentityHealth {
        /// The spaces.
        #[serde(default)]
        spaces: Vec<String>,
        /// The kinds of alarms.
        #[serde(default)]
        alarms: Vec<String>,
    },
    /// The machine's clock was set back: log time waits for it.
    ClockHeld {
        /// By how long.
        by: Span,
    },
}

fn twenty() -> u64 {
    20
}

fn hundred() -> u64 {
    100
}

fn thousand() -> u64 {
    1_000
}

fn hour() -> Span {
    Span::hours(1)
}

fn day() -> Span {
    Span::hours(24)
}

/// How far back counts are remembered.
const REMEMBERED: Span = Span::hours(24);

impl Condition {
    /// The word that names its kind.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SourceSilent { .. } => "source_silent",
            Self::SourceVolume { .. } => "source_volume",
            Self::EventsRejected { .. } => "events_rejected",
            Self::EventsRepeated { .. } => "events_repeated",
            Self::DestinationFailing { .. } => "destination_failing",
            Self::DestinationPaused { .. } => "destination_paused",
            Self::DestinationBehind { .. } => "destination_behind",
            Self::DeadLetters { .. } => "dead_letters",
            Self::Unaccounted { .. } => "unaccounted",
            Self::FoldBehind { .. } => "fold_behind",
            Self::DiskLow { .. } => "disk_low",
            Self::AudienceSize { .. } => "audience_size",
            Self::IdentityHealth { .. } => "identity_health",
            Self::ClockHeld { .. } => "clock_held",
        }
    }

    /// Whether its numbers can be met.
    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let (percent, most, within) = match self {
            Self::EventsRejected { percent, within, .. }
            | Self::EventsRepeated { percent, within, .. }
            | Self::DeadLetters { percent, within, .. } => (*percent, 100, *within),
            Self::SourceVolume { percent, .. } => (*percent, 10_000, day()),
            Self::AudienceSize { percent, within, .. } => (*percent, 10_000, *within),
            Self::DestinationBehind { percent, .. } => (*percent, 100, hour()),
            Self::DiskLow { percent, .. } => (*percent, 99, hour()),
            Self::SourceSilent { .. }
            | Self::DestinationFailing { .. }
            | Self::DestinationPaused { .. }
            | Self::Unaccounted { .. }
            | Self::FoldBehind { .. }
            | Self::IdentityHealth { .. }
            | Self::ClockHeld { .. } => return Ok(()),
        };
        let bytes = matches!(self, Self::DiskLow { bytes, .. } if *bytes > 0);
        if percent > most || (percent == 0 && !bytes) {
            let reason = "percent is at least 1, and at most 100 of a share, 99 of a disk and 10000 of a change";
            return Err(RuleError { field: "when.percent", reason });
        }
        if within < Span::minutes(5) || within > REMEMBERED {
            let reason = "within is at least 5m and at most 24h";
            return Err(RuleError { field: "when.within", reason });
        }
        Ok(())
    }
}
