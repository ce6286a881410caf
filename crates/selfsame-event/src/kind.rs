//! The six calls of the wire format.

use std::fmt;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventType {
    /// Who somebody is.
    Identify = 1,
    /// What somebody did.
    Track = 2,
    /// Which page somebody saw.
    Page = 3,
    /// Which screen of an app somebody saw.
    Screen = 4,
    /// Which account somebody belongs to.
    Group = 5,
    /// That two ids are one.
    Alias = 6,
}

impl EventType {
    /// Every type, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Identify, Self::Track, Self::Page, Self::Screen, Self::Group, Self::Alias];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The type of that one-letter route (`t`, `i`, …).
    pub fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().get(..1) == Some(letter))
    }

    /// The number that records use.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The type of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
