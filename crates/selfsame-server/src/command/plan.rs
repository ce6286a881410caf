//! `selfsame export`, `plan` and `apply`: the workspace as files, and the way back.

mod alerts;
mod difference;
mod environment;
mod export;
mod functions;
mod identity_keys;
mod oauth;
mod preview;
mod taking;

pub(super) use self::environment::from_environment;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use reqwest::Method;
use selfsame_pipeline::workspace::DefinitionKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

pub(super) use self::difference::Field;
use self::difference::fields;
pub(super) use self::export::Export;
use self::taking::take;
use super::resource::{
    AlertChannelFile, AlertFile, AudienceFile, Change, DefinitionFile, DestinationFile, Files,
    FunctionFile, Resource, SourceFile, SpaceFile, TraitFile, Tree,
};
use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{
    AlertChannelShown, DefinitionShown, DestinationShown, FunctionShown, Page, SourceShown,
    SpaceShown,
};
use crate::definition::Said;
use crate::printable::printable;

/// Show how the server differs from the files, and what `apply` would do.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The folder with the files, as `selfsame export` writes it.
    dir: PathBuf,
    /// Remove destinations, functions, audiences, computed traits, alerts and alert channels that are in no
    /// file. An alert by default that was changed is as by default then.
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Make the server as the files say. Doing it twice changes nothing more.
#[derive(Debug, Args)]
pub(super) struct Apply {
    #[command(flatten)]
    plan: Plan,
}

/// What is on the server.
struct Live {
    spaces: Vec<SpaceFile>,
    functions: Vec<FunctionFile>,
    sources: Vec<SourceFile>,
    destinations: Vec<DestinationFile>,
    audiences: Vec<AudienceFile>,
    traits: Vec<TraitFile>,
    channels: Vec<AlertChannelFile>,
    alerts: alerts::LiveAlerts,
}

impl Live {
    async fn read(client: &Client) -> anyhow::Result<Self> {
        let spaces: Page<SpaceShown> = client.get("/api/spaces").await?;
        let functions: Page<FunctionShown> = client.get("/api/functions").await?;
        let sources: Page<SourceShown> = client.get("/api/sources").await?;
        let destinations: Page<DestinationShown> = client.get("/api/destinations").await?;
        let (mut audiences, mut traits) = (Vec::new(), Vec::new());
        for space in &spaces.data {
            let path = format!("/api/spaces/{}/definitions", part(&space.id));
            let page: Page<DefinitionShown> = client.get(&path).await?;
            for shown in page.data {
                match shown.kind {
                    DefinitionKind::Audience => audiences.push(AudienceFile(shown.into())),
                    DefinitionKind::ComputedTrait => traits.push(TraitFile(shown.into())),
                }
            }
        }
        let channels: Page<AlertChannelShown> = client.get("/api/alert-channels").await?;
        Ok(Self {
            channels: channels.data.into_iter().map(Into::into).collect(),
            alerts: alerts::LiveAlerts::read(client).await?,
            audiences,
            traits,
            spaces: spaces.data.into_iter().map(Into::into).collect(),
            functions: functions.data.into_iter().map(Into::into).collect(),
            sources: sources.data.into_iter().map(Into::into).collect(),
            destinations: destinations.data.into_iter().map(Into::into).collect(),
        })
    }
}

impl Live {
    /// Audiences and computed traits.
    fn definitions(&self) -> impl Iterator<Item = (&DefinitionFile, DefinitionKind)> {
        let audiences = self.audiences.iter().map(|file| (&file.0, DefinitionKind::Audience));
        let traits = self.traits.iter().map(|file| (&file.0, DefinitionKind::ComputedTrait));
        audiences.chain(traits)
    }
}

/// One thing to do.
enum Step<'f> {
    Create(New<'f>),
    Change {
        name: String,
        id: String,
        fields: Vec<Field>,
        change: Change,
        /// Of an audience or computed trait: what it is to be.
        wanted: Option<(&'f DefinitionFile, DefinitionKind)>,
        hint: Option<String>,
    },
    Remove {
        name: String,
        path: String,
    },
}

/// What is to be made, with its file.
#[derive(Clone, Copy)]
enum New<'f> {
    Space(&'f SpaceFile),
    Function(&'f FunctionFile),
    Source(&'f SourceFile),
    Destination(&'f DestinationFile),
    Audience(&'f AudienceFile),
    Trait(&'f TraitFile),
    AlertChannel(&'f AlertChannelFile),
    Alert(&'f AlertFile),
}

fn name_of<T: Resource>(resource: &T) -> String {
    format!("{} {}", T::WORD, resource.key())
}

impl<'f> New<'f> {
    fn name(&self) -> String {
        match self {
            Self::Space(file) => name_of(*file),
            Self::Function(file) => name_of(*file),
            Self::Source(file) => name_of(*file),
            Self::Destination(file) => name_of(*file),
            Self::Audience(file) => name_of(*file),
            Self::Trait(file) => name_of(*file),
            Self::AlertChannel(file) => name_of(*file),
            Self::Alert(file) => name_of(*file),
        }
    }

    /// Of an audience or computed trait: what it is to be.
    fn definition(&self) -> Option<(&'f DefinitionFile, DefinitionKind)> {
        match self {
            Self::Audience(file) => Some((&file.0, DefinitionKind::Audience)),
            Self::Trait(file) => Some((&file.0, DefinitionKind::ComputedTrait)),
            Self::Space(_)
            | Self::Function(_)
            | Self::Source(_)
            | Self::Destination(_)
            | Self::AlertChannel(_)
            | Self::Alert(_) => None,
        }
    }
}

/// What is to be done, and what is left as it is.
struct Steps<'f> {
    steps: Vec<Step<'f>>,
    left: Vec<String>,
}

impl<'f> Steps<'f> {
    fn of(tree: &'f Tree, live: &Live, prune: bool) -> anyhow::Result<Self> {
        let mut all = Self { steps: Vec::new(), left: Vec::new() };
        all.compare(&tree.spaces, &live.spaces, New::Space)?;
        functions::check(&live.functions, &tree.functions)?;
        all.compare(&tree.functions, &live.functions, New::Function)?;
        for (path, file) in tree.sources.values() {
            let there = live.sources.iter().find(|there| there.id == file.id);
            let checked = there.map(|there| identity_keys::check(there, file)).transpose();
            checked.with_context(|| path.display().to_string())?;
        }
        all.compare(&tree.sources, &live.sources, New::Source)?;
        for (path, file) in tree.destinations.values() {
            let same = live.destinations.iter().find(|one| one.id == file.id);
            ensure!(
                same.is_none_or(|one| one.space == file.space && one.kind == file.kind),
                "{}: the space and kind of a destination cannot change; give it another id, and remove \
                 the old one with --prune",
                path.display()
            );
        }
        all.compare(&tree.destinations, &live.destinations, New::Destination)?;
        check_kind(&tree.audiences, &live.traits)?;
        check_kind(&tree.traits, &live.audiences)?;
        all.compare(&tree.traits, &live.traits, New::Trait)?;
        all.compare(&tree.audiences, &live.audiences, New::Audience)?;
        all.compare(&tree.channels, &live.channels, New::AlertChannel)?;
        all.compare(&tree.alerts, &live.alerts.files, New::Alert)?;
        alerts::remove(&mut all, tree, live, prune);
        let gone = |one: &&DefinitionFile| {
            let key = format!("{}/{}", one.space, one.id);
            !tree.audiences.contains_key(&key) && !tree.traits.contains_key(&key)
        };
        let known: Vec<_> = live.definitions().collect();
        let gone: Vec<_> = known.iter().map(|(file, _)| *file).filter(gone).collect();
        for file in removable(&known, gone) {
            let kind = known.iter().find(|(one, _)| *one == file).map(|(_, kind)| *kind);
            let word = match kind {
                Some(DefinitionKind::ComputedTrait) => TraitFile::WORD,
                _ => AudienceFile::WORD,
            };
            let name = format!("{word} {}/{}", file.space, file.id);
            all.remove(name, file.path(), prune);
        }
        for destination in &live.destinations {
            if !tree.destinations.contains_key(&destination.id) {
                let path = format!("/api/destinations/{}", part(&destination.id));
                all.remove(name_of(destination), path, prune);
            }
        }
        for function in &live.functions {
            if !tree.functions.contains_key(&function.id) {
                let path = format!("/api/functions/{}", part(&function.id));
                all.remove(name_of(function), path, prune);
            }
        }
        Ok(all)
    }

    fn remove(&mut self, name: String, path: String, prune: bool) {
        if prune {
            self.steps.push(Step::Remove { name, path });
        } else {
            self.left.push(format!("{name} is in no file; --prune removes it"));
        }
    }

    fn compare<T: Resource>(
        &mut self,
        files: &'f Files<T>,
        live: &[T],
        new: fn(&'f T) -> New<'f>,
    ) -> anyhow::Result<()> {
        for (key, (_, given)) in files {
            let Some(there) = live.iter().find(|there| there.key() == *key) else {
                self.steps.push(Step::Create(new(given)));
                continue;
            };
            let file = given.over(there);
            let (old, wanted) = (serde_json::to_value(there)?, serde_json::to_value(&file)?);
            let fields = fields(&old, &wanted);
            if !fields.is_empty() {
                let change = file.change(&wanted, &fields);
                let (name, wanted) = (name_of(&file), new(given).definition());
                let hint = there.hint(&file);
                let id = given.id().to_owned();
                self.steps.push(Step::Change { name, id, fields, change, wanted, hint });
            }
        }
        if !T::REMOVABLE {
            let missing = live.iter().filter(|there| !files.contains_key(&there.key()));
            self.left.extend(missing.map(|there| {
                format!("{} is in no file; it cannot be removed, and stays", name_of(there))
            }));
        }
        Ok(())
    }

    /// Prints the steps; of the first definitions, by asking the server, what they would change.
    async fn show(&self, client: &Client, mut previews: u32) -> anyhow::Result<()> {
        let (mut created, mut changed, mut removed) = (0, 0, 0);
        for step in &self.steps {
            let mut definition = None;
            match step {
                Step::Create(new) => {
                    created += 1;
                    say(&printable(&format!("+ {}", new.name())))?;
                    definition = new.definition().map(|(file, kind)| (file, kind, true));
                }
                Step::Change { name, fields, wanted, hint, .. } => {
                    changed += 1;
                    say(&printable(&format!("~ {name}")))?;
                    for Field { path, old, new } in fields {
                        say(&printable(&format!("    {path}: {old} -> {new}")))?;
                    }
                    if let Some(hint) = hint {
                        say(&printable(&format!("    {hint}")))?;
                    }
                    if fields.iter().any(|field| field.is_of("query")) {
                        definition = wanted.map(|(file, kind)| (file, kind, false));
                    }
                }
                Step::Remove { name, .. } => {
                    removed += 1;
                    let more = if name.starts_with(DestinationFile::WORD) {
                        ", with its dead letters"
                    } else {
                        ""
                    };
                    say(&printable(&format!("- {name}{more}")))?;
                }
            }
            if let Some((file, kind, is_new)) = definition
                && let Some(left) = previews.checked_sub(1)
                && let Some(effect) = preview::effect(client, file, kind, is_new).await
            {
                previews = left;
                say(&printable(&format!("    {effect}")))?;
                if left == 0 {
                    let more = "of further definitions that is not said: `selfsame audience preview` says it";
                    say(&printable(&format!("    {more}")))?;
                }
            }
        }
        for left in &self.left {
            say(&printable(&format!("  {left}")))?;
        }
        match self.steps.is_empty() {
            true => say("Nothing to do: the server is as the files say."),
            false => {
                say(&format!("{created} to create, {changed} to change, {removed} to remove."))
            }
        }
    }
}

/// What one key is stays what it is.
fn check_kind<T: Resource, O: Resource>(files: &Files<T>, others: &[O]) -> anyhow::Result<()> {
    for (key, (path, _)) in files {
        ensure!(
            !others.iter().any(|other| other.key() == *key),
            "{}: `{key}` is the key of the {} that is there, and cannot become the other kind; give it \
             another id, or remove that one first",
            path.display(),
            O::WORD
        );
    }
    Ok(())
}

/// Those that are to be removed, each before those that it reads.
fn removable<'l>(
    known: &[(&'l DefinitionFile, DefinitionKind)],
    mut gone: Vec<&'l DefinitionFile>,
) -> Vec<&'l DefinitionFile> {
    let reads = |reader: &DefinitionFile, read: &DefinitionFile| {
        let kind = known.iter().find(|(one, _)| *one == reader).map(|(_, kind)| *kind);
        let of = reader.collection;
        let said = kind.and_then(|kind| Said::read((kind, of), &reader.query).ok());
        reader.space == read.space
            && said.is_some_and(|said| said.reads(of, &read.id, read.collection))
    };
    let mut ordered = Vec::with_capacity(gone.len());
    while !gone.is_empty() {
        let is_free = |one: &&&DefinitionFile| !gone.iter().any(|other| reads(other, one));
        // There are no circles.
        let at = gone.iter().position(|one| is_free(&one)).unwrap_or(0);
        ordered.push(gone.remove(at));
    }
    ordered
}

/// Of how many definitions a plan says what they would change: the server reads the history for each.
const PREVIEWS: u32 = 10;

impl Plan {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let tree = Tree::read(&self.dir)?;
        block_on(async {
            let client = self.remote.client()?;
            let live = Live::read(&client).await?;
            Steps::of(&tree, &live, self.prune)?.show(&client, PREVIEWS).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Apply {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let tree = Tree::read(&self.plan.dir)?;
        block_on(async {
            let client = self.plan.remote.client()?;
            let live = Live::read(&client).await?;
            let steps = Steps::of(&tree, &live, self.plan.prune)?;
            steps.show(&client, 0).await?;
            let count = steps.steps.len();
            for (index, step) in steps.steps.iter().enumerate() {
                take(&client, step).await.with_context(|| {
                    format!("step {} of {count} failed; the steps before it were done", index + 1)
                })?;
            }
            if count > 0 {
                say("Applied.")?;
            }
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Sends a body and reads the answer.
pub(super) async fn send<T: DeserializeOwned>(
    client: &Client,
    method: Method,
    path: &str,
    body: &impl Serialize,
) -> anyhow::Result<T> {
    let response = client.send(client.request(method, path).json(&json!(body))).await?;
    response.json().await.context("the server's answer cannot be read")
}
