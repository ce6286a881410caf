//! Tests of the whole program.

mod control;
mod demo;
mod server;
mod test_routes;
