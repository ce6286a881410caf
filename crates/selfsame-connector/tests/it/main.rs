//! Connections of the catalogue through a deliverer, to a receiver on this machine.

mod delivery;
mod receiver;
mod steps;
mod tokens;
mod world;
