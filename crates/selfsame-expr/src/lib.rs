//! The languages that definitions and filters are written in.
//!
//! [`query`] is the language of audiences and computed traits: Segment's query language, with the
//! windows that it lacks. [`fql`] is the language of filters over one event. What each construct
//! means is said in `docs/reference/definitions.md`.
//!
//! No I/O, no clock; whatever is read from outside is bounded in size, depth and number.

mod decimal;
mod fault;
pub mod fql;
pub mod query;
mod spot;
pub mod test;
mod value;

pub use decimal::Decimal;
pub use fault::ParseError;
pub use spot::Spot;
pub use value::{Value, read};
