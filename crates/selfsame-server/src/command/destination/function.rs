//! `selfsame destination function`: which function a destination is, and which stands in front of it.

use clap::Args;

use super::super::function::Used;
use crate::client::part;

/// Say which function a destination of the kind `function` is; with --insert, which one stands in front of a
/// destination and changes or drops what it gets.
#[derive(Debug, Args)]
pub(super) struct DestinationFunction {
    /// The destination.
    destination: String,
    /// The function in front of it.
    #[arg(long)]
    insert: bool,
    #[command(flatten)]
    used: Used,
}

impl DestinationFunction {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let which = if self.insert { "insert-function" } else { "function" };
        self.used.run(&format!("/api/destinations/{}/{which}", part(&self.destination)))
    }
}
