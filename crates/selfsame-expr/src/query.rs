//! The query language: conditions over a profile's events and traits, and values computed from them.

mod ast;
mod check;
mod format;
mod json;
mod lex;
pub mod limits;
mod names;
mod order;
mod parse;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod zone;

pub use ast::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Period, Place, Quantity,
    Reduce, Relative, Scalar, Span, Step, Stream, Subject, Test, Unit, Which,
};
pub use check::{Holder, Misuse, check_condition, check_scalar};
pub use json::{ReadError, condition_from_json, scalar_from_json};
pub use order::{Cycle, References, order};
pub use parse::{condition, scalar};
pub use zone::zone;
