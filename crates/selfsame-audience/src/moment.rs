//! When something may change; `None` is never.

use selfsame_event::Time;

/// A moment, or never.
pub type Moment = Option<Time>;

/// The earlier of the two.
pub(crate) fn earliest(one: Moment, other: Moment) -> Moment {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
