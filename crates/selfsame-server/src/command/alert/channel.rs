//! `selfsame alert channel`: who is told.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value};

use crate::client::{Remote, block_on, part};
use crate::command::plan::{from_environment, send};
use crate::command::say;
use crate::control::{AlertChannelSet, AlertChannelShown, AlertChannelWanted, Done, Page};
use crate::printable::printable;

/// Say who is told of alerts: a webhook, Slack, or mail.
#[derive(Debug, Args)]
pub(super) struct ChannelCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List who is told.
    List(List),
    /// Make a channel, or make it other than it is.
    Set(Box<Set>),
    /// Remove a channel.
    Remove(Remove),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A POST of JSON, signed as Standard Webhooks says.
    Webhook,
    /// An incoming webhook of Slack.
    Slack,
    /// Mail.
    Email,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Security {
    /// TLS after a word in the clear.
    Starttls,
    /// TLS from the first byte on.
    Tls,
    /// In the clear, without a password.
    None,
}

#[derive(Debug, Args)]
struct Set {
    /// The id.
    channel: String,
    /// What kind it is.
    #[arg(long)]
    kind: Kind,
    /// The name for people. Default: the id.
    #[arg(long)]
    name: Option<String>,
    /// Where a webhook sends to.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The mail server.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Its port. Default: 587, 465 with tls, 25 with none.
    #[arg(long)]
    port: Option<u16>,
    /// How it is spoken to. Default: starttls.
    #[arg(long)]
    security: Option<Security>,
    /// Who logs in there.
    #[arg(long)]
    user: Option<String>,
    /// Whose name mail is sent in.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Who gets mail. May be given several times.
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// A certificate that is trusted beside the public ones, PEM.
    #[arg(long, value_name = "FILE")]
    ca_certificate: Option<PathBuf>,
    /// The environment variable with the secret: what signs for a webhook, the URL of Slack, the password of
    /// the mail server. What is there stays where it is not given.
    #[arg(long, value_name = "VARIABLE")]
    secret_env: Option<String>,
    /// Do not tell it.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Remove {
    /// The channel.
    channel: String,
    #[command(flatten)]
    remote: Remote,
}

impl ChannelCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::List(list) => list.run()?,
            Verb::Set(set) => set.run()?,
            Verb::Remove(remove) => remove.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn path(channel: &str) -> String {
    format!("/api/alert-channels/{}", part(channel))
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let page: Page<AlertChannelShown> =
            block_on(async { client.get("/api/alert-channels").await })?;
        if page.data.is_empty() {
            say("Nobody is told: `selfsame alert channel set` makes a channel.")?;
        }
        let wide = page.data.iter().map(|one| one.id.len()).max().unwrap_or(0);
        for one in &page.data {
            let how = match (one.enabled, &one.problem) {
                (false, _) => "off".to_owned(),
                (true, Some(why)) => format!("cannot be told: {why}"),
                (true, None) if one.waiting > 0 => format!("{} wait", one.waiting),
                (true, None) => "ready".to_owned(),
            };
            let (id, name) = (printable(&one.id), printable(&one.name));
            say(&format!("{id:wide$}  {:<7}  {}  {name}", one.kind, printable(&how)))?;
        }
        Ok(())
    }
}

impl Set {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let (kind, secret) = match self.kind {
            Kind::Webhook => ("webhook", "secret"),
            Kind::Slack => ("slack", "url"),
            Kind::Email => ("email", "password"),
        };
        let security = self.security.map(|security| match security {
            Security::Starttls => "starttls",
            Security::Tls => "tls",
            Security::None => "none",
        });
        let ca = self.ca_certificate.as_deref().map(crate::command::function::text).transpose()?;
        let mut settings = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            settings.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("url", self.url.map(Into::into));
        put("host", self.host.map(Into::into));
        put("port", self.port.map(Into::into));
        put("security", security.map(Into::into));
        put("user", self.user.map(Into::into));
        put("from", self.from.map(Into::into));
        put("to", (!self.to.is_empty()).then(|| self.to.into()));
        put("ca_certificate", ca.map(Into::into));
        let given = from_environment(self.secret_env.as_deref())?;
        let secrets = given.map(|given| serde_json::json!({ secret: given }));
        let wanted = AlertChannelWanted {
            name: self.name,
            kind: kind.to_owned(),
            settings: Some(Value::Object(settings)),
            secrets,
            enabled: Some(!self.disabled),
        };
        let path = path(&self.channel);
        let set: AlertChannelSet =
            block_on(async { send(&client, Method::PUT, &path, &wanted).await })?;
        say(&format!("channel {}", printable(&set.channel.id)))?;
        match set.secret {
            Some(secret) => say(&format!("secret, shown this once: {}", printable(&secret))),
            None => Ok(()),
        }
    }
}

impl Remove {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.channel);
        let _done: Done = block_on(async {
            let request = client.request(Method::DELETE, &path);
            Ok(client.send(request).await?.json().await?)
        })?;
        say("It is removed.")
    }
}
