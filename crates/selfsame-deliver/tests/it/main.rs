//! Deliveries over real sockets on the loopback interface.

mod attempts;
mod delivery;
mod feed;
mod outbound;
mod receiver;
mod replay;
mod world;
