//! The Control API, asked as its users do.

mod access;
mod accounting;
mod activation;
mod alerts;
mod attempts;
mod catalogue;
mod connections;
mod definitions;
mod events;
mod files;
mod functions;
mod households;
mod identity;
mod me;
mod oauth;
mod proposals;
mod receiver;
mod replays;
mod resources;
mod rules;
mod server;
mod shared;
mod story;
mod verified;
