//! Backups: a data folder as of one position of its log, with the digest of every file.
//!
//! ```text
//! DIR/backup.json     format, position, state hash, and every file with its length and digest
//! DIR/data/…          log, outbox, ledgers, exchanges, the audit log and the newest base, as in a data folder;
//!                     members without their sessions; the key that seals secrets only if it was asked for
//! ```
//!
//! Each part is copied after those that refer to it: first ledgers, then the outbox, then the log. So
//! in the copy, as after a crash, no part is ahead of one that it refers to. The state is not copied:
//! it is made anew from the log, which is the test of the backup.
//!
//! **Invariants:** a folder that is not empty is never written to; `backup.json` is written last, so
//! a backup that has it is whole.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use anyhow::Context as _;
use selfsame_event::{Clock, SystemClock};
use selfsame_log::{LogConfig, LogRead as _, RealFs, RegenerableLog, SegmentLog};
use selfsame_pipeline::{copy_file, copy_folder};
use serde::{Deserialize, Serialize};

use crate::base;
use crate::chance;
use crate::folder::{AUDIT, FORMAT as DATA_FORMAT, MEMBERS};
use crate::members;
use crate::vault::{KEY_FILE, Vault};
use crate::whole_file;

/// The version of the layout of backups.
const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
/// How often a part is copied that something wrote to at a bad moment.
const TRIES: u32 = 5;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of the layout of backups.
    pub(crate) selfsame_backup: u32,
    /// The version of the layout of the data folder.
    pub(crate) data_format: u32,
    /// The program that made it.
    pub(crate) program: String,
    /// When, in UTC.
    pub(crate) created: String,
    /// The first record of the log.
    pub(crate) first: u64,
    /// The place behind the last record of the log.
    pub(crate) position: u64,
    /// The hash of the state at that position, where it was made.
    pub(crate) state_hash: Option<String>,
    /// The ids of the keys that open the secrets in it.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    /// Whether the key file is in it.
    #[serde(default)]
    pub(crate) has_key: bool,
    /// Every file.
    pub(crate) files: Vec<FileEntry>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) blake3: String,
}

impl Manifest {
    /// Reads a backup's manifest.
    pub(crate) fn load(backup: &Path) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            selfsame_backup: u32,
            data_format: u32,
        }
        let path = backup.join(MANIFEST);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "{} is not a whole backup: there is no readable {MANIFEST} in it",
                backup.display()
            )
        })?;
        let damaged = || format!("{} is damaged", path.display());
        let Version { selfsame_backup, data_format } =
            serde_json::from_str(&text).with_context(damaged)?;
        anyhow::ensure!(
            selfsame_backup <= FORMAT && data_format <= DATA_FORMAT,
            "the backup {} was made by a newer selfsame (backup format {selfsame_backup}, data format \
             {data_format}; this program reads up to {FORMAT} and {DATA_FORMAT}). Restore it with that one",
            backup.display()
        );
        serde_json::from_str(&text).with_context(damaged)
    }

    /// Writes it, durably, in place of an earlier one.
    pub(crate) fn store(&self, backup: &Path) -> anyhow::Result<()> {
        let temporary = backup.join("backup.json.new");
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&temporary, backup.join(MANIFEST))?;
        Ok(File::open(backup)?.sync_all()?)
    }

    /// Compares every file with its digest.
    pub(crate) fn check(&self, backup: &Path, mut progress: impl FnMut(u64)) -> anyhow::Result<()> {
        for file in &self.files {
            let is_inside = Path::new(&file.path)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            anyhow::ensure!(is_inside, "the backup names a file outside of itself");
            let path = backup.join(&file.path);
            let found =
                digest(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            anyhow::ensure!(
                (found.0, &found.1) == (file.bytes, &file.blake3),
                "{} is damaged: its content is not what was backed up",
                path.display()
            );
            progress(file.bytes);
        }
        Ok(())
    }
}

/// The data folder inside a backup.
pub(crate) fn data(backup: &Path) -> PathBuf {
    backup.join("data")
}

/// Makes a backup of the data folder, which may be in use, in a folder that is empty or not there.
/// `vault` opens its secrets; its key file goes into the backup if `with_key`.
pub(crate) fn make(
    root: &Path,
    backup: &Path,
    vault: &Vault,
    with_key: bool,
) -> anyhow::Result<Manifest> {
    // Nothing is removed from the data folder meanwhile.
    let _keeping = base::KEEPING.lock().unwrap_or_else(PoisonError::into_inner);
    ensure_empty(backup)?;
    let into = data(backup);
    std::fs::create_dir_all(&into).with_context(|| format!("{} cannot be made", into.display()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    for space in names(&root.join("ledger"))? {
        let (from, to) = (root.join("ledger").join(&space), into.join("ledger").join(&space));
        copied(&from, &to, || open_log(&to, &clock).map(drop))
            .context("a ledger cannot be copied")?;
    }
    for (part, whose) in [("exchanges", "exchanges"), (AUDIT, "audit log")] {
        let (from, to) = (root.join(part), into.join(part));
        if from.exists() {
            copied(&from, &to, || open_log(&to, &clock).map(drop))
                .with_context(|| format!("the {whose} cannot be copied"))?;
        }
    }
    let members = members::for_backup(&root.join(MEMBERS), vault);
    if let Some(members) = members.context("the members cannot be copied")? {
        whole_file::replace(&into.join(MEMBERS), &members)?;
    }
    let (outbox, log) = (into.join("outbox"), into.join("log"));
    copied(&root.join("outbox"), &outbox, || Ok(())).context("the outbox cannot be copied")?;
    let opened = copied(&root.join("log"), &log, || open_log(&log, &clock));
    let opened = opened.context("the log cannot be copied")?;
    let (first, end) = (opened.first(), opened.end());
    drop(opened);
    let rows = RegenerableLog::open(&config(&outbox), Arc::clone(&clock), Arc::new(RealFs), 0)
        .context("the copied outbox cannot be opened")?;
    anyhow::ensure!(rows.end() <= end, "the copied outbox is ahead of the copied log");
    drop(rows);
    if let Some(newest) = base::newest(root)? {
        let name = newest.file_name().unwrap_or_default();
        copy_folder(&newest, &base::folder(&into).join(name))
            .context("the base cannot be copied")?;
    }
    if with_key {
        vault.copy_to(&into.join(KEY_FILE)).context("the key file cannot be copied")?;
    }
    copy_file(&root.join("format"), &into.join("format"))?;
    let mut files = Vec::new();
    list(backup, &into, &mut files)?;
    let manifest = Manifest {
        selfsame_backup: FORMAT,
        data_format: DATA_FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created: clock.wall().to_string(),
        first: first.offset,
        position: end.offset,
        state_hash: None,
        keys: vault.ids(),
        has_key: with_key,
        files,
    };
    manifest.store(backup)?;
    Ok(manifest)
}

/// Refuses a folder with something in it.
pub(crate) fn ensure_empty(folder: &Path) -> anyhow::Result<()> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        entries => {
            let mut entries =
                entries.with_context(|| format!("{} cannot be used", folder.display()))?;
            anyhow::ensure!(
                entries.next().is_none(),
                "{} is not empty, and nothing is ever overwritten; name a folder that is not there yet",
                folder.display()
            );
            Ok(())
        }
    }
}

fn config(folder: &Path) -> LogConfig {
    // Nothing is appended: no room is made for it.
    LogConfig { segment_bytes: 64 << 10, ..LogConfig::new(folder, chance::bytes()) }
}

/// Opens a copied log, which cuts off what was not whole yet.
fn open_log(folder: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<SegmentLog> {
    Ok(SegmentLog::open(&config(folder), Arc::clone(clock), Arc::new(RealFs))?)
}

/// Copies the folder of a log until the copy can be opened.
fn copied<T>(from: &Path, to: &Path, open: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut tries = 0;
    loop {
        tries += 1;
        match copy_log(from, to).and_then(|()| open()) {
            Err(error) if tries < TRIES => {
                tracing::debug!(error = %format!("{error:#}"), "a copy is made again");
                std::fs::remove_dir_all(to)?;
            }
            done => return done,
        }
    }
}

/// Copies the files of a log: what it promises first, then its segments in order.
fn copy_log(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    copy_file(&from.join("manifest"), &to.join("manifest"))?;
    for name in names(from)?.into_iter().filter(|name| name.ends_with(".seg")) {
        copy_file(&from.join(&name), &to.join(&name))?;
    }
    Ok(File::open(to)?.sync_all()?)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Lists the files below a folder, but for locks.
fn list(backup: &Path, folder: &Path, files: &mut Vec<FileEntry>) -> anyhow::Result<()> {
    for name in names(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            list(backup, &path, files)?;
        } else if name != "lock" {
            let (bytes, blake3) = digest(&path)?;
            let path = path.strip_prefix(backup)?.to_string_lossy().into_owned();
            files.push(FileEntry { path, bytes, blake3 });
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let bytes = io::copy(&mut file, &mut hasher)?;
    Ok((bytes, hasher.finalize().to_hex().to_string()))
}
