//! Who is who: the identifiers on an event, the rules that say how far they are trusted, and the
//! graph that joins them into profiles.
//!
//! ```text
//! Event --extract--> Claims --resolve--> Outcome        (rules: compiled RuleSet)
//!                               |  ^
//!                               v  |
//!                              Rows                     (the engine's tables, or MemoryRows)
//! ```
//!
//! **Invariants**
//! * Both functions depend on their arguments alone: no clock, no chance, no order of a hash table.
//! * An event belongs to the profile that holds its *anchor*, its most trusted identifier, whatever is
//!   merged, demoted or refused. No limit and no cap ever loses an event.
//! * No event takes a merge back: a merged profile keeps its row and gets a parent. Somebody may
//!   ([`plan`], [`apply`]): the graph is then as if their wish had been known from the beginning. A
//!   device may leave a profile by an event, where the rules say so (`resolve/devices.rs`).
//! * An event that proves nothing reaches the profile of a verified person through one of its devices
//!   only (`trust.rs`).
//! * What links identifiers leaves evidence, and what kept profiles apart leaves a refusal.

mod apart;
mod blocklist;
mod claim;
mod codec;
mod compile;
mod decide;
mod excess;
mod extract;
mod find;
mod household;
mod known;
mod memory;
mod number;
mod people;
mod resolution;
mod resolve;
mod row;
pub mod rule;
mod skeleton;
mod trust;
mod undo;
mod verdict;

pub use apart::{ApartFrom, ApartRow, Pair, Said};
pub use claim::{Claim, Claims, Keys, Previous, Trust, Unfit};
pub use codec::DecodeError;
pub use compile::{RuleError, Rules};
pub use excess::{Excess, Tightened};
pub use extract::extract;
pub use find::{find_profile, find_root};
pub use household::{HouseholdBy, HouseholdKey, Households, Lack};
pub use memory::MemoryRows;
pub use number::{TypeNumber, TypeNumbers};
pub use people::{MOST_PEOPLE, PeopleRow};
pub use resolution::{
    Handed, LedgerEntry, LedgerRow, Link, Mapped, Merge, MetLimit, MovedDevice, Outcome, Refused,
    Relocated, Resolution, Violation,
};
pub use resolve::{Occurrence, ResolveError, resolve};
pub use row::{
    Anchors, ComponentId, ComponentRow, EvidenceRow, Fate, IdentifierRow, Kinds, Known, Member,
    Rows, Seen, SetKey, Sighting, Stamp, WholeRows,
};
pub use rule::RuleSet;
pub use skeleton::{AGAIN, EVIDENCE_SETS, PreviousSeen, Reading};
pub use undo::{
    Change, Cluster, Counts, GoesOn, Hub, Moved, Named, Plan, PlanError, Progress, Reads, RulesLog,
    Sizes, Split, apply, plan, plan_split, plan_within, sides_of,
};
pub use verdict::Verdict;
