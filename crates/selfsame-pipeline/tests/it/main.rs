//! The engine as its users see it.

mod determinism;
mod reader;
mod recovery;
mod why;
mod world;
