//! What we know of whom: traits with their lineage, the timeline, first and last event, links.
//!
//! Everything is folded into one [`Section`] per anchor, the most trusted identifier of an event. A
//! profile is the sections of the anchors that identity has joined ([`Sections`]), read as one
//! ([`ProfileView`], [`page()`]). So merging and splitting profiles moves nothing and folds nothing
//! again.
//!
//! Invariants (law 3 of the design):
//! - a section does not depend on the order of its events;
//! - folding events into several sections and combining these is folding them all into one;
//! - a union of profiles is commutative, associative and idempotent, and splitting undoes it.
//!
//! No clock, no chance, no input or output: the caller loads and stores. A kept hash is our own, and
//! no order of iteration is a hash's.

mod codec;
mod combine;
mod links;
mod outline;
mod page;
mod parts;
mod rank;
mod rules;
mod section;
mod stamp;
mod timeline;
mod traits;

pub use codec::DecodeError;
pub use combine::{ProfileView, Sections, combine};
pub use links::{Link, Linked};
pub use outline::{Outline, TraitsOf};
pub use page::{Order, Page, Placed, Query, page};
pub use rules::{FoldEvent, Limits, Role, Rules};
pub use section::{Folded, Section};
pub use stamp::Stamp;
pub use timeline::{CHUNK_ENTRIES, Chunk, ChunkError, ChunkTimes, Entry, EntryKey, NameKey};
pub use traits::Trait;
