//! `selfsame identity try` and `publish`: what other rules would change over the whole history, and the
//! change itself when told so.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use selfsame_identity::RuleSet;
use serde_json::Value;

use super::{count, id, list, text};
use crate::client::{Client, Remote, block_on, part};
use crate::command::say;
use crate::printable::printable;

/// How often it is asked how far the server is.
pub(super) const EVERY: Duration = Duration::from_millis(200);
/// What is said behind a trial of what could be published.
pub(super) const NOT_YET: &str =
    "nothing was changed: give --yes to put these rules in force for the whole history";
/// Of how many profiles it is shown what a definition would come to.
const SHOWN: usize = 3;

/// Rules, and where.
#[derive(Debug, Args)]
struct Wish {
    /// A YAML file with the rules: what `GET /api/spaces/ID/rules` shows, or the file of a space as
    /// `selfsame export` writes it. Default: the rules in force.
    #[arg(required_unless_present = "block")]
    file: Option<PathBuf>,
    /// A value that identifies nobody, as type:value, such as `email:none@example.com`: it is added to the
    /// rules. May be given more than once.
    #[arg(long, value_name = "ID")]
    block: Vec<String>,
    /// The space. Default: the only one.
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(super) struct Try {
    #[command(flatten)]
    wish: Wish,
}

#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Do it. Without this, what would change is shown.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    wish: Wish,
}

impl Try {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        self.wish.run("try")
    }
}

impl Publish {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let answer = self.wish.run(if self.yes { "publish" } else { "try" })?;
        if !self.yes && !self.wish.json {
            say(NOT_YET)?;
        }
        Ok(answer)
    }
}

impl Wish {
    fn run(&self, deed: &str) -> anyhow::Result<ExitCode> {
        for id in &self.block {
            super::check_identifier(id)?;
        }
        let rules = self.file.as_deref().map(read).transpose()?;
        let client = self.remote.client()?;
        let job = block_on(self.ask(&client, deed, rules))?;
        if self.json {
            say(&serde_json::to_string_pretty(&job)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for line in lines(&job) {
            say(&line)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Starts the job and waits for its end.
    async fn ask(
        &self,
        client: &Client,
        deed: &str,
        rules: Option<RuleSet>,
    ) -> anyhow::Result<Value> {
        let space = crate::command::profile::space(client, self.space.as_deref()).await?;
        let path = format!("/api/spaces/{}/rules", part(&space));
        let mut rules = match rules {
            Some(rules) => rules,
            None => serde_json::from_value(client.get(&path).await?)?,
        };
        for id in &self.block {
            block(&mut rules, id)?;
        }
        let request = client.request(Method::POST, &format!("{path}/{deed}")).json(&rules);
        client.send(request).await?;
        follow(client, &format!("{path}/job")).await
    }
}

/// Blocks a value of a type.
fn block(rules: &mut RuleSet, id: &str) -> anyhow::Result<()> {
    let (kind, value) = id.split_once(':').unwrap_or_default();
    let kinds: Vec<_> = rules.types.iter().map(|rule| rule.name.clone()).collect();
    let rule = rules.types.iter_mut().find(|rule| rule.name.eq_ignore_ascii_case(kind));
    let rule = rule.with_context(|| {
        format!("the rules have no type `{}`; there are {}", printable(kind), kinds.join(", "))
    })?;
    if !rule.blocked.exact.iter().any(|known| known == value) {
        rule.blocked.exact.push(value.to_owned());
    }
    Ok(())
}

/// Waits for the end of the job that tries or publishes rules.
pub(super) async fn follow(client: &Client, path: &str) -> anyhow::Result<Value> {
    let mut job = client.get(path).await?;
    let bar = ProgressBar::new(count(&job, "of"));
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} records, {eta} left")?);
    while text(&job, "state") == "running" {
        bar.set_length(count(&job, "of"));
        bar.set_position(count(&job, "records"));
        tokio::select! {
            () = tokio::time::sleep(EVERY) => job = client.get(path).await?,
            _ = tokio::signal::ctrl_c() => {
                client.send(client.request(Method::DELETE, path)).await?;
                bail!("stopped");
            }
        }
    }
    bar.finish_and_clear();
    match text(&job, "state").as_str() {
        "done" => Ok(job),
        "stopped" => bail!("somebody stopped it"),
        _ => bail!("it failed: {}", text(&job, "error")),
    }
}

/// Reads rules from a file: alone, or as a member of a space's file.
fn read(file: &Path) -> anyhow::Result<RuleSet> {
    let name = file.display();
    let yaml = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    let value: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(&yaml).with_context(|| format!("{name} is not YAML"))?;
    let rules = value.get("rules").cloned().unwrap_or(value);
    serde_yaml_ng::from_value(rules)
        .with_context(|| format!("{name} has no identity rules that can be read"))
}

/// What was found, or done.
pub(super) fn lines(job: &Value) -> Vec<String> {
    if let Some(report) = job.get("report").filter(|report| !report.is_null()) {
        return report_lines(report);
    }
    vec![
        format!(
            "the rules are in force from the first event on, by record {}",
            text(job, "position")
        ),
        format!(
            "  {} profiles, {} before",
            count(job, "profiles_after"),
            count(job, "profiles_before")
        ),
    ]
}

fn report_lines(report: &Value) -> Vec<String> {
    let of = |name| count(report, name);
    let mut lines = vec![
        format!("tried over {} events, up to record {}", of("events"), text(report, "until")),
        format!("  {:<44}{:>12}  {:>12}", "", "as it is", "with these"),
        row("merges made", of("merges_before"), of("merges_after")),
    ];
    for (name, title) in [("users", "profiles"), ("accounts", "accounts")] {
        let diff = &report[name];
        if count(diff, "before") + count(diff, "after") > 0 {
            lines.extend(diff_lines(title, diff));
        }
    }
    lines.push("events".to_owned());
    lines.push(format!("  of a profile with another id   {:>12}", of("events_moved")));
    lines.push(format!("  nobody's that would be somebody's {:>9}", of("events_gained")));
    lines.push(format!("  somebody's that would be nobody's {:>9}", of("events_lost")));
    let met = list(report, "violations");
    if !met.is_empty() {
        lines.push("limits and blocks met".to_owned());
        let line = |one: &Value| row(&text(one, "kind"), count(one, "before"), count(one, "after"));
        lines.extend(met.iter().map(line));
    }
    lines.extend(definition_lines(list(report, "definitions")));
    for name in ["users", "accounts"] {
        lines.extend(list(&report[name], "samples").iter().flat_map(sample));
    }
    lines
}

/// Audiences and computed traits that would change, and some of the profiles for which they would.
fn definition_lines(definitions: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, title) in [("audience", "audiences"), ("computed_trait", "computed traits")] {
        let of_kind: Vec<_> = definitions.iter().filter(|one| text(one, "kind") == kind).collect();
        let is_other =
            |one: &&&Value| ["enter", "leave", "changed"].iter().any(|of| count(one, of) > 0);
        let others: Vec<_> = of_kind.iter().filter(is_other).collect();
        if of_kind.is_empty() {
            continue;
        }
        lines.push(format!("{title}, of which {} of {} change", others.len(), of_kind.len()));
        for one in others {
            lines.push(row(&text(one, "id"), count(one, "before"), count(one, "after")));
            let kinds = [
                ("profiles would enter", count(one, "enter")),
                ("profiles would leave", count(one, "leave")),
                ("profiles with another value", count(one, "changed")),
            ];
            let kinds = kinds.iter().filter(|(_, count)| *count > 0);
            lines.extend(kinds.map(|(what, count)| format!("    {what:<28}{count:>12}")));
            let samples = list(one, "samples");
            lines.extend(samples.iter().take(SHOWN).map(|sample| {
                let before: Vec<_> = list(sample, "before").iter().map(Value::to_string).collect();
                let before = if before.is_empty() { "new".to_owned() } else { before.join(", ") };
                format!("      {}  {before} -> {}", text(sample, "profile_id"), sample["after"])
            }));
        }
    }
    lines
}

fn row(name: &str, before: u64, after: u64) -> String {
    format!("  {name:<44}{before:>12}  {after:>12}")
}

fn diff_lines(title: &str, diff: &Value) -> Vec<String> {
    let of = |name| count(diff, name);
    let mut lines = vec![row(title, of("before"), of("after"))];
    let others = of("before").saturating_sub(of("unchanged"));
    let kinds = [
        ("stay as they are", of("unchanged"), String::new()),
        ("of these with another id", of("renamed"), String::new()),
        ("do not", others, String::new()),
        ("would be made of several", of("merged"), format!(", of {} in all", of("merged_of"))),
        ("would be taken apart", of("split"), format!(", into {} in all", of("split_into"))),
        ("would be new", of("created"), String::new()),
        ("would be gone", of("gone"), String::new()),
    ];
    for (what, count, more) in kinds {
        if count > 0 {
            lines.push(format!("    {what:<28}{count:>12}{more}"));
        }
    }
    lines
}

fn sample(sample: &Value) -> Vec<String> {
    let what = text(sample, "what");
    let verb = match what.as_str() {
        "merged" => "made of",
        "split" => "becomes",
        _ => "",
    };
    let mut lines = vec![format!("{what}: {}", profile(&sample["profile"]))];
    let others = list(sample, "others");
    lines.extend(others.iter().map(|other| format!("  {verb} {}", profile(other))));
    let shown = u64::try_from(others.len()).unwrap_or(0);
    let more = count(sample, "other_count").saturating_sub(shown);
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    lines
}

fn profile(profile: &Value) -> String {
    let ids: Vec<_> = list(profile, "identifiers").iter().map(id).collect();
    let shown = u64::try_from(ids.len()).unwrap_or(0);
    let more = count(profile, "identifier_count").saturating_sub(shown);
    let more = if more > 0 { format!("  … and {more} more") } else { String::new() };
    format!("{}  {}{more}", text(profile, "profile_id"), ids.join("  "))
}
