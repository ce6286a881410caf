//! Before the step: what of an event depends on its record and the rules alone. It is done for a few
//! events at once, so that what the step will read of memory is under way for all of them together.

use std::borrow::Cow;

use selfsame_dedupe::Dedupe;
use selfsame_event::{
    Event, EventsHead, ItemPosition, Position, ProfileId, RecordId, Refusal, SourceNumber, Time,
    TokenVerdict,
};
use selfsame_identity::{Claims, Keys, Stamp, Trust};
use selfsame_log::Record;
use selfsame_store::Shown;
use smallvec::SmallVec;

use crate::key::InSpace;
use crate::row;
use crate::state::{State, StateError};
use crate::step::derived_message_id;
use crate::tables::Tables;
use crate::workspace::{DedupeScope, SourceKind};

/// How many events are prepared together.
pub(crate) const AT_ONCE: usize = 32;
/// The bytes that memory brings at once.
const LINE: usize = 64;
/// How many of them are brought of a row at most: a long one is read from one end to the other, which memory sees
/// coming, and many long ones would drive each other away.
const LINES: usize = 64;

/// Where the items of a record come from and when.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'r> {
    pub(crate) head: &'r EventsHead,
    pub(crate) position: Position,
    pub(crate) record: RecordId,
    pub(crate) time: Time,
    /// The number of the space that the source feeds.
    pub(crate) space: u32,
    /// Its place in lists of spaces.
    pub(crate) slot: usize,
    dedupe: DedupeScope,
    /// How far its events are proven, apart from their tokens.
    trust: Trust,
}

/// One event on its way through the step.
pub(crate) struct Arrival<'a> {
    pub(crate) event: &'a Event<'a>,
    pub(crate) message_id: Cow<'a, str>,
    /// The digest by which a duplicate is known.
    pub(crate) id: [u8; 16],
    pub(crate) claims: Claims<'a>,
    /// What its identity token was found to be.
    pub(crate) token: Option<TokenVerdict>,
    pub(crate) at: ItemPosition,
    pub(crate) origin: Origin<'a>,
    pub(crate) happened_at: Time,
}

impl Arrival<'_> {
    pub(crate) fn source(&self) -> SourceNumber {
        self.origin.head.source
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            position: self.at,
            record: self.origin.record,
            source: self.source(),
            event_time: self.happened_at,
            log_time: self.origin.time,
        }
    }
}

/// An item of a record, prepared.
pub(crate) enum Prepared<'a> {
    /// Its content was erased.
    Erased,
    /// It is not an event.
    Refused(Refusal),
    /// It is one.
    Event(Box<Arrival<'a>>),
}

impl State {
    /// Where the items of a record come from; an error where the configuration has no such source.
    pub(crate) fn origin<'r>(
        &self,
        record: &Record,
        head: &'r EventsHead,
    ) -> Result<Origin<'r>, StateError> {
        let source = self.meta.workspace.source(head.source);
        let space = source.and_then(|source| self.meta.workspace.space(&source.space));
        let (Some(source), Some(space)) = (source, space) else {
            return Err(StateError::Record { position: record.position });
        };
        let slot = usize::try_from(space.number).unwrap_or(usize::MAX);
        let trust = match source.kind {
            _ if !self.guards.get(slot).copied().unwrap_or(false) => Trust::Unguarded,
            // Whoever imports has a token of the Control API.
            _ if head.import.is_some() => Trust::Sender,
            SourceKind::Server => Trust::Sender,
            SourceKind::Any | SourceKind::Browser | SourceKind::Mobile => {
                Trust::None { required: source.identity.required }
            }
        };
        Ok(Origin {
            head,
            position: record.position,
            record: record.id,
            time: record.time,
            space: space.number,
            slot,
            dedupe: source.dedupe,
            trust,
        })
    }

    /// Prepares an item; none is one that was erased.
    pub(crate) fn prepare<'a>(
        &self,
        origin: Origin<'a>,
        index: u32,
        event: Option<&'a Result<Event<'a>, Refusal>>,
    ) -> Prepared<'a> {
        let event = match event {
            None => return Prepared::Erased,
            Some(Err(refusal)) => return Prepared::Refused(*refusal),
            Some(Ok(event)) => event,
        };
        let message_id = match event.message_id.as_deref() {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(derived_message_id(origin.record, index)),
        };
        let scope = match origin.dedupe {
            DedupeScope::Source => origin.head.source.0.to_le_bytes(),
            DedupeScope::Workspace => u32::MAX.to_le_bytes(),
        };
        let keys = Keys { hasher: &self.hasher, space: origin.space };
        let token = origin.head.token(index);
        let mut claims = selfsame_identity::extract(event, &self.rules[origin.slot], &keys);
        claims.trust = match (origin.trust, token, claims.user) {
            (Trust::None { required }, Some(TokenVerdict::Valid), Some(user)) => {
                Trust::Token { user, required }
            }
            (trust, ..) => trust,
        };
        Prepared::Event(Box::new(Arrival {
            event,
            id: self.hasher.digest(&[b"message", &scope, message_id.as_bytes()]),
            message_id,
            claims,
            token,
            at: origin.position.item(index),
            origin,
            happened_at: event.happened_at(origin.time),
        }))
    }
}

/// Asks memory for what the step will read for these events, also for definitions if there are any. Changes
/// nothing.
pub(crate) fn warm(
    tables: &Tables,
    dedupe: &Dedupe,
    (space, has_definitions): (u32, bool),
    prepared: &[Prepared<'_>],
) {
    let arrivals = || {
        prepared.iter().filter_map(|one| match one {
            Prepared::Event(arrival) => Some(arrival),
            Prepared::Erased | Prepared::Refused(_) => None,
        })
    };
    if arrivals().nth(1).is_none() {
        return;
    }
    let keys = arrivals().flat_map(|arrival| &arrival.claims.users);
    let keys = keys.map(|claim| InSpace { space, key: claim.key });
    let mut components = SmallVec::<[_; 2 * AT_ONCE]>::new();
    tables.identifiers.warm(keys, |owner| components.push(owner.row().component));
    components.dedup();
    let mut seen = dedupe.warm(arrivals().map(|arrival| arrival.id));
    let components = components.into_iter().map(|key| InSpace { space, key });
    let mut profiles = SmallVec::<[InSpace<ProfileId>; 2 * AT_ONCE]>::new();
    // Most events are folded under their most trusted identifier.
    let anchors = arrivals().filter_map(|arrival| arrival.claims.users.first());
    let mut anchors: SmallVec<[_; 2 * AT_ONCE]> = anchors.map(|claim| claim.key).collect();
    tables.components.warm(components, |row| {
        seen += touch(row);
        // Definitions read all sections, and what they came to.
        if let Some(of_profile) = row::anchors(row).filter(|_| has_definitions) {
            profiles.push(InSpace { space, key: of_profile.profile });
            anchors.extend(of_profile.keys);
        }
    });
    tables.moments.warm(profiles.iter().copied(), |row| seen += touch(row));
    tables.computed.warm(profiles.iter().copied(), |row| seen += touch(row));
    let anchors = anchors.into_iter().map(|key| InSpace { space, key });
    if let [partition] = tables.partitions.as_slice() {
        partition.sections.warm(anchors, |row| {
            seen += match row {
                Shown::Together(row) => touch(row),
                Shown::Apart(hot) => touch(hot.section().outline().traits),
            };
        });
    }
    std::hint::black_box(seen);
}

/// A byte of each of the first lines.
fn touch(bytes: &[u8]) -> usize {
    bytes.iter().step_by(LINE).take(LINES).map(|byte| usize::from(*byte)).sum()
}
