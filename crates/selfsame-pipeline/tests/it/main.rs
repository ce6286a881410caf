//! The engine as its users see it.

mod determinism;
mod publish;
mod reader;
mod recovery;
mod undo;
mod why;
mod world;
