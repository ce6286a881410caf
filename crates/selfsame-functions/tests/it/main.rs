//! Tests of functions as they are called.

mod apart;
mod examples;
mod pool;
mod world;
