//! `selfsame audience` and `selfsame trait`: makes, changes and shows what profiles compute.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Method, StatusCode};
use selfsame_event::Collection;
use selfsame_pipeline::workspace::{Announce, DefinitionKind};
use serde_json::Value;

use super::plan::send;
use super::say;
use crate::client::{Client, Refused, Remote, block_on, part};
use crate::control::{ActivationShown, DefinitionShown, NewDefinition, Page};
use crate::definition::{Said, pointed};
use crate::printable::{brief, printable};

mod members;
mod preview;
mod why;

pub(super) use preview::preview;

/// How often it is asked how far the server is.
const EVERY: Duration = Duration::from_millis(200);

/// Make, change and show audiences: profiles that meet a condition.
#[derive(Debug, Args)]
pub(super) struct Audience {
    #[command(subcommand)]
    verb: AudienceVerb,
}

#[derive(Debug, Subcommand)]
enum AudienceVerb {
    /// List audiences, with how far they are computed and how many are in them.
    List(List),
    /// Show an audience.
    Get(Get),
    /// Make an audience, or change it: what is not given stays as it is.
    Set(Set),
    /// Remove an audience.
    Remove(Remove),
    /// Say how many would be in an audience, and who, without making it.
    Preview(preview::Preview),
    /// Say why a profile is in an audience or out of it: each comparison, with the events that it looks at.
    Why(why::Why),
    /// Show who is in an audience, or write all of them as CSV or JSON lines.
    Members(members::Members),
}

/// Make, change and show computed traits: values that profiles get from their events.
#[derive(Debug, Args)]
pub(super) struct Trait {
    #[command(subcommand)]
    verb: TraitVerb,
}

#[derive(Debug, Subcommand)]
enum TraitVerb {
    /// List computed traits, with how far they are computed.
    List(List),
    /// Show a computed trait.
    Get(Get),
    /// Make a computed trait, or change it: what is not given stays as it is.
    Set(Set),
    /// Remove a computed trait.
    Remove(Remove),
    /// Say how many would have a value, and which, without making it.
    Preview(preview::Preview),
    /// Say why a profile has the value that it has.
    Why(why::Why),
}

#[derive(Debug, Args)]
struct Place {
    /// The space. Default: the only one.
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct List {
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Get {
    /// Its id.
    id: String,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Set {
    /// Its id: the key under which profiles have it.
    id: String,
    /// What it says, in the query language or its JSON form; `-` reads it from standard input.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    query: Option<String>,
    /// A file with what it says.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whose it is: `users` or `accounts`. Default: users, or what it was made as.
    #[arg(long, value_name = "users|accounts", value_parser = of)]
    of: Option<Collection>,
    /// Of an audience that is made: the types of identifiers of which a profile has to have one to be in it, such as
    /// `user_id,email`. Default: every profile may be. It stays so.
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    filter_by_external_ids: Vec<String>,
    /// The name for people. Default: the id.
    #[arg(long)]
    name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether a browser may read it of its own visitor.
    #[arg(long, value_name = "true|false")]
    public: Option<bool>,
    /// A destination that is told of its changes, and as which events. May be given several times;
    /// `none` for none.
    #[arg(long, value_name = "ID[:both|track|identify]")]
    destination: Vec<String>,
    /// Wait until it is in force and every profile was looked at.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Remove {
    /// Its id.
    id: String,
    #[command(flatten)]
    place: Place,
}

impl Audience {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let kind = DefinitionKind::Audience;
        match self.verb {
            AudienceVerb::List(list) => list.run(kind)?,
            AudienceVerb::Get(get) => get.run(kind)?,
            AudienceVerb::Set(set) => set.run(kind)?,
            AudienceVerb::Remove(remove) => remove.run(kind)?,
            AudienceVerb::Preview(preview) => preview.run(kind)?,
            AudienceVerb::Why(why) => why.run()?,
            AudienceVerb::Members(members) => members.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Trait {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let kind = DefinitionKind::ComputedTrait;
        match self.verb {
            TraitVerb::List(list) => list.run(kind)?,
            TraitVerb::Get(get) => get.run(kind)?,
            TraitVerb::Set(set) => set.run(kind)?,
            TraitVerb::Remove(remove) => remove.run(kind)?,
            TraitVerb::Preview(preview) => preview.run(kind)?,
            TraitVerb::Why(why) => why.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a kind is called.
const fn word(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Audience => "audience",
        DefinitionKind::ComputedTrait => "computed trait",
    }
}

const fn noun(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Audience => "audience",
        DefinitionKind::ComputedTrait => "trait",
    }
}

impl Place {
    /// The path of all definitions of the space.
    async fn path(&self, client: &Client) -> anyhow::Result<String> {
        let space = super::profile::space(client, self.space.as_deref()).await?;
        Ok(format!("/api/spaces/{}/definitions", part(&space)))
    }
}

/// The definition of that id, if there is one; it must be of that kind.
async fn find(
    client: &Client,
    path: &str,
    kind: DefinitionKind,
    id: &str,
) -> anyhow::Result<Option<DefinitionShown>> {
    let found: DefinitionShown = match client.get(&format!("{path}/{}", part(id))).await {
        Ok(found) => found,
        Err(error) => {
            let is_missing = |refused: &Refused| {
                refused.status == StatusCode::NOT_FOUND && refused.message.contains("definition")
            };
            let is_missing = error.downcast_ref::<Refused>().is_some_and(is_missing);
            return if is_missing { Ok(None) } else { Err(error) };
        }
    };
    let (id, noun) = (printable(id), noun(found.kind));
    ensure!(
        found.kind == kind,
        "`{id}` is no {}, but is there as the other kind: see `selfsame {noun} get {id}`",
        word(kind)
    );
    Ok(Some(found))
}

impl List {
    fn run(self, kind: DefinitionKind) -> anyhow::Result<()> {
        let client = self.place.remote.client()?;
        let page: Value = block_on(async {
            let path = self.place.path(&client).await?;
            client.get(&format!("{path}?kind={}", kind.word())).await
        })?;
        if self.json {
            return say(&serde_json::to_string_pretty(&page)?);
        }
        let page: Page<DefinitionShown> = serde_json::from_value(page)?;
        let wide = page.data.iter().map(|one| one.id.len()).max().unwrap_or(0);
        for one in &page.data {
            let members = one.members.map(|count| format!("{count:>12} members"));
            let (id, name) = (printable(&one.id), brief(&one.name, 60));
            let members = members.unwrap_or_default();
            say(format!("{id:wide$}  {:<20}{members}  {name}", state(one)).trim_end())?;
        }
        if page.data.is_empty() {
            let noun = noun(kind);
            say(&format!("there is none; `selfsame {noun} set ID --query …` makes one"))?;
        }
        Ok(())
    }
}

/// How far it is, in a few words.
fn state(one: &DefinitionShown) -> String {
    match &one.progress {
        Some(progress) if progress.total > 0 => {
            format!("{} {:.0} %", printable(&one.state), progress.percent)
        }
        _ => printable(&one.state),
    }
}

impl Get {
    fn run(self, kind: DefinitionKind) -> anyhow::Result<()> {
        let client = self.place.remote.client()?;
        let found = block_on(async {
            let path = self.place.path(&client).await?;
            find(&client, &path, kind, &self.id).await
        })?;
        let found = found
            .with_context(|| format!("there is no {} `{}`", word(kind), printable(&self.id)))?;
        if self.json {
            return say(&serde_json::to_string_pretty(&found)?);
        }
        lines(&found).iter().try_for_each(|line| say(line))
    }
}

fn lines(one: &DefinitionShown) -> Vec<String> {
    let mut lines =
        vec![format!("{}  {} ({})", printable(&one.id), printable(&one.name), word(one.kind))];
    let mut row = |title: &str, text: String| lines.push(format!("  {title:<13}{text}"));
    if !one.description.is_empty() {
        row("for", printable(&one.description));
    }
    if one.collection == Collection::Accounts {
        row("of", one.collection.name().to_owned());
    }
    row("state", state(one));
    if let Some(progress) = &one.progress {
        row("stage", format!("{}: {}", printable(&progress.stage), how_far(progress)));
        if let Some(trouble) = &progress.trouble {
            row("trouble", printable(trouble));
        }
    }
    if let Some(members) = one.members {
        row("members", members.to_string());
    }
    if let Some(since) = &one.since {
        row("since", printable(since));
    }
    if let Some(from) = &one.history_from {
        let received = from.received_at.as_deref().map(printable).unwrap_or_default();
        row("history from", format!("{} {received}", printable(&from.position)));
    }
    if !one.filter_by_external_ids.is_empty() {
        row("only with", printable(&one.filter_by_external_ids.join(" or ")));
    }
    if one.public {
        row("public", "a browser may read it of its own visitor".to_owned());
    }
    for told in &one.destinations {
        let send = told.send.unwrap_or_default().word();
        row("tells", format!("{} ({send})", printable(&told.destination)));
    }
    let text = |query: &str| query.lines().map(|line| format!("    {}", printable(line))).collect();
    let query: Vec<String> = text(&one.query);
    lines.extend(query);
    if let Some(before) = one.query_in_force.as_ref().filter(|before| **before != one.query) {
        lines.push("  in force until then".to_owned());
        let before: Vec<String> = text(before);
        lines.extend(before);
    }
    lines
}

fn how_far(progress: &crate::control::DefinitionProgress) -> String {
    let mut text = format!("{} of {}", progress.done, progress.total);
    if progress.per_second > 0.0 {
        text.push_str(&format!(", {:.0} in a second", progress.per_second));
    }
    if let Some(left) = progress.seconds_left {
        text.push_str(&format!(", {left} s left"));
    }
    text
}

impl Set {
    fn run(self, kind: DefinitionKind) -> anyhow::Result<()> {
        let text = text(self.query.as_deref(), self.file.as_deref())?;
        let destinations = destinations(&self.destination)?;
        let client = self.place.remote.client()?;
        block_on(async {
            let path = self.place.path(&client).await?;
            let before = find(&client, &path, kind, &self.id).await?;
            let known = before.as_ref().map(|before| before.collection);
            let collection = self.of.or(known).unwrap_or(Collection::Users);
            let query = match (text, &before) {
                (Some(text), _) => checked((kind, collection), text)?,
                (None, Some(before)) => Value::String(before.query.clone()),
                (None, None) => bail!(
                    "there is no {} `{}` yet: say what it is with --query or --file",
                    word(kind),
                    printable(&self.id)
                ),
            };
            let kept = before.as_ref();
            let chosen = self.filter_by_external_ids.clone();
            let chosen = (!chosen.is_empty()).then_some(chosen);
            let new = NewDefinition {
                kind,
                collection: Some(collection),
                name: self.name.clone().or_else(|| Some(kept?.name.clone())),
                description: self.description.clone().or_else(|| Some(kept?.description.clone())),
                query,
                filter_by_external_ids: chosen,
                public: self.public.or_else(|| Some(kept?.public)),
                destinations: destinations.or_else(|| Some(kept?.destinations.clone())),
            };
            let path = format!("{path}/{}", part(&self.id));
            let mut shown: DefinitionShown = send(&client, Method::PUT, &path, &new).await?;
            if self.wait {
                shown = wait(&client, &path, shown).await?;
            }
            lines(&shown).iter().try_for_each(|line| say(line))
        })
    }
}

/// Reads `--of`.
fn of(word: &str) -> Result<Collection, String> {
    Collection::from_name(word).ok_or_else(|| "it is users or accounts".to_owned())
}

/// What a definition is to say, checked: an error points at the place.
fn said(
    of: (DefinitionKind, Collection),
    query: Option<&str>,
    file: Option<&Path>,
) -> anyhow::Result<Option<Value>> {
    text(query, file)?.map(|text| checked(of, text)).transpose()
}

/// What a definition is to say, as it was given.
fn text(query: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<String>> {
    Ok(Some(match (query, file) {
        (Some("-"), _) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input")?;
            text
        }
        (Some(text), _) => text.to_owned(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?,
        (None, None) => return Ok(None),
    }))
}

fn checked(of: (DefinitionKind, Collection), text: String) -> anyhow::Result<Value> {
    let (said, query) = if text.trim_start().starts_with('{') {
        let json: Value = serde_json::from_str(&text).context("the query is not JSON")?;
        (Said::from_json(of, &json), json)
    } else {
        (Said::read(of, &text), Value::String(text))
    };
    match said {
        Ok(_) => Ok(query),
        Err(wrong) => bail!("what the {} says is wrong\n{}", word(of.0), pointed(&wrong)),
    }
}

fn destinations(given: &[String]) -> anyhow::Result<Option<Vec<ActivationShown>>> {
    match given {
        [] => return Ok(None),
        [none] if none == "none" => return Ok(Some(Vec::new())),
        _ => {}
    }
    let one = |text: &String| {
        let (id, send) = text.split_once(':').unwrap_or((text, Announce::Both.word()));
        let all = [Announce::Both, Announce::Track, Announce::Identify];
        let send = all.into_iter().find(|known| known.word() == send).with_context(|| {
            format!("`{}`: behind the colon stands both, track or identify", printable(text))
        })?;
        Ok(ActivationShown { destination: id.to_owned(), send: Some(send), identifiers: None })
    };
    given.iter().map(one).collect::<anyhow::Result<_>>().map(Some)
}

/// Waits until it is in force, and shows how far it is.
async fn wait(
    client: &Client,
    path: &str,
    mut shown: DefinitionShown,
) -> anyhow::Result<DefinitionShown> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left")?);
    let mut trouble = None;
    while let Some(progress) = &shown.progress {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(printable(&progress.stage));
        if progress.trouble != trouble {
            trouble.clone_from(&progress.trouble);
            if let Some(trouble) = &trouble {
                bar.println(format!("it is tried again: {}", printable(trouble)));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => shown = client.get(path).await?,
            _ = tokio::signal::ctrl_c() => {
                bail!("no longer waited for; the server goes on to compute it");
            }
        }
    }
    bar.finish_and_clear();
    Ok(shown)
}

impl Remove {
    fn run(self, kind: DefinitionKind) -> anyhow::Result<()> {
        let client = self.place.remote.client()?;
        block_on(async {
            let path = self.place.path(&client).await?;
            let found = find(&client, &path, kind, &self.id).await?;
            ensure!(found.is_some(), "there is no {} `{}`", word(kind), printable(&self.id));
            let path = format!("{path}/{}", part(&self.id));
            client.send(client.request(Method::DELETE, &path)).await?;
            say(&format!("removed {}", printable(&self.id)))
        })
    }
}

#[cfg(test)]
mod tests;
