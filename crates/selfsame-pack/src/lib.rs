//! The actions pack: destinations that Segment publishes as JavaScript under the MIT licence, and that nobody has
//! written a manifest for yet.
//!
//! ```text
//! actions-pack/   the published package ──> pack.bin: a manifest and a program for each destination
//! Pack            reads them, each when it is asked for
//! Programs        runs a program: in an engine of its own for each connection, without network, files and clock of
//!                 the machine; what it asks to be sent goes to whoever called
//! ```
//!
//! What is data in the package (settings, actions, fields, presets) is data here: mappings, triggers, fields and
//! batches are those of any other manifest. Only what makes requests of a payload is code.
//!
//! Invariants:
//! - a program gets the settings of its own connection and the events that it is called with, and nothing else;
//! - nothing leaves but by the requests that it asks for;
//! - the program that a connection runs is the one that this build was made with.

mod archive;
mod programs;

pub use archive::{Entry, Pack, PackError};
pub use programs::{NoFetch, Programs, Runner, worker};
