//! Replays: a part of the log that a destination is sent again, or for the first time.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_deliver::{DelivererHandle, Effect, Replay, ReplayError, ReplayStatus, ReplayWish};
use selfsame_event::{EventType, ItemPosition, Position};
use selfsame_expr::fql;
use selfsame_pipeline::workspace::Destination;

use super::Control;
use super::asked::{Asked, item, moment};
use super::decided::EventName;
use super::destinations::{deliverer, find};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use crate::destination::connection_id;
use crate::node::Node;
use crate::reach::first_since;

/// Reads of one request that only looks, of about a thousand events each.
const LOOKS: usize = 32;
/// Events that such a request shows.
const SAMPLES: usize = 5;

shape! {
    /// What to replay.
    #[serde(deny_unknown_fields)]
    pub(crate) struct ReplayWanted {
        /// From when on it was received: a time such as 2026-11-24T10:00:00Z, or how long ago, such as 90m, 2h or 7d.
        from: String,
        /// Until when, that moment not included; now where it is not given.
        to: Option<String>,
        /// Which events, as FQL; all where it is not given.
        r#where: Option<String>,
        /// How many a second at most; as fast as the destination takes them where it is not given.
        rate: Option<u32>,
    }

    /// What a replay would send, to be looked for.
    #[serde(deny_unknown_fields)]
    pub(crate) struct ReplayLook {
        /// From when on it was received: a time such as 2026-11-24T10:00:00Z, or how long ago, such as 90m, 2h or 7d.
        from: String,
        /// Until when, that moment not included; now where it is not given.
        to: Option<String>,
        /// Which events, as FQL; all where it is not given.
        r#where: Option<String>,
        /// Where to look on: `next` of the answer before.
        next: Option<String>,
    }

    /// What a replay would send, as far as it was looked.
    pub(crate) struct ReplayFound {
        /// Events that it would send.
        matching: u64,
        /// The same by their type.
        by_type: BTreeMap<String, u64>,
        /// The first of them.
        samples: Vec<ReplaySample>,
        /// How much of the part was looked at, in hundredths.
        percent: u32,
        /// What to give as `next` to look on; null at the end.
        next: Option<String>,
    }

    /// An event that would be replayed.
    pub(crate) struct ReplaySample {
        /// Its position.
        position: String,
        /// When it was received.
        received_at: String,
        /// Its message id.
        message_id: Option<String>,
        /// Its type.
        r#type: String,
        /// Its name, of a track call.
        event: Option<String>,
        /// Whose it is.
        profile_id: String,
    }

    /// A replay, and how far it is. accepted = delivered + filtered + dead + pending.
    pub(crate) struct ReplayShown {
        /// Its number among those of the destination.
        number: u32,
        /// The destination.
        destination: String,
        /// From when on.
        from: String,
        /// Until when.
        to: String,
        /// The position where its part begins.
        first: String,
        /// The position behind it: not beyond what the destination had passed when it was asked for.
        end: String,
        /// Which events, as FQL; null where all are.
        r#where: Option<String>,
        /// How many a second at most.
        rate: Option<u32>,
        /// When it was asked for.
        begun: String,
        /// running, waiting (the destination is off, down or paused, or requests fail), paused, finished or cancelled.
        state: String,
        /// How much of the records of its part it has read, in hundredths.
        percent: u32,
        /// Events that it found so far.
        accepted: u64,
        /// Those that the receiver took.
        delivered: u64,
        /// Those that were not to be sent any more.
        filtered: u64,
        /// Its dead letters.
        dead: u64,
        /// The rest.
        pending: u64,
        /// Events that ended in a second, of late.
        per_second: f64,
        /// How long the rest takes at the pace of late; null where that is not known.
        seconds_left: Option<u64>,
        /// Why its last attempt failed; null after a success.
        last_failure: Option<String>,
    }
}

fn shown(destination: &Destination, status: &ReplayStatus) -> ReplayShown {
    let Replay { number, wish, begun, .. } = &status.replay;
    ReplayShown {
        number: *number,
        destination: destination.id.clone(),
        from: wish.since.to_string(),
        to: wish.until.to_string(),
        first: wish.from.to_string(),
        end: wish.to.to_string(),
        r#where: Some(wish.matching.to_string()).filter(|text| !text.is_empty()),
        rate: wish.rate,
        begun: begun.to_string(),
        state: status.state.label().to_owned(),
        percent: status.percent,
        accepted: status.tally.accepted,
        delivered: status.tally.delivered,
        filtered: status.tally.filtered,
        dead: status.tally.dead,
        pending: status.tally.pending,
        per_second: status.per_second,
        seconds_left: status.left.map(|left| left.as_secs()),
        last_failure: status.last_failure.map(|failure| failure.label().to_owned()),
    }
}

/// The replays of a destination, and what delivers to it.
fn of(control: &Control, asked: &Asked) -> Result<(Destination, DelivererHandle), Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(control, &view, destination).ok_or_else(Problem::opening)?;
    Ok((destination.clone(), handle))
}

/// The replay of that number.
pub(super) fn numbered(
    handle: &DelivererHandle,
    destination: &Destination,
    number: u32,
) -> Result<ReplayStatus, Problem> {
    let mut all = handle.replays(connection_id(&destination.id)).into_iter();
    let found = all.find(|one| one.replay.number == number);
    found.ok_or_else(|| Problem::missing("replay", &number.to_string()))
}

fn one(
    control: &Control,
    asked: &Asked,
) -> Result<(Destination, DelivererHandle, ReplayStatus), Problem> {
    let (destination, handle) = of(control, asked)?;
    let number = asked.part("number").parse();
    let number = number.map_err(|_| Problem::missing("replay", asked.part("number")))?;
    let status = numbered(&handle, &destination, number)?;
    Ok((destination, handle, status))
}

/// `GET /api/destinations/{id}/replays`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<Page<ReplayShown>, Problem> {
    let (destination, handle) = of(&control, &asked)?;
    let all = handle.replays(connection_id(&destination.id));
    Ok(all.iter().map(|one| shown(&destination, one)).collect::<Vec<_>>().into())
}

/// `GET /api/destinations/{id}/replays/{number}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<ReplayShown, Problem> {
    let (destination, _, status) = one(&control, &asked)?;
    Ok(shown(&destination, &status))
}

/// `DELETE /api/destinations/{id}/replays/{number}`
pub(crate) async fn cancel(control: Control, asked: Asked) -> Result<ReplayShown, Problem> {
    let (destination, handle, status) = one(&control, &asked)?;
    handle.cancel(&status.replay).await?;
    let status = numbered(&handle, &destination, status.replay.number)?;
    Ok(shown(&destination, &status))
}

/// `POST /api/destinations/{id}/replays`
pub(crate) async fn begin(
    control: Control,
    asked: Asked,
    wanted: ReplayWanted,
) -> Result<ReplayShown, Problem> {
    let (destination, handle) = of(&control, &asked)?;
    if wanted.rate == Some(0) {
        return Err(Problem::field("rate", "`rate` is a number of events a second, from 1 on."));
    }
    let ReplayWanted { from, to, r#where, rate } = wanted;
    let wish = wish(&control, &from, to.as_deref(), r#where, rate).await?;
    let id = connection_id(&destination.id);
    let begun = handle.replay(id, wish).await.map_err(refused)?;
    let status = numbered(&handle, &destination, begun.number)?;
    Ok(shown(&destination, &status))
}

/// What is asked for, with its places.
pub(super) async fn wish(
    control: &Control,
    from: &str,
    to: Option<&str>,
    matching: Option<String>,
    rate: Option<u32>,
) -> Result<ReplayWish, Problem> {
    let now = control.node.clock.wall();
    let since = moment("from", from, now)?;
    let until = to.map(|to| moment("to", to, now)).transpose()?;
    if until.is_some_and(|until| until <= since) {
        return Err(Problem::field("to", "`to` is not behind `from`."));
    }
    let matching = matching.unwrap_or_default();
    if !matching.is_empty() {
        fql::parse(&matching).map_err(|error| {
            let spot = &error.spot;
            let (line, column) = (spot.line, spot.column);
            let sentence = error.sentence();
            let message = format!("`where`, line {line}, column {column}: {sentence}.");
            Problem::field("where", message)
        })?;
    }
    let places = move |node: &Node| -> Result<(u64, u64), Problem> {
        let end = until.map(|until| first_since(&*node.log, until)).transpose()?;
        Ok((first_since(&*node.log, since)?, end.unwrap_or(u64::MAX)))
    };
    let (first, end) = control.scan(places).await?;
    let place = |offset| Position::embedded(offset).item(0);
    let (from, to) = (place(first), place(end));
    let until = until.unwrap_or(now);
    Ok(ReplayWish { from, to, since, until, matching: matching.into(), rate })
}

fn refused(error: ReplayError) -> Problem {
    match error {
        ReplayError::Unknown | ReplayError::Stopped => {
            Problem::new(Code::Unavailable, "Deliveries to this destination have not begun yet.")
        }
        ReplayError::Ahead => Problem::field(
            "from",
            "The destination has not passed an event of that time yet: all of it is sent anyway.",
        ),
        ReplayError::TooMany => Problem::new(
            Code::Conflict,
            "The destination has too many replays that go on or have dead letters: cancel one, or \
             send its dead letters again.",
        ),
    }
}

/// `POST /api/destinations/{id}/replays/preview`
pub(crate) async fn preview(
    control: Control,
    asked: Asked,
    look: ReplayLook,
) -> Result<ReplayFound, Problem> {
    let (destination, handle) = of(&control, &asked)?;
    let ReplayLook { from, to, r#where, next } = look;
    let wish = wish(&control, &from, to.as_deref(), r#where, None).await?;
    let id = connection_id(&destination.id);
    let status = handle.status().into_iter().find(|status| status.id == id);
    let to = wish.to.min(status.ok_or_else(Problem::opening)?.cursor);
    let mut at = match next {
        None => wish.from,
        Some(next) => item(&next)
            .ok_or_else(|| Problem::field("next", "`next` is a cursor of this answer."))?,
    };
    let (mut matching, mut by_type, mut first) = (0, BTreeMap::new(), Vec::new());
    for _ in 0..LOOKS {
        if at >= to {
            break;
        }
        let page = handle.look(id, Arc::clone(&wish.matching), (at, to)).await?;
        at = page.next;
        for effect in page.effects {
            matching += 1;
            *by_type.entry(type_of(&effect).to_owned()).or_insert(0) += 1;
            if first.len() < SAMPLES {
                first.push(effect);
            }
        }
    }
    let samples = control.scan(move |node| Ok(first.iter().map(|one| sample(node, one)).collect()));
    let samples = samples.await?;
    let percent = share(wish.from, at, to);
    let next = (at < to).then(|| at.to_string());
    Ok(ReplayFound { matching, by_type, samples, percent, next })
}

pub(super) fn share(from: ItemPosition, at: ItemPosition, to: ItemPosition) -> u32 {
    if at >= to {
        return 100;
    }
    let records = |place: ItemPosition| place.record.offset.saturating_sub(from.record.offset);
    let share = u128::from(records(at)) * 100 / u128::from(records(to).max(1));
    u32::try_from(share).unwrap_or(100)
}

fn type_of(effect: &Effect) -> &'static str {
    EventType::from_code(effect.kind.0).map(EventType::name).unwrap_or_default()
}

fn sample(node: &Node, effect: &Effect) -> ReplaySample {
    let name = EventName::read(node, effect.at);
    ReplaySample {
        position: effect.at.to_string(),
        received_at: effect.log_time.to_string(),
        message_id: name.message_id,
        r#type: type_of(effect).to_owned(),
        event: name.event,
        profile_id: effect.profile.to_string(),
    }
}
