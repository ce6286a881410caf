//! `selfsame doctor`: what is well, what is not, and what to do about it.

mod running;
mod stopped;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use selfsame_event::{Clock as _, SystemClock};

use super::{Common, say};
use crate::folder::{Folder, FolderError};
use crate::printable::printable;
use crate::settings::Settings;
use crate::vault::{Vault, file_of};

/// Check the settings, the machine, the data folder and the server, and say what to do.
///
/// Exits with 1 if there is a problem. Where no server runs, the data folder is opened as a start
/// would open it.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    common: Common,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    Notice,
    Problem,
}

/// What was checked and found.
#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    about: &'static str,
    found: String,
    remedy: String,
}

/// Everything that was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn well(&mut self, about: &'static str, found: impl Into<String>) {
        self.add(Verdict::Well, about, found.into(), String::new());
    }

    fn notice(&mut self, about: &'static str, found: impl Into<String>, remedy: impl Into<String>) {
        self.add(Verdict::Notice, about, found.into(), remedy.into());
    }

    fn problem(
        &mut self,
        about: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Verdict::Problem, about, found.into(), remedy.into());
    }

    fn add(&mut self, verdict: Verdict, about: &'static str, found: String, remedy: String) {
        self.0.push(Finding { verdict, about, found, remedy });
    }
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut findings = Findings::default();
        match self.common.load() {
            Err(error) => {
                let remedy =
                    "correct it; `selfsame config` shows every setting and where it came from";
                findings.problem("settings", format!("{error:#}"), remedy);
            }
            Ok(loaded) => {
                findings.well("settings", "readable");
                self.check(&loaded.settings, &mut findings);
            }
        }
        let mut problems = 0;
        for Finding { verdict, about, found, remedy } in &findings.0 {
            let word = match verdict {
                Verdict::Well => "ok",
                Verdict::Notice => "notice",
                Verdict::Problem => "PROBLEM",
            };
            problems += usize::from(*verdict == Verdict::Problem);
            say(&format!("{word:<8} {about:<12} {}", printable(found)))?;
            if !remedy.is_empty() {
                say(&format!("{:22}-> {remedy}", ""))?;
            }
        }
        say(&match problems {
            0 => "no problem was found".to_owned(),
            1 => "1 problem was found".to_owned(),
            count => format!("{count} problems were found"),
        })?;
        Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn check(&self, settings: &Settings, findings: &mut Findings) {
        let root = &settings.server.data;
        check_files(settings, findings);
        let there = existing(root);
        check_disk(&there, findings);
        check_sync(&there, findings);
        check_key(settings, findings);
        match Folder::open(root) {
            Ok(folder) => {
                findings.well("data folder", format!("{}, no server uses it", root.display()));
                stopped::check(&folder, settings, findings);
            }
            Err(FolderError::InUse(_)) => {
                findings.well("data folder", format!("{}, a server uses it", root.display()));
                running::check(settings, findings);
            }
            Err(FolderError::Missing(_)) => {
                let remedy = "the first `selfsame serve` makes it; or name another with --data";
                findings.notice(
                    "data folder",
                    format!("there is none at {}", root.display()),
                    remedy,
                );
                stopped::check_port(settings, findings);
            }
            Err(error @ FolderError::Newer { .. }) => {
                findings.problem(
                    "data folder",
                    error.to_string(),
                    "start the newer selfsame with it",
                );
            }
            Err(error) => {
                let remedy = "check its owner and permissions, or name another with --data";
                findings.problem("data folder", format!("{:#}", anyhow::Error::new(error)), remedy);
            }
        }
    }
}

/// The folder, or the nearest one above it that is there.
fn existing(root: &Path) -> PathBuf {
    let path = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    path.ancestors().find(|path| path.is_dir()).map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Looks at the file that has the key of the vault.
fn check_key(settings: &Settings, findings: &mut Findings) {
    let file = file_of(&settings.server.key_file, &settings.server.data);
    match Vault::open(file) {
        Ok(vault) if vault.is_exposed() => findings.problem(
            "key file",
            format!("others than its owner can read {}", vault.file().display()),
            "chmod 600 it; if somebody may have read it, rotate the secrets of destinations and sources",
        ),
        Ok(vault) if vault.ids().is_empty() => {
            findings.well("key file", format!("{} is made at the start", vault.file().display()));
        }
        Ok(vault) => findings.well("key file", vault.file().display().to_string()),
        Err(error) => findings.problem(
            "key file",
            format!("{:#}", anyhow::Error::new(error)),
            "put the right file there, or name it with server.key_file",
        ),
    }
}

fn check_files(settings: &Settings, findings: &mut Findings) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let wanted = u64::try_from(settings.server.connections).unwrap_or(u64::MAX).saturating_add(256);
    match limit {
        Some(limit) if limit < wanted => findings.notice(
            "open files",
            format!("at most {limit}, and the settings allow connections that need {wanted}"),
            "raise it (`ulimit -n`, or LimitNOFILE= of the unit), or lower server.connections",
        ),
        Some(limit) => findings.well("open files", format!("at most {limit}")),
        None => findings.well("open files", "no limit"),
    }
}

fn check_disk(folder: &Path, findings: &mut Findings) {
    const LITTLE: u64 = 1 << 30;
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let share = disk.f_bavail * 100 / disk.f_blocks.max(1);
            let found = format!("{} MiB free ({share} %)", free >> 20);
            let remedy = "make room, or set log.retention_days or log.retention_bytes";
            if free < LITTLE {
                findings.problem("disk", found, remedy);
            } else if share < 10 {
                findings.notice("disk", found, remedy);
            } else {
                findings.well("disk", found);
            }
        }
        Err(error) => findings.problem("disk", error.to_string(), "check that the disk is mounted"),
    }
}

/// Measures how long the disk takes to make a small write durable: every acknowledgement waits for it.
fn check_sync(folder: &Path, findings: &mut Findings) {
    const WRITES: usize = 21;
    const SLOW: u64 = 20_000;
    let clock = SystemClock::default();
    let measure = || -> std::io::Result<Vec<u64>> {
        let (file, path) = tempfile::NamedTempFile::new_in(folder)?.into_parts();
        let mut file: File = file;
        let mut took = Vec::with_capacity(WRITES);
        for _ in 0..WRITES {
            let began = clock.monotonic_micros();
            file.write_all(&[1; 4096])?;
            file.sync_data()?;
            took.push(clock.monotonic_micros() - began);
        }
        path.close()?;
        took.sort_unstable();
        Ok(took)
    };
    match measure() {
        Ok(took) => {
            let median = took.get(WRITES / 2).copied().unwrap_or(0);
            let worst = took.last().copied().unwrap_or(0);
            let millis = |micros: u64| format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10);
            let found =
                format!("a durable write takes {}, at worst {}", millis(median), millis(worst));
            if median > SLOW {
                let remedy = "use a local solid-state disk: every acknowledgement waits for this";
                findings.notice("sync", found, remedy);
            } else {
                findings.well("sync", found);
            }
        }
        Err(error) => {
            findings.problem("sync", error.to_string(), "give this user the right to write there");
        }
    }
}
