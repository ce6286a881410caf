//! What an event becomes on its way to a destination.
//!
//! Three small languages, each compiled once and evaluated on many events:
//!
//! * [`Mapping`]: Segment's mapping directives (`@path`, `@template`, `@if` and their kin), with the
//!   semantics of `@segment/actions-core`, so that mappings which were written for Segment keep working;
//! * [`Expression`], and what is made of it: [`Template`] (`"https://x/{{ id }}"`) and [`Tree`] (a JSON
//!   value with such texts in it), the language of destination manifests: a null-safe subset of
//!   JavaScript's expressions in which nothing throws and nothing loops;
//! * [`Trigger`]: which events a mapping is for, read as `@segment/destination-subscriptions` reads it.
//!
//! ```text
//! let names = ["event", "settings"];
//! let url = Template::compile("https://{{ settings.region ?? 'us' }}.example/track")?;
//! let body = Tree::compile(&json!({
//!     "email": "=sha256(clean(event.traits.email))",   // left out where there is none
//!     "value": "=event.properties.revenue ?? 0",
//! }))?;                                                // Err(Vec<Problem>), each with its place
//! body.names()                                         // what it reads: check it against `names`
//!
//! let scope = Scope::at(now_ms).with("event", &event).with("settings", &settings);
//! url.text(&scope)                                     // Some("https://us.example/track")
//! body.evaluate(&scope)                                // {"email":"…","value":0}
//! ```
//!
//! Invariants:
//! - evaluation is a function of its arguments: no clock, no randomness, no I/O, no order of hashes;
//! - it ends, within bounds of steps and of bytes ([`limits`]), and never panics, whatever the event;
//! - what is absent, of another kind or out of bounds is *undefined*, and an undefined part of an object
//!   is left out. [`Mapping::try_resolve`] says what Segment's engine would have thrown;
//! - what is wrong with a definition is found when it is compiled, and every [`Problem`] points at it.
//!
//! It does not deliver, hold secrets, or know of any destination.

mod budget;
mod expression;
mod item;
pub mod limits;
mod liquid;
mod mapping;
mod number;
mod path;
mod problem;
mod template;
mod text;
mod tree;
mod trigger;

pub use expression::{Expression, Function, Scope, functions};
pub use item::{Fields, Item};
pub use mapping::{Failure, Mapping};
pub use problem::Problem;
pub use template::Template;
pub use tree::{TooLarge, Tree};
pub use trigger::{Reach, Trigger};
