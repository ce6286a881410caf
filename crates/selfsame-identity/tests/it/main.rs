//! The crate from outside: events as JSON in, profiles out.

mod accounts;
mod aliases;
mod caps;
mod demotion;
mod evidence;
mod naive;
mod order;
mod strategies;
mod undo;
mod unmerge;
mod verified;
mod windows;
mod within;
mod world;
