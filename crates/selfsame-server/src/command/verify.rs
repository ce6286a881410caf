//! `selfsame verify`: is the state what the log says, and what was sent on of computed values?

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use selfsame_event::{Clock, SystemClock};
use selfsame_log::LogRead;
use selfsame_pipeline::{ReplayConfig, replay_beside};

use super::{Common, say, start_logging};
use crate::folder::Folder;
use crate::node::{Logs, open_engine};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    common: Common,
    /// Where the second state is made. Default: a temporary folder.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.common.load()?.settings;
        start_logging(&settings.server.log_format, "warn");
        let folder = Folder::open(&settings.server.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let logs = Logs::open(&folder, &settings.log, &clock)?;
        let mut engine = open_engine(&folder, &logs, &clock, &settings.engine)?;
        let found = engine.hash()?;
        drop(engine);
        let scratch = match &self.scratch {
            Some(scratch) => tempfile::Builder::new().prefix("verify-").tempdir_in(scratch)?,
            None => tempfile::Builder::new().prefix("selfsame-verify-").tempdir()?,
        };
        let end = logs.log.end();
        let bar = ProgressBar::new(end.offset);
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} records, {eta} left")?);
        let config = ReplayConfig {
            state: settings.engine.apply(selfsame_pipeline::EngineConfig::new("")).state,
            base: crate::base::newest(folder.root())?,
            ..ReplayConfig::default()
        };
        let read = (&*logs.log as &dyn LogRead, &*logs.outbox as &dyn LogRead);
        let (expected, effects) = replay_beside(read, end, scratch.path(), &config, |at| {
            bar.set_position(at.offset);
        })?;
        bar.finish_and_clear();
        say(&format!("records       {}", end.offset))?;
        say(&format!("state hash    {found}"))?;
        say(&format!("clean replay  {expected}"))?;
        let differences = found.differences(&expected);
        for (name, hash) in found.parts() {
            let verdict = if differences.contains(name) { "DIFFERENT" } else { "same" };
            say(&format!("  {name:<12} {:>12} rows  {verdict}", hash.rows()))?;
        }
        let verdict = if effects.different == 0 { "same" } else { "DIFFERENT" };
        say(&format!("  {:<12} {:>12}       {verdict}", "changes", effects.compared))?;
        if let Some(first) = effects.first {
            let count = effects.different;
            say(&format!(
                "{count} records have other changes in the outbox, the first is {first}"
            ))?;
            return Ok(ExitCode::FAILURE);
        }
        if differences.is_empty() {
            say("the state is what the log says")?;
            Ok(ExitCode::SUCCESS)
        } else {
            say("the state differs from what the log says")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
