//! Computed traits and audiences of profiles, as part of the fold.
//!
//! ```text
//! definition set -> next version: from that record on its streams are kept of every event
//!                   the history before it is folded aside (history.rs) and handed over as records
//!                   a record puts it in force; profiles are evaluated, a thousand for each record
//! event          -> what its section keeps -> values that may change by it -> effects in the outbox
//! tick           -> values whose moment has come -> effects
//! destination connected -> what there is of it is said again, a thousand profiles for each record
//! rules published -> streams are kept from the first record on; every profile is evaluated behind it
//! ```
//!
//! **Invariants:**
//! - a row of values is a function of the records up to the state's position, as all exact rows are;
//! - the values that are kept for a profile are those of its sections at the last moment at which they could
//!   change: every event that has a part in one, every merge or undo, and every moment that an evaluation named
//!   brings another evaluation. A trait that nobody waits for has none: who reads it evaluates it;
//! - an effect is emitted where a value changes, once.

mod account;
mod accounts;
mod anchors;
mod announce;
mod carry;
mod evaluation;
mod facts;
mod history;
mod job;
mod plans;
mod preview;
mod ranks;
mod recall;
mod record;
mod row;
mod settle;
mod step;
mod timers;
mod wanted;
mod whole;
mod whose;

pub use facts::{Announcing, Computing, Members, Progress, Settled, StreamSince, Version};
pub use history::{History, HistoryError};
pub use job::{Compute, ComputeError, ComputeStage, ComputeStatus};
pub use preview::{Preview, PreviewConfig, PreviewError, PreviewProgress, preview};
pub use row::{Held, ValueRow, Values};

pub(crate) use account::{Account, User, bring_up_to, evaluate_account, with_own_traits};
pub(crate) use evaluation::{evaluate, known_text, traits_of, with_traits};
pub(crate) use plans::{LivePlan, SpacePlans};
pub(crate) use recall::Recall;
pub(crate) use record::ComputedRecord;
pub(crate) use row::first_moment;
pub(crate) use step::{WrittenBytes, seen};
pub(crate) use timers::{Due, Timers};
pub(crate) use whole::{Portion, outlines};
pub(crate) use whose::{Anchored, Linked, sections as sections_of, users_of};
