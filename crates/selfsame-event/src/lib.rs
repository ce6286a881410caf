//! The words that every other crate speaks: events, identifiers, time, positions, classes of error.
//!
//! Small, finished early, and boring on purpose: everything is rebuilt when this changes.
//! No I/O, no async, no clock but the [`Clock`] trait.

mod class;
mod context;
mod cursor;
mod event;
mod identifier;
mod key;
mod kind;
pub mod limits;
pub mod packed;
mod packed_text;
mod position;
mod raw;
mod record;
mod record_id;
mod refusal;
mod swar;
mod time;
mod token;

pub use class::Class;
pub use context::{Context, Shared};
pub use cursor::{Bounds, Checking, Cursor, code_unit};
pub use event::{Event, Found, IDENTITY_TOKEN};
pub use identifier::{Collection, Identifier};
pub use key::{Digest, IdentifierKey, KeyHasher, ProfileId};
pub use kind::EventType;
pub use packed_text::PackedText;
pub use position::{ItemPosition, Position};
pub use raw::{Kind, Raw};
pub use record::{EventsHead, HeadError, ImportOrigin, RecordKind, SourceNumber};
pub use record_id::RecordId;
pub use refusal::Refusal;
pub use time::{Clock, SystemClock, Time};
pub use token::TokenVerdict;
