//! Connections of the catalogue through a deliverer, to a receiver on this machine.

mod batches;
mod daily;
mod delivery;
mod programs;
mod rates;
mod receiver;
mod steps;
mod tokens;
mod world;
