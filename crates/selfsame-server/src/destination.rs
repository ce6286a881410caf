//! Destinations as configured, and connections as delivery knows them.

use selfsame_deliver::{Connection, ConnectionId, EffectKind, FeedEnd, Filter, Secret, Start};
use selfsame_event::{EventType, Position};
use selfsame_pipeline::workspace::{Destination, Workspace};
use sha2::{Digest as _, Sha256};

/// The identity of a destination's connection.
pub(crate) fn connection_id(destination: &str) -> ConnectionId {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(destination.as_bytes())[..16]);
    ConnectionId(id)
}

/// The connections of a space.
pub(crate) fn connections(
    workspace: &Workspace,
    space: u32,
    allow_loopback: bool,
) -> Vec<Connection> {
    let Some(space) = workspace.spaces.iter().find(|one| one.number == space) else {
        return Vec::new();
    };
    let of_space = workspace.destinations.iter().filter(|one| one.space == space.id);
    of_space.filter_map(|destination| connection(destination, allow_loopback)).collect()
}

/// The connection of a destination; none where it has no secret.
pub(crate) fn connection(destination: &Destination, allow_loopback: bool) -> Option<Connection> {
    let mut secrets = destination.secrets.iter().filter_map(|text| Secret::parse(text).ok());
    let secret = secrets.next()?;
    let mut connection =
        Connection::new(connection_id(&destination.id), destination.url.as_str(), secret);
    connection.name.clone_from(&destination.name);
    connection.previous_secret = secrets.next();
    connection.enabled = destination.enabled;
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
    Some(connection)
}
