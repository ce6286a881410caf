//! `selfsame export`, `plan` and `apply`: the workspace as files, and the way back.

mod difference;
mod identity_keys;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use self::difference::{Field, fields};
use super::resource::{DestinationFile, Files, Resource, SourceFile, SpaceFile, Tree, write};
use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{
    DestinationShown, NewDestination, NewSecret, NewSource, NewSpace, Page, SourceShown, SpaceShown,
};
use crate::printable::printable;

/// Write the workspace's spaces, sources and destinations into YAML files, without secrets.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The folder to write into.
    #[arg(long, value_name = "DIR", default_value = "workspace")]
    dir: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Show how the server differs from the files, and what `apply` would do.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The folder with the files, as `selfsame export` writes it.
    dir: PathBuf,
    /// Remove destinations that are in no file.
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
    sources: Vec<SourceFile>,
    destinations: Vec<DestinationFile>,
}

impl Live {
    async fn read(client: &Client) -> anyhow::Result<Self> {
        let spaces: Page<SpaceShown> = client.get("/api/spaces").await?;
        let sources: Page<SourceShown> = client.get("/api/sources").await?;
        let destinations: Page<DestinationShown> = client.get("/api/destinations").await?;
        Ok(Self {
            spaces: spaces.data.into_iter().map(Into::into).collect(),
            sources: sources.data.into_iter().map(Into::into).collect(),
            destinations: destinations.data.into_iter().map(Into::into).collect(),
        })
    }
}

/// One thing to do.
enum Step<'f> {
    Create(New<'f>),
    Change {
        word: &'static str,
        folder: &'static str,
        id: String,
        fields: Vec<Field>,
        /// The members that differ, as they are to be.
        change: Map<String, Value>,
        hint: Option<String>,
    },
    Remove {
        id: String,
    },
}

/// What is to be made, with its file.
enum New<'f> {
    Space(&'f SpaceFile),
    Source(&'f SourceFile),
    Destination(&'f DestinationFile),
}

impl New<'_> {
    fn name(&self) -> String {
        match self {
            Self::Space(file) => format!("space {}", file.id),
            Self::Source(file) => format!("source {}", file.id),
            Self::Destination(file) => format!("destination {}", file.id),
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
        for destination in &live.destinations {
            if tree.destinations.contains_key(&destination.id) {
                continue;
            }
            if prune {
                all.steps.push(Step::Remove { id: destination.id.clone() });
            } else {
                let id = &destination.id;
                all.left.push(format!("destination {id} is in no file; --prune removes it"));
            }
        }
        Ok(all)
    }

    fn compare<T: Resource>(
        &mut self,
        files: &'f Files<T>,
        live: &[T],
        new: fn(&'f T) -> New<'f>,
    ) -> anyhow::Result<()> {
        for (id, (_, file)) in files {
            let Some(there) = live.iter().find(|there| there.id() == id) else {
                self.steps.push(Step::Create(new(file)));
                continue;
            };
            let file = file.over(there);
            let (old, wanted) = (serde_json::to_value(there)?, serde_json::to_value(&file)?);
            let fields = fields(&old, &wanted);
            if !fields.is_empty() {
                let (word, folder, id) = (T::WORD, T::FOLDER, id.clone());
                let mut change = Map::new();
                for (key, value) in wanted.as_object().into_iter().flatten() {
                    if fields.iter().any(|field| field.is_of(key)) {
                        change.insert(key.clone(), value.clone());
                    }
                }
                let hint = there.hint(&file);
                self.steps.push(Step::Change { word, folder, id, fields, change, hint });
            }
        }
        if T::WORD != DestinationFile::WORD {
            let missing = live.iter().filter(|there| !files.contains_key(there.id()));
            self.left.extend(missing.map(|there| {
                format!("{} {} is in no file; it cannot be removed, and stays", T::WORD, there.id())
            }));
        }
        Ok(())
    }

    fn show(&self) -> anyhow::Result<()> {
        let (mut created, mut changed, mut removed) = (0, 0, 0);
        for step in &self.steps {
            match step {
                Step::Create(new) => {
                    created += 1;
                    say(&printable(&format!("+ {}", new.name())))?;
                }
                Step::Change { word, id, fields, hint, .. } => {
                    changed += 1;
                    say(&printable(&format!("~ {word} {id}")))?;
                    for Field { path, old, new } in fields {
                        say(&printable(&format!("    {path}: {old} -> {new}")))?;
                    }
                    if let Some(hint) = hint {
                        say(&printable(&format!("    {hint}")))?;
                    }
                }
                Step::Remove { id } => {
                    removed += 1;
                    say(&printable(&format!("- destination {id}, with its dead letters")))?;
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

impl Plan {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let tree = Tree::read(&self.dir)?;
        block_on(async {
            let live = Live::read(&self.remote.client()?).await?;
            Steps::of(&tree, &live, self.prune)?.show()
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
            steps.show()?;
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

async fn take(client: &Client, step: &Step<'_>) -> anyhow::Result<()> {
    match step {
        Step::Create(new) => create(client, new).await.with_context(|| new.name()),
        Step::Change { word, folder, id, change, .. } => {
            let path = format!("/api/{folder}/{}", part(id));
            let mut change = change.clone();
            let keys = identity_keys::taken(&mut change)?;
            if !change.is_empty() {
                let sent: anyhow::Result<Value> = send(client, Method::PATCH, &path, &change).await;
                sent.with_context(|| format!("{word} {id}"))?;
            }
            match keys {
                Some(keys) => identity_keys::apply(client, id, &keys).await,
                None => Ok(()),
            }
            .with_context(|| format!("{word} {id}"))
        }
        Step::Remove { id } => {
            let path = format!("/api/destinations/{}", part(id));
            let request = client.request(Method::DELETE, &path);
            client.send(request).await.map(|_| ()).with_context(|| format!("destination {id}"))
        }
    }
}

async fn create(client: &Client, new: &New<'_>) -> anyhow::Result<()> {
    match new {
        New::Space(file) => {
            let new = NewSpace {
                id: Some(file.id.clone()),
                name: file.name.clone(),
                rules: Some(file.rules.clone()),
                indexed_traits: Some(file.indexed_traits.clone()),
            };
            send::<SpaceShown>(client, Method::POST, "/api/spaces", &new).await?;
        }
        New::Source(file) => {
            let new = NewSource {
                id: Some(file.id.clone()),
                name: file.name.clone(),
                space: Some(file.space.clone()),
                strict: Some(file.strict),
                dedupe: Some(file.dedupe),
                kind: Some(file.kind),
                identity_required: Some(file.identity_required),
                write_key: from_environment(file.write_key_env.as_deref())?,
            };
            let made: SourceShown = send(client, Method::POST, "/api/sources", &new).await?;
            if file.write_key_env.is_none() {
                let key = made.write_keys.first().map_or("", |key| &key.key);
                say(&format!("  write key of source {}: {}", file.id, printable(key)))?;
            }
            if let Some(keys) = file.identity_keys.as_ref().filter(|keys| !keys.is_empty()) {
                identity_keys::apply(client, &file.id, keys).await?;
            }
        }
        New::Destination(file) => {
            let new = NewDestination {
                id: Some(file.id.clone()),
                name: file.name.clone(),
                space: Some(file.space.clone()),
                kind: Some(file.kind.clone()),
                url: file.url.clone(),
                events: Some(file.events.clone()),
                enabled: Some(file.enabled),
                secret: from_environment(file.secret_env.as_deref())?,
            };
            let made: NewSecret = send(client, Method::POST, "/api/destinations", &new).await?;
            if file.secret_env.is_none() {
                let secret = printable(&made.secret);
                say(&format!("  secret of destination {}, shown this once: {secret}", file.id))?;
            }
        }
    }
    Ok(())
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

/// The value of the environment variable that a file names.
#[expect(clippy::disallowed_methods, reason = "a file names the variable; it is no setting")]
pub(super) fn from_environment(name: Option<&str>) -> anyhow::Result<Option<String>> {
    let read = |name: &str| {
        let value = std::env::var(name);
        value.with_context(|| {
            format!("the environment variable {name}, which the file names, is not set")
        })
    };
    name.map(read).transpose()
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let known = Tree::read_if_there(&self.dir)
            .context("files that are there would be written over, and one of them is wrong")?;
        let live = block_on(async { Live::read(&self.remote.client()?).await })?;
        let mut written = export(&self.dir, &known.spaces, &live.spaces)?;
        written += export(&self.dir, &known.sources, &live.sources)?;
        written += export(&self.dir, &known.destinations, &live.destinations)?;
        let dir = self.dir.display();
        say(&printable(&format!("{written} files in {dir}. They hold no keys and no secrets.")))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn export<T: Resource + Exported>(
    root: &Path,
    known: &Files<T>,
    live: &[T],
) -> anyhow::Result<usize> {
    for resource in live {
        let before = known.get(resource.id()).map(|(_, before)| before);
        write(root, known, &resource.keeping(before))?;
    }
    for (id, (path, _)) in known {
        if !live.iter().any(|resource| resource.id() == id) {
            say(&printable(&format!(
                "{} is not on the server; it stays as it is",
                path.display()
            )))?;
        }
    }
    Ok(live.len())
}

/// A resource that is written over its file, keeping what the server does not know.
trait Exported {
    fn keeping(&self, before: Option<&Self>) -> Self;
}

impl Exported for SpaceFile {
    fn keeping(&self, _: Option<&Self>) -> Self {
        self.clone()
    }
}

impl Exported for SourceFile {
    fn keeping(&self, before: Option<&Self>) -> Self {
        let write_key_env = before.and_then(|before| before.write_key_env.clone());
        let known = before.and_then(|before| before.identity_keys.as_deref());
        let mut keys = self.identity_keys.clone().unwrap_or_default();
        for key in &mut keys {
            let named = known.unwrap_or_default().iter().find(|known| known.id == key.id);
            key.secret_env = named.and_then(|known| known.secret_env.clone());
        }
        let identity_keys = (known.is_some() || !keys.is_empty()).then_some(keys);
        Self { write_key_env, identity_keys, ..self.clone() }
    }
}

impl Exported for DestinationFile {
    fn keeping(&self, before: Option<&Self>) -> Self {
        let secret_env = before.and_then(|before| before.secret_env.clone());
        Self { secret_env, ..self.clone() }
    }
}
