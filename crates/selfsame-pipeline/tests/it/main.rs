//! The engine as its users see it.

mod accounts;
mod computed;
mod determinism;
mod filtered;
mod households;
mod large_undo;
mod proposals;
mod publish;
mod reader;
mod recovery;
mod undo;
mod why;
mod world;
