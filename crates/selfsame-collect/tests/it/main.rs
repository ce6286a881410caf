//! Requests in, records and answers out, without a socket.
#![expect(clippy::unwrap_used, reason = "a test fails where its ground is missing")]

mod fixtures;
mod flood;
mod hostile;
mod properties;
mod scenarios;
mod served;
mod tokens;
mod world;
