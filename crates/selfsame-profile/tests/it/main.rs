//! Properties of sections and profiles, against a naive fold.

mod codec;
mod history;
mod laws;
mod memory;
mod naive;
mod timeline;
