//! How a node is at a moment.

use selfsame_event::Time;

/// What conditions look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// When.
    pub now: Time,
    /// Every source.
    pub sources: Vec<SourceSample>,
    /// Every destination.
    pub destinations: Vec<DestinationSample>,
    /// Every audience that is in force.
    pub audiences: Vec<AudienceSample>,
    /// The disk of the data folder, where it could be asked.
    pub disk: Option<DiskSample>,
    /// Records that are durable and not folded yet.
    pub unfolded: u64,
    /// How far log time is ahead of a clock that was set back, in seconds.
    pub clock_held_seconds: i64,
    /// What the health of identity has, if it was looked at: for each space and kind of alarm.
    pub identity: Option<Vec<IdentitySample>>,
}

/// A source, with what it ever counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceSample {
    /// The id.
    pub id: String,
    /// Events accepted, duplicates not counted.
    pub events: u64,
    /// Events set aside.
    pub rejected: u64,
    /// Events that were there before, with the same content or another.
    pub repeated: u64,
}

/// What a destination does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DestinationState {
    /// It sends.
    #[default]
    Running,
    /// Somebody switched it off.
    Off,
    /// The receiver fails.
    Down,
    /// It sends again when somebody resumes it.
    Paused(&'static str),
    /// It has not begun: nobody knows.
    Unknown,
    /// It is switched on, and cannot be spoken to: its secrets cannot be opened, or it has no function.
    Waiting,
}

/// A destination, with what it ever counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationSample {
    /// The id.
    pub id: String,
    /// What it does.
    pub state: DestinationState,
    /// Why the last attempt failed, if it did, in a word.
    pub failure: Option<&'static str>,
    /// What receivers took.
    pub delivered: u64,
    /// Dead letters, and what is in dead ranges.
    pub dead: u64,
    /// What waits.
    pub pending: u64,
    /// By how much accepted differs from delivered, filtered, dead and pending together.
    pub unaccounted: u64,
    /// How much of its lag limit it is behind, in percent.
    pub behind_percent: u32,
    /// How old the oldest waiting event is, in seconds.
    pub lag_seconds: i64,
}

/// An audience.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudienceSample {
    /// The id of its space, a slash, and its own.
    pub id: String,
    /// Who is in it.
    pub members: u64,
    /// What it says; another number where that was changed.
    pub version: u64,
}

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSample {
    /// Bytes that can be written.
    pub free_bytes: u64,
    /// Bytes in all.
    pub size_bytes: u64,
}

/// Alarms of one kind in the health of identity of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentitySample {
    /// The id of the space.
    pub space: String,
    /// The kind of alarm.
    pub kind: &'static str,
    /// How many there are; 0 where it was looked and there is none.
    pub count: u64,
}
