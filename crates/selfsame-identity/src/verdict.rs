//! The names of what can be wrong with an event's identifiers, as Profiles Insights shows them.

/// A rule that an event met. The event itself is never lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// Nothing on the event identifies anybody; it belongs to no profile.
    NoIdentifiers = 1,
    /// A profile would have had too many values of a type.
    ValueLimit = 2,
    /// A profile would have had too many new values of a type within its window.
    ValueTimeLimit = 3,
    /// The value is blocked.
    ValueBlocked = 4,
    /// The value is too long.
    ValueTooLong = 5,
    /// A profile would have consisted of too many merges.
    MergeLimit = 6,
    /// The profile has too many identifiers for another.
    MappingLimit = 7,
    /// A profile would have held two identifiers that somebody set apart.
    CannotLink = 8,
    /// Nothing proves that the sender is the person that the identifier names.
    Unverified = 9,
    /// Two known people would have become one, and the strategy forbids it.
    KnownPeople = 10,
    /// So many people use the device that it identifies nobody.
    SharedDevice = 11,
}

impl Verdict {
    /// Every verdict, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::NoIdentifiers,
        Self::ValueLimit,
        Self::ValueTimeLimit,
        Self::ValueBlocked,
        Self::ValueTooLong,
        Self::MergeLimit,
        Self::MappingLimit,
        Self::CannotLink,
        Self::Unverified,
        Self::KnownPeople,
        Self::SharedDevice,
    ];

    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoIdentifiers => "No matching identifiers on event",
            Self::ValueLimit => "Identifier value limit exceeded",
            Self::ValueTimeLimit => "Identifier value time limit exceeded",
            Self::ValueBlocked => "ID value blocked",
            Self::ValueTooLong => "Identifier value too long",
            Self::MergeLimit => "Profile merge limit exceeded",
            Self::MappingLimit => "Identifier mapping limit exceeded",
            Self::CannotLink => "Identifiers are set apart",
            Self::Unverified => "Identifier not verified",
            Self::KnownPeople => "Two known people",
            Self::SharedDevice => "Shared device",
        }
    }

    /// The name that metrics and JSON use.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoIdentifiers => "no_identifiers",
            Self::ValueLimit => "identifier_value_limit",
            Self::ValueTimeLimit => "identifier_value_time_limit",
            Self::ValueBlocked => "value_blocked",
            Self::ValueTooLong => "value_too_long",
            Self::MergeLimit => "profile_merge_limit",
            Self::MappingLimit => "identifier_mapping_limit",
            Self::CannotLink => "set_apart",
            Self::Unverified => "identifier_not_verified",
            Self::KnownPeople => "two_known_people",
            Self::SharedDevice => "shared_device",
        }
    }

    /// The verdict of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| *verdict as u8 == code)
    }
}
