//! `selfsame export`: the workspace into files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::Live;
use crate::client::{Remote, block_on};
use crate::command::resource::{
    AlertChannelFile, AlertFile, AudienceFile, DestinationFile, Files, FunctionFile,
    FunctionUseFile, Resource, SourceFile, SpaceFile, TraitFile, Tree, write,
};
use crate::command::say;
use crate::printable::printable;

/// Write the workspace into YAML files, without secrets: spaces, functions, sources, destinations, audiences,
/// computed traits, alerts and who is told of them.
#[derive(Debug, Args)]
pub(in crate::command) struct Export {
    /// The folder to write into.
    #[arg(long, value_name = "DIR", default_value = "workspace")]
    dir: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

impl Export {
    pub(in crate::command) fn run(&self) -> anyhow::Result<ExitCode> {
        let known = Tree::read_if_there(&self.dir)
            .context("files that are there would be written over, and one of them is wrong")?;
        let live = block_on(async { Live::read(&self.remote.client()?).await })?;
        let mut written = export(&self.dir, &known.spaces, &live.spaces)?;
        written += export(&self.dir, &known.functions, &live.functions)?;
        written += export(&self.dir, &known.sources, &live.sources)?;
        written += export(&self.dir, &known.destinations, &live.destinations)?;
        written += export(&self.dir, &known.audiences, &live.audiences)?;
        written += export(&self.dir, &known.traits, &live.traits)?;
        written += export(&self.dir, &known.channels, &live.channels)?;
        written += export(&self.dir, &known.alerts, &live.alerts.exported(&known.alerts))?;
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
        let before = known.get(&resource.key()).map(|(_, before)| before);
        write(root, known, &resource.keeping(before))?;
    }
    for (key, (path, _)) in known {
        if !live.iter().any(|resource| resource.key() == *key) {
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

impl Exported for FunctionFile {
    fn keeping(&self, _: Option<&Self>) -> Self {
        self.clone()
    }
}

impl Exported for AudienceFile {
    fn keeping(&self, _: Option<&Self>) -> Self {
        self.clone()
    }
}

impl Exported for TraitFile {
    fn keeping(&self, _: Option<&Self>) -> Self {
        self.clone()
    }
}

impl Exported for AlertFile {
    fn keeping(&self, _: Option<&Self>) -> Self {
        self.clone()
    }
}

impl Exported for AlertChannelFile {
    fn keeping(&self, before: Option<&Self>) -> Self {
        let secrets_env = before.map(|before| before.secrets_env.clone()).unwrap_or_default();
        Self { secrets_env, ..self.clone() }
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
        let is_known = before.is_some_and(|before| before.oauth.is_some());
        let oauth = self.oauth.clone().filter(|oauth| is_known || !oauth.is_nothing());
        let known = before.and_then(|before| before.function.as_ref());
        let function = used(self.function.as_ref(), known);
        Self { write_key_env, identity_keys, oauth, function, ..self.clone() }
    }
}

/// A function in use, with the variables that the file before names.
fn used(
    function: Option<&FunctionUseFile>,
    before: Option<&FunctionUseFile>,
) -> Option<FunctionUseFile> {
    let mut function = function.cloned()?;
    if let Some(before) = before {
        function.secrets_env.clone_from(&before.secrets_env);
    }
    Some(function)
}

impl Exported for DestinationFile {
    fn keeping(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self.clone() };
        Self {
            function: used(self.function.as_ref(), before.function.as_ref()),
            insert_function: used(self.insert_function.as_ref(), before.insert_function.as_ref()),
            secret_env: before.secret_env.clone(),
            settings_env: before.settings_env.clone(),
            auth_env: before.auth_env.clone(),
            ..self.clone()
        }
    }
}
