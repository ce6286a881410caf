//! Resources of the workspace as YAML files: one file each, in a folder for each kind.
//!
//! ```text
//! DIR/spaces/*.yaml         identity rules and indexed traits
//! DIR/functions/*.yaml      JavaScript
//! DIR/sources/*.yaml        where events come from
//! DIR/destinations/*.yaml   where they go
//! DIR/audiences/*.yaml      profiles that meet a condition
//! DIR/traits/*.yaml         what profiles compute from their events
//! DIR/alerts/*.yaml         what deserves that somebody is told
//! DIR/alert-channels/*.yaml who is told
//! ```
//!
//! Files hold no secrets. A write key or signing secret that must be a certain one is named by an
//! environment variable, which is read when the resource is made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use selfsame_identity::{RuleSet, Rules, TypeNumbers};
use selfsame_pipeline::workspace::{BrowserSdk, DedupeScope, SourceKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::plan::Field;
use crate::client::part;
use crate::control::{IdentityKeyShown, SourceShown, SpaceShown, rules_hint};

mod alert;
mod definition;
mod destination;
mod function;
mod oauth;

pub(super) use alert::{AlertChannelFile, AlertFile};
pub(super) use definition::{AudienceFile, DefinitionFile, TraitFile};
pub(super) use destination::{DestinationFile, MappingFile};
pub(super) use function::{FunctionFile, FunctionUseFile};
pub(super) use oauth::OAuthFile;

/// How the server is told of a change.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

/// A kind of resource, with its folder.
pub(super) trait Resource: Clone + Serialize + DeserializeOwned {
    const FOLDER: &'static str;
    const WORD: &'static str;
    /// What stands at the top of its files.
    const HEAD: &'static str;
    /// Whether it can be removed.
    const REMOVABLE: bool = false;

    fn id(&self) -> &str;

    /// What names it among all of its kind.
    fn key(&self) -> String {
        self.id().to_owned()
    }

    /// The space that it is named in, if another one may have one of the same id.
    fn space(&self) -> Option<&str> {
        None
    }

    /// The file, with what it leaves to the server as it is there.
    fn over(&self, _live: &Self) -> Self {
        self.clone()
    }

    /// What to tell whoever changes it to that; none where there is nothing.
    fn hint(&self, _: &Self) -> Option<String> {
        None
    }

    /// What can be said about it besides its syntax. Brings it into the form that the server has it in.
    fn check(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// How the server is told that these fields are others now.
    fn change(&self, wanted: &Value, fields: &[Field]) -> Change {
        let mut change = Map::new();
        for (key, value) in wanted.as_object().into_iter().flatten() {
            if fields.iter().any(|field| field.is_of(key)) {
                change.insert(key.clone(), value.clone());
            }
        }
        let path = format!("/api/{}/{}", Self::FOLDER, part(self.id()));
        Change { method: Method::PATCH, path, body: Value::Object(change) }
    }
}

/// `spaces/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpaceFile {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) indexed_traits: Vec<String>,
    #[serde(default)]
    pub(super) rules: RuleSet,
}

/// `sources/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) space: String,
    #[serde(default)]
    pub(super) strict: bool,
    #[serde(default)]
    pub(super) dedupe: DedupeScope,
    #[serde(default)]
    pub(super) kind: SourceKind,
    /// Which script browsers get. Where it is left out, it stays as it is; ours for a new source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) browser_sdk: Option<BrowserSdk>,
    #[serde(default)]
    pub(super) identity_required: bool,
    /// The keys that check identity tokens. Where they are left out, they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity_keys: Option<Vec<IdentityKeyFile>>,
    /// The OAuth clients. Where they are left out, they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) oauth: Option<OAuthFile>,
    /// The function that makes events of requests. Where it is left out, it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<FunctionUseFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) write_key_env: Option<String>,
}

/// A key that checks identity tokens: a public key of ES256, or a secret of HS256 that is not in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityKeyFile {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "trimmed")]
    pub(super) public_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret_env: Option<String>,
}

/// A block of YAML ends with a line break, which is no part of a key.
fn trimmed<'d, D: serde::Deserializer<'d>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| text.trim().to_owned()))
}

impl Resource for SpaceFile {
    const FOLDER: &'static str = "spaces";
    const WORD: &'static str = "space";
    const HEAD: &'static str = "\
# A space: an identity graph of its own, with its rules.
# rules.types: which identifiers count; priority 1 is trusted most; limit: how many values one
# profile may have, ever or in a window (daily, weekly, monthly, annually).
# A change holds for events from then on. See `selfsame plan` and `selfsame apply`; `selfsame identity
# try` and `publish` take this file too, and judge the whole history by it.
";

    fn id(&self) -> &str {
        &self.id
    }

    fn hint(&self, new: &Self) -> Option<String> {
        rules_hint(&self.id, &self.rules, &new.rules)
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let compiled = Rules::compile(&self.rules, &mut TypeNumbers::default());
        compiled.map(|_| ()).context("the identity rules do not hold together")
    }
}

impl Resource for SourceFile {
    const FOLDER: &'static str = "sources";
    const WORD: &'static str = "source";
    const HEAD: &'static str = "\
# A source: where events come from.
# dedupe: among which events a messageId is unique, source or workspace.
# kind: who sends to it, browser, mobile or server. The address of a connection becomes context.ip
# only of browsers and phones; with any, the route decides.
# browser_sdk: which script browsers get, selfsame or official. Without it, it stays as it is.
# identity_required: whether a user id needs a proof, once a source of the space has an identity key.
# identity_keys: the keys that check identity tokens, by their kid. One has a public_key (PEM or JWK, of
# ES256), or is a secret of HS256, which is not in this file: it is drawn and printed once, unless
# secret_env names an environment variable that has it. Without identity_keys they stay as they are.
# oauth: the clients that get tokens for it at /oauth2/token, with their public keys (PEM or JWK), and whether
# events need a token. Without it they stay as they are.
# function: the function that makes events of requests to it, with its settings. secrets_env names, for each
# secret setting, the environment variable that has it; it is read when the function is set.
# Write keys are not in this file. One is drawn when the source is made and printed once, unless
# write_key_env names an environment variable that has it.
";

    fn id(&self) -> &str {
        &self.id
    }

    fn over(&self, live: &Self) -> Self {
        let identity_keys = self.identity_keys.clone().or_else(|| live.identity_keys.clone());
        let function = self.function.clone().or_else(|| live.function.clone());
        let oauth = self.oauth.clone().or_else(|| live.oauth.clone());
        let browser_sdk = self.browser_sdk.or(live.browser_sdk);
        Self { browser_sdk, identity_keys, oauth, function, ..self.clone() }
    }

    fn hint(&self, new: &Self) -> Option<String> {
        let has_keys =
            |file: &Self| file.identity_keys.as_ref().is_some_and(|keys| !keys.is_empty());
        (has_keys(self) && !has_keys(new)).then(|| {
            "it has no identity key then; a space of which no source has one guards nobody"
                .to_owned()
        })
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let keys = self.identity_keys.as_deref().unwrap_or_default();
        for (index, key) in keys.iter().enumerate() {
            let is_twice = keys[..index].iter().any(|other| other.id == key.id);
            ensure!(!is_twice, "two identity keys have the id `{}`", key.id);
            ensure!(
                key.public_key.is_none() || key.secret_env.is_none(),
                "the identity key `{}` has a public_key and a secret_env; it is one of the two",
                key.id
            );
        }
        Ok(())
    }
}

impl From<SpaceShown> for SpaceFile {
    fn from(shown: SpaceShown) -> Self {
        let SpaceShown { id, name, indexed_traits, rules, .. } = shown;
        Self { id, name, indexed_traits, rules }
    }
}

impl From<SourceShown> for SourceFile {
    fn from(shown: SourceShown) -> Self {
        let SourceShown { id, name, space, strict, dedupe, kind, identity_required, .. } = shown;
        let browser_sdk = Some(shown.browser_sdk);
        let function = shown.function.map(Into::into);
        let oauth = Some(shown.oauth.into());
        let key = |key: IdentityKeyShown| {
            let public_key = key.public_key.map(|text| text.trim().to_owned());
            IdentityKeyFile { id: key.id, public_key, secret_env: None }
        };
        let keys = shown.identity_keys.into_iter().map(key).collect();
        let (identity_keys, write_key_env) = (Some(keys), None);
        Self {
            id,
            name,
            space,
            strict,
            dedupe,
            kind,
            browser_sdk,
            identity_required,
            identity_keys,
            oauth,
            function,
            write_key_env,
        }
    }
}

/// Resources of one kind by key, each with its file.
pub(super) type Files<T> = BTreeMap<String, (PathBuf, T)>;

/// All files of a folder.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) spaces: Files<SpaceFile>,
    pub(super) functions: Files<FunctionFile>,
    pub(super) sources: Files<SourceFile>,
    pub(super) destinations: Files<DestinationFile>,
    pub(super) audiences: Files<AudienceFile>,
    pub(super) traits: Files<TraitFile>,
    pub(super) channels: Files<AlertChannelFile>,
    pub(super) alerts: Files<AlertFile>,
}

impl Tree {
    /// Reads what is there, be it nothing. A wrong file is named, with the line.
    pub(super) fn read_if_there(root: &Path) -> anyhow::Result<Self> {
        let tree = Self {
            spaces: read(root)?,
            functions: read(root)?,
            sources: read(root)?,
            destinations: read(root)?,
            audiences: read(root)?,
            traits: read(root)?,
            channels: read(root)?,
            alerts: read(root)?,
        };
        for (key, (path, _)) in &tree.traits {
            if let Some((other, _)) = tree.audiences.get(key) {
                let (other, path) = (other.display(), path.display());
                bail!(
                    "{other} and {path} both have the key `{key}`: profiles have one value of it"
                );
            }
        }
        Ok(tree)
    }

    /// Reads a folder that is there.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        ensure!(root.is_dir(), "there is no folder {}", root.display());
        let tree = Self::read_if_there(root)?;
        let folders = [
            SpaceFile::FOLDER,
            FunctionFile::FOLDER,
            SourceFile::FOLDER,
            DestinationFile::FOLDER,
            AudienceFile::FOLDER,
            TraitFile::FOLDER,
            AlertChannelFile::FOLDER,
            AlertFile::FOLDER,
        ];
        ensure!(
            folders.iter().any(|folder| root.join(folder).is_dir()),
            "{} has none of the folders {}; `selfsame export --dir {}` makes them",
            root.display(),
            folders.join(", "),
            root.display()
        );
        Ok(tree)
    }
}

fn read<T: Resource>(root: &Path) -> anyhow::Result<Files<T>> {
    let folder = root.join(T::FOLDER);
    let mut files = Files::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("yaml" | "yml")) {
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let mut resource: T = parse(&path, &text)?;
        resource.check().with_context(|| format!("{} is wrong", path.display()))?;
        let key = resource.key();
        if let Some((other, _)) = files.get(&key) {
            bail!("{} and {} both have the id `{key}`", other.display(), path.display());
        }
        files.insert(key, (path, resource));
    }
    Ok(files)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> anyhow::Result<T> {
    serde_yaml_ng::from_str(text).map_err(|error| {
        let place = error.location().map(|place| format!(":{}:{}", place.line(), place.column()));
        let reason = error.to_string();
        let reason = match reason.rsplit_once(" at line ") {
            Some((reason, _)) if place.is_some() => reason,
            _ => &reason,
        };
        anyhow::anyhow!("{}{}: {reason}", path.display(), place.unwrap_or_default())
    })
}

/// Writes a resource to its file: the one that had it, or one named after its id.
pub(super) fn write<T: Resource>(
    root: &Path,
    known: &Files<T>,
    resource: &T,
) -> anyhow::Result<PathBuf> {
    let id = resource.id();
    let is_plain = |id: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        !id.is_empty() && id.bytes().all(is_plain)
    };
    let named = |name: &str| root.join(T::FOLDER).join(format!("{name}.yaml"));
    let path = match (known.get(&resource.key()), resource.space()) {
        (Some((path, _)), _) => path.clone(),
        // That of another space has the name.
        (None, Some(space)) if is_plain(id) && is_plain(space) && named(id).exists() => {
            named(&format!("{space}.{id}"))
        }
        (None, _) if is_plain(id) => named(id),
        (None, _) => bail!("the {} `{id}` cannot name a file", T::WORD),
    };
    let text = format!("{}{}", T::HEAD, serde_yaml_ng::to_string(resource)?);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let temporary = path.with_extension("yaml.new");
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, &path))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests;
