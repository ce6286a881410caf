//! Deliveries over real sockets on the loopback interface.

mod attempts;
mod causes;
mod delivery;
mod feed;
mod outbound;
mod receiver;
mod replay;
mod standing;
mod world;
