//! Destinations as data.
//!
//! A manifest (`destinations/ID/manifest.yaml`) says what a destination needs to know, which actions it
//! has, and what each makes of an event: one HTTP request, or several steps. [`Manifest::read`] checks
//! it and points at what is wrong; [`Manifest::exchange`] makes of an event the exact requests, one
//! after the other, each of which may depend on what was answered before.
//!
//! ```text
//! let manifest = Manifest::read("slack/manifest.yaml", &text)?;
//! let subscription = manifest.subscription("postToChannel", Some(&mapping))?;
//! let mut exchange = manifest.exchange(&subscription, &event, connection)?;
//! let mut reply = None;
//! while let Next::Send(request) = exchange.next(reply.as_ref()) {
//!     reply = Some(send(*request));
//! }
//! ```
//!
//! Invariants:
//! - the requests are a function of the manifest, the mapping, the settings, the event, the answers and
//!   the moment that is passed in: no clock, no chance, no network;
//! - what is wrong with a manifest is found when it is read, with its line, and nothing of it is used;
//! - whatever the event, nothing panics and the number of requests is bounded.
//!
//! It sends nothing, keeps no secrets and knows no queue: that is the delivery's.

mod answer;
mod auth;
mod catalogue;
mod day;
mod exchange;
mod field;
mod format;
mod manifest;
mod problem;
mod program;
mod reference;
mod request;
mod schema;
mod shape;

pub use answer::{Outcome, Reply, Verdict};
pub use auth::{Code, Consent};
pub use catalogue::{Catalogue, CatalogueError};
pub use day::Window;
pub use exchange::{Connection, Done, Exchange, MAX_REQUESTS, Next, Refusal};
pub use format::FORMAT;
pub use manifest::{Action, Limits, Manifest, Preset, Program, Subscription, SubscriptionError};
pub use problem::{ManifestError, Problem};
pub use program::{ProgramBatch, ProgramEnd, ProgramError, ProgramItem};
pub use reference::reference;
pub use request::{Body, Request, RequestError};
pub use schema::schema;
pub use shape::near;
