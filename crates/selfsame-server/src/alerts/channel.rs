//! Channels: who is told, and how: a webhook, Slack, or mail.
//!
//! **Invariants:** webhooks and Slack leave through the guarded client, mail to addresses that it would
//! dial, or to relays that the settings name; secrets are sealed in the record and in no error; a secret
//! never goes to another server than the one it was given for.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use selfsame_deliver::{Answer, Failure, Request, Secret, UrlError, webhook};
use selfsame_pipeline::workspace::AlertChannel;
use serde_json::{Map, Value, json};

use super::mail::{self, Mail};
use super::notice::Notice;
use crate::chance;
use crate::node::Node;
use crate::vault::{Locked, Purpose};

/// How long telling may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What kinds of channels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A POST of JSON, signed as Standard Webhooks says.
    Webhook,
    /// An incoming webhook of Slack.
    Slack,
    /// Mail.
    Email,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Webhook, Self::Slack, Self::Email];

    /// The word on the wire.
    const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Email => "email",
        }
    }

    /// The kind of that word.
    fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Its settings.
    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &["url"],
            Self::Slack => &[],
            Self::Email => &["host", "port", "security", "user", "from", "to", "ca_certificate"],
        }
    }

    /// Its secret.
    const fn secret(self) -> &'static str {
        match self {
            Self::Webhook => "secret",
            Self::Slack => "url",
            Self::Email => "password",
        }
    }
}

/// A channel that cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error("`{field}`: {reason}")]
    Field { field: String, reason: String },
    #[error("`{field}`: {error}")]
    Url { field: &'static str, error: UrlError },
    #[error("the secrets of the channel cannot be sealed")]
    Seal(#[from] crate::vault::VaultError),
}

fn wrong(field: impl Into<String>, reason: impl Into<String>) -> ChannelError {
    ChannelError::Field { field: field.into(), reason: reason.into() }
}

/// A channel as somebody wants it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) settings: Map<String, Value>,
    pub(crate) secrets: Map<String, Value>,
    pub(crate) enabled: bool,
}

/// What a channel is told with, opened.
#[derive(Debug)]
pub(crate) enum Channel {
    Webhook { url: String, secret: Secret },
    Slack { url: String },
    Email(Box<Mail>),
}

/// The secret of a channel; empty where it has none.
pub(crate) fn opened(node: &Node, channel: &AlertChannel) -> Result<String, Locked> {
    if channel.sealed.is_empty() {
        return Ok(String::new());
    }
    node.vault.unseal(Purpose::AlertChannel(&channel.id), &channel.sealed)
}

impl Draft {
    /// The channel of a draft, and a secret that was drawn for it. What was there before keeps its secret
    /// where none is given, unless it would go to somebody else.
    pub(crate) async fn make(
        self,
        node: &Node,
        before: Option<&AlertChannel>,
    ) -> Result<(AlertChannel, Option<String>), ChannelError> {
        let kind = Kind::named(&self.kind).ok_or_else(|| {
            wrong(
                "kind",
                format!("there is no kind `{}`; there are webhook, slack and email", self.kind),
            )
        })?;
        for name in self.settings.keys() {
            if !kind.settings().contains(&name.as_str()) {
                let known = kind.settings().join(", ");
                let reason = format!(
                    "a channel of the kind {} has no such setting; it has: {known}",
                    kind.word()
                );
                return Err(wrong(format!("settings.{name}"), reason));
            }
        }
        for (name, value) in &self.secrets {
            if name != kind.secret() || !value.is_string() {
                let reason = format!("the secret of this kind is the text `{}`", kind.secret());
                return Err(wrong(format!("secrets.{name}"), reason));
            }
        }
        let given = self.secrets.get(kind.secret()).and_then(Value::as_str).map(str::to_owned);
        let kept = match (&given, before) {
            (None, Some(before)) if before.kind == self.kind => opened(node, before).ok(),
            _ => None,
        };
        let goes_elsewhere = before.is_some_and(|before| {
            kind == Kind::Email
                && ["host", "port", "security", "user", "ca_certificate"]
                    .iter()
                    .any(|name| before.settings.get(*name) != self.settings.get(*name))
        });
        if goes_elsewhere && kept.as_ref().is_some_and(|kept| !kept.is_empty()) {
            let reason = "the server or user is another one: give its password";
            return Err(wrong("secrets.password", reason));
        }
        let mut drawn = None;
        let secret = given.or(kept).unwrap_or_default();
        let secret = match kind {
            Kind::Webhook if secret.is_empty() => {
                let new = Secret::from_bytes(chance::bytes()).reveal();
                drawn = Some(new.clone());
                new
            }
            _ => secret,
        };
        Channel::of(kind, &self.settings, &secret)?.check(node).await?;
        let sealed = match secret.is_empty() {
            true => String::new(),
            false => node.vault.seal(Purpose::AlertChannel(&self.id), &secret)?,
        };
        let Self { id, name, settings, enabled, .. } = self;
        let kind = kind.word().to_owned();
        Ok((AlertChannel { id, name, kind, settings, sealed, enabled }, drawn))
    }
}

impl Channel {
    /// A channel of its settings and its secret.
    fn of(kind: Kind, settings: &Map<String, Value>, secret: &str) -> Result<Self, ChannelError> {
        let text = |name: &str| settings.get(name).and_then(Value::as_str).unwrap_or_default();
        match kind {
            Kind::Webhook => {
                let secret = Secret::parse(secret)
                    .map_err(|error| wrong("secrets.secret", error.to_string()))?;
                Ok(Self::Webhook { url: text("url").to_owned(), secret })
            }
            Kind::Slack if secret.is_empty() => {
                Err(wrong("secrets.url", "it is needed: the URL of the incoming webhook"))
            }
            Kind::Slack => Ok(Self::Slack { url: secret.to_owned() }),
            Kind::Email => {
                let mail = Mail::of(settings, secret);
                let mail = mail.map_err(|(name, why)| wrong(format!("settings.{name}"), why))?;
                Ok(Self::Email(Box::new(mail)))
            }
        }
    }

    /// A channel as it is configured.
    pub(crate) fn configured(node: &Node, channel: &AlertChannel) -> Result<Self, String> {
        let secret = opened(node, channel);
        let secret = secret.map_err(|why| format!("its secret cannot be opened: {why}"))?;
        let kind = Kind::named(&channel.kind)
            .ok_or_else(|| "this program does not know its kind".to_owned())?;
        Self::of(kind, &channel.settings, &secret).map_err(|error| error.to_string())
    }

    /// Whether it may be spoken to, as far as can be known now.
    async fn check(&self, node: &Node) -> Result<(), ChannelError> {
        let (field, url) = match self {
            Self::Webhook { url, .. } => ("settings.url", url),
            Self::Slack { url } => ("secrets.url", url),
            Self::Email(_) => return Ok(()),
        };
        let checked = node.outbound.check_host(url, node.allow_loopback()).await;
        checked.map(drop).map_err(|error| ChannelError::Url { field, error })
    }

    /// Tells it. What comes back says why not, without secrets and without what was answered.
    pub(crate) async fn tell(&self, node: &Node, notice: &Notice) -> Result<(), String> {
        let request = match self {
            Self::Webhook { url, secret } => hook(node, url, secret, notice),
            Self::Slack { url } => slack(node, url, notice),
            Self::Email(mail) => {
                let sending = mail::send(node, mail, notice);
                let sent = tokio::time::timeout(PATIENCE, sending).await;
                return sent.unwrap_or_else(|_| Err("the mail server took too long".to_owned()));
            }
        };
        let request = request.map_err(|error| error.to_string())?;
        outcome(node.outbound.post(request, node.clock.wall()).await)
    }
}

fn outcome(answered: Result<Answer, Failure>) -> Result<(), String> {
    match answered {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("it answered {}", answer.status)),
        Err(failure) => Err(format!("it could not be reached: {}", failure.label())),
    }
}

/// Tells a channel of the configuration.
pub(super) async fn tell_by_id(node: &Node, id: &str, notice: &Notice) -> Result<(), String> {
    let view = node.view().ok_or("the state is not there")?;
    let channel = view.meta.workspace.alert_channel(id).cloned();
    drop(view);
    let channel = channel.ok_or("the channel is gone")?;
    Channel::configured(node, &channel)?.tell(node, notice).await
}

fn request(node: &Node, url: &str, body: &Value) -> Result<Request, UrlError> {
    let allow_loopback = node.allow_loopback();
    let url = node.outbound.check(url, allow_loopback)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = Bytes::from(body.to_string());
    Ok(Request { url, headers, body, timeout: PATIENCE, allow_loopback })
}

fn hook(node: &Node, url: &str, secret: &Secret, notice: &Notice) -> Result<Request, UrlError> {
    let mut request = request(node, url, &notice.json())?;
    let timestamp = node.clock.wall().micros().div_euclid(1_000_000);
    let signature = webhook::sign(secret, &notice.id, timestamp, &request.body);
    for (name, value) in [
        ("webhook-id", notice.id.clone()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ] {
        let value = HeaderValue::try_from(value).map_err(|_| UrlError::Invalid)?;
        request.headers.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

fn slack(node: &Node, url: &str, notice: &Notice) -> Result<Request, UrlError> {
    // The three characters that Slack reads as markup.
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("*{}*\n{}", plain(&notice.title()), plain(&notice.text()));
    request(node, url, &json!({ "text": text }))
}
