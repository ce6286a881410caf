//! `selfsame tail`: events as they are decided.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use reqwest::{Method, Response};
use serde_json::Value;

use super::{complain, say};
use crate::client::{Client, Remote, block_on, part};
use crate::printable::{brief, printable};

/// Follow events as they are decided, one line each.
#[derive(Debug, Args)]
pub(super) struct Tail {
    /// Only events of this source.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Only events of this type: identify, track, page, screen, group or alias.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only track calls of this name.
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Only events of the profile with this id (use_…).
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Stop after so many events.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// One JSON object per line, with the whole event.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Why following ended.
enum End {
    /// The connection did.
    Lost,
    /// All that was wanted was shown.
    Enough,
}

impl Tail {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        block_on(self.follow(&client))?;
        Ok(ExitCode::SUCCESS)
    }

    fn path(&self) -> String {
        let wanted = [
            ("source", &self.source),
            ("type", &self.kind),
            ("event", &self.event),
            ("profile", &self.profile),
        ];
        let wanted = wanted.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let query: Vec<_> = wanted.map(|(name, value)| format!("{name}={}", part(value))).collect();
        format!("/api/tail?{}", query.join("&"))
    }

    async fn follow(&self, client: &Client) -> anyhow::Result<()> {
        const AGAIN: Duration = Duration::from_secs(1);
        let path = self.path();
        let mut left = self.count;
        let mut is_first = true;
        loop {
            match client.send(client.request(Method::GET, &path)).await {
                Ok(mut response) => {
                    is_first = false;
                    if let End::Enough = self.show(&mut response, &mut left).await? {
                        return Ok(());
                    }
                    complain(&anyhow::anyhow!(
                        "the connection ended; trying again. Events of between are not shown"
                    ));
                }
                Err(error) if is_first || !Client::is_passing(&error) => return Err(error),
                Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn show(&self, response: &mut Response, left: &mut Option<u64>) -> anyhow::Result<End> {
        let (mut text, mut reader) = (Vec::new(), Frames::default());
        while let Ok(Some(piece)) = response.chunk().await {
            text.extend_from_slice(&piece);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let Some((name, data)) = reader.line(&String::from_utf8_lossy(&line)) else {
                    continue;
                };
                let Ok(data) = serde_json::from_str::<Value>(&data) else { continue };
                if name == "dropped" {
                    let records = data.get("records").and_then(Value::as_u64).unwrap_or(0);
                    complain(&anyhow::anyhow!("{records} requests went by too fast to be shown"));
                    continue;
                }
                say(&if self.json { data.to_string() } else { row(&data) })?;
                if let Some(left) = left {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        return Ok(End::Enough);
                    }
                }
            }
        }
        Ok(End::Lost)
    }
}

/// Puts server-sent events together from their lines.
#[derive(Debug, Default)]
struct Frames {
    name: String,
    data: String,
}

impl Frames {
    /// Takes a line; the event that it ends, if it ends one.
    fn line(&mut self, line: &str) -> Option<(String, String)> {
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            let Self { name, data } = std::mem::take(self);
            return (!data.is_empty()).then_some((name, data));
        }
        let (field, value) = line.split_once(':')?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.data.push_str(value),
            _ => {}
        }
        None
    }
}

fn text<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    let found = path.iter().try_fold(value, |at, name| at.get(name));
    found.and_then(Value::as_str).unwrap_or_default()
}

/// One event on a line.
fn row(event: &Value) -> String {
    let time = text(event, &["received_at"]);
    let time = time.split_once('T').map_or(time, |(_, time)| time);
    let who =
        [("user", "userId"), ("anonymous", "anonymousId")].into_iter().find_map(|(kind, key)| {
            let value = text(event, &["event", key]);
            (!value.is_empty()).then(|| format!("{kind}:{}", brief(value, 40)))
        });
    let profile = text(event, &["profile_id"]);
    let verdict = text(event, &["verdict"]);
    let why = match verdict {
        "accepted" => String::new(),
        _ => format!("  {}", printable(text(event, &["sentence"]))),
    };
    let notes: Vec<&str> = event
        .get("notes")
        .and_then(Value::as_array)
        .map(|notes| notes.iter().map(|note| text(note, &["sentence"])).collect())
        .unwrap_or_default();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("  ({})", printable(&notes.join("; ")))
    };
    let mut line = format!(
        "{:<16} {:<10} {:<9} {:<8} {:<24} {:<28} {}{why}{notes}",
        printable(time),
        printable(verdict),
        brief(text(event, &["source"]), 20),
        printable(text(event, &["type"])),
        brief(text(event, &["name"]), 40),
        who.unwrap_or_default(),
        printable(profile),
    );
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests;
