//! The engine: reads the log, and folds each record into the state.
//!
//! ```text
//! record -> admit (seen before?) -> resolve (whose is it?) -> fold (its section) -> emit (outbox)
//! ```
//!
//! [`State::step`] is a function of the state and the record. [`Engine`] runs it: it reads what is
//! durable, writes the outbox, and checkpoints the state behind it.
//!
//! **Invariants:**
//! - position of any state row <= durable end of the outbox <= durable end of the log;
//! - the outbox has one record for each record of the log, at the same offset, and a crash never
//!   renumbers one;
//! - the same log gives the same state, byte for byte, for any size of batch, any number of
//!   partitions and any crashes in between.

mod ahead;
mod apart;
mod base;
mod change;
mod checkpoint;
mod computed;
pub mod decision;
mod draft;
pub mod effect;
mod engine;
pub mod event_json;
mod graph;
mod hot;
mod household;
mod identity;
mod key;
mod meta;
mod outgoing;
mod partition;
mod poison;
mod prepare;
mod reader;
mod replay;
mod row;
mod search;
mod shared;
mod state;
mod step;
mod successor;
mod tables;
mod ticking;
pub mod trend;
mod trial;
pub mod workspace;

pub use apart::ApartAhead;
pub use base::{copy_file, copy_folder, copy_state};
pub use checkpoint::CheckpointError;
pub use computed::{
    Announcing, Compute, ComputeError, ComputeStage, ComputeStatus, Computing, Held, History,
    HistoryError, Members, Preview, PreviewConfig, PreviewError, PreviewProgress, Progress,
    Settled, StreamSince, ValueRow, Values, Version, preview,
};
pub use draft::{Drafting, Drafts};
pub use engine::{Engine, EngineConfig, EngineError, EngineParts, Probe};
pub use graph::Graph;
pub use household::HouseholdId;
pub use identity::{IdentityChange, PAIRS};
pub use key::{ChunkKey, EvidenceKey, InSpace, LedgerKey, ListKey, SightingKey, TraitIndexKey};
pub use meta::{LOGIC_VERSION, Meta, RulesSince, SourceMeta, SpaceMeta};
pub use reader::{
    Apart, ApartPair, AsOf, Between, ComputedValue, Counted, Decided, Effect, EventPage,
    EventQuery, EventRef, ExternalId, Found, HealthBudget, HistoryFrom, Household, HouseholdBudget,
    HouseholdMember, Households, IdentityHealth, JsonArray, JsonObject, LargeProfile, LinkPath,
    LinkRule, LinkedProfile, LookupError, Matches, Member, MemberPage, MergeRow, MergedBy,
    Metadata, OverLimit, PathLink, ProfileEvent, ProfileRef, Proposal, ProposalBudget,
    ProposalPage, Reader, Reason, ReasonKind, Reasons, Refusal, SIZES, SearchBudget, SpaceRead,
    Standing, Stopped, TooMuch, TraitQuery, TypeLimit, UndoError, UndoPlan, UndoWish, Unmapped,
    UserReason, Wanted, WantedIdentifier, Why, WhyBudget, WhyEnd, WhyQuery,
};
pub use replay::{Effects, ReplayConfig, replay, replay_beside};
pub use row::{Listed, Owner, Present};
pub use shared::{Shared, View};
pub use state::{State, StateConfig, StateError};
pub use step::{CHANGED, DUPLICATE, Emitted, LIST_LENGTH, REJECTED_DAYS_KEPT, derived_message_id};
pub use successor::{Publication, Successor};
pub use tables::{MemoryBudget, PartitionTables, Tables};
pub use trial::{
    DefinitionDiff, GraphDiff, ProfileChange, Regrouped, Sample, SampleProfile, TrialConfig,
    TrialError, TrialReport, try_rules,
};
