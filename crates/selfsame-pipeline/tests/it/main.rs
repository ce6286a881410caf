//! The engine as its users see it.

mod determinism;
mod recovery;
mod world;
