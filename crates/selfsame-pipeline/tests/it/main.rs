//! The engine as its users see it.

mod determinism;
mod households;
mod publish;
mod reader;
mod recovery;
mod undo;
mod why;
mod world;
