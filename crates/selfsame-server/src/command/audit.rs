//! `selfsame audit`: who did what.

use std::process::ExitCode;

use clap::Args;

use super::say;
use crate::client::{Remote, block_on, part};
use crate::control::AuditFound;
use crate::printable::printable;

/// List who changed, exported or was refused what, newest first.
#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only what this member or token did: a member's id, or `token:` and a token's id.
    #[arg(long, value_name = "ID")]
    who: Option<String>,
    /// Only this operation, such as `destinations_create`.
    #[arg(long, value_name = "ID")]
    operation: Option<String>,
    /// Only from then on: a time, or how long ago, such as 90m, 2h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Audit {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        let mut path = format!("/api/audit?limit={}", self.limit);
        for (name, value) in
            [("who", &self.who), ("operation", &self.operation), ("since", &self.since)]
        {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", part(value)));
            }
        }
        let found: AuditFound = block_on(async { client.get(&path).await })?;
        if self.json {
            say(&serde_json::to_string_pretty(&found)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for entry in &found.data {
            let who = match &entry.name {
                Some(name) => format!("{} ({})", printable(&entry.who), printable(name)),
                None => printable(&entry.who),
            };
            let from = printable(entry.address.as_deref().unwrap_or("-"));
            let (at, status) = (printable(&entry.at), entry.status);
            let (operation, target) = (printable(&entry.operation), printable(&entry.target));
            let result = match &entry.code {
                Some(code) => format!("{}: {}", printable(&entry.result), printable(code)),
                None => printable(&entry.result),
            };
            say(&format!("{at}  {who}  {from}  {operation}  {target}  {status} {result}"))?;
        }
        if found.next.is_some() {
            say("There is more: --limit shows it.")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
