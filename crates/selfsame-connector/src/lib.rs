//! Connections of the catalogue: what a manifest decides, sent.
//!
//! ```text
//!                    Connector (one for each connection)
//! deliver ──open──>  triggers ──> actions that want the event
//!         ──carry─>  exchange (selfsame-destinations) <──> requests, answers ──> Outbound
//!                       │  programs of the actions pack ask for requests in place of an exchange
//!                       │  credentials: access tokens, fetched by one for all
//!                       │  journal: answers of exchanges that are under way, and requests of a day
//!                       │  pace: what the vendor allows, and less where it says too much
//!                       └  batches: events that go together
//! ```
//!
//! Delivery decides when and how often, a manifest what; this does what is between them.
//!
//! Invariants:
//! - every request goes out through [`selfsame_deliver::Outbound`];
//! - what a receiver has taken of an exchange is not sent to it again, over a kill too, unless the request
//!   would be another one, or nobody was told that it was taken;
//! - in a vendor's day no more requests go out than the manifest allows, over a kill too;
//! - an event is refused for good only where the manifest or the answer says that it is the event;
//! - no secret is in a note, a log line or what [`Connector::rehearse`] shows;
//! - what is held for a connection is bounded.

mod ask;
mod batch;
mod carry;
mod config;
mod connector;
mod consent;
mod credentials;
mod daily;
mod digest;
mod journal;
mod mask;
mod meaning;
pub mod metrics;
mod pace;
mod program;
mod render;
mod wire;

pub use ask::Choice;
pub use carry::{Rehearsal, Said};
pub use config::{Config, ConfigError, Fault, Mapped, check, proposed};
pub use connector::{Connector, Keep};
pub use daily::Daily;
pub use journal::{Journal, JournalError, Notebook};
pub use mask::Mask;
pub use program::{Answering, Ask, Program, Running, Stopped};
pub use render::Rendered;
