//! `selfsame identity proposals`: profiles that have more than the rules in force would let them, and the
//! command that takes each apart.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::{Where, count, id, link, list, text, window};
use crate::client::{block_on, part};
use crate::command::say;
use crate::printable::printable;

/// How many identifiers and pairs of one profile are shown.
const SHOWN: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Proposals {
    /// How many profiles are shown, at most 100.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100))]
    limit: u64,
    /// Where to go on, as the last answer said.
    #[arg(long, value_name = "CURSOR")]
    next: Option<String>,
    #[command(flatten)]
    place: Where,
}

impl Proposals {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let found = block_on(self.find())?;
        if self.place.json {
            say(&serde_json::to_string_pretty(&found)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for line in lines(&found) {
            say(&line)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Goes from page to page until there are as many as are wanted, or no more.
    async fn find(&self) -> anyhow::Result<Value> {
        let client = self.place.remote.client()?;
        let mut data: Vec<Value> = Vec::new();
        let (mut read, mut next) = (0, self.next.clone());
        loop {
            let left = self.limit.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX));
            let cursor = next.as_deref().map(|next| format!("&next={}", part(next)));
            let query = format!("&limit={left}{}", cursor.unwrap_or_default());
            let page = self.place.ask(&client, "proposals", &query).await?;
            read += count(&page, "components_read");
            data.extend_from_slice(list(&page, "data"));
            next = page.get("next").and_then(Value::as_str).map(str::to_owned);
            let is_enough = u64::try_from(data.len()).is_ok_and(|found| found >= self.limit);
            if next.is_none() || is_enough {
                let cut = next.is_some();
                return Ok(
                    json!({ "data": data, "components_read": read, "next": next, "cut": cut }),
                );
            }
        }
    }
}

fn lines(found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for one in list(found, "data") {
        proposal(one, &mut lines);
    }
    let (shown, read) = (list(found, "data").len(), count(found, "components_read"));
    lines.push(match shown {
        0 => format!("no profile has more than the rules in force let it; {read} components were looked at"),
        1 => format!("1 profile has more than the rules in force let it; {read} components were looked at"),
        _ => format!(
            "{shown} profiles have more than the rules in force let them; {read} components were looked at"
        ),
    });
    let next = text(found, "next");
    if !next.is_empty() {
        lines.push(format!("not everything was looked at: go on with --next {next}"));
    }
    lines
}

fn proposal(one: &Value, lines: &mut Vec<String>) {
    let ids: Vec<_> = list(one, "identifiers").iter().take(SHOWN).map(id).collect();
    lines.push(format!(
        "{}  {}{}",
        text(one, "profile_id"),
        ids.join("  "),
        more(count(one, "identifier_count"), ids.len())
    ));
    for excess in list(one, "excess") {
        let all = list(excess, "over");
        let over: Vec<_> = all.iter().take(SHOWN).map(id).collect();
        let rest = more(u64::try_from(all.len()).unwrap_or(u64::MAX), over.len());
        let (kind, over) = (text(excess, "type"), over.join("  "));
        lines.push(match excess.get("limit").and_then(Value::as_u64) {
            None => format!("  blocked now: {over}{rest}"),
            Some(limit) => format!(
                "  {} values of {kind}; the limit is {limit}{}: {over}{rest} too many",
                count(excess, "count"),
                window(excess)
            ),
        });
    }
    for path in list(one, "links") {
        lines.push(format!("  {} and {} are linked by", id(&path["one"]), id(&path["other"])));
        match path.get("links").and_then(Value::as_array) {
            Some(links) => lines.extend(links.iter().map(|one| format!("  {}", link(one)))),
            None => lines.push("    events that are not at hand any more".to_owned()),
        }
    }
    if let Some(profiles) = one.get("profiles").and_then(Value::as_u64) {
        let pairs: Vec<_> = list(one, "pairs").iter().take(SHOWN).map(pair).collect();
        let rest = more(count(one, "pair_count"), pairs.len());
        lines.push(format!("  to be set apart: {}{rest}", pairs.join(", ")));
        let mut said = vec![match profiles {
            1 => "  it would stay one profile".to_owned(),
            _ => format!("  it would be {profiles} profiles"),
        }];
        let notes = [
            ("nowhere", "of its identifiers would be on none"),
            ("others", "profiles of other people would change"),
            (
                "uncertain",
                "sets of identifiers may have been joined by a later event that is not kept",
            ),
        ];
        for (name, note) in notes {
            if count(one, name) > 0 {
                said.push(format!("{} {note}", count(one, name)));
            }
        }
        lines.push(said.join("; "));
    }
    if one.get("partial") == Some(&Value::Bool(true)) {
        lines.push("  some would still be too much afterwards: ask again then".to_owned());
    }
    if one.get("large") == Some(&Value::Bool(true)) {
        lines.push("  too much to be planned here; the command plans it, as a job".to_owned());
    }
    for name in ["problem", "command"] {
        let said = one.get(name).and_then(Value::as_str).map(printable);
        lines.extend(said.map(|said| format!("  {said}")));
    }
}

fn pair(pair: &Value) -> String {
    format!("{} and {}", id(&pair["one"]), id(&pair["other"]))
}

fn more(all: u64, shown: usize) -> String {
    match all.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX)) {
        0 => String::new(),
        more => format!("  … and {more} more"),
    }
}

#[cfg(test)]
mod tests;
