//! `selfsame profile`: who somebody is, as the server knows them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use super::say;
use crate::client::{Client, Refused, Remote, block_on, part};
use crate::printable::{brief, printable};

/// Show profiles.
#[derive(Debug, Args)]
pub(super) struct Profile {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show one profile: its identifiers, traits, links, merges and last events.
    Get(Get),
    /// Find profiles by an identifier or by the value of a trait.
    Search(Search),
}

#[derive(Debug, Args)]
struct Which {
    /// The space. Default: the only one.
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    /// Accounts instead of users.
    #[arg(long)]
    account: bool,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Get {
    /// An identifier as type:value, such as `user_id:42`, or the id of a profile (use_…).
    id: String,
    /// How many of the last events to show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    events: u32,
    /// As it was at this time (ISO 8601).
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Search {
    /// The value of an identifier of any type, or trait=value.
    value: String,
    /// At most so many profiles.
    #[arg(long, value_name = "N", default_value_t = 25)]
    limit: u32,
    #[command(flatten)]
    which: Which,
}

impl Profile {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Get(get) => get.run(),
            Verb::Search(search) => search.run(),
        }
    }
}

impl Which {
    /// The path of the collection.
    async fn collection(&self, client: &Client) -> anyhow::Result<String> {
        let space = space(client, self.space.as_deref()).await?;
        let collection = if self.account { "accounts" } else { "users" };
        Ok(format!("/v1/spaces/{}/collections/{collection}", part(&space)))
    }
}

impl Get {
    fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(
            self.id.contains(':') || self.id.starts_with("use_"),
            "`{}` is not an id: give type:value, such as user_id:{0} or email:{0}, or the use_… of a profile",
            printable(&self.id)
        );
        let client = self.which.remote.client()?;
        let (profile, page) = block_on(self.ask(&client))?;
        if self.which.json {
            let mut answer = json!({ "profile": profile, "events": page.get("data") });
            if let Some(from) = page.get("history_from") {
                answer["history_from"] = from.clone();
            }
            say(&serde_json::to_string_pretty(&answer)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for line in profile_lines(&profile).into_iter().chain(event_lines(&page)) {
            say(&line)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<(Value, Value)> {
        let collection = self.which.collection(client).await?;
        let path = format!("{collection}/profiles/{}", part(&self.id));
        let at = self.at.as_ref().map(|at| format!("at={}", part(at))).unwrap_or_default();
        let profile: Value = match client.get(&format!("{path}?verbose=true&{at}")).await {
            Ok(profile) => profile,
            Err(error) => return Err(self.explain(error)),
        };
        let events: Value = match self.events {
            0 => json!({ "data": [] }),
            events => {
                client.get(&format!("{path}/events?limit={}&{at}", events.min(10_000))).await?
            }
        };
        Ok((profile, events))
    }

    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let is_missing = |refused: &Refused| refused.status == StatusCode::NOT_FOUND;
        if !error.downcast_ref::<Refused>().is_some_and(is_missing) {
            return error;
        }
        let (id, value) =
            (printable(&self.id), self.id.split_once(':').map_or("", |(_, value)| value));
        let hint = if value.is_empty() {
            String::new()
        } else {
            format!(
                ". `selfsame profile search {}` looks through identifiers of every type",
                printable(value)
            )
        };
        error.context(format!("there is no profile {id}{hint}"))
    }
}

impl Search {
    fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.which.remote.client()?;
        let found: Value = block_on(async {
            let collection = self.which.collection(&client).await?;
            let query = match self.value.split_once('=') {
                Some((name, value)) => {
                    // The value as JSON where it is a number, a boolean or null; else text.
                    format!("trait={}&value={}", part(name), part(value))
                }
                None => format!("identifier={}", part(&self.value)),
            };
            client.get(&format!("{collection}/search?{query}&limit={}", self.limit)).await
        })?;
        if self.which.json {
            say(&serde_json::to_string_pretty(&found)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let rows = list(&found, "data");
        for row in rows {
            let ids: Vec<_> = list(row, "external_ids").iter().map(identifier).collect();
            say(&format!("{}  {}", text(row, "id"), ids.join("  ")))?;
        }
        if rows.is_empty() {
            say("no profile was found")?;
        }
        if found.get("complete") == Some(&Value::Bool(false)) {
            say("there may be more: raise --limit")?;
        }
        Ok(if rows.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The space that is named, or the only one.
pub(super) async fn space(client: &Client, named: Option<&str>) -> anyhow::Result<String> {
    if let Some(space) = named {
        return Ok(space.to_owned());
    }
    let workspace: Value = client.get("/api/workspace").await?;
    let spaces: Vec<_> = list(&workspace, "spaces").iter().filter_map(Value::as_str).collect();
    match spaces.as_slice() {
        [only] => Ok((*only).to_owned()),
        spaces => anyhow::bail!(
            "there are {} spaces; name one with --space: {}",
            spaces.len(),
            printable(&spaces.join(", "))
        ),
    }
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(printable).unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn identifier(id: &Value) -> String {
    format!("{}:{}", text(id, "type"), text(id, "id"))
}

/// A value as JSON, short.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => brief(text, 80),
        other => brief(&other.to_string(), 80),
    }
}

fn profile_lines(profile: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}  ({})", text(profile, "id"), text(profile, "collection"))];
    let mut section = |title: &str, rows: Vec<(String, String, String)>| {
        if rows.is_empty() {
            return;
        }
        lines.push(title.to_owned());
        let widths = rows.iter().fold((0, 0), |(first, second), row| {
            (first.max(row.0.chars().count()), second.max(row.1.chars().count()))
        });
        lines.extend(rows.iter().map(|(first, second, third)| {
            let (w, v) = widths;
            format!("  {first:<w$}  {second:<v$}  {third}").trim_end().to_owned()
        }));
    };
    let ids = list(profile, "external_ids").iter();
    section(
        "identifiers",
        ids.map(|id| (text(id, "type"), text(id, "id"), text(id, "created_at"))).collect(),
    );
    let empty = Map::new();
    let traits = profile.get("traits").and_then(Value::as_object).unwrap_or(&empty);
    let row = |(key, entry): (&String, &Value)| {
        let value = shown(entry.get("value").unwrap_or(entry));
        let (class, at) = (text(entry, "class"), text(entry, "updated_at"));
        let from = match (class.as_str(), at.as_str()) {
            ("", _) => at,
            (_, "") => class,
            _ => format!("{class} since {at}"),
        };
        (printable(key), value, from)
    };
    section("traits", traits.iter().map(row).collect());
    let links = list(profile, "links").iter().map(|link| {
        let ids: Vec<_> = list(link, "external_ids").iter().map(identifier).collect();
        (text(link, "to_collection"), ids.join("  "), String::new())
    });
    section("links", links.collect());
    let merges = list(profile, "merges").iter().map(|merge| {
        let what = match merge.get("merged") {
            Some(Value::Bool(true)) => format!("merged {}", text(merge, "from")),
            _ => format!("kept apart from {}: {}", text(merge, "from"), text(merge, "refused_by")),
        };
        (text(merge, "timestamp"), what, text(merge, "event"))
    });
    section("merges", merges.collect());
    let count = profile.get("events").and_then(Value::as_u64).unwrap_or(0);
    lines.push(format!("events: {count}"));
    lines
}

fn event_lines(page: &Value) -> Vec<String> {
    let row = |event: &Value| {
        if event.is_null() {
            return "  (its content is not there any more)".to_owned();
        }
        let name = event.get("event").and_then(Value::as_str).map(|name| brief(name, 60));
        let row = format!(
            "  {}  {:<8}  {}  {}",
            text(event, "timestamp"),
            text(event, "type"),
            name.unwrap_or_default(),
            text(event, "message_id"),
        );
        row.trim_end().to_owned()
    };
    let mut lines: Vec<_> = list(page, "data").iter().map(row).collect();
    if let Some(from) = page.get("history_from") {
        let mut line =
            format!("  older events are not kept: the log begins at {}", text(from, "position"));
        if let Some(time) = from.get("received_at").and_then(Value::as_str) {
            line.push_str(&format!(", received {}", printable(time)));
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests;
