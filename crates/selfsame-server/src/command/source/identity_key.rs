//! `selfsame source identity-key`: the keys that check identity tokens.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use reqwest::Method;

use crate::client::{Remote, block_on, part};
use crate::command::plan::{from_environment, send};
use crate::command::say;
use crate::control::{AddedIdentityKey, IdentityKeyShown, NewIdentityKey, Page, SourceShown};
use crate::printable::printable;

/// Add, list and remove the keys that check identity tokens, by which a site proves who its visitors
/// are. While a source of a space has one, the space guards its people.
#[derive(Debug, Args)]
pub(super) struct IdentityKey {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a key beside those there are. A drawn secret is printed once.
    Add(Add),
    /// List the keys of a source.
    List(List),
    /// Remove a key: tokens that it signed prove nothing from then on.
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Add {
    /// The source.
    source: String,
    /// The id: the `kid` of tokens. Default: k1, k2 and so on.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// A file with the public key of ES256, as PEM or JWK. Without it, a secret of HS256 is drawn.
    #[arg(long, value_name = "FILE", conflicts_with = "secret_env")]
    public_key: Option<PathBuf>,
    /// The environment variable that has the secret of HS256, at least 32 bytes.
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct List {
    /// The source.
    source: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Remove {
    /// The source.
    source: String,
    /// The id of the key.
    id: String,
    #[command(flatten)]
    remote: Remote,
}

impl IdentityKey {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Add(add) => add.run(),
            Verb::List(list) => list.run(),
            Verb::Remove(remove) => remove.run(),
        }
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let public_key = match &self.public_key {
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?,
            ),
            None => None,
        };
        let is_drawn = public_key.is_none() && self.secret_env.is_none();
        let secret = from_environment(self.secret_env.as_deref())?;
        let new = NewIdentityKey { id: self.id, public_key, secret };
        let path = format!("/api/sources/{}/identity-keys", part(&self.source));
        let added: AddedIdentityKey =
            block_on(async { send(&client, Method::POST, &path, &new).await })?;
        say(&format!("identity key  {}", printable(&added.id)))?;
        if let Some(secret) = added.secret.filter(|_| is_drawn) {
            say(&format!("secret        {}  (shown this once)", printable(&secret)))?;
        }
        say("People that a verified event names are guarded in the source's space from now on.")?;
        Ok(())
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = format!("/api/sources/{}/identity-keys", part(&self.source));
        let page: Page<IdentityKeyShown> = block_on(async { client.get(&path).await })?;
        for key in &page.data {
            let ends = key.secret_ends.as_deref();
            let what =
                ends.map_or_else(|| "public key".to_owned(), |ends| format!("secret …{ends}"));
            let line = format!("{}  {}  {what}", key.id, key.algorithm.name());
            say(&printable(&line))?;
        }
        Ok(())
    }
}

impl Remove {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let (source, id) = (part(&self.source), part(&self.id));
        let path = format!("/api/sources/{source}/identity-keys/{id}");
        let request = client.request(Method::DELETE, &path);
        let left: SourceShown = block_on(async {
            let response = client.send(request).await?;
            response.json().await.context("the server's answer cannot be read")
        })?;
        say(&format!("removed; {} left", left.identity_keys.len()))?;
        if left.identity_keys.is_empty() {
            say(
                "The source has no identity key. With none in its space, the space guards nobody.",
            )?;
        }
        Ok(())
    }
}
