//! `selfsame identity`: why two identifiers are one profile, how a profile came to be, and how healthy
//! the graph is.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::StatusCode;
use serde_json::Value;

use super::say;
use crate::client::{Client, Refused, Remote, block_on, part};
use crate::printable::{brief, printable};

mod household;
mod proposals;
mod rules;
mod undo;

/// Explain who is who, and undo what was joined.
#[derive(Debug, Args)]
pub(super) struct Identity {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show why two identifiers are one profile: the path of events that link them; or why they are not.
    Why(Why),
    /// Show every merge of a profile, made and refused, and every device that moved, in order.
    Merges(Merges),
    /// Show how large profiles are, which limits were met, and identifiers that many profiles want.
    Health(Health),
    /// Find profiles that have more than the rules in force would let them, and how to take each apart.
    Proposals(proposals::Proposals),
    /// Show who is one household with a person: one address and family name, or one card.
    Household(household::Household),
    /// Undo a merge, as if it had never been: shows what would change, and does it with --yes.
    Unmerge(undo::Unmerge),
    /// Take identifiers off a profile: shows what would change, and does it with --yes.
    Split(undo::Split),
    /// Let two identifiers share a profile again: shows what would change, and does it with --yes.
    Lift(undo::Lift),
    /// List identifiers that are set apart, with the events that would have joined them.
    Apart(undo::Apart),
    /// Try other rules out over the whole history: which profiles would be merged, split, new or gone.
    Try(rules::Try),
    /// Put rules in force as if they had been so from the first event on: shows what would change, and
    /// does it with --yes.
    Publish(rules::Publish),
}

#[derive(Debug, Args)]
struct Where {
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
struct Why {
    /// An identifier as type:value, such as `user_id:42`.
    from: String,
    /// The other identifier, such as `email:a@b.c`.
    to: String,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Args)]
struct Merges {
    /// An identifier as type:value, such as `user_id:42`, or the id of a profile (use_…).
    id: String,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Args)]
struct Health {
    #[command(flatten)]
    place: Where,
}

impl Identity {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Why(why) => why.run(),
            Verb::Merges(merges) => merges.run(),
            Verb::Proposals(proposals) => proposals.run(),
            Verb::Household(household) => household.run(),
            Verb::Unmerge(unmerge) => unmerge.run(),
            Verb::Split(split) => split.run(),
            Verb::Lift(lift) => lift.run(),
            Verb::Apart(apart) => apart.run(),
            Verb::Try(rules) => rules.run(),
            Verb::Publish(rules) => rules.run(),
            Verb::Health(health) => health.place.show("health", "", health_lines),
        }
    }
}

impl Where {
    /// Asks for an explanation and shows it.
    fn show(
        &self,
        what: &str,
        query: &str,
        lines: impl FnOnce(&Value) -> Vec<String>,
    ) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        let answer = block_on(self.ask(&client, what, query))?;
        if self.json {
            say(&serde_json::to_string_pretty(&answer)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for line in lines(&answer) {
            say(&line)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn ask(&self, client: &Client, what: &str, query: &str) -> anyhow::Result<Value> {
        let space = super::profile::space(client, self.space.as_deref()).await?;
        let collection = if self.account { "accounts" } else { "users" };
        let space = part(&space);
        let path = format!("/api/spaces/{space}/identity/{what}?collection={collection}{query}");
        client.get(&path).await
    }
}

impl Why {
    fn run(self) -> anyhow::Result<ExitCode> {
        for id in [&self.from, &self.to] {
            check_identifier(id)?;
        }
        let query = format!("&from={}&to={}", part(&self.from), part(&self.to));
        self.place.show("why", &query, why_lines)
    }
}

impl Merges {
    fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(
            self.id.contains(':') || self.id.starts_with("use_"),
            "`{}` is not an id: give type:value, such as user_id:{0} or email:{0}, or the use_… of a profile",
            printable(&self.id)
        );
        let shown = self.place.show("merges", &format!("&of={}", part(&self.id)), merge_lines);
        shown.map_err(|error| {
            let is_missing = |refused: &Refused| refused.status == StatusCode::NOT_FOUND;
            match error.downcast_ref::<Refused>().is_some_and(is_missing) {
                true => error.context(format!(
                    "there are no merges to show of {}. `selfsame profile search` finds profiles by \
                     the value of any identifier",
                    printable(&self.id)
                )),
                false => error,
            }
        })
    }
}

fn check_identifier(id: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        id.split_once(':').is_some_and(|(kind, value)| !kind.is_empty() && !value.is_empty()),
        "`{}` is not an identifier: give type:value, such as user_id:42 or email:a@b.c",
        printable(id)
    );
    Ok(())
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(printable).unwrap_or_default()
}

fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn id(value: &Value) -> String {
    let shown = value.get("value").and_then(Value::as_str).map(|value| brief(value, 120));
    format!("{}:{}", text(value, "type"), shown.unwrap_or_default())
}

/// An event in one line: when, what, by which source, under which id.
fn event(value: &Value) -> String {
    let name =
        value.get("name").and_then(Value::as_str).map(|name| format!(" \"{}\"", brief(name, 60)));
    let kind = match text(value, "type") {
        kind if kind.is_empty() => "an event that is gone from the log".to_owned(),
        kind => format!("{kind}{}", name.unwrap_or_default()),
    };
    let message_id = match text(value, "message_id") {
        id if id.is_empty() => String::new(),
        id => format!("  {id}"),
    };
    format!(
        "{}  {kind}  from {} at {}{message_id}",
        text(value, "timestamp"),
        text(value, "source"),
        text(value, "position")
    )
}

fn window(limit: &Value) -> String {
    match text(limit, "window").as_str() {
        "ever" => String::new(),
        window => format!(" ({window})"),
    }
}

/// The limit that was met, as it was then.
fn met(value: &Value) -> String {
    let met = |limit: &Value| {
        format!(", at most {} {}{}", count(limit, "limit"), text(limit, "type"), window(limit))
    };
    value.get("limit").filter(|limit| !limit.is_null()).map(met).unwrap_or_default()
}

fn limits(value: &Value) -> Vec<String> {
    let line = |limit: &Value| {
        let window = window(limit);
        format!(
            "    together they would have {} values of {}; the limit is {}{window}",
            count(limit, "count"),
            text(limit, "type"),
            count(limit, "limit")
        )
    };
    list(value, "limits").iter().map(line).collect()
}

fn why_lines(why: &Value) -> Vec<String> {
    let ends = [&why["from"], &why["to"]];
    let mut lines = Vec::new();
    match text(why, "verdict").as_str() {
        "same_profile" => {
            let profile = text(ends[0], "profile_id");
            lines.push(format!("one profile: {profile}"));
            match why.get("links").and_then(Value::as_array) {
                Some(links) if links.is_empty() => {
                    lines.push("  they are the same identifier".to_owned());
                }
                Some(links) => lines.extend(links.iter().map(link)),
                None => lines.push(format!("  {}", text(why, "sentence"))),
            }
        }
        "different_profiles" => {
            lines.push("two profiles".to_owned());
            for end in ends {
                lines.push(format!("  {} is on {}", id(&end["id"]), text(end, "profile_id")));
            }
            let (shown, total) = (list(why, "refusals"), count(why, "refusal_count"));
            if shown.is_empty() {
                lines.push("  no event is recorded that would have joined the two".to_owned());
            }
            lines.extend(shown.iter().map(refusal));
            let shown = u64::try_from(shown.len()).unwrap_or(0);
            if total > shown {
                lines.push(format!("  … and {} more events", total - shown));
            }
            lines.extend(limits(why));
            lines.extend(list(why, "set_apart").iter().map(set_apart));
        }
        _ => ends.iter().for_each(|end| lines.extend(end_lines(end))),
    }
    if why.get("cut") == Some(&Value::Bool(true)) {
        lines
            .push("  not everything was looked at: there is more than one answer reads".to_owned());
    }
    lines
}

fn set_apart(pair: &Value) -> String {
    let by = match text(pair, "by") {
        by if by.is_empty() => by,
        by => format!(" by {by}"),
    };
    let (one, other) = (id(&pair["one"]), id(&pair["other"]));
    format!("  {one} and {other} were set apart{by}  {}", text(pair, "since"))
}

fn link(link: &Value) -> String {
    let verb = match text(link, "effect").as_str() {
        "mapped" => "mapped with",
        "merged" => "merged with",
        _ => "seen with",
    };
    format!("  {} {verb} {}  {}", id(&link["from"]), id(&link["to"]), event(&link["event"]))
}

fn refusal(refusal: &Value) -> String {
    let left_out = refusal.get("left_out").filter(|id| !id.is_null());
    let left_out = left_out.map(|one| format!(", {} left out", id(one))).unwrap_or_default();
    let (sentence, met) = (text(refusal, "sentence"), met(refusal));
    format!("  kept apart: {sentence}{met}{left_out}  {}", event(&refusal["event"]))
}

fn end_lines(end: &Value) -> Vec<String> {
    let name = id(&end["id"]);
    let profile = text(end, "profile_id");
    if !profile.is_empty() {
        return vec![format!("{name} is on {profile}")];
    }
    let Some(stopped) = end.get("stopped").filter(|stopped| !stopped.is_null()) else {
        return vec![format!(
            "{name} is on no profile, and no recent event had it: check how it is written, or look \
             for its value with `selfsame profile search`"
        )];
    };
    let times = count(end, "stopped_count");
    let more =
        if times > 1 { format!(" ({times} times, this was the last)") } else { String::new() };
    let mut lines = vec![
        format!("{name} is on no profile: {}{}{more}", text(stopped, "sentence"), met(stopped)),
        format!("  {}", event(&stopped["event"])),
    ];
    let profile = text(stopped, "profile_id");
    if !profile.is_empty() {
        lines.push(format!("  that event belongs to {profile}"));
    }
    lines.extend(limits(stopped));
    lines
}

fn merge_lines(merges: &Value) -> Vec<String> {
    let ids: Vec<_> = list(merges, "identifiers").iter().map(id).collect();
    let mut lines = vec![format!("{}  {}", text(merges, "profile_id"), ids.join("  "))];
    let rows = list(merges, "data");
    for (number, row) in rows.iter().enumerate() {
        let device = row.get("device").filter(|device| !device.is_null()).map(id);
        let what = match (row.get("merged"), device) {
            (_, Some(device)) => {
                format!("{} took the device {device} from {}", text(row, "into"), text(row, "from"))
            }
            (Some(Value::Bool(true)), _) => {
                format!("{} took in {}", text(row, "into"), text(row, "from"))
            }
            _ => format!(
                "{} kept apart from {} ({}{})",
                text(row, "into"),
                text(row, "from"),
                text(row, "refused_by"),
                met(row)
            ),
        };
        lines.push(format!("  {}. {what}", number + 1));
        lines.push(format!("     {}", event(&row["event"])));
        let by: Vec<_> = list(row, "identifiers").iter().map(id).collect();
        if !by.is_empty() {
            lines.push(format!("     by {}", by.join(" and ")));
        }
    }
    let (shown, total) = (u64::try_from(rows.len()).unwrap_or(0), count(merges, "total"));
    match total {
        0 => lines.push("  it was never merged, and nothing was kept apart from it".to_owned()),
        total if total > shown => lines.push(format!("  … and {} more", total - shown)),
        _ => {}
    }
    lines
}

fn health_lines(health: &Value) -> Vec<String> {
    let mut lines = vec![format!(
        "{} profiles, {} merges, {} events, {} of nobody",
        count(health, "profiles"),
        count(health, "merges"),
        count(health, "events"),
        count(health, "unattached")
    )];
    lines.push("identifiers per profile".to_owned());
    for size in list(health, "sizes") {
        let least = count(size, "least");
        let range = match size.get("most").and_then(Value::as_u64) {
            Some(most) if most == least => least.to_string(),
            Some(most) => format!("{least}-{most}"),
            None => format!("{least} or more"),
        };
        lines.push(format!("  {range:<11}  {}", count(size, "profiles")));
    }
    let mut section = |title: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            lines.push(title.to_owned());
            lines.extend(rows);
        }
    };
    let largest = list(health, "largest").iter().map(|one| {
        let (ids, merges) = (count(one, "identifiers"), count(one, "merges"));
        format!("  {}  {ids} identifiers, {merges} merges", text(one, "profile_id"))
    });
    section("largest profiles", largest.collect());
    let met = health.get("violations").and_then(Value::as_object);
    let met = met.into_iter().flatten();
    section(
        "limits and blocks met",
        met.map(|(kind, n)| format!("  {}  {n}", printable(kind))).collect(),
    );
    let wanted = list(health, "wanted").iter().map(|one| {
        let (profiles, sets) = (count(one, "profiles"), count(one, "sets"));
        let id = id(&one["id"]);
        let said =
            format!("  {id}  came with {profiles} other profiles, in {sets} sets of identifiers");
        let block = text(one, "block");
        let block = (!block.is_empty()).then(|| format!("    if it is nobody's: {block}"));
        std::iter::once(said).chain(block)
    });
    section("identifiers that came with those of other profiles", wanted.flatten().collect());
    let over = count(health, "over_rules");
    let over = match over {
        0 => Vec::new(),
        _ => vec![format!("  {over} profiles: see `selfsame identity proposals`")],
    };
    section("more than the rules in force would let them have", over);
    let days = list(health, "days").iter().map(|one| {
        let of = |name| count(one, name);
        format!(
            "  {}  {:>12} {:>12} {:>12} {:>12} {:>12}",
            text(one, "day"),
            of("events"),
            of("unattached"),
            of("profiles"),
            of("merges"),
            of("violations")
        )
    });
    section(
        "day               events    of nobody     profiles       merges   limits met",
        days.collect(),
    );
    section(
        "day                 1         2       3-5      6-10    11-100      more   largest  giants  shared",
        list(health, "days").iter().filter_map(graph_line).collect(),
    );
    let alarms = list(health, "alarms").iter();
    let alarms = alarms.map(|one| format!("  {}: {}", text(one, "kind"), text(one, "message")));
    section("alarms", alarms.collect());
    if health.get("cut") == Some(&Value::Bool(true)) {
        lines.push("not everything was looked at: sizes and lists are of a part".to_owned());
    }
    lines
}

/// How large profiles were on a day that was looked at.
fn graph_line(one: &Value) -> Option<String> {
    let (graph, day) = (one.get("graph").filter(|graph| !graph.is_null())?, text(one, "day"));
    let sizes = list(graph, "sizes").iter().map(|size| count(size, "profiles"));
    let sizes: String = sizes.map(|profiles| format!(" {profiles:>9}")).collect();
    let of = |name| count(graph, name);
    Some(format!("  {day} {sizes} {:>9} {:>7} {:>7}", of("largest"), of("giants"), of("shared")))
}

#[cfg(test)]
mod tests;
