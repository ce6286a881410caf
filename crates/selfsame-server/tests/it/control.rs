//! The Control API, asked as its users do.

mod access;
mod events;
mod files;
mod households;
mod identity;
mod oauth;
mod receiver;
mod resources;
mod rules;
mod server;
mod verified;
