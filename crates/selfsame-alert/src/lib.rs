//! Alerts: what deserves that somebody is told, and that they are told once.
//!
//! A [`Sample`] says how a node is at a moment. [`Memory::step`] looks at it with the rules in force, and
//! says what was raised and what was cleared. Time comes with the samples, so that all of it runs in
//! virtual time.
//!
//! ```text
//! quiet ──bad for `raise_after`──> raised ──good for `clear_after`, longer each time──> quiet
//!            └─ told: raised                      └─ told: cleared
//! ```
//!
//! **Invariants:**
//! - what is raised is told once, and its end once, to each channel; what is silenced is told when the
//!   silence ends, if it is still so;
//! - [`Memory`] is all that has to be kept: a process that goes on with it raises nothing twice;
//! - time during which nobody looked counts neither for an alert nor against it;
//! - no sentence has anything of an event or a profile: ids of what is configured, and numbers.

mod condition;
mod counts;
mod defaults;
mod look;
mod memory;
mod queue;
mod rule;
mod sample;
mod series;
mod span;

pub use condition::Condition;
pub use defaults::defaults;
pub use memory::{Memory, State, Told, Turn, TurnKind};
pub use queue::Due;
pub use rule::{Rule, RuleError, Rules, Severity};
pub use sample::{
    AudienceSample, DestinationSample, DestinationState, DiskSample, IdentitySample, Sample,
    SourceSample,
};
pub use span::Span;
