//! The list of acknowledgements: in memory for the check, and in a file outside the server's folder
//! that is synced before the server is started again.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;

use super::model::Model;

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) model: Model,
    file: BufWriter<File>,
    /// The first write that failed.
    failed: Option<std::io::Error>,
}

impl Ledger {
    pub(super) fn create(path: &Path, seed: u64) -> Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self { model: Model::new(seed), file, failed: None })
    }

    pub(super) fn acknowledge(&mut self, events: &[u64]) {
        self.model.acknowledge(events);
        for event in events {
            if let Err(error) = writeln!(self.file, "{}", self.model.message_id(*event)) {
                self.failed.get_or_insert(error);
            }
        }
    }

    /// Puts on disk what was acknowledged so far.
    pub(super) fn sync(&mut self) -> Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(())
    }
}
