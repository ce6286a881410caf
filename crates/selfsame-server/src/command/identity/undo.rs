//! `selfsame identity unmerge`, `split`, `lift` and `apart`: shows what would change, and changes it
//! when told so, by a plan or by publishing the rules in force with it.

use std::process::ExitCode;

use anyhow::{bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde_json::{Value, json};

use super::rules::{EVERY, NOT_YET, follow};
use super::{Where, count, event, id, list, text};
use crate::client::{Client, block_on, part};
use crate::command::say;
use crate::printable::{brief, printable};

/// How many profiles and identifiers are shown.
const SHOWN: usize = 50;

#[derive(Debug, Args)]
pub(super) struct Unmerge {
    /// The id of a profile that was merged into another (use_…), as `merges` shows it; or two
    /// identifiers as type:value that are not the same person's.
    #[arg(num_args = 1..=2, required = true, value_name = "MERGE|ID")]
    ids: Vec<String>,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
pub(super) struct Split {
    /// The identifiers that leave, as type:value.
    #[arg(required_unless_present = "within_rules", value_name = "ID")]
    ids: Vec<String>,
    /// An identifier that stays on the profile.
    #[arg(long, value_name = "ID", required_unless_present = "within_rules")]
    from: Option<String>,
    /// Instead: take the profile of this identifier apart until it keeps the rules in force.
    #[arg(long, value_name = "ID", conflicts_with_all = ["ids", "from"])]
    within_rules: Option<String>,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
pub(super) struct Lift {
    /// The two identifiers that are set apart.
    #[arg(num_args = 2, required = true, value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
pub(super) struct Apart {
    #[command(flatten)]
    place: Where,
}

/// What all that change something have in common.
#[derive(Debug, Args)]
struct Deed {
    /// Do it. Without this, what would change is shown.
    #[arg(long)]
    yes: bool,
    /// Do it by publishing the rules in force with it, as `publish` does: the whole log is resolved again. It
    /// also reaches people who are verified, devices that moved, and what is too large for a plan.
    #[arg(long)]
    publish: bool,
    /// Who asks, or why: kept with the pair.
    #[arg(long, value_name = "TEXT", default_value = "")]
    by: String,
    #[command(flatten)]
    place: Where,
}

impl Unmerge {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let wish = match self.ids.as_slice() {
            [merge] if merge.starts_with("use_") => json!({ "unmerge": merge }),
            [one, other] => {
                check([one, other])?;
                json!({ "apart": [one, other] })
            }
            _ => anyhow::bail!(
                "give the use_… of a profile that was merged into another, or two identifiers such as \
                 user_id:42 and email:a@b.c"
            ),
        };
        self.deed.run(wish)
    }
}

impl Split {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        check(self.ids.iter().chain(&self.from).chain(&self.within_rules))?;
        self.deed.run(match self.within_rules {
            Some(of) => json!({ "within_rules": of }),
            None => json!({ "split": self.ids, "from": self.from }),
        })
    }
}

impl Lift {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        check(&self.ids)?;
        self.deed.run(json!({ "lift": self.ids }))
    }
}

impl Apart {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        self.place.show("apart", "", apart_lines)
    }
}

fn check<'i>(ids: impl IntoIterator<Item = &'i String>) -> anyhow::Result<()> {
    for id in ids {
        super::check_identifier(id)?;
    }
    Ok(())
}

impl Deed {
    fn run(&self, mut wish: Value) -> anyhow::Result<ExitCode> {
        (wish["by"], wish["apply"]) = (json!(self.by), json!(self.yes));
        if self.publish {
            wish["publish"] = json!(true);
        }
        wish["collection"] = json!(if self.place.account { "accounts" } else { "users" });
        let client = self.place.remote.client()?;
        let answer = block_on(self.ask(&client, &wish))?;
        if self.place.json {
            say(&serde_json::to_string_pretty(&answer)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = match self.publish {
            true => super::rules::lines(&answer),
            false => lines(&answer),
        };
        for line in shown {
            say(&line)?;
        }
        if self.publish && !self.yes {
            say(NOT_YET)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn ask(&self, client: &Client, wish: &Value) -> anyhow::Result<Value> {
        let space = crate::command::profile::space(client, self.place.space.as_deref()).await?;
        let space = part(&space);
        let path = format!("/api/spaces/{space}/identity/undo");
        let request = client.request(Method::POST, &path).json(wish);
        let answer: Value = client.send(request).await?.json().await?;
        if self.publish {
            if !self.place.json {
                pairs(&answer).iter().try_for_each(|line| say(line))?;
            }
            return follow(client, &format!("/api/spaces/{space}/rules/job")).await;
        }
        match answer.get("job") {
            Some(Value::Bool(true)) => self.follow(client, &format!("{path}/job"), &answer).await,
            _ => Ok(answer),
        }
    }

    /// Waits for the end of a job.
    async fn follow(&self, client: &Client, path: &str, begun: &Value) -> anyhow::Result<Value> {
        if !self.place.json {
            let sets = count(begun, "sets");
            say(&format!("{sets} sets of identifiers are resolved again, by a job"))?;
        }
        let mut job = client.get(path).await?;
        let bar = ProgressBar::new(count(begun, "sets"));
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} events, {eta} left")?);
        while text(&job, "state") == "running" {
            bar.set_length(count(&job, "of"));
            bar.set_position(count(&job, "resolved"));
            tokio::select! {
                () = tokio::time::sleep(EVERY) => job = client.get(path).await?,
                _ = tokio::signal::ctrl_c() => {
                    client.send(client.request(Method::DELETE, path)).await?;
                    ensure!(self.yes, "it was stopped, and nothing was changed");
                    bail!("it was told to stop; if that came too late, it is done");
                }
            }
        }
        bar.finish_and_clear();
        match text(&job, "state").as_str() {
            "done" => Ok(job["undo"].take()),
            "stopped" => bail!("somebody stopped it: nothing was changed"),
            _ => bail!("it failed: {}", text(&job, "error")),
        }
    }
}

fn cluster(cluster: &Value) -> String {
    let ids: Vec<_> = list(cluster, "identifiers").iter().take(SHOWN).map(id).collect();
    let more = list(cluster, "identifiers").len().saturating_sub(ids.len());
    let more = if more > 0 { format!("  … and {more} more") } else { String::new() };
    format!("    {}  {}{more}", text(cluster, "profile_id"), ids.join("  "))
}

/// What is set apart or lifted.
fn pairs(undo: &Value) -> Vec<String> {
    let pair = |pair: &Value| format!("{} and {}", id(&pair["one"]), id(&pair["other"]));
    list(undo, "pairs").iter().take(SHOWN).map(pair).collect()
}

/// What a plan, or what was done, says.
fn lines(undo: &Value) -> Vec<String> {
    let is_applied = undo.get("applied") == Some(&Value::Bool(true));
    let mut lines = pairs(undo);
    let section = |title: &str, rows: Vec<String>, lines: &mut Vec<String>| {
        if !rows.is_empty() {
            lines.push(format!("  {title}"));
            lines.extend(rows);
        }
    };
    let clusters =
        |name: &str| list(undo, name).iter().take(SHOWN).map(cluster).collect::<Vec<_>>();
    section(if is_applied { "before" } else { "now" }, clusters("before"), &mut lines);
    section(if is_applied { "now" } else { "afterwards" }, clusters("after"), &mut lines);
    let nowhere = list(undo, "moved").iter().filter(|moved| moved["to"].is_null());
    let nowhere = nowhere.map(|moved| format!("    {}", id(&moved["id"])));
    section("on no profile any more", nowhere.take(SHOWN).collect(), &mut lines);
    let others = list(undo, "others").iter().filter_map(Value::as_str);
    let others = others.take(SHOWN).map(|other| format!("    {}", printable(other)));
    section("other people who change", others.collect(), &mut lines);
    if list(undo, "before").is_empty() && list(undo, "after").is_empty() {
        lines.push("  nobody's profile changes".to_owned());
    }
    let notes = [
        ("uncertain", "sets of identifiers may have been joined by a later event that is not kept"),
        (
            "left_over",
            "identifiers keep a profile of their own, because events are folded under them",
        ),
    ];
    for (name, note) in notes {
        if count(undo, name) > 0 {
            lines.push(format!("  {} {note}", count(undo, name)));
        }
    }
    if undo.get("partial") == Some(&Value::Bool(true)) {
        lines.push(
            "  some of those that were to leave still share a profile with the others".to_owned(),
        );
    }
    if !is_applied && undo.get("large") == Some(&Value::Bool(true)) {
        let sets = count(undo, "sets");
        lines
            .push(format!("  {sets} sets of identifiers are resolved again: with --yes, by a job"));
    }
    lines.push(match is_applied {
        true => format!("done, by the record at {}", text(undo, "position")),
        false => "nothing was changed: give --yes to do it".to_owned(),
    });
    lines
}

fn apart_lines(apart: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for pair in list(apart, "data") {
        let by = match pair.get("by").and_then(Value::as_str) {
            None | Some("") => String::new(),
            Some(by) => format!("  by {}", brief(by, 200)),
        };
        let (one, other) = (id(&pair["one"]), id(&pair["other"]));
        lines.push(format!("{one} and {other}  since {}{by}", text(pair, "since")));
        match count(pair, "times") {
            0 => lines.push("  no event met this".to_owned()),
            1 => lines.push(format!("  one event met this: {}", event(&pair["last"]))),
            times => {
                lines
                    .push(format!("  {times} events met this, the last: {}", event(&pair["last"])));
            }
        }
    }
    if lines.is_empty() {
        lines.push("nothing is set apart".to_owned());
    }
    if apart.get("cut") == Some(&Value::Bool(true)) {
        lines.push("there are more".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests;
