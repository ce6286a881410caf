//! Undo: sets identifiers apart, or lifts that again, as if it had been so since the first event.
//!
//! ```text
//! pairs -> closure: every set connected to one of them through any identifier   (`closure`)
//!       -> resolved again, in the order of the log, under the rules of then     (`again`)
//!       -> Plan: who is who before and after, and the rows to write             (`plan`)
//! ```
//!
//! **Meaning.** The graph is the one that results if the pairs had been set apart (or not) since the
//! first event. No event is read: the evidence is a skeleton of the history (`skeleton`), and only the
//! part that is connected to a pair is resolved again. Nothing else can change, because resolving an
//! event reads nothing but the profiles of its identifiers.
//!
//! **Sections** stay where they are: each belongs to the profile that holds its anchor, and the most
//! trusted identifier of an event is never demoted. Two exceptions: where the cap on mappings stopped
//! it, the event was folded under the next one; and an alias call may have been folded under its
//! `previousId`, which is another identifier once something else is known. Such an anchor may be on no
//! profile when resolved again: then it gets one of its own, so that what was folded under it is not
//! lost ([`Plan::left_over`]).
//!
//! **Much to resolve** takes long. Whoever makes the plan is told how far it is and says whether to go
//! on; and a plan names what it was made from ([`Plan::reads`]): where none of that has changed since, it
//! is the plan still, whoever made it.
//!
//! **Where it is not exact.** A later event of a set is only kept if it mattered (`skeleton`). Where
//! the first event of a set that used to be joined is now refused by a window, or the cap on mappings
//! or a change of rules comes between, a later one might have joined it. [`Plan::uncertain`] counts
//! these sets.

mod again;
mod closure;
mod plan;
mod sides;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::{Class, IdentifierKey, Position, ProfileId, Time};

use crate::apart::Pair;
use crate::compile::Rules;
use crate::number::TypeNumber;
use crate::resolution::LedgerRow;
use crate::resolve::ResolveError;
use crate::row::ComponentId;

pub(crate) use closure::mapped_by;
pub use plan::{apply, plan};
pub use sides::{Split, plan_split, sides_of};
pub use within::plan_within;

/// What is to be set apart, and what no longer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Pairs to set apart.
    pub apart: BTreeSet<Pair>,
    /// Pairs that may be joined again.
    pub lift: BTreeSet<Pair>,
    /// Who asks, in their own words.
    pub by: Arc<str>,
    /// When, in log time.
    pub at: Time,
}

/// How many sets may be resolved again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// In the step of the record that asks for it.
    pub in_step: usize,
    /// At all.
    pub most: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { in_step: 10_000, most: 100_000 }
    }
}

impl Sizes {
    /// For a plan that is made beside the fold: as many in one go as are resolved at all.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { in_step: self.most, ..self }
    }
}

/// How far a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Events of the history that are to be resolved again, as far as they are found.
    pub found: usize,
    /// Those that were.
    pub resolved: usize,
}

/// Is told how far a plan is; says whether to go on.
pub type GoesOn<'g> = &'g mut dyn FnMut(Progress) -> bool;

/// What a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// Identifiers: whose they are, what they are set apart from, where they were left out.
    pub keys: BTreeSet<IdentifierKey>,
    /// Components, and the evidence under them.
    pub components: BTreeSet<ComponentId>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError<E> {
    /// The graph failed.
    #[error(transparent)]
    Resolve(#[from] ResolveError<E>),
    /// It would hold up the events that wait behind it.
    #[error(
        "{sets} sets of identifiers would have to be resolved again, over the {most} of one step"
    )]
    JobNeeded {
        /// How many.
        sets: usize,
        /// How many one step does.
        most: usize,
    },
    /// It was told to stop.
    #[error("it was stopped")]
    Stopped,
    /// It is connected to too much.
    #[error(
        "over {most} sets of identifiers would have to be resolved again; block what links them"
    )]
    TooLarge {
        /// How many are resolved at most.
        most: usize,
        /// The identifiers that were on most of these sets, the first the most.
        hubs: Vec<Hub>,
    },
    /// An identifier that no event of the space carried.
    #[error("one of the identifiers was on no event")]
    Unknown,
    /// Identifiers of users and of accounts never share a profile.
    #[error("one identifies a user and the other an account")]
    Collections,
    /// Nothing would be left on one side.
    #[error("there is nobody to set them apart from")]
    Same,
    /// There is nothing to take off.
    #[error("the profile keeps the rules in force")]
    Within,
    /// What proved an event at its time is not kept with the sets.
    #[error("who is verified cannot be set apart, or what is connected to them")]
    Verified,
    /// Where a device was at an event depends on all events before, and not all are kept.
    #[error(
        "devices that rules let move between people cannot be set apart, or what came with them"
    )]
    Moves,
    /// Rules from before the first that are known.
    #[error("the rules of record {position} are not known")]
    NoRules {
        /// Which record.
        position: Position,
    },
}

impl<E> PlanError<E> {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Resolve(error) => error.class(),
            Self::JobNeeded { .. } | Self::TooLarge { .. } => Class::Limited,
            Self::Unknown => Class::Missing,
            Self::Collections | Self::Same | Self::Verified | Self::Moves => Class::Invalid,
            Self::Stopped | Self::Within => Class::Conflict,
            Self::NoRules { .. } => Class::Corrupt,
        }
    }
}

/// An identifier that is on many sets.
#[derive(Clone, PartialEq, Eq)]
pub struct Hub {
    /// The identifier.
    pub name: Named,
    /// On how many.
    pub sets: usize,
}

/// An identifier with its type and value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Its type.
    pub number: TypeNumber,
    /// Its value.
    pub value: Box<str>,
    /// Its key.
    pub key: IdentifierKey,
}

/// The rules of a space as they changed.
#[derive(Debug, Default)]
pub struct RulesLog(Vec<Rules>);

impl RulesLog {
    /// These rules, in the order in which they came into force.
    pub fn new(rules: Vec<Rules>) -> Self {
        Self(rules)
    }

    /// The rules by which a record is judged.
    pub fn at(&self, record: Position) -> Option<&Rules> {
        self.0.iter().rev().find(|rules| rules.since() < record)
    }

    /// The rules of now.
    pub fn last(&self) -> Option<&Rules> {
        self.0.last()
    }
}

/// A profile with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its id.
    pub profile: ProfileId,
    /// Its root component.
    pub component: ComponentId,
    /// Of how many merges it consists.
    pub merges: u32,
    /// Its identifiers, in the order in which they were mapped.
    pub members: Vec<Named>,
    /// Those under which events are folded.
    pub anchors: Vec<IdentifierKey>,
}

/// An identifier that changes its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The identifier.
    pub name: Named,
    /// The profile that holds it now.
    pub from: Option<ProfileId>,
    /// The profile that will.
    pub to: Option<ProfileId>,
    /// Whether events are folded under it, which then move with it.
    pub has_events: bool,
}

/// What a change would do: everything that it shows before it is applied, and everything to apply.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The profiles that change, as they are.
    pub before: Vec<Cluster>,
    /// The same identifiers' profiles, as they will be.
    pub after: Vec<Cluster>,
    /// The identifiers that change their profile.
    pub moved: Vec<Moved>,
    /// Of the profiles before, those that hold no identifier of the pairs: other people.
    pub others: Vec<ProfileId>,
    /// How many sets of identifiers were resolved again.
    pub sets: usize,
    /// Of how many of them it is not sure that the whole history would give the same. A component that
    /// had more sets than are kept counts as one.
    pub uncertain: usize,
    /// How many identifiers get a profile of their own because events are folded under them, though no
    /// event would map them.
    pub left_over: usize,
    /// Pairs that events of the skeleton meet, and how many do.
    pub met: BTreeMap<Pair, u64>,
    /// What it was made from.
    pub reads: Reads,
    pub(crate) rows: plan::Writes,
    pub(crate) names: Vec<Named>,
    /// The components whose rows of the merge ledger are replaced.
    pub replaced: BTreeSet<ComponentId>,
    /// The rows that replace them.
    pub ledger: Vec<LedgerRow>,
    /// All profiles that were resolved again, before and after.
    pub(crate) counts: [Counts; 2],
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Profiles.
    pub profiles: u64,
    /// Merges that they consist of.
    pub merges: u64,
    /// Pairs that are set apart.
    pub apart: u64,
}

impl Plan {
    /// How many profiles, merges and pairs there are in the part that was resolved again, before and
    /// after.
    pub fn counts(&self) -> [Counts; 2] {
        self.counts
    }

    /// The identifiers of the pairs.
    pub fn names(&self) -> impl Iterator<Item = &Named> {
        self.names.iter()
    }

    /// The plan of the same change with its time, where it was made for a change without one. Nothing
    /// else of a plan depends on when.
    #[must_use]
    pub fn at(mut self, change: &Change) -> Self {
        self.rows.set_time(change);
        self
    }

    /// Whether nobody's profile changes.
    pub fn is_unchanged(&self) -> bool {
        self.moved.is_empty() && self.before == self.after
    }
}

/// Values are personal data: `Debug` shows the type and the key only.
impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Named({}:…, {:?})", self.number.0, self.key)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hub({:?}, {})", self.name, self.sets)
    }
}
