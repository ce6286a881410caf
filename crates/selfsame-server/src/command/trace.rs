//! `selfsame trace`: every hop of one event.

use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::printable::printable;

/// Show every hop of one event: received, decided, and each attempt to deliver it.
#[derive(Debug, Args)]
pub(super) struct Trace {
    /// The event's messageId, or its position such as 0-17.2.
    message_id: String,
    /// The whole answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Deserialize)]
struct Answer {
    data: Vec<Value>,
    searched: u64,
    next: Option<String>,
}

impl Trace {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        let (found, searched) = block_on(self.search(&client))?;
        if found.is_empty() {
            anyhow::bail!(
                "no event of the log has the messageId {}; {searched} requests were searched. \
                 `selfsame tail` shows the ids of events as they come",
                printable(&self.message_id)
            );
        }
        for (number, traced) in found.iter().enumerate() {
            if self.json {
                say(&traced.to_string())?;
                continue;
            }
            if number > 0 {
                say("")?;
            }
            for line in hops(traced) {
                say(&line)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Searches from the end of the log on, until something is found.
    async fn search(&self, client: &Client) -> anyhow::Result<(Vec<Value>, u64)> {
        let is_position = self.message_id.split_once('-').is_some_and(|(partition, rest)| {
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            partition == "0"
                && rest
                    .split_once('.')
                    .is_some_and(|(offset, index)| is_number(offset) && is_number(index))
        });
        let name = if is_position { "position" } else { "message_id" };
        let path = format!("/api/trace?{name}={}", part(&self.message_id));
        let (mut before, mut total) = (String::new(), 0);
        loop {
            let Answer { data, searched, next } = client.get(&format!("{path}{before}")).await?;
            total += searched;
            match next {
                Some(next) if data.is_empty() => before = format!("&before={}", part(&next)),
                _ => return Ok((data, total)),
            }
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => printable(text),
        Some(Value::Null) | None => String::new(),
        Some(other) => printable(&other.to_string()),
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The hops of an event, indented.
fn hops(traced: &Value) -> Vec<String> {
    let event = &traced["event"];
    let mut lines = Vec::new();
    let name = text(event, "name");
    let name = if name.is_empty() { name } else { format!(" \"{name}\"") };
    lines.push(format!("{}{name}  {}", text(event, "type"), text(event, "message_id")));
    let imported = if event["imported"] == true { ", from a file" } else { "" };
    lines.push(format!(
        "  received   {}  by source {} at {}{imported}",
        text(event, "received_at"),
        text(event, "source"),
        text(event, "position"),
    ));
    let code = text(event, "code");
    let code = if code.is_empty() { code } else { format!(" ({code})") };
    lines.push(format!(
        "  decided    {}{code}: {}",
        text(event, "verdict"),
        text(event, "sentence")
    ));
    for (name, word) in [("first", "first"), ("profile_id", "profile"), ("account_id", "account")] {
        let value = text(event, name);
        if !value.is_empty() {
            lines.push(format!("    {word:<8} {value}"));
        }
    }
    for note in list(event, "notes") {
        let value = [text(note, "identifier"), text(note, "value")];
        let value: Vec<_> = value.into_iter().filter(|text| !text.is_empty()).collect();
        let value = if value.is_empty() { String::new() } else { format!(": {}", value.join(" ")) };
        lines.push(format!("    - {}{value}", text(note, "sentence")));
    }
    let deliveries = list(traced, "deliveries");
    if deliveries.is_empty() && text(event, "verdict") == "accepted" {
        lines.push("  delivered  its space has no destination".to_owned());
    }
    for delivery in deliveries {
        lines.extend(arrival(delivery, "  "));
    }
    for change in list(traced, "changes") {
        let value = match text(change, "change").as_str() {
            "value" => format!("is {} now", text(change, "value")),
            word => word.to_owned(),
        };
        lines.push(format!(
            "  changed    {} {value} at {}",
            text(change, "definition"),
            text(change, "at")
        ));
        for call in list(change, "calls") {
            let (kind, position) = (text(call, "type"), text(call, "position"));
            lines.push(format!("    {kind}  at {position}"));
            let deliveries = list(call, "deliveries").iter();
            lines.extend(deliveries.flat_map(|delivery| arrival(delivery, "      ")));
        }
    }
    lines
}

/// What became of something at a destination.
fn arrival(delivery: &Value, indent: &str) -> Vec<String> {
    let mut lines = vec![format!(
        "{indent}to {}  {}: {}",
        text(delivery, "destination"),
        text(delivery, "state"),
        text(delivery, "sentence"),
    )];
    for attempt in list(delivery, "attempts") {
        let note = text(attempt, "note");
        let note = if note.is_empty() { note } else { format!("  {note}") };
        let status = text(attempt, "status");
        let status = if status.is_empty() { status } else { format!(" {status}") };
        let action = text(attempt, "action");
        let action = if action.is_empty() { action } else { format!("{action}: ") };
        let replay = text(attempt, "replay");
        let replay = match replay.is_empty() {
            true => replay,
            false => format!("  by replay {replay}"),
        };
        lines.push(format!(
            "{indent}  {}  {}  {action}{}{status} in {} ms{replay}{note}",
            text(attempt, "number"),
            text(attempt, "started"),
            text(attempt, "outcome"),
            text(attempt, "took_ms"),
        ));
    }
    lines
}

#[cfg(test)]
mod tests;
