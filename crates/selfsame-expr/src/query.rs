//! The query language: conditions over a profile's events and traits, and values computed from them.

mod ast;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use ast::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Period, Place, Quantity,
    Reduce, Relative, Scalar, Span, Step, Stream, Subject, Test, Unit, Which,
};
