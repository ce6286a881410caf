//! `selfsame audience members`: who is in an audience.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::Value;

use super::Place;
use crate::client::{Client, block_on, part};
use crate::command::say;
use crate::printable::printable;

#[derive(Debug, Args)]
pub(super) struct Members {
    /// The audience.
    id: String,
    /// `lines`: the first ones, for people; `csv` and `jsonl`: all of them, for programs.
    #[arg(long, default_value = "lines")]
    format: Format,
    /// How many are shown with `--format lines`.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Leave out their identifiers.
    #[arg(long)]
    no_identifiers: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Lines,
    Csv,
    Jsonl,
}

impl Members {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.place.remote.client()?;
        block_on(async {
            let path = self.place.path(&client).await?;
            let path = format!("{path}/{}/members", part(&self.id));
            let query = format!("identifiers={}", !self.no_identifiers);
            match self.format {
                Format::Lines => {
                    let limit = self.limit.clamp(1, 10_000);
                    let page: Value = client.get(&format!("{path}?{query}&limit={limit}")).await?;
                    lines(&page).iter().try_for_each(|line| say(line))
                }
                Format::Csv => copy(&client, &format!("{path}.csv?{query}")).await,
                Format::Jsonl => copy(&client, &format!("{path}.jsonl?{query}")).await,
            }
        })
    }
}

/// Writes what the server sends to standard output, as it comes.
async fn copy(client: &Client, path: &str) -> anyhow::Result<()> {
    let mut answer = client.send(client.request(Method::GET, path)).await?;
    let mut out = std::io::stdout().lock();
    while let Some(piece) = answer.chunk().await? {
        out.write_all(&piece)?;
    }
    Ok(out.flush()?)
}

fn lines(page: &Value) -> Vec<String> {
    let text = |value: &Value, name: &str| value[name].as_str().map(printable).unwrap_or_default();
    let data = page["data"].as_array().map_or(&[][..], Vec::as_slice);
    let line = |member: &Value| {
        let ids = member["identifiers"].as_array().into_iter().flatten();
        let ids = ids.map(|id| format!("  {}:{}", text(id, "type"), text(id, "value")));
        let ids = ids.collect::<String>();
        format!("{}  {}{ids}", text(member, "profile_id"), text(member, "since"))
    };
    let mut lines: Vec<_> = data.iter().map(line).collect();
    let (shown, total) = (data.len(), page["total"].as_u64().unwrap_or(0));
    if page["next"].is_string() {
        lines.push(format!("{shown} of {total}: --limit shows more, --format csv writes all"));
    } else if shown == 0 {
        lines.push("nobody is in it".to_owned());
    }
    lines
}
