//! `selfsame identity household`: who is one household with a person, and what says so.

use std::process::ExitCode;

use clap::Args;
use reqwest::StatusCode;
use serde_json::Value;

use super::{Where, count, id, list, text};
use crate::client::{Refused, part};
use crate::printable::{brief, printable};

#[derive(Debug, Args)]
pub(super) struct Household {
    /// An identifier as type:value, such as `user_id:42`, the id of a profile (use_…), or that of a
    /// household (household:…).
    id: String,
    #[command(flatten)]
    place: Where,
}

impl Household {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(
            self.id.contains(':') || self.id.starts_with("use_"),
            "`{}` is not an id: give type:value, such as user_id:{0}, the use_… of a profile, or the \
             household:… of a household",
            printable(&self.id)
        );
        anyhow::ensure!(!self.place.account, "accounts have no household: leave out --account");
        let shown = self.place.show("households", &format!("&of={}", part(&self.id)), lines);
        shown.map_err(|error| {
            let is_missing = |refused: &Refused| refused.status == StatusCode::NOT_FOUND;
            match error.downcast_ref::<Refused>().is_some_and(is_missing) {
                true => error.context(format!("there is no household of {}", printable(&self.id))),
                false => error,
            }
        })
    }
}

fn identifiers(value: &Value) -> String {
    let ids = list(value, "identifiers").iter().map(|one| format!("  {}", id(one)));
    format!("{}{}", text(value, "profile_id"), ids.collect::<String>())
}

fn lines(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if answer.get("profile_id").is_some_and(Value::is_string) {
        lines.push(identifiers(answer));
    }
    let all = list(answer, "data");
    if all.is_empty() {
        lines.push(
            "  the space has no rule of households: set `households` in its rules".to_owned(),
        );
    }
    for one in all {
        let rule = match text(one, "rule").as_str() {
            "address" => "by address and family name".to_owned(),
            rule => format!("by {rule}"),
        };
        let members = list(one, "members");
        match text(one, "state").as_str() {
            "household" => {
                lines.push(format!("  {rule}: {}", text(one, "id")));
                members.iter().for_each(|one| lines.extend(member(one)));
            }
            _ => lines.push(format!("  {rule}: {}", text(one, "sentence"))),
        }
        if count(one, "events_before") > 0 {
            lines.push(format!(
                "    {} events came before this rule: what only they say is not found",
                count(one, "events_before")
            ));
        }
    }
    lines
}

fn member(member: &Value) -> Vec<String> {
    let mut lines = vec![format!("    {}", identifiers(member))];
    lines.extend(list(member, "traits").iter().map(|said| {
        format!(
            "      {} {}  {}  from {}  {}",
            text(said, "name"),
            brief(&said["value"].to_string(), 120),
            text(said, "timestamp"),
            text(said, "source"),
            text(said, "message_id")
        )
    }));
    lines
}

#[cfg(test)]
mod tests;
