//! The manifests of this repository: what they are, what they render, and how that compares.

mod conformance;
mod golden;
mod manifests;
mod same;
mod vendor;
