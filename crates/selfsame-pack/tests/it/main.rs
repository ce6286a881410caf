//! The pack as it was built, where it was built.

#![expect(clippy::print_stdout, reason = "tables are printed")]

mod conformance;
#[path = "../../../selfsame-destinations/tests/it/same.rs"]
mod same;
mod speed;
mod world;
