//! The Profile API as its callers see it.

mod computed;
mod document;
mod errors;
mod events;
mod profiles;
mod search;
mod world;
