//! Collecting over HTTP: the routes that Segment's SDKs call, and what each is answered.
//!
//! [`Collector`] turns a request into records of the log and a response. It knows nothing of
//! sockets, of the log's files, or of how sources are kept: the server hands it an [`Intake`] and
//! [`Sources`], and asks [`Collector::route`] first whether a request is for it at all.
//!
//! Invariants:
//! - what is answered `200 {"success":true}` was durable before: accepted events in an events
//!   record, refused ones, raw and each with its reason, in a rejected record;
//! - what is answered `200` names the last record that it became, as `X-Selfsame-Position`;
//! - the answers come in a fixed order: no key 400, unknown or revoked key 401, no good token where the
//!   source wants one 401, an unreadable body 400, too much at once 429, and only then the success; 503 is for a server that cannot take part;
//! - an identity token is checked and taken out of its event: the record has what it was found to be;
//! - no body, compressed or not, is held beyond its limit, and all bodies together stay within
//!   [`CollectConfig::in_flight_bytes`].
//!
//! [`Visitors`] find out who a page asks about that wants to know what it may of its own visitor; what
//! that is, is said by whoever has the profiles.
//!
//! Not here: duplicates and the senders' clocks. The fold sees to both, from what the records say. The
//! one clock that is read here is for the ends of identity tokens.

mod batch;
mod body;
mod budget;
mod collector;
mod config;
mod cors;
mod credential;
mod intake;
mod json;
mod made;
pub mod metrics;
mod network;
pub mod oauth;
mod pixel;
mod problem;
mod respond;
mod route;
mod script;
mod served;
mod settings;
mod source;
mod strip;
mod token;
mod visitor;

pub use batch::{Envelope, Events, Presented, Refused, Shape};
pub use collector::Collector;
pub use config::CollectConfig;
pub use intake::{Intake, IntakeError, Receipt};
pub use made::{Made, NotMade};
pub use network::{Network, NetworkError, Peer, own_address, sender_address};
pub use problem::Problem;
pub use route::Route;
pub use script::Scripts;
pub use source::{BrowserSdk, Lookup, SourceKind, SourceSettings, Sources};
pub use token::{TokenKey, TokenKeyError, TokenKeys};
pub use visitor::{Visitor, VisitorError, Visitors};
