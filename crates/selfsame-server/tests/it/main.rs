//! Tests of the whole program.

mod control;
mod demo;
mod import;
mod operate;
mod process;
mod server;
mod test_routes;
