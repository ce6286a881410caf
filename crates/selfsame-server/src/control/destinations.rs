//! Destinations: where events go. A webhook, a function, or one of the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_connector::Connector;
use selfsame_deliver::{DelivererHandle, Secret};
use selfsame_event::EventType;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{Change, Definition, Destination, FunctionPlace, Since};
use serde_json::Value;

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::function_uses::{FunctionUseShown, shown_at};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::sources::check_space;
use super::state::Done;
use crate::chance;
use crate::connectors::opened;
use crate::destination::connection_id;
use crate::function::FUNCTION;
use crate::vault::Purpose;

pub(crate) mod authorize;
pub(crate) mod choices;
mod status;
pub(crate) mod test;
mod tool;

pub(crate) use self::authorize::AuthorizeShown;
pub(crate) use self::choices::ChoicesFound;
pub(crate) use self::status::alarm;
use self::status::{DestinationStatus, status_of};
pub(super) use self::tool::manifest;
pub(crate) use self::tool::{MappingShown, NewMapping};
use self::tool::{Wish, tool};

/// In which order the events of a profile go.
const STRICT: &str = "strict";
const RELAXED: &str = "relaxed";

/// The kind that needs no manifest.
const WEBHOOK: &str = "webhook";

shape! {
    /// Where events go.
    pub(crate) struct DestinationShown {
        /// The id.
        id: String,
        /// The name for people, which an event's `integrations` names.
        name: String,
        /// The space whose events it gets.
        space: String,
        /// What kind of destination it is: `webhook`, or the id of one of the catalogue.
        kind: String,
        /// Where a webhook sends to; empty for others.
        url: String,
        /// What one of the catalogue is told, but what is secret.
        settings: Value,
        /// The names of the settings and tokens of it that are kept secret.
        secret_settings: Vec<String>,
        /// Which events become what there; a webhook has none.
        mappings: Vec<MappingShown>,
        /// The ids of the lists that audiences are there, by audience.
        audiences: BTreeMap<String, String>,
        /// Why it cannot be spoken to; null where it can. Then it does not send, and nothing is lost.
        problem: Option<String>,
        /// What is wrong with the manifest of its kind in the server's folder, which is not used; null where nothing is.
        manifest_problem: Option<String>,
        /// The types of events it gets; all where empty.
        events: Vec<String>,
        /// `strict`: the events of a profile go one after the other, however long one of them fails. `relaxed`: after
        /// five minutes later ones do not wait for it any more.
        order: String,
        /// Whether it sends.
        enabled: bool,
        /// The last characters of the secret that signs; empty where it is locked.
        secret_ends: String,
        /// Whether its secret is sealed with a key that the server does not have. Then it does not send: give
        /// the server that key, or the destination a new secret.
        locked: bool,
        /// Whether the secret before signs as well, until the rotation is finished.
        rotating: bool,
        /// The function that it is; null where it is none, or waits for one.
        function: Option<FunctionUseShown>,
        /// The function in front of it; null where there is none.
        insert_function: Option<FunctionUseShown>,
        /// What it does; null until it has begun.
        status: Option<DestinationStatus>,
    }

    /// A destination to be made.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewDestination {
        /// The id; made from the name where it is not given.
        id: Option<String>,
        /// The name for people, which an event's `integrations` names.
        name: String,
        /// The space whose events it gets; may be left out while there is one only.
        space: Option<String>,
        /// What kind of destination it is: `webhook`, also where it is not given, `function`, or the id of one
        /// of the catalogue.
        kind: Option<String>,
        /// Where a webhook sends to. Its host must have a public address.
        url: Option<String>,
        /// What one of the catalogue is told: names of its settings with values. Secret ones are sealed.
        settings: Option<Value>,
        /// Tokens that OAuth has left, such as `refresh_token`; sealed.
        auth: Option<Value>,
        /// Which events become what there; what its manifest proposes where not given.
        mappings: Option<Vec<NewMapping>>,
        /// The types of events it gets; all where not given or empty.
        events: Option<Vec<String>>,
        /// `strict`, also where not given, or `relaxed`.
        order: Option<String>,
        /// Whether it sends; yes where not given.
        enabled: Option<bool>,
        /// The secret that signs: `whsec_` and base64 of 24 to 64 bytes; drawn where not given.
        secret: Option<String>,
    }

    /// A destination that was made, with its secret.
    pub(crate) struct NewSecret {
        /// The secret, shown this once; null where it has none that signs.
        secret: Option<String>,
        /// The destination.
        destination: DestinationShown,
    }

    /// What is to change; what is not given stays.
    #[serde(deny_unknown_fields)]
    pub(crate) struct DestinationChange {
        /// The name for people, which an event's `integrations` names.
        name: Option<String>,
        /// Where a webhook sends to.
        url: Option<String>,
        /// Settings of one of the catalogue that become others; null takes one away, what is not named stays.
        settings: Option<Value>,
        /// Tokens that become others, in the same way.
        auth: Option<Value>,
        /// All of its mappings.
        mappings: Option<Vec<NewMapping>>,
        /// Other lists for audiences, by audience; null has one looked for and made anew.
        audiences: Option<BTreeMap<String, Option<String>>>,
        /// The types of events it gets; all where empty.
        events: Option<Vec<String>>,
        /// `strict` or `relaxed`.
        order: Option<String>,
        /// Whether it sends.
        enabled: Option<bool>,
    }

    /// A rotation of the secret.
    #[serde(deny_unknown_fields)]
    pub(crate) struct SecretRotation {
        /// Whether to end it: only the new secret signs. Otherwise a new secret is added.
        finish: Option<bool>,
        /// The new secret; drawn where it is not given.
        secret: Option<String>,
    }

    /// A secret that was rotated.
    pub(crate) struct RotatedSecret {
        /// The new secret, shown this once; null when the rotation was finished.
        secret: Option<String>,
        /// The destination.
        destination: DestinationShown,
    }
}

fn shown(control: &Control, view: &View, destination: &Destination) -> DestinationShown {
    let id = connection_id(&destination.id);
    let handle = deliverer(control, view, destination);
    let statuses = handle.map(|handle| handle.status()).unwrap_or_default();
    let node = &control.node;
    let opened_secrets = node.vault.secrets(destination);
    let secret = opened_secrets.as_ref().ok().and_then(|all| all.first());
    let secret = secret.map_or("", String::as_str);
    let told = destination.tool.as_ref();
    let hidden = told.map(|tool| opened(&node.vault, &destination.id, tool));
    let made = told.map(|tool| node.connectors.connector(destination, tool, &node.vault));
    let connector = made.as_ref().and_then(|made| made.as_ref().ok());
    let daily = connector.and_then(|connector| connector.daily(node.clock.wall()));
    let problem = made.and_then(Result::err);
    let names = match &hidden {
        Some(Ok(hidden)) => {
            let auth = hidden.auth.keys().map(|name| format!("auth.{name}"));
            hidden.settings.keys().cloned().chain(auth).collect()
        }
        _ => Vec::new(),
    };
    let used = |at: fn(String) -> FunctionPlace| shown_at(view, &at(destination.id.clone()));
    DestinationShown {
        id: destination.id.clone(),
        name: destination.name.clone(),
        space: destination.space.clone(),
        kind: destination.kind.clone(),
        url: destination.url.clone(),
        settings: Value::Object(told.map(|tool| tool.settings.clone()).unwrap_or_default()),
        secret_settings: names,
        mappings: told.map_or_else(Vec::new, |tool| tool.mappings.iter().map(Into::into).collect()),
        audiences: told.map(|tool| tool.audiences.clone()).unwrap_or_default(),
        problem: problem
            .map(|why| why.to_string())
            .or_else(|| without(control, destination))
            .or_else(|| node.connectors.lists.of(&destination.id)),
        manifest_problem: told.and_then(|_| node.connectors.manifests.problem(&destination.kind)),
        events: destination.events.clone(),
        order: if destination.relaxed { RELAXED } else { STRICT }.to_owned(),
        enabled: destination.enabled,
        secret_ends: secret.get(secret.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
        locked: opened_secrets.is_err() || hidden.is_some_and(|hidden| hidden.is_err()),
        rotating: destination.secrets.len() > 1,
        function: used(FunctionPlace::Destination),
        insert_function: used(FunctionPlace::Insert),
        status: statuses
            .iter()
            .find(|status| status.id == id)
            .map(|status| status_of(status, daily)),
    }
}

/// What a destination that is a function waits for.
fn without(control: &Control, destination: &Destination) -> Option<String> {
    let place = FunctionPlace::Destination(destination.id.clone());
    let waits = destination.kind == FUNCTION && !control.node.functions.is_used(&place);
    waits.then(|| "it has no function yet: `selfsame destination function`".to_owned())
}

/// What delivers to a destination.
pub(super) fn deliverer(
    control: &Control,
    view: &View,
    destination: &Destination,
) -> Option<DelivererHandle> {
    let number = view.meta.workspace.space(&destination.space)?.number;
    let deliverers = control.node.deliverers();
    deliverers.into_iter().find(|(space, _)| *space == number).map(|(_, handle)| handle)
}

pub(super) fn find<'v>(view: &'v View, id: &str) -> Result<&'v Destination, Problem> {
    let found = view.meta.workspace.destinations.iter().find(|one| one.id == id);
    found.ok_or_else(|| Problem::missing("destination", id))
}

/// What speaks to a destination of the catalogue.
fn connector(control: &Control, destination: &Destination) -> Result<Arc<Connector>, Problem> {
    let Some(tool) = &destination.tool else {
        return Err(Problem::new(Code::Conflict, "It is no destination of the catalogue."));
    };
    Ok(control.node.connectors.connector(destination, tool, &control.node.vault)?)
}

/// `GET /api/destinations`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<DestinationShown>, Problem> {
    let view = control.view()?;
    let all = view.meta.workspace.destinations.iter();
    Ok(all.map(|one| shown(&control, &view, one)).collect::<Vec<_>>().into())
}

/// `GET /api/destinations/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<DestinationShown, Problem> {
    let view = control.view()?;
    Ok(shown(&control, &view, find(&view, asked.id())?))
}

/// `POST /api/destinations`
pub(crate) async fn create(
    control: Control,
    _: Asked,
    new: NewDestination,
) -> Result<NewSecret, Problem> {
    check_name(&new.name)?;
    let kind = new.kind.unwrap_or_else(|| WEBHOOK.to_owned());
    let is_webhook = kind == WEBHOOK && new.settings.is_none() && new.mappings.is_none();
    let is_function = kind == FUNCTION;
    let told = new.settings.as_ref().and_then(Value::as_object);
    if is_function && (told.is_some_and(|told| !told.is_empty()) || new.mappings.is_some()) {
        let message = "`settings` of a function are given with the function: PUT .../function.";
        return Err(Problem::field("settings", message));
    }
    let is_tool = !is_webhook && !is_function;
    if is_tool {
        manifest(&control, &kind)?;
    }
    let url = match (new.url, is_webhook) {
        (Some(url), true) => check_url(&control, &url).await?,
        (None, true) => return Err(Problem::field("url", "`url` is needed: where to send.")),
        (Some(_), false) => return Err(no_url()),
        (None, false) => String::new(),
    };
    let events = check_events(new.events.unwrap_or_default())?;
    let relaxed = new.order.as_deref().map_or(Ok(false), is_relaxed)?;
    if let (Some(_), false) = (&new.secret, is_webhook) {
        return Err(Problem::field("secret", "`secret` is a webhook's; give `settings`."));
    }
    let secret = is_webhook.then(|| secret(new.secret)).transpose()?.map(|one| one.reveal());
    let _turn = control.turn().await;
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    let is_taken = |id: &str| workspace.destinations.iter().any(|one| one.id == id);
    let id = choose_id(new.id, &new.name, is_taken)?;
    let space = match (new.space, workspace.spaces.as_slice()) {
        (Some(space), _) => space,
        (None, [only]) => only.id.clone(),
        (None, _) => return Err(Problem::field("space", "`space` is needed: there are several.")),
    };
    check_space(&view, &space)?;
    let NewDestination { settings, auth, mappings, .. } = new;
    let wish = Wish { settings, auth, mappings, audiences: None };
    let told = is_tool.then(|| tool(&control, (&id, &kind), wish, None)).transpose()?;
    let seal = |secret: &String| control.node.vault.seal(Purpose::Destination(&id), secret);
    let secrets = secret.iter().map(seal).collect::<Result<_, _>>()?;
    let destination = Destination {
        id,
        name: new.name,
        space,
        kind,
        url,
        tool: told,
        secrets,
        events,
        relaxed,
        enabled: new.enabled.unwrap_or(true),
        since: Since::default(),
    };
    Ok(NewSecret { secret, destination: set(&control, destination).await? })
}

fn no_url() -> Problem {
    Problem::field("url", "`url` is a webhook's; a destination of the catalogue has `settings`.")
}

/// `PATCH /api/destinations/{id}`
pub(crate) async fn update(
    control: Control,
    asked: Asked,
    change: DestinationChange,
) -> Result<DestinationShown, Problem> {
    let url = match &change.url {
        Some(url) => Some(check_url(&control, url).await?),
        None => None,
    };
    let _turn = control.turn().await;
    let mut destination = find(&control.view()?, asked.id())?.clone();
    if let Some(name) = change.name {
        check_name(&name)?;
        destination.name = name;
    }
    let DestinationChange { settings, auth, mappings, audiences, .. } = change;
    let wish = Wish { settings, auth, mappings, audiences };
    match (&destination.tool, &url) {
        (Some(_), Some(_)) => return Err(no_url()),
        (None, Some(_)) if destination.kind == FUNCTION => return Err(no_url()),
        (Some(before), None) => {
            let of = (destination.id.as_str(), destination.kind.as_str());
            destination.tool = Some(tool(&control, of, wish, Some(before))?);
        }
        (None, _) if wish.is_something() => {
            let message = "`settings`, `auth` and `mappings` are of destinations of the catalogue.";
            return Err(Problem::field("settings", message));
        }
        (None, _) => {}
    }
    destination.url = url.unwrap_or(destination.url);
    if let Some(events) = change.events {
        destination.events = check_events(events)?;
    }
    if let Some(order) = change.order {
        destination.relaxed = is_relaxed(&order)?;
    }
    destination.enabled = change.enabled.unwrap_or(destination.enabled);
    set(&control, destination).await
}

/// `DELETE /api/destinations/{id}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let id = find(&view, asked.id())?.id.clone();
    let mut definitions = view.meta.workspace.definitions.iter();
    let tells = |one: &&Definition| one.destinations.iter().any(|told| told.destination == id);
    if let Some(one) = definitions.find(tells) {
        let message =
            format!("It is told of `{}` in the space `{}`: change that first.", one.id, one.space);
        return Err(Problem::new(Code::Conflict, message));
    }
    drop(view);
    control.change(&Change::RemoveDestination { id }).await?;
    Ok(Done::new(asked.id(), "removed"))
}

/// `POST /api/destinations/{id}/resume`
pub(crate) async fn resume(control: Control, asked: Asked) -> Result<Done, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    handle.resume(connection_id(&destination.id)).await?;
    Ok(Done::new(asked.id(), "resumed"))
}

/// `POST /api/destinations/{id}/secret/rotate`
pub(crate) async fn rotate(
    control: Control,
    asked: Asked,
    rotation: SecretRotation,
) -> Result<RotatedSecret, Problem> {
    let _turn = control.turn().await;
    let mut destination = find(&control.view()?, asked.id())?.clone();
    if destination.tool.is_some() || destination.kind == FUNCTION {
        let message = "It has no secret that signs: change its `settings`.";
        return Err(Problem::new(Code::Conflict, message));
    }
    let mut added = None;
    if rotation.finish == Some(true) {
        if rotation.secret.is_some() {
            return Err(Problem::field("secret", "`secret` and `finish` do not go together."));
        }
        if destination.secrets.len() < 2 {
            return Err(Problem::new(Code::Conflict, "There is no older secret to give up."));
        }
        destination.secrets.truncate(1);
    } else {
        let new = secret(rotation.secret)?.reveal();
        let purpose = Purpose::Destination(&destination.id);
        if control.node.vault.secrets(&destination).is_err() {
            // Nobody can sign with what cannot be opened.
            destination.secrets.clear();
        }
        destination.secrets.insert(0, control.node.vault.seal(purpose, &new)?);
        destination.secrets.truncate(2);
        added = Some(new);
    }
    Ok(RotatedSecret { secret: added, destination: set(&control, destination).await? })
}

async fn set(control: &Control, destination: Destination) -> Result<DestinationShown, Problem> {
    let id = destination.id.clone();
    let view = control.change(&Change::SetDestination(destination)).await?;
    Ok(shown(control, &view, find(&view, &id)?))
}

async fn check_url(control: &Control, url: &str) -> Result<String, Problem> {
    let node = &control.node;
    match node.outbound.check_host(url, node.allow_loopback()).await {
        Ok(url) => Ok(url.to_string()),
        Err(error) => Err(Problem::new(Code::UrlRefused, format!("`url`: {error}.")).at("url")),
    }
}

/// Whether that order is the relaxed one.
fn is_relaxed(order: &str) -> Result<bool, Problem> {
    match order {
        STRICT => Ok(false),
        RELAXED => Ok(true),
        _ => {
            let message = format!("`order`: `{order}` is neither {STRICT} nor {RELAXED}.");
            Err(Problem::field("order", message))
        }
    }
}

fn check_events(events: Vec<String>) -> Result<Vec<String>, Problem> {
    for (index, name) in events.iter().enumerate() {
        if EventType::from_name(name).is_none() {
            let known = EventType::ALL.map(EventType::name).join(", ");
            let message = format!("`events[{index}]`: `{name}` is none of {known}.");
            return Err(Problem::field(format!("events[{index}]"), message));
        }
        if events[..index].contains(name) {
            let message = format!("`events[{index}]`: `{name}` is there twice.");
            return Err(Problem::field(format!("events[{index}]"), message));
        }
    }
    Ok(events)
}

fn secret(asked: Option<String>) -> Result<Secret, Problem> {
    match asked {
        Some(text) => Secret::parse(&text)
            .map_err(|error| Problem::field("secret", format!("`secret`: {error}."))),
        None => Ok(Secret::from_bytes(chance::bytes())),
    }
}
