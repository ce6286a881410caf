//! Destinations: where events go. Only webhooks so far.

use std::time::Duration;

use bytes::Bytes;
use selfsame_deliver::{
    ConnectionStatus, DelivererHandle, NOTICE_PERCENT, Outcome, PROBLEM_PERCENT, Secret, Tally,
    webhook,
};
use selfsame_event::EventType;
use selfsame_pipeline::View;
use selfsame_pipeline::event_json::Object;
use selfsame_pipeline::workspace::{Change, Definition, Destination, Since};

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::sources::check_space;
use super::state::Done;
use super::trace::NOTE_BYTES;
use crate::chance;
use crate::destination::{connection, connection_id};
use crate::printable::brief;
use crate::vault::Purpose;

shape! {
    /// Where events go.
    pub(crate) struct DestinationShown {
        /// The id.
        id: String,
        /// The name for people, which an event's `integrations` names.
        name: String,
        /// The space whose events it gets.
        space: String,
        /// What kind of destination it is: `webhook`.
        kind: String,
        /// Where it sends to.
        url: String,
        /// The types of events it gets; all where empty.
        events: Vec<String>,
        /// Whether it sends.
        enabled: bool,
        /// The last characters of the secret that signs; empty where it is locked.
        secret_ends: String,
        /// Whether its secret is sealed with a key that the server does not have. Then it does not send: give
        /// the server that key, or the destination a new secret.
        locked: bool,
        /// Whether the secret before signs as well, until the rotation is finished.
        rotating: bool,
        /// What it does; null until it has begun.
        status: Option<DestinationStatus>,
    }

    /// What a destination does. accepted = delivered + filtered + dead + pending.
    pub(crate) struct DestinationStatus {
        /// running, disabled, paused or down.
        state: String,
        /// Why it is paused: gone (the receiver answered 410) or behind (it was beyond its lag limit); null
        /// where it is not.
        pause: Option<String>,
        /// Events since it began, and those of its replays.
        accepted: u64,
        /// Events that the receiver took.
        delivered: u64,
        /// Events that it does not want, and what was not to be sent any more.
        filtered: u64,
        /// The part of `filtered` that a newer change replaced before it was sent.
        superseded: u64,
        /// Dead letters, and events in dead ranges.
        dead: u64,
        /// The part of `dead` that is in dead ranges.
        dead_in_ranges: u64,
        /// The rest.
        pending: u64,
        /// The part of `pending` that is in flight.
        in_flight: u64,
        /// The part of `pending` that waits for a retry, or behind one.
        waiting: u64,
        /// The part of all of these numbers that is of replays.
        replayed: ReplayedShown,
        /// Retries whose time has come and which the retry budget holds back.
        held_retries: u64,
        /// Why the last attempt failed; null after a success.
        last_failure: Option<String>,
        /// How old the oldest event is that was read and has not ended.
        lag_seconds: f64,
        /// How old the event is that its cursor is at.
        cursor_age_seconds: f64,
        /// How many bytes of log there are behind its cursor.
        cursor_bytes: u64,
        /// How much of its lag limit that is; at 100 it is paused, and what it missed is a dead range.
        lag_percent: u32,
        /// `none`, `notice` from 50 % on, `problem` from 80 % on and while it is paused.
        alarm: String,
    }

    /// Numbers of the replays that are kept. accepted = delivered + filtered + dead + pending.
    pub(crate) struct ReplayedShown {
        /// Events that were found to be replayed.
        accepted: u64,
        /// Those that the receiver took.
        delivered: u64,
        /// Those that were not to be sent any more.
        filtered: u64,
        /// Dead letters of replays.
        dead: u64,
        /// The rest.
        pending: u64,
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
        /// What kind of destination it is: `webhook`, also where it is not given.
        kind: Option<String>,
        /// Where to send. Its host must have a public address.
        url: String,
        /// The types of events it gets; all where not given or empty.
        events: Option<Vec<String>>,
        /// Whether it sends; yes where not given.
        enabled: Option<bool>,
        /// The secret that signs: `whsec_` and base64 of 24 to 64 bytes; drawn where not given.
        secret: Option<String>,
    }

    /// A destination that was made, with its secret.
    pub(crate) struct NewSecret {
        /// The secret, shown this once.
        secret: String,
        /// The destination.
        destination: DestinationShown,
    }

    /// What is to change; what is not given stays.
    #[serde(deny_unknown_fields)]
    pub(crate) struct DestinationChange {
        /// The name for people, which an event's `integrations` names.
        name: Option<String>,
        /// Where to send.
        url: Option<String>,
        /// The types of events it gets; all where empty.
        events: Option<Vec<String>>,
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

    /// What a test event was answered.
    pub(crate) struct TestResult {
        /// Whether the receiver took it.
        delivered: bool,
        /// `delivered`, or why not.
        outcome: String,
        /// The status, where there was an answer.
        status: Option<u16>,
        /// How long it took.
        took_ms: u64,
        /// The `webhook-id` that was sent.
        webhook_id: String,
        /// The beginning of the answer, control characters escaped.
        answer: String,
    }
}

fn status_of(status: &ConnectionStatus) -> DestinationStatus {
    DestinationStatus {
        state: status.state.label().to_owned(),
        pause: status.pause.map(|pause| pause.label().to_owned()),
        accepted: status.accepted,
        delivered: status.delivered,
        filtered: status.filtered,
        superseded: status.superseded,
        dead: status.dead,
        dead_in_ranges: status.dead_in_ranges,
        pending: status.pending,
        in_flight: status.in_flight,
        waiting: status.waiting,
        replayed: replayed(status.replayed),
        held_retries: status.held_retries,
        last_failure: status.last_failure.map(|failure| failure.label().to_owned()),
        lag_seconds: status.lag.as_secs_f64(),
        cursor_age_seconds: status.behind.age.as_secs_f64(),
        cursor_bytes: status.behind.bytes,
        lag_percent: status.behind.percent,
        alarm: alarm(status).to_owned(),
    }
}

fn replayed(tally: Tally) -> ReplayedShown {
    let Tally { accepted, delivered, filtered, dead, pending } = tally;
    ReplayedShown { accepted, delivered, filtered, dead, pending }
}

fn alarm(status: &ConnectionStatus) -> &'static str {
    match status.behind.percent {
        _ if status.pause.is_some() => "problem",
        PROBLEM_PERCENT.. => "problem",
        NOTICE_PERCENT.. => "notice",
        _ => "none",
    }
}

fn shown(control: &Control, view: &View, destination: &Destination) -> DestinationShown {
    let id = connection_id(&destination.id);
    let handle = deliverer(control, view, destination);
    let statuses = handle.map(|handle| handle.status()).unwrap_or_default();
    let opened = control.node.vault.secrets(destination);
    let secret = opened.as_ref().ok().and_then(|all| all.first()).map_or("", String::as_str);
    DestinationShown {
        id: destination.id.clone(),
        name: destination.name.clone(),
        space: destination.space.clone(),
        kind: destination.kind.clone(),
        url: destination.url.clone(),
        events: destination.events.clone(),
        enabled: destination.enabled,
        secret_ends: secret.get(secret.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
        locked: opened.is_err(),
        rotating: destination.secrets.len() > 1,
        status: statuses.iter().find(|status| status.id == id).map(status_of),
    }
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
    if let Some(kind) = new.kind.as_deref().filter(|kind| *kind != "webhook") {
        let message = format!("`kind`: there is no kind `{kind}`; the one there is is `webhook`.");
        return Err(Problem::field("kind", message));
    }
    let url = check_url(&control, &new.url).await?;
    let events = check_events(new.events.unwrap_or_default())?;
    let secret = secret(new.secret)?.reveal();
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
    let sealed = control.node.vault.seal(Purpose::Destination(&id), &secret)?;
    let destination = Destination {
        id,
        name: new.name,
        space,
        kind: "webhook".to_owned(),
        url,
        secrets: vec![sealed],
        events,
        enabled: new.enabled.unwrap_or(true),
        since: Since::default(),
    };
    Ok(NewSecret { secret, destination: set(&control, destination).await? })
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
    destination.url = url.unwrap_or(destination.url);
    if let Some(events) = change.events {
        destination.events = check_events(events)?;
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

/// `POST /api/destinations/{id}/test`
pub(crate) async fn test(control: Control, asked: Asked) -> Result<TestResult, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let node = &control.node;
    let connection = connection(destination, &node.vault, node.allow_loopback());
    let mut connection = connection.map_err(|why| {
        Problem::new(
            Code::Conflict,
            format!("The secret of the destination cannot be opened: {why}."),
        )
    })?;
    connection.timeout = Duration::from_secs(10);
    let webhook_id = webhook::key(&chance::bytes(), connection.id);
    let now = node.clock.wall();
    let mut event = Object::new();
    event.text("type", EventType::Track.name());
    event.text("event", "Selfsame Test");
    event.text("messageId", &webhook_id);
    event.text("anonymousId", "selfsame-test");
    event.raw("properties", r#"{"test":true}"#);
    event.raw("context", "{}");
    event.text("receivedAt", &now.to_string());
    event.text("timestamp", &now.to_string());
    event.text("spaceId", &destination.space);
    let body = Bytes::from(event.finish());
    let request = webhook::request(&node.outbound, &connection, &webhook_id, body, now)
        .map_err(|error| Problem::new(Code::UrlRefused, format!("{error}.")).at("url"))?;
    let started = node.clock.monotonic_micros();
    let answered = node.outbound.post(request, now).await;
    let took_ms = (node.clock.monotonic_micros() - started) / 1_000;
    let (outcome, status, body) = match answered {
        Ok(answer) => (
            Outcome::of_status(answer.status, answer.retry_after),
            Some(answer.status),
            answer.body,
        ),
        Err(failure) => (Outcome::failed(failure), None, Bytes::new()),
    };
    Ok(TestResult {
        delivered: matches!(outcome, Outcome::Delivered { .. }),
        outcome: outcome.label().to_owned(),
        status,
        took_ms,
        webhook_id,
        answer: brief(&webhook::note(&body), NOTE_BYTES),
    })
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
