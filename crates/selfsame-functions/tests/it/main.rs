//! Tests of functions as they are called.

mod examples;
mod pool;
mod world;
