//! Texts are read as they are meant, and written so that they are read the same.

mod check;
mod format;
mod json;
mod order;
mod parse;
