//! Destinations as configured, and connections as delivery knows them.

use std::sync::Arc;

use selfsame_deliver::{
    Call, Connection, ConnectionId, Effect, EffectKind, FeedEnd, Filter, Order, Secret, Spoken,
    Start, allows,
};
use selfsame_event::{EventType, Position};
use selfsame_pipeline::workspace::{Destination, FunctionPlace, Tool, Workspace};
use sha2::{Digest as _, Sha256};

use crate::connectors::{Connectors, NotReady};
use crate::function::{FUNCTION, FunctionTools};
use crate::vault::{Locked, Vault};

/// The identity of a destination's connection.
pub(crate) fn connection_id(destination: &str) -> ConnectionId {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(destination.as_bytes())[..16]);
    ConnectionId(id)
}

/// What destinations are spoken to with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaking<'s> {
    pub(crate) vault: &'s Vault,
    pub(crate) connectors: &'s Connectors,
    pub(crate) functions: &'s FunctionTools,
}

/// The connections of a space.
pub(crate) fn connections(
    workspace: &Workspace,
    space: u32,
    with: Speaking<'_>,
    allow_loopback: bool,
) -> Vec<Connection> {
    let Some(space) = workspace.spaces.iter().find(|one| one.number == space) else {
        return Vec::new();
    };
    let by = &workspace.name;
    let of_space = workspace.destinations.iter().filter(|one| one.space == space.id);
    let locked = |destination: &Destination| {
        // It waits, with all that is known of it, until there is a secret again.
        let mut waiting = connection_with(destination, &[], allow_loopback);
        waiting.enabled = false;
        waiting
    };
    let made = |one: &Destination| {
        match &one.tool {
        Some(tool) => spoken(one, tool, with, allow_loopback).map_err(|why| {
            tracing::error!(destination = %one.id, %why, "a destination waits: it cannot be spoken to");
        }),
        None if one.kind == FUNCTION => function(one, by, with, allow_loopback).ok_or(()),
        None => hook(one, with, allow_loopback).map_err(drop),
    }
    };
    of_space.map(|one| made(one).unwrap_or_else(|()| locked(one))).collect()
}

/// The connection of a destination of the catalogue.
fn spoken(
    destination: &Destination,
    tool: &Tool,
    with: Speaking<'_>,
    allow_loopback: bool,
) -> Result<Connection, NotReady> {
    let connector = with.connectors.connector(destination, tool, with.vault)?;
    let mut connection = connection_with(destination, &[], allow_loopback);
    connection.called = called(destination, connector.called());
    connection.concurrency = connector.concurrency();
    let spoken = Spoken(connector);
    let concurrency = connection.concurrency;
    connection.tool = Some(with.functions.in_front(&destination.id, spoken, concurrency));
    Ok(connection)
}

/// The connection of a destination that is a function; none while it has none.
fn function(
    destination: &Destination,
    by: &str,
    with: Speaking<'_>,
    allow_loopback: bool,
) -> Option<Connection> {
    let own = with.functions.own(&destination.id)?;
    let mut connection = connection_with(destination, &[], allow_loopback);
    // Segment's events name a function with its workspace.
    connection.called = called(destination, &[format!("{} ({by})", destination.name)]);
    let place = FunctionPlace::Destination(destination.id.clone());
    connection.concurrency = with.functions.concurrency(&place);
    let concurrency = connection.concurrency;
    connection.tool = Some(with.functions.in_front(&destination.id, own, concurrency));
    Some(connection)
}

/// The connection of a webhook, with the function in front of it if there is one.
fn hook(
    destination: &Destination,
    with: Speaking<'_>,
    allow_loopback: bool,
) -> Result<Connection, Locked> {
    let mut connection = connection(destination, with.vault, allow_loopback)?;
    connection.before = with.functions.before(&destination.id);
    if connection.before.is_some() {
        let place = FunctionPlace::Insert(destination.id.clone());
        connection.concurrency = with.functions.concurrency(&place);
    }
    Ok(connection)
}

/// The connection of a destination, if its secrets can be opened.
pub(crate) fn connection(
    destination: &Destination,
    vault: &Vault,
    allow_loopback: bool,
) -> Result<Connection, Locked> {
    let texts = vault.secrets(destination)?;
    let secrets: Vec<_> = texts.iter().filter_map(|text| Secret::parse(text).ok()).collect();
    if secrets.is_empty() {
        return Err(Locked::Damaged);
    }
    let mut connection = connection_with(destination, &secrets, allow_loopback);
    connection.called = called(destination, &HOOKS.map(str::to_owned));
    Ok(connection)
}

/// What Segment's own webhooks are called.
const HOOKS: [&str; 2] = ["Webhooks", "Webhook"];

/// Whether a call goes to a destination whose kind is called so, of an event that may say who gets it.
pub(crate) fn is_for(
    destination: &Destination,
    kind: &[String],
    effect: &Effect,
    call: &Call,
) -> bool {
    let names = match destination.tool {
        Some(_) => called(destination, kind),
        None => called(destination, &HOOKS.map(str::to_owned)),
    };
    effect.subject.is_some() || allows(&call.body, &names)
}

/// The names that events may have for a destination, its own first.
fn called(destination: &Destination, kind: &[String]) -> Arc<[String]> {
    std::iter::once(&destination.name).chain(kind).cloned().collect()
}

fn connection_with(
    destination: &Destination,
    secrets: &[Secret],
    allow_loopback: bool,
) -> Connection {
    let mut secrets = secrets.iter().cloned();
    let secret = secrets.next().unwrap_or_else(|| Secret::from_bytes([0; 32]));
    let mut connection =
        Connection::new(connection_id(&destination.id), destination.url.as_str(), secret);
    connection.name.clone_from(&destination.name);
    connection.previous_secret = secrets.next();
    connection.enabled = destination.enabled;
    connection.order = if destination.relaxed { Order::Relaxed } else { Order::Strict };
    connection.allow_loopback = allow_loopback;
    // Every event from the record that made it on, whenever delivery first hears of it.
    connection.start = Start::At(FeedEnd {
        at: Position::embedded(destination.since.offset).item(0),
        effects: destination.since.events,
    });
    if !destination.events.is_empty() {
        let kinds = destination.events.iter().filter_map(|name| EventType::from_name(name));
        connection.filter = Filter::only(kinds.map(|kind| EffectKind(kind.code())));
    }
    connection
}
