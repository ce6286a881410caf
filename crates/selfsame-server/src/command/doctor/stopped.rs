//! A data folder that no server uses.

use std::net::TcpListener;
use std::sync::Arc;

use selfsame_event::{Clock, SystemClock};
use selfsame_log::LogRead as _;

use super::Findings;
use crate::folder::Folder;
use crate::node::{Logs, open_engine};
use crate::settings::Settings;

pub(super) fn check(folder: &Folder, settings: &Settings, findings: &mut Findings) {
    check_port(settings, findings);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let logs = match Logs::open(folder, &settings.log, &clock) {
        Ok(logs) => logs,
        Err(error) => {
            let remedy = "restore the newest backup with `selfsame restore`, and keep this folder";
            return findings.problem("log", format!("{error:#}"), remedy);
        }
    };
    let (first, end) = (logs.log.first().offset, logs.log.end().offset);
    findings.well("log", format!("records {first} to {end}"));
    let torn = logs.log.recovery().torn_bytes;
    if torn > 0 {
        let found = format!("the last write was cut short by a crash ({torn} bytes)");
        findings.notice("log", found, "nothing to do: it was never acknowledged");
    }
    if logs.outbox.end().offset > end {
        let found = format!("it ends at {}, behind the log's end", logs.outbox.end());
        let remedy = "the log lost records: restore the newest backup, and keep this folder";
        findings.problem("outbox", found, remedy);
    }
    match open_engine(folder, &logs, &clock, &settings.engine) {
        Ok(engine) => {
            let state = engine.state();
            let behind = end.saturating_sub(state.next().offset);
            findings.well("state", format!("{behind} records are to be folded at the next start"));
            if state.next().offset > end {
                let remedy = "restore the newest backup: the log is shorter than it was";
                findings.problem("state", "it is ahead of the log", remedy);
            }
            let ahead = state.log_time().micros() - clock.wall().micros();
            if ahead > 1_000_000 {
                let found =
                    format!("the machine's clock is {} s behind the log's time", ahead / 1_000_000);
                findings.problem(
                    "clock",
                    found,
                    "set the clock; until it has caught up, log time creeps",
                );
            } else {
                findings.well("clock", "not behind the log's time");
            }
            if let Some(window) = state.dedupe().stats().window_shrunk_to {
                let found =
                    format!("message ids are remembered for only {} h", window.as_secs() / 3600);
                findings.notice("duplicates", found, "raise engine.dedupe_disk_bytes");
            }
        }
        Err(error) => {
            let remedy = "if this is a newer program's state, use that one; else move the folder `state` \
                          away: it is made anew from the log";
            findings.problem("state", format!("{:#}", anyhow::Error::new(error)), remedy);
        }
    }
}

/// Whether the address to listen on is free.
pub(super) fn check_port(settings: &Settings, findings: &mut Findings) {
    let listen = &settings.server.listen;
    match TcpListener::bind(listen) {
        Ok(_) => findings.well("address", format!("{listen} is free")),
        Err(error) => findings.problem(
            "address",
            format!("{listen}: {error}"),
            "stop what listens there, or choose another with --listen or server.listen",
        ),
    }
}
