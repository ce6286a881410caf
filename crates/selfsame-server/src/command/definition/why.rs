//! `selfsame audience why` and `selfsame trait why`: why a profile is in or out, or has its value.

use clap::Args;
use serde_json::Value;

use super::Place;
use crate::client::{block_on, part};
use crate::command::say;
use crate::printable::{brief, printable};

#[derive(Debug, Args)]
pub(super) struct Why {
    /// The definition.
    id: String,
    /// The profile, by its id or an identifier, such as `user_id:42`; of a definition of accounts the account, such as
    /// `group_id:acme`.
    #[arg(value_name = "TYPE:VALUE")]
    of: String,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Why {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.place.remote.client()?;
        let answer: Value = block_on(async {
            let path = self.place.path(&client).await?;
            client.get(&format!("{path}/{}/why?of={}", part(&self.id), part(&self.of))).await
        })?;
        if self.json {
            return say(&serde_json::to_string_pretty(&answer)?);
        }
        lines(&answer).iter().try_for_each(|line| say(line))
    }
}

fn text(value: &Value) -> String {
    printable(value.as_str().unwrap_or_default())
}

fn lines(answer: &Value) -> Vec<String> {
    let value = brief(&answer["value"].to_string(), 100);
    let mut lines = vec![format!("{}  {value}", text(&answer["profile_id"]))];
    reason(&answer["reason"], 1, &mut lines);
    if let Some(users) = answer["users"].as_u64() {
        let more =
            if answer["has_more_users"] == true { ", those that were linked first" } else { "" };
        lines.push(format!("  of {users} users{more}"));
    }
    if answer["is_cut"] == true {
        lines.push(format!("  of the newest {} events; there are older ones", answer["events"]));
    }
    lines
}

fn reason(one: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let sign = if one["holds"] == true { "yes" } else { "no " };
    let parts = one["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parts.is_empty() {
        let word = match one["kind"].as_str() {
            Some("and") => "all of",
            Some("or") => "one of",
            _ => "not",
        };
        lines.push(format!("{indent}{sign}  {word}"));
        parts.iter().for_each(|part| reason(part, depth + 1, lines));
        return;
    }
    lines.push(format!("{indent}{sign}  {}", text(&one["text"])));
    if let Some(holding) = one["holding"].as_u64() {
        lines.push(format!("{indent}     it holds for {holding}"));
    }
    if !one["value"].is_null() {
        lines.push(format!("{indent}     it is {}", brief(&one["value"].to_string(), 100)));
    }
    if let Some(until) = one["until"].as_str() {
        lines.push(format!("{indent}     until {}, if nothing happens", printable(until)));
    }
    for event in one["events"].as_array().into_iter().flatten() {
        let counts = if event["counts"] == true { "" } else { "  (not by itself now)" };
        let (when, id) = (text(&event["timestamp"]), text(&event["message_id"]));
        lines.push(format!(
            "{indent}     {when}  {}  {id}{counts}",
            brief(&text(&event["name"]), 60)
        ));
    }
    for user in one["users"].as_array().into_iter().flatten() {
        lines.push(format!("{indent}     {}", text(&user["profile_id"])));
        reason(&user["reason"], depth + 3, lines);
    }
    let shown = one["events"].as_array().map_or(0, |events| events.len() as u64);
    let left = one["event_count"].as_u64().unwrap_or(0).saturating_sub(shown);
    if left > 0 {
        lines.push(format!("{indent}     and {left} events more"));
    }
}
