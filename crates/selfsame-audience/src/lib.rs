//! Computed traits and audiences as state that every event updates.
//!
//! A definition compiles to *streams*: sets of events, with what is kept of them in the section of each
//! anchor, shared by all definitions that look at the same events in the same way; and to a value, which
//! is a function of what all sections of a profile keep, of its traits, and of the moment. With the
//! value comes the first moment at which it may be another one though nothing happens.
//!
//! **Invariants:**
//! - what is kept does not depend on the order of events, and sections combine to what one section of
//!   all their events would be; what is left out at a cap is chosen by time or by rank, never by arrival;
//! - the value is the one that `docs/reference/definitions.md` says of the whole history, unless it says
//!   of itself that it is approximate;
//! - no clock, no chance, no floating point.

mod accounts;
mod calendar;
mod chain;
mod compile;
mod datum;
mod demand;
mod elements;
mod evaluate;
mod event;
mod fault;
mod glance;
mod loose;
mod moment;
mod output;
mod periods;
mod plan;
mod plans;
mod read;
mod row;
mod runs;
mod sections;
mod slots;
mod state;
mod total;
mod values;
mod when;
mod window;

pub use accounts::Tally;
pub use datum::{Datum, MOST_VALUE_BYTES};
pub use demand::{MOST_BYTES, MOST_COMPARED, MOST_COMPARED_BYTES, MOST_VALUES_BYTES};
pub use evaluate::{Evaluated, Traits};
pub use event::Event;
pub use fault::CompileError;
pub use loose::{Keeps, Loose};
pub use moment::Moment;
pub use output::Output;
pub use plan::Sway;
pub use plans::{Numbered, Plans, Profile, Query};
pub use runs::MOST_RUNS;
pub use slots::MOST_SLOTS;
pub use values::MOST_VALUES;
pub use when::When;
