//! Events that no mapping of a destination wants: they are filtered without an attempt.

use selfsame_pipeline::workspace::Destination;
use serde_json::Value;

use super::{Control, Delivery};

/// Whether the mappings that a destination has now want none of it.
pub(super) fn is_unwanted(
    control: &Control,
    destination: &Destination,
    hit: &Delivery<'_>,
) -> bool {
    let is_of_it = hit.at.record.offset >= destination.since.offset;
    let Some((tool, event)) = destination.tool.as_ref().zip(hit.event).filter(|_| is_of_it) else {
        return false;
    };
    let node = &control.node;
    let Ok(connector) = node.connectors.connector(destination, tool, &node.vault) else {
        return false;
    };
    let event: Result<Value, _> = serde_json::from_str(event.get());
    event.is_ok_and(|event| connector.wants(&event).is_empty())
}
