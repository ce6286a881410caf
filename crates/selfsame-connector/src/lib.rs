//! Connections of the catalogue: what a manifest decides, sent.
//!
//! ```text
//!                    Connector (one for each connection)
//! deliver ──open──>  triggers ──> actions that want the event
//!         ──carry─>  exchange (selfsame-destinations) <──> requests, answers ──> Outbound
//!                       │  programs of the actions pack ask for requests in place of an exchange
//!                       │  credentials: access tokens, fetched by one for all
//!                       │  journal: answers of an exchange that was interrupted
//!                       │  pace: what the vendor allows, and less where it says too much
//!                       └  batches: events that go together
//! ```
//!
//! Delivery decides when and how often, a manifest what; this does what is between them.
//!
//! Invariants:
//! - every request goes out through [`selfsame_deliver::Outbound`];
//! - what a receiver has taken of an exchange is not sent to it again while this process lives, unless the
//!   request would be another one;
//! - an event is refused for good only where the manifest or the answer says that it is the event;
//! - no secret is in a note, a log line or what [`Connector::rehearse`] shows;
//! - what is held for a connection is bounded.

mod batch;
mod carry;
mod config;
mod connector;
mod credentials;
mod digest;
mod journal;
mod mask;
mod meaning;
pub mod metrics;
mod pace;
mod program;
mod wire;

pub use carry::{Rehearsal, Said};
pub use config::{Config, ConfigError, Fault, Mapped, check, proposed};
pub use connector::{Connector, Keep};
pub use mask::Mask;
pub use program::{Answering, Ask, Program, Running, Stopped};
