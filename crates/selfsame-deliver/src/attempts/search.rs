//! Looking for attempts of a connection, newest first.

use selfsame_event::{ItemPosition, Time};

use super::block::{self, Block};
use super::files::Part;
use super::{AttemptsError, Kept, ProfileMark};
use crate::outcome::Outcome;
use crate::record::Attempt;

/// Files of one search. What is behind them is for the next one.
const FILES: usize = 8;

/// How an attempt ended, to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The receiver took it.
    Delivered,
    /// It did not.
    Failed,
    /// It was not sent.
    Withheld,
}

impl Wanted {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Failed, Self::Withheld];

    /// The word that JSON uses.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
        }
    }

    fn is_of(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Delivered { .. } => self == Self::Delivered,
            Outcome::Failed { .. } => self == Self::Failed,
            Outcome::Withheld(_) | Outcome::Postponed => self == Self::Withheld,
        }
    }
}

/// A row of a file, by which a search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptPlace {
    /// The number of the file.
    pub file: u32,
    /// The number of the row in it.
    pub row: u64,
}

/// What to look for. All of what is given has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptQuery {
    /// Attempts of one of these effects; of any where there is none.
    pub at: Vec<ItemPosition>,
    /// Attempts of effects of a profile with one of these marks.
    pub profiles: Option<Vec<ProfileMark>>,
    /// How they ended.
    pub wanted: Option<Wanted>,
    /// Attempts of this replay; 0: of live events.
    pub replay: Option<u32>,
    /// Attempts that began then or later.
    pub since: Option<Time>,
    /// Attempts before this place.
    pub before: Option<AttemptPlace>,
    /// At most so many.
    pub limit: usize,
}

/// An attempt that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAttempt {
    /// The number of the replay that made it; 0 where it was made for the live event.
    pub replay: u32,
    /// The attempt; of a failed one the note is what the receiver answered, as far as it was read.
    pub attempt: Attempt,
}

/// Attempts that were found, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptPage {
    /// The attempts.
    pub rows: Vec<FoundAttempt>,
    /// What to give as `before` to look on; `None` at the end.
    pub next: Option<AttemptPlace>,
    /// When the oldest attempt began that is kept.
    pub reaches_back_to: Option<Time>,
    /// Whether older ones were removed.
    pub is_cut: bool,
}

impl AttemptQuery {
    fn may_be_in(&self, part: &Part) -> bool {
        let is_in = |at: &ItemPosition| (part.low..=part.high).contains(at);
        let is_early = self.since.is_some_and(|since| part.last < since);
        !is_early && (self.at.is_empty() || self.at.iter().any(is_in))
    }

    fn accepts(&self, replay: u32, Kept { attempt, profile }: &Kept) -> bool {
        let is_profile = |marks: &Vec<ProfileMark>| profile.is_some_and(|one| marks.contains(&one));
        (self.at.is_empty() || self.at.contains(&attempt.at))
            && self.profiles.as_ref().is_none_or(is_profile)
            && self.wanted.is_none_or(|wanted| wanted.is_of(attempt.outcome))
            && self.replay.is_none_or(|wanted| wanted == replay)
            && self.since.is_none_or(|since| attempt.started >= since)
    }
}

pub(super) fn search(parts: Vec<Part>, query: &AttemptQuery) -> Result<AttemptPage, AttemptsError> {
    let filled = parts.iter().find(|part| part.low <= part.high);
    let mut page = AttemptPage {
        rows: Vec::new(),
        next: None,
        reaches_back_to: filled.map(|part| part.first),
        is_cut: parts.first().is_some_and(|part| part.number > 1),
    };
    let mut looked = 0;
    for part in parts.into_iter().rev() {
        let before = query.before.filter(|before| before.file == part.number);
        let is_behind = query.before.is_some_and(|before| before.file < part.number);
        if is_behind || !query.may_be_in(&part) {
            continue;
        }
        if page.rows.len() >= query.limit || looked == FILES {
            page.next = Some(AttemptPlace { file: part.number, row: u64::MAX });
            return Ok(page);
        }
        looked += 1;
        let (blocks, _) = block::blocks(&part.read()?);
        let rows = blocks
            .into_iter()
            .flat_map(|Block { replay, rows, .. }| rows.into_iter().map(move |row| (replay, row)));
        let rows: Vec<_> = (0..).zip(rows).collect();
        for (row, (replay, kept)) in rows.into_iter().rev() {
            if before.is_some_and(|before| row >= before.row) || !query.accepts(replay, &kept) {
                continue;
            }
            if page.rows.len() >= query.limit {
                page.next = Some(AttemptPlace { file: part.number, row: row + 1 });
                return Ok(page);
            }
            page.rows.push(FoundAttempt { replay, attempt: kept.attempt });
        }
    }
    Ok(page)
}
