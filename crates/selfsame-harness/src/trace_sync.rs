//! `trace-sync`: watches the server's system calls, and checks that no `200` to a POST leaves before
//! a sync that began after the request arrived has returned.
//!
//! The trace's order is the order of things: a traced thread stands still at each end of a call
//! until it is noted. A sync counts for a request if it starts below the line of the request's last
//! bytes and has returned above the line of its answer.

mod lines;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use self::lines::{Verdict, judge};
use crate::child::{Program, Server};
use crate::generate::Mix;
use crate::load::{self, Plan};
use crate::print;

const CALLS: &str = "trace=fdatasync,fsync,sendto,write,writev,sendmsg,recvfrom,recvmsg,read,readv";

#[derive(Debug, clap::Args)]
pub(crate) struct TraceSync {
    /// The binary under test.
    #[arg(long, required_unless_present = "bare")]
    binary: Option<PathBuf>,
    /// Requests of each kind: single events and batches, alone and several at once.
    #[arg(long, default_value_t = 100)]
    requests: u64,
    /// Trace the bare server instead of `selfsame dev`.
    #[arg(long)]
    bare: bool,
}

impl TraceSync {
    pub(crate) async fn run(&self) -> Result<bool> {
        let probe = Command::new("strace").arg("-V").stdout(Stdio::null()).status();
        if !probe.is_ok_and(|status| status.success()) {
            print::line("skipped: strace is not installed");
            return Ok(true);
        }
        let folder = tempfile::tempdir()?;
        let (data, trace) = (folder.path().join("data"), folder.path().join("trace"));
        let program = match &self.binary {
            Some(binary) if !self.bare => Program::real(&std::path::absolute(binary)?),
            _ => Program::bare()?,
        };
        let trace_text = trace.to_str().context("the folder's name is not text")?;
        let tracer = [
            "strace",
            "-f",
            "-qq",
            "-yy",
            "-s",
            "32",
            "-o",
            trace_text,
            "-e",
            CALLS,
            "-e",
            "signal=none",
        ];
        let server = Server::start(&program.under(&tracer), &data).await?;
        let mut asked = 0;
        for (seed, (batch, connections)) in (0..).zip([(1, 1), (1, 8), (10, 1), (10, 8)]) {
            asked += self.send(server.address, batch, connections, seed).await?;
        }
        server.stop_traced().await?;
        let text = std::fs::read(&trace).context("reading the trace")?;
        let verdict = judge(&String::from_utf8_lossy(&text));
        print::line(verdict.line(asked));
        Ok(verdict.is_well(asked))
    }

    async fn send(
        &self,
        address: SocketAddr,
        batch: u64,
        connections: u64,
        seed: u64,
    ) -> Result<u64> {
        let plan = Plan {
            address,
            mix: Mix { profiles: 100, batch, seed },
            connections,
            rate: None,
            time: None,
            events: Some(self.requests * batch),
            backlog: None,
        };
        let outcome = load::run(plan, std::sync::Arc::default()).await?;
        if outcome.other + outcome.broken > 0 {
            bail!("requests failed under strace: {outcome:?}");
        }
        Ok(outcome.acknowledged / batch)
    }
}

impl Verdict {
    fn is_well(&self, asked: u64) -> bool {
        self.early.is_empty() && self.answers >= asked
    }

    fn line(&self, asked: u64) -> String {
        let what = if self.is_well(asked) { "all is well" } else { "FAILED" };
        let first = self.early.first().map_or(String::new(), |line| format!("; first: {line}"));
        format!(
            "trace-sync: {asked} requests acknowledged, {} answers seen, {} syncs, {} answers before their sync: {what}{first}",
            self.answers,
            self.syncs,
            self.early.len()
        )
    }
}
