//! `selfsame source function`: which function makes events of requests to a source.

use clap::Args;

use super::super::function::Used;
use crate::client::part;

/// Say which function makes events of requests to a source, and what it is told.
#[derive(Debug, Args)]
pub(super) struct SourceFunction {
    /// The source.
    source: String,
    #[command(flatten)]
    used: Used,
}

impl SourceFunction {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.used.run(&format!("/api/sources/{}/function", part(&self.source)))
    }
}
