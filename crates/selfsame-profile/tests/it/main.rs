//! Properties of sections and profiles, against a naive fold.

mod codec;
mod history;
mod laws;
mod naive;
mod timeline;
