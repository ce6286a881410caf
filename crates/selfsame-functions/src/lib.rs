//! Functions: JavaScript that customers write, between events and tools.
//!
//! A *source* function makes events of a request, an *insert* function changes or drops what one
//! destination gets, a *destination* function is one. They have the names of handlers and errors that
//! Segment's functions have, so that those paste in.
//!
//! [`Pool`] runs calls on a few threads, [`Apart`] does so in a process of its own. Each function of each connection has sandboxes of its own: an
//! engine with its own heap, which a later call of the same connection may find warm.
//!
//! **Invariants:**
//! - a call ends: of processor time, time, memory, stack, output, lines and requests it has so much
//!   ([`Limits`]), and what goes beyond is ended with a [`Fault`] that says which;
//! - nothing of one connection reaches a call of another: they share no heap;
//! - a sandbox whose call was ended is thrown away, and objects that all code shares cannot be changed
//!   by a call, so that no event changes what becomes of later ones but through the function's own
//!   variables;
//! - nothing leaves but through [`Fetch`], which the caller gives. There are no files, no environment,
//!   no modules.
//!
//! Not here: what becomes of an outcome (retries, dead letters), secrets, and where functions are kept.

mod address;
mod apart;
mod call;
mod code;
mod digest;
mod fault;
mod fetch;
mod host;
mod limits;
mod meter;
mod pool;
mod report;
mod sandbox;

pub use apart::{Apart, Launch, serve};
pub use call::{Call, Input, Instance};
pub use code::{CODE_BYTES, Code, CodeError, Handler, Kind};
pub use fault::{Family, Fault, FaultKind};
pub use fetch::{Fetch, FetchReply, FetchRequest, FetchResponse};
pub use limits::Limits;
pub use pool::{LOST, Pool, PoolConfig};
pub use report::{Emitted, Item, Level, Line, Report, Request, Returned};
