//! `selfsame source oauth`: who may send to a source, with tokens.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, Remote, block_on, part};
use crate::command::plan::send;
use crate::command::say;
use crate::control::{AddedOAuthClient, OAuthShown};
use crate::printable::printable;

/// Add, list and remove the OAuth clients of a source. A client signs assertions with its private key and
/// gets tokens for them at POST /oauth2/token, as Segment's SDKs do.
#[derive(Debug, Args)]
pub(super) struct OAuth {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a client, with its public key.
    Add(Add),
    /// List the clients of a source.
    List(Of),
    /// Remove a client: its tokens are refused at once.
    Remove(OfClient),
    /// Add a public key to a client, beside the one it has.
    AddKey(AddKey),
    /// Remove a public key of a client.
    RemoveKey(RemoveKey),
    /// Say whether the source takes events only with a token.
    Require(Require),
}

#[derive(Debug, Args)]
struct Add {
    /// The source.
    source: String,
    /// A file with the public key, PEM or JWK: RSA of 2,048 bits or more, or P-256.
    public_key: PathBuf,
    /// The client's id. Default: drawn.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The id of the key. Default: k1.
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
    /// How many hours its tokens are good for, at most 720. Default: 24.
    #[arg(long, value_name = "HOURS")]
    token_hours: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Of {
    /// The source.
    source: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct OfClient {
    /// The source.
    source: String,
    /// The client.
    client: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct AddKey {
    /// The source.
    source: String,
    /// The client.
    client: String,
    /// A file with the public key, PEM or JWK.
    public_key: PathBuf,
    /// The id of the key. Default: k1 or k2.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct RemoveKey {
    /// The source.
    source: String,
    /// The client.
    client: String,
    /// The id of the key.
    key: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Require {
    /// The source.
    source: String,
    /// What a request needs besides the write key.
    #[arg(value_name = "token|nothing")]
    what: Needed,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Needed {
    Token,
    Nothing,
}

fn base(source: &str) -> String {
    format!("/api/sources/{}/oauth", part(source))
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

async fn delete(client: &Client, path: &str) -> anyhow::Result<OAuthShown> {
    let request = client.request(Method::DELETE, path);
    Ok(client.send(request).await?.json().await?)
}

fn list(oauth: &OAuthShown) -> anyhow::Result<()> {
    for client in &oauth.clients {
        let keys = client.keys.iter().map(|key| format!("{} ({})", key.id, key.algorithm));
        let keys = keys.collect::<Vec<_>>().join(", ");
        let hours = client.token_seconds / 3_600;
        say(&printable(&format!("{}  keys {keys}  tokens for {hours} h", client.id)))?;
    }
    say(match oauth.required {
        true => "The source takes events only with a token.",
        false => "The source takes events without a token too.",
    })
}

impl OAuth {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Add(add) => add.run(),
            Verb::List(of) => {
                let client = of.remote.client()?;
                let path = base(&of.source);
                list(&block_on(async { client.get(&path).await })?)
            }
            Verb::Remove(of) => {
                let path = format!("{}/clients/{}", base(&of.source), part(&of.client));
                let client = of.remote.client()?;
                list(&block_on(delete(&client, &path))?)
            }
            Verb::AddKey(key) => {
                let path = format!("{}/clients/{}/keys", base(&key.source), part(&key.client));
                let body = json!({ "id": key.id, "public_key": read(&key.public_key)? });
                let client = key.remote.client()?;
                list(&block_on(async { send(&client, Method::POST, &path, &body).await })?)
            }
            Verb::RemoveKey(key) => {
                let (of, id) = (part(&key.client), part(&key.key));
                let path = format!("{}/clients/{of}/keys/{id}", base(&key.source));
                let client = key.remote.client()?;
                list(&block_on(delete(&client, &path))?)
            }
            Verb::Require(require) => {
                let body = json!({ "required": require.what == Needed::Token });
                let (client, path) = (require.remote.client()?, base(&require.source));
                list(&block_on(async { send(&client, Method::PUT, &path, &body).await })?)
            }
        }
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let body = json!({
            "id": self.id,
            "public_key": read(&self.public_key)?,
            "key_id": self.key_id,
            "token_seconds": self.token_hours.map(|hours| hours.saturating_mul(3_600)),
        });
        let path = format!("{}/clients", base(&self.source));
        let added: AddedOAuthClient =
            block_on(async { send(&client, Method::POST, &path, &body).await })?;
        say(&format!("client  {}", printable(&added.id)))?;
        list(&added.oauth)
    }
}
