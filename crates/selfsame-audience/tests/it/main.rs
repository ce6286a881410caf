//! What definitions mean: a naive evaluator, and what makes sure that it is right.

mod agree;
mod bounds;
mod cases;
mod laws;
mod notation;
mod reference;
