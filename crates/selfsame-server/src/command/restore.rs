//! `selfsame restore`: a data folder from a backup.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use selfsame_event::{Clock, SystemClock};
use selfsame_log::LogRead as _;
use selfsame_pipeline::{copy_file, copy_folder};

use super::backup::{bar, hash, secrets};
use super::{Common, say, start_logging};
use crate::backup::{Manifest, data, ensure_empty};
use crate::folder::{AUDIT, Folder, MEMBERS};
use crate::node::{Logs, open_engine};
use crate::vault::{KEY_FILE, Vault};
use crate::whole_file;

/// Make a data folder from a backup.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The folder of the backup.
    backup: PathBuf,
    /// The data folder to make; it must be empty or not be there.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Compare the hash of the state with that of the backup.
    #[arg(long)]
    verify: bool,
}

impl Restore {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = Common::default().load()?.settings;
        start_logging(&settings.server.log_format, "warn");
        let manifest = Manifest::load(&self.backup)?;
        ensure_empty(&self.data)?;
        let bytes = ProgressBar::new(manifest.files.iter().map(|file| file.bytes).sum());
        bytes.set_style(ProgressStyle::with_template(
            "checking the backup {wide_bar} {bytes}/{total_bytes}, {eta} left",
        )?);
        manifest.check(&self.backup, |checked| bytes.inc(checked))?;
        bytes.finish_and_clear();
        let from = data(&self.backup);
        for part in ["log", "outbox", "ledger", "base", AUDIT] {
            if from.join(part).is_dir() {
                copy_folder(&from.join(part), &self.data.join(part))
                    .with_context(|| format!("{part} cannot be copied"))?;
            }
        }
        if from.join(MEMBERS).is_file() {
            let members = std::fs::read(from.join(MEMBERS))?;
            whole_file::replace(&self.data.join(MEMBERS), &members)
                .context("the members cannot be copied")?;
        }
        if manifest.has_key {
            Vault::open(from.join(KEY_FILE))?.copy_to(&self.data.join(KEY_FILE))?;
        }
        // Last: without it, this is no data folder yet.
        copy_file(&from.join("format"), &self.data.join("format"))?;
        std::fs::File::open(&self.data)?.sync_all()?;
        let folder = Folder::open(&self.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let logs = Logs::open(&folder, &settings.log, &clock)?;
        let end = logs.log.end();
        anyhow::ensure!(
            end.offset == manifest.position,
            "the restored log ends at {end}, and the backup at 0-{}",
            manifest.position
        );
        let mut engine = open_engine(&folder, &logs, &clock, &settings.engine)?;
        let bar = bar("making the state", end.offset)?;
        while engine.state().next() < end {
            engine.turns(16)?;
            bar.set_position(engine.state().next().offset);
        }
        bar.finish_and_clear();
        engine.catch_up()?;
        let meta = engine.state().meta();
        let events: u64 = meta.spaces.iter().map(|space| space.events).sum();
        let profiles: u64 = meta.spaces.iter().map(|space| space.profiles).sum();
        say(&format!("restored    {} from {}", self.data.display(), self.backup.display()))?;
        say(&format!("records     {} to {}", manifest.first, manifest.position))?;
        say(&format!("events      {events}"))?;
        say(&format!("profiles    {profiles}"))?;
        say(&format!("secrets     {}", secrets(&manifest)))?;
        if !manifest.keys.is_empty() && !manifest.has_key {
            say(&format!(
                "            put it at {}, or name it with server.key_file, before the start",
                self.data.join(KEY_FILE).display()
            ))?;
        }
        if !self.verify {
            return Ok(ExitCode::SUCCESS);
        }
        let found = engine.hash()?.to_string();
        let (expected, what) = match &manifest.state_hash {
            Some(hash) => (hash.clone(), "backup"),
            None => (hash(&self.backup, &manifest)?.to_string(), "replay"),
        };
        say(&format!("state hash  {found}"))?;
        say(&format!("{what:<10}  {expected}"))?;
        if found == expected {
            say("the state is the one that was backed up")?;
            Ok(ExitCode::SUCCESS)
        } else {
            say("the state is NOT the one that was backed up")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
