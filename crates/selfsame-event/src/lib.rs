//! The words that every other crate speaks: events, identifiers, time, positions, classes of error.
//!
//! Small, finished early, and boring on purpose: everything is rebuilt when this changes.
//! No I/O, no async, no clock but the [`Clock`] trait.

mod class;
mod position;
mod record_id;
mod time;

pub use class::Class;
pub use position::{ItemPosition, Position};
pub use record_id::RecordId;
pub use time::{Clock, SystemClock, Time};
