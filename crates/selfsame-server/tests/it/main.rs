//! Tests of the whole program.

mod backup;
mod control;
mod demo;
mod early;
mod exchanges;
mod formats;
mod function;
mod import;
mod mail_server;
mod operate;
mod process;
mod render;
mod retention;
mod server;
mod test_routes;
mod tidy;
mod vault;
