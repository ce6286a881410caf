//! The Profile API over HTTP: the routes, parameters, pages, shapes and errors that Segment's has,
//! over the whole history; and batches, search, whole profiles and `?at=` besides.
//!
//! ```text
//! GET  /v1/spaces/{space}/collections/{users|accounts}/profiles/{id}
//! GET  …/profiles/{id}/{traits|external_ids|events|metadata|links|merges}
//! POST …/collections/{collection}/profiles/batch
//! GET  …/collections/{collection}/search
//! GET  /openapi/profile.json
//! ```
//!
//! **Invariants:**
//! - every answer is JSON and has a `Request-Id`; every read has an `X-Selfsame-Position`, the last
//!   record that shows in it, and `?wait_for=` waits until a record shows;
//! - a page of events says where the log begins, as `history_from`, once records were removed from
//!   it: what was received before that record is not shown any more, though it still counts;
//! - under the key of a computed trait or an audience in force there is what it comes to just now, or
//!   nothing;
//! - values of traits and properties are passed on as the text they came as;
//! - nothing personal is logged: neither paths nor parameters are.
//!
//! There is no CORS: a token reads everything, so it does not belong in a browser.

mod api;
mod asked;
mod cursor;
mod document;
mod params;
mod problem;
mod routes;
mod schema;
mod show;
mod table;
mod traits;

pub use api::{Entry, ProfileApi, Tokens, router};
pub use problem::{ERRORS, ErrorCode};
