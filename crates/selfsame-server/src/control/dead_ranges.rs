//! Dead ranges: parts of the feed that a destination missed because it was too far behind.

use selfsame_deliver::{DeadRange, RangeSelection};

use super::Control;
use super::asked::{Asked, item};
use super::destinations::{deliverer, find};
use super::problem::Problem;
use super::shape::shape;
use crate::destination::connection_id;

shape! {
    /// Dead ranges, in order of position.
    pub(crate) struct DeadRanges {
        /// How many events in them are dead, in all.
        events: u64,
        /// The ranges.
        data: Vec<DeadRangeShown>,
    }

    /// A part of the log that a destination missed.
    pub(crate) struct DeadRangeShown {
        /// The position where it begins, by which it is named.
        from: String,
        /// The position behind it.
        to: String,
        /// Where the part begins that can still be sent again.
        resendable_from: String,
        /// Which limit the destination was beyond: age or bytes.
        reason: String,
        /// When it began.
        since: String,
        /// Events in it that are dead; without those that are sent again.
        events: u64,
        /// resendable, resending, or gone: the log no longer has its events.
        state: String,
        /// Whether some of its events were removed from the log before they could be sent again.
        partly_gone: bool,
    }

    /// Which ranges to send again: one of the two.
    #[serde(deny_unknown_fields)]
    pub(crate) struct RangeResend {
        /// Every one.
        all: Option<bool>,
        /// The one that begins at this position.
        from: Option<String>,
    }

    /// That ranges are sent again.
    pub(crate) struct RangeResent {
        /// How many events of them are dead; those that the log still has are sent, beside live ones.
        events: u64,
    }
}

/// `GET /api/destinations/{id}/dead-ranges`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<DeadRanges, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let ranges = handle.dead_ranges(connection_id(&destination.id)).await?;
    let events = ranges.iter().map(|range| range.events).sum();
    Ok(DeadRanges { events, data: ranges.iter().map(shown).collect() })
}

fn shown(range: &DeadRange) -> DeadRangeShown {
    let state = match () {
        () if range.is_resending => "resending",
        () if range.is_spent() => "gone",
        () => "resendable",
    };
    DeadRangeShown {
        from: range.from.to_string(),
        to: range.to.to_string(),
        resendable_from: range.at.to_string(),
        reason: range.reason.label().to_owned(),
        since: range.since.to_string(),
        events: range.events,
        state: state.to_owned(),
        partly_gone: range.is_partly_gone,
    }
}

/// `POST /api/destinations/{id}/dead-ranges/resend`
pub(crate) async fn resend(
    control: Control,
    asked: Asked,
    resend: RangeResend,
) -> Result<RangeResent, Problem> {
    let selection = match (resend.all, resend.from.as_deref()) {
        (Some(true), None) => RangeSelection::All,
        (None, Some(from)) => RangeSelection::From(item(from).ok_or_else(|| {
            Problem::field("from", "`from` is the position of a range, such as 0-17.3.")
        })?),
        _ => return Err(Problem::field("all", "Give one of `all` (true) and `from`.")),
    };
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let id = connection_id(&destination.id);
    if let RangeSelection::From(from) = selection {
        let ranges = handle.dead_ranges(id).await?;
        if !ranges.iter().any(|range| range.from == from) {
            return Err(Problem::missing("dead range", &from.to_string()));
        }
    }
    Ok(RangeResent { events: handle.resend_ranges(id, selection).await? })
}
