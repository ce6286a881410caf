//! `selfsame backup`: a copy to restore from, of a running server or of a stopped one's folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use selfsame_event::{Clock, Position, SystemClock};
use selfsame_log::{LogConfig, RealFs, SegmentLog};
use selfsame_pipeline::{EngineConfig, ReplayConfig, replay};
use selfsame_store::StateHash;

use super::{Common, say};
use crate::backup::{self, Manifest};
use crate::client::{Remote, block_on};
use crate::control::{BackupDone, BackupRequest};
use crate::folder::Folder;
use crate::vault::{Vault, file_of};
use crate::{base, chance};

/// Make a backup in a new folder: of the running server, or with `--data` of a stopped one's folder.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The folder to make, on the server's machine.
    dir: PathBuf,
    /// Back up this data folder; no server may use it.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "token"])]
    data: Option<PathBuf>,
    /// Do not compute the state's hash: the backup is made sooner, and `restore --verify` compares
    /// with a second replay instead.
    #[arg(long)]
    no_hash: bool,
    /// Put the key into it that seals secrets. Whoever has the backup can then open them.
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let dir = std::path::absolute(&self.dir)?;
        let bytes = match &self.data {
            Some(data) => {
                let folder = Folder::open(data)?;
                let setting = Common::default().load()?.settings.server.key_file;
                let vault = Vault::open(file_of(&setting, folder.root()))?;
                let manifest = backup::make(folder.root(), &dir, &vault, self.with_key)?;
                manifest.files.iter().map(|file| file.bytes).sum()
            }
            None => self.ask(&dir)?.bytes,
        };
        let Ok(mut manifest) = Manifest::load(&dir) else {
            say(&format!(
                "the server made a backup in {} of its own machine; its state hash was not computed",
                dir.display()
            ))?;
            return Ok(ExitCode::SUCCESS);
        };
        if !self.no_hash {
            manifest.state_hash = Some(hash(&dir, &manifest)?.to_string());
            manifest.store(&dir)?;
        }
        say(&format!("backup      {}", dir.display()))?;
        say(&format!("records     {} to {}", manifest.first, manifest.position))?;
        say(&format!("files       {}, {} MiB", manifest.files.len(), bytes >> 20))?;
        say(&format!("state hash  {}", manifest.state_hash.as_deref().unwrap_or("not computed")))?;
        say(&format!("secrets     {}", secrets(&manifest)))?;
        say(&format!(
            "Restore it with: selfsame restore {} --data NEW_DIR --verify",
            dir.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    fn ask(&self, dir: &Path) -> anyhow::Result<BackupDone> {
        let client = self.remote.client()?;
        block_on(async {
            let dir = dir.to_str().context("the folder's path is not UTF-8")?.to_owned();
            let request = client.request(Method::POST, "/api/backup");
            let request = request.json(&BackupRequest { dir, with_key: Some(self.with_key) });
            let request = request.timeout(Duration::from_secs(24 * 3600));
            Ok(client.send(request).await?.json().await?)
        })
    }
}

/// What opens the secrets in a backup.
pub(super) fn secrets(manifest: &Manifest) -> String {
    let keys = manifest.keys.join(", ");
    match (manifest.keys.is_empty(), manifest.has_key) {
        (true, _) => "not sealed".to_owned(),
        (false, true) => {
            format!("sealed; the key {keys} is in the backup: keep it as secret as that")
        }
        (false, false) => format!("sealed; the key {keys} is NOT in the backup: keep it apart"),
    }
}

/// The hash of the state that the backup's log makes.
pub(super) fn hash(backup: &Path, manifest: &Manifest) -> anyhow::Result<StateHash> {
    let scratch = tempfile::Builder::new().prefix("state-").tempdir_in(backup)?;
    let root = backup::data(backup);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    // A copy of the log: opening it may write to it.
    let folder = scratch.path().join("log");
    selfsame_pipeline::copy_folder(&root.join("log"), &folder)?;
    let config = LogConfig { segment_bytes: 64 << 10, ..LogConfig::new(folder, chance::bytes()) };
    let log = SegmentLog::open(&config, clock, Arc::new(RealFs))
        .context("the log of the backup cannot be opened")?;
    let settings = Common::default().load()?.settings;
    let config = ReplayConfig {
        state: settings.engine.apply(EngineConfig::new("")).state,
        base: base::newest(&root)?,
        ..ReplayConfig::default()
    };
    let bar = bar("computing the state hash", manifest.position)?;
    let state = scratch.path().join("state");
    let until = Position::embedded(manifest.position);
    let hash = replay(&log, until, &state, &config, |at| bar.set_position(at.offset))?;
    bar.finish_and_clear();
    Ok(hash)
}

/// A bar of so many records.
pub(super) fn bar(what: &'static str, records: u64) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(records).with_message(what);
    bar.set_style(ProgressStyle::with_template(
        "{msg} {wide_bar} {pos}/{len} records, {eta} left",
    )?);
    Ok(bar)
}
