//! `selfsame source`: makes and lists sources.

mod function;
mod identity_key;
mod oauth;

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use selfsame_pipeline::workspace::{BrowserSdk, SourceKind};

use self::function::SourceFunction;
use self::identity_key::IdentityKey;
use self::oauth::OAuth;
use super::plan::send;
use super::say;
use crate::client::{Remote, block_on, part};
use crate::control::{NewSource, Page, SourceShown};
use crate::printable::printable;

/// Make and list sources: where events come from.
#[derive(Debug, Args)]
pub(super) struct SourceCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a source, and print its write key.
    Create(Create),
    /// List sources.
    List(List),
    /// Choose which script browsers of a source get from now on.
    BrowserSdk(Choose),
    /// Say whether a user id needs a proof, once the space guards its people.
    Require(Require),
    /// Add, list and remove the keys that check identity tokens.
    IdentityKey(IdentityKey),
    Function(SourceFunction),
    /// Add, list and remove the OAuth clients that may send.
    #[command(name = "oauth")]
    OAuth(OAuth),
}

#[derive(Debug, Args)]
struct Create {
    /// The name for people.
    name: String,
    /// The id. Default: made from the name.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The space that its events feed. Default: the only one.
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    /// Who sends to it: the address of a connection becomes `context.ip` only of browsers and
    /// phones. Default: the route decides.
    #[arg(long)]
    kind: Option<Kind>,
    /// Which script browsers get.
    #[arg(long, value_name = "SDK", default_value = "selfsame")]
    browser_sdk: Sdk,
    /// Answer 400 to one invalid event on its own: for tests of a tracking code.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Choose {
    /// The source.
    source: String,
    /// Ours, or Segment's.
    sdk: Sdk,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sdk {
    Selfsame,
    Official,
}

impl From<Sdk> for BrowserSdk {
    fn from(sdk: Sdk) -> Self {
        match sdk {
            Sdk::Selfsame => Self::Selfsame,
            Sdk::Official => Self::Official,
        }
    }
}

#[derive(Debug, Args)]
struct Require {
    /// The source.
    source: String,
    /// Whether a user id needs an identity token, or a device that a verified event named; otherwise
    /// it is left out of the event.
    #[arg(value_name = "proof|nothing")]
    what: Proof,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Proof {
    Proof,
    Nothing,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Browser,
    Mobile,
    Server,
}

impl From<Kind> for SourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Browser => Self::Browser,
            Kind::Mobile => Self::Mobile,
            Kind::Server => Self::Server,
        }
    }
}

impl SourceCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Create(create) => create.run()?,
            Verb::List(list) => list.run()?,
            Verb::BrowserSdk(choose) => choose.run()?,
            Verb::Require(require) => require.run()?,
            Verb::IdentityKey(key) => key.run()?,
            Verb::Function(function) => function.run()?,
            Verb::OAuth(oauth) => oauth.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let new = NewSource {
            id: self.id,
            name: self.name,
            space: self.space,
            strict: Some(self.strict),
            dedupe: None,
            kind: self.kind.map(SourceKind::from),
            browser_sdk: Some(self.browser_sdk.into()),
            write_key: None,
            identity_required: None,
        };
        let made: SourceShown =
            block_on(async { send(&client, Method::POST, "/api/sources", &new).await })?;
        say(&format!("source     {}", printable(&made.id)))?;
        for key in &made.write_keys {
            say(&format!("write key  {}", printable(&key.key)))?;
        }
        Ok(())
    }
}

impl Choose {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = format!("/api/sources/{}", part(&self.source));
        let change = serde_json::json!({ "browser_sdk": BrowserSdk::from(self.sdk) });
        let _changed: SourceShown =
            block_on(async { send(&client, Method::PATCH, &path, &change).await })?;
        match self.sdk {
            Sdk::Selfsame => say("Browsers of this source get our SDK."),
            Sdk::Official => say("Browsers of this source get Segment's SDK."),
        }?;
        Ok(())
    }
}

impl Require {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = format!("/api/sources/{}", part(&self.source));
        let change = serde_json::json!({ "identity_required": self.what == Proof::Proof });
        let _changed: SourceShown =
            block_on(async { send(&client, Method::PATCH, &path, &change).await })?;
        match self.what {
            Proof::Proof => say("A user id needs a proof on events of this source."),
            Proof::Nothing => say("A user id needs no proof on events of this source."),
        }?;
        Ok(())
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let page: Page<SourceShown> = block_on(async { client.get("/api/sources").await })?;
        let wide = page.data.iter().map(|one| one.id.len()).max().unwrap_or(0);
        for one in &page.data {
            let kind = one.kind.word();
            let (id, name) = (printable(&one.id), printable(&one.name));
            say(&format!("{id:wide$}  {kind:<7}  {:>12} events  {name}", one.events))?;
        }
        Ok(())
    }
}
