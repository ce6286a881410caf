//! Definitions as JSON, for programs that build them piece by piece.
//!
//! Nothing is lost either way. The form is described in `docs/reference/definitions.md`; an error says
//! where it is by a JSON pointer.

mod read;
mod write;

pub use read::{ReadError, condition_from_json, scalar_from_json};
