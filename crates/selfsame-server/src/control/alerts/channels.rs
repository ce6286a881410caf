//! Channels: who is told of alerts.

use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{AlertChannel, Change};
use serde_json::{Map, Value};

use crate::alerts::{Channel, ChannelError, Draft, Notice, opened};
use crate::control::Control;
use crate::control::asked::{Asked, check_name, choose_id};
use crate::control::problem::{Code, Problem};
use crate::control::shape::{Page, shape};
use crate::control::state::Done;

/// Channels of a workspace.
const CHANNELS: usize = 50;

shape! {
    /// Who is told of alerts.
    pub(crate) struct AlertChannelShown {
        /// The id.
        id: String,
        /// The name for people.
        name: String,
        /// `webhook`, `slack` or `email`.
        kind: String,
        /// What it is told with, but what is secret.
        settings: Value,
        /// Whether it has a secret.
        has_secret: bool,
        /// Whether it is told.
        enabled: bool,
        /// Why it cannot be told; null where it can, as far as is known.
        problem: Option<String>,
        /// How much waits for it.
        waiting: u64,
    }

    /// A channel as it is to be.
    #[serde(deny_unknown_fields)]
    pub(crate) struct AlertChannelWanted {
        /// The name for people; the id where it is not given.
        name: Option<String>,
        /// `webhook`, `slack` or `email`.
        kind: String,
        /// What it is told with. A webhook has a `url`; mail has `host`, `port`, `security` (starttls, tls or
        /// none), `user`, `from`, `to`, `ca_certificate`; Slack has none.
        settings: Option<Value>,
        /// Its secret, which is sealed: `secret` of a webhook, drawn where there is none yet; `url` of Slack;
        /// `password` of mail. What is not given stays as it is.
        secrets: Option<Value>,
        /// Whether it is told; yes where it is not given.
        enabled: Option<bool>,
    }

    /// A channel that was set, with its secret if one was drawn.
    pub(crate) struct AlertChannelSet {
        /// The secret that signs, shown this once; null where none was drawn.
        secret: Option<String>,
        /// The channel.
        channel: AlertChannelShown,
    }

    /// What came of telling a channel.
    pub(crate) struct AlertChannelTested {
        /// Whether it was taken.
        sent: bool,
        /// Why it was not; null where it was.
        problem: Option<String>,
    }
}

fn shown(control: &Control, channel: &AlertChannel) -> AlertChannelShown {
    let waiting = control.node.alerts.memory().waiting(&channel.id);
    AlertChannelShown {
        id: channel.id.clone(),
        name: channel.name.clone(),
        kind: channel.kind.clone(),
        settings: Value::Object(channel.settings.clone()),
        has_secret: opened(&control.node, channel).map_or(true, |secret| !secret.is_empty()),
        enabled: channel.enabled,
        problem: Channel::configured(&control.node, channel).err(),
        waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
    }
}

fn find<'v>(view: &'v View, id: &str) -> Result<&'v AlertChannel, Problem> {
    let found = view.meta.workspace.alert_channel(id);
    found.ok_or_else(|| Problem::missing("alert channel", id))
}

/// `GET /api/alert-channels`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<AlertChannelShown>, Problem> {
    let view = control.view()?;
    let all = view.meta.workspace.alert_channels.iter().map(|one| shown(&control, one));
    Ok(all.collect::<Vec<_>>().into())
}

/// `GET /api/alert-channels/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<AlertChannelShown, Problem> {
    let view = control.view()?;
    Ok(shown(&control, find(&view, asked.id())?))
}

fn object(field: &'static str, given: Option<Value>) -> Result<Map<String, Value>, Problem> {
    match given {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Problem::field(field, format!("`{field}` is an object."))),
    }
}

/// `PUT /api/alert-channels/{id}`
pub(crate) async fn set(
    control: Control,
    asked: Asked,
    wanted: AlertChannelWanted,
) -> Result<AlertChannelSet, Problem> {
    let id = choose_id(Some(asked.id().to_owned()), "", |_| false)?;
    let name = wanted.name.unwrap_or_else(|| id.clone());
    check_name(&name)?;
    let mut settings = object("settings", wanted.settings)?;
    settings.retain(|_, value| !value.is_null());
    let draft = Draft {
        id: id.clone(),
        name,
        kind: wanted.kind,
        settings,
        secrets: object("secrets", wanted.secrets)?,
        enabled: wanted.enabled.unwrap_or(true),
    };
    let _turn = control.turn().await;
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    let before = workspace.alert_channel(&id).cloned();
    if before.is_none() && workspace.alert_channels.len() >= CHANNELS {
        let message = format!("A workspace has at most {CHANNELS} alert channels.");
        return Err(Problem::new(Code::Conflict, message));
    }
    drop(view);
    let made = draft.make(&control.node, before.as_ref()).await;
    let (channel, secret) = made.map_err(problem)?;
    let view = control.change(&Change::SetAlertChannel(channel)).await?;
    Ok(AlertChannelSet { secret, channel: shown(&control, find(&view, &id)?) })
}

fn problem(error: ChannelError) -> Problem {
    let message = format!("{error}.");
    match error {
        ChannelError::Field { field, .. } => Problem::field(field, message),
        ChannelError::Url { field, .. } => Problem::new(Code::UrlRefused, message).at(field),
        ChannelError::Seal(error) => error.into(),
    }
}

/// `DELETE /api/alert-channels/{id}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let id = asked.id();
    find(&view, id)?;
    let rules = crate::alerts::rules(&view.meta.workspace);
    if let Some((alert, _)) =
        rules.iter().find(|(_, rule)| rule.channels.iter().any(|one| one == id))
    {
        let message = format!("The alert `{alert}` names it: change that first.");
        return Err(Problem::new(Code::Conflict, message));
    }
    drop(view);
    control.change(&Change::RemoveAlertChannel { id: id.to_owned() }).await?;
    Ok(Done::new(id, "removed"))
}

/// `POST /api/alert-channels/{id}/test`
pub(crate) async fn test(control: Control, asked: Asked) -> Result<AlertChannelTested, Problem> {
    let view = control.view()?;
    let channel = find(&view, asked.id())?.clone();
    drop(view);
    let node = &control.node;
    let told = match Channel::configured(node, &channel) {
        Ok(told) => told.tell(node, &Notice::test(node)).await,
        Err(why) => Err(why),
    };
    Ok(AlertChannelTested { sent: told.is_ok(), problem: told.err() })
}
