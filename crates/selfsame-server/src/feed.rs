//! What there is to deliver in one space: accepted events, and the changes of computed traits and
//! audiences behind them, read from the outbox and the log.
//!
//! ```text
//! items of a record    event 0 .. event n-1 | change 0           | change 1    | change 2
//! their deliveries     0       .. n-1       | n track, identify  | (not told)  | n+2 track, identify
//! ```
//!
//! A change of what no destination was told of when it happened has no deliveries: whoever is told of it later is told
//! how things are, by changes that say so.

mod matching;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_deliver::{
    BodyError, Call, ConnectionId, Effect, EffectKind, Feed, FeedEnd, FeedError, FeedPage, Heard,
    Measured, Name, Question, Topic,
};
use selfsame_event::{Class, EventsHead, ItemPosition, Position, ProfileId, RecordId};
use selfsame_log::{Item, LogRead, ReadError, Record, RegenerableLog, SegmentLog};
use selfsame_pipeline::decision::{Accepted, Decision, Verdict};
use selfsame_pipeline::effect::Effect as Change;
use selfsame_pipeline::event_json::EventJson;
use selfsame_pipeline::{Reader, Shared};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::activation::{self, Form};
use crate::manifests::Manifests;
use crate::node::Found;
use crate::reach::{bytes_from, first_near, first_since};

/// How much of the outbox is read at once: about what so many effects take, within these bounds.
const READ_BYTES: (usize, usize) = (1 << 14, 1 << 20);
/// About what an effect takes there.
const EFFECT_BYTES: usize = 64;

/// The accepted events of a space, and its changes.
#[derive(Debug)]
pub(crate) struct SpaceFeed {
    pub(crate) space: u32,
    pub(crate) space_id: String,
    pub(crate) log: Arc<SegmentLog>,
    pub(crate) outbox: Arc<RegenerableLog>,
    pub(crate) found: Found,
    pub(crate) shared: Arc<Shared>,
    pub(crate) reader: Reader,
    pub(crate) manifests: Arc<Manifests>,
    pub(crate) end: watch::Receiver<FeedEnd>,
}

/// The end of a space's feed, as the engine moves it.
pub(crate) fn end_of(shared: &Shared, space: u32) -> FeedEnd {
    let meta = shared.meta();
    let counts = usize::try_from(space).ok().and_then(|space| meta.spaces.get(space));
    match counts {
        Some(counts) => {
            FeedEnd { at: Position::embedded(meta.next).item(0), effects: counts.deliveries() }
        }
        None => FeedEnd { at: Position::embedded(0).item(0), effects: 0 },
    }
}

impl SpaceFeed {
    fn accepted(&self, bytes: &[u8]) -> Option<(EffectKind, Accepted)> {
        let decision = Decision::decode(bytes)?;
        let kind = decision.kind?;
        match decision.verdict {
            Verdict::Accepted(accepted) if accepted.space == self.space => {
                Some((EffectKind(kind.code()), accepted))
            }
            _ => None,
        }
    }

    /// The deliveries of an item: how many places it takes, and what is at each of them.
    fn deliveries(&self, record: &Record, item: &Item, index: u32) -> (u32, [Option<Effect>; 2]) {
        let Some(body) = item.body() else { return (1, [None, None]) };
        let (at, log_time) = (|index| record.position.item(index), record.time);
        if let Some(change) = Change::decode(body) {
            let effect = |form: Form, index| Effect {
                at: at(index),
                id: activation::effect_id(self.space, record.id, index, form),
                profile: change.profile,
                kind: form.kind(),
                subject: Some(change.definition),
                log_time,
            };
            let [first, second] = Form::ALL;
            let both = [Some(effect(first, index)), Some(effect(second, index + 1))];
            let is_ours = change.space == self.space;
            return (Change::places(body), if is_ours { both } else { [None, None] });
        }
        let event = self.accepted(body).map(|(kind, accepted)| Effect {
            at: at(index),
            id: self.effect_id(record.id, index, kind),
            profile: accepted.profile,
            kind,
            subject: None,
            log_time,
        });
        (1, [event, None])
    }

    /// An effect's id: of its space, event and kind, never of its position.
    fn effect_id(&self, record: RecordId, index: u32, kind: EffectKind) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(b"event");
        hash.update(self.space.to_le_bytes());
        hash.update(record.0);
        hash.update(index.to_le_bytes());
        hash.update([kind.0]);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        id
    }
}

/// How many places an item takes.
fn places_of(item: &Item) -> u32 {
    item.body().map_or(1, |body| Change::places(body))
}

impl Feed for SpaceFeed {
    fn read(&self, from: ItemPosition, max: usize) -> Result<FeedPage, FeedError> {
        let (mut effects, mut next) = (Vec::new(), from);
        // The outbox may be ahead of what readers see of the state; the feed is not.
        let end = self.end.borrow().at.record;
        let (least, most) = READ_BYTES;
        while next.record < end && effects.len() < max {
            let missing = (max - effects.len()).saturating_mul(EFFECT_BYTES);
            let bytes = missing.clamp(least, most);
            for record in self.outbox.read(next.record, bytes).map_err(failed)? {
                let first = if record.position == next.record { next.index } else { 0 };
                let mut index = 0;
                for item in record.items.iter() {
                    // What the page before had is passed over before anything is made of it.
                    if index < first && index + places_of(item) <= first {
                        index += places_of(item);
                        continue;
                    }
                    let (places, found) = self.deliveries(&record, item, index);
                    for (place, effect) in (index..index + places).zip(found) {
                        if place < first {
                            continue;
                        }
                        if effects.len() == max {
                            return Ok(FeedPage { effects, next: record.position.item(place) });
                        }
                        effects.extend(effect);
                    }
                    index += places;
                }
                next = record.position.next().item(0);
                if next.record >= end {
                    break;
                }
            }
        }
        Ok(FeedPage { effects, next })
    }

    fn body(&self, effect: &Effect) -> Result<Bytes, BodyError> {
        let record = match self.log.get(effect.at.record) {
            Ok(record) => record,
            Err(ReadError::Trimmed { .. }) => return Err(BodyError::Gone),
            Err(error) => return Err(BodyError::Unavailable(Box::new(error))),
        };
        let head = EventsHead::decode(&record.head)
            .map_err(|error| BodyError::Unavailable(Box::new(error)))?;
        let item = record.items.get(index_of(effect.at.index)).ok_or(BodyError::Gone)?;
        let item = item.body().ok_or(BodyError::Erased)?;
        let json = EventJson::of(&record, &head, effect.at.index, item)
            .map_err(|error| BodyError::Unavailable(Box::new(error)))?;
        Ok(self.with_profile(&json, effect.profile).into())
    }

    fn names(
        &self,
        events: &[Effect],
        say: &mut dyn FnMut(usize, Name<'_>),
    ) -> Result<(), FeedError> {
        self.each(events, |place, json, _| {
            say(place, json.event.event.as_deref().map_or(Name::None, Name::Is));
        })
    }

    fn bodies(&self, events: &[Effect]) -> Vec<Option<Bytes>> {
        let mut bodies = vec![None; events.len()];
        let read = self.each(events, |place, json, event| {
            bodies[place] = Some(self.with_profile(json, event.profile).into());
        });
        if let Err(error) = read {
            // They are read again one by one, which says of each what is wrong.
            tracing::debug!(%error, "bodies could not be read together");
        }
        bodies
    }

    fn calls(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        heard: &Heard,
    ) -> Result<Vec<Call>, BodyError> {
        match effect.subject {
            Some(_) => self.announcement(effect, connection, heard),
            None => Ok(vec![Call { tells: None, body: self.body(effect)? }]),
        }
    }

    fn doubt(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        heard: &Heard,
    ) -> Result<(), BodyError> {
        self.doubt_announcement(effect, connection, heard)
    }

    fn unsent(&self, cursor: ItemPosition) -> ItemPosition {
        // Where the outbox was lost, it is written anew by this process. It never has more than the log.
        let is_whole = self.found.outbox >= cursor.record;
        let end = if is_whole { self.found.outbox } else { self.found.log };
        end.item(0)
    }

    fn wanted(&self, connection: ConnectionId) -> BTreeSet<Topic> {
        activation::wanted(&self.shared.meta().workspace, &self.space_id, connection)
    }

    fn matches(&self, effects: &[Effect], text: &str) -> Result<Vec<bool>, FeedError> {
        self.matching(effects, text)
    }

    fn first(&self) -> ItemPosition {
        self.log.first().max(self.outbox.first()).item(0)
    }

    fn measure(&self, question: Question) -> Result<Measured, FeedError> {
        let sizes = self.log.segment_sizes();
        let first = self.log.first();
        let cursor = question.cursor.record.max(first);
        let time = match self.log.get(cursor) {
            Ok(record) => Some(record.time),
            Err(ReadError::Beyond { .. }) => None,
            Err(error) => return Err(failed(error)),
        };
        let young = match question.oldest {
            // A jump of the clock that the log does not believe ages nothing.
            Some(oldest) => {
                let believed = oldest.plus_micros(self.log.held_micros().saturating_neg());
                first_since(&*self.log, believed).map_err(failed)?
            }
            None => 0,
        };
        let near = question.bytes.map_or(0, |bytes| first_near(&sizes, bytes));
        let bytes = bytes_from(&sizes, self.log.end().offset, cursor.offset);
        let place = |offset| Position::embedded(offset).item(0);
        Ok(Measured { time, bytes, young: place(young), near: place(near) })
    }

    fn subscribe(&self) -> watch::Receiver<FeedEnd> {
        self.end.clone()
    }
}

impl SpaceFeed {
    /// The event, and whose it was found to be.
    fn with_profile(&self, json: &EventJson<'_>, profile: ProfileId) -> String {
        json.with(&[("profileId", &profile.to_string()), ("spaceId", &self.space_id)])
    }
}

fn index_of(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn failed(error: ReadError) -> FeedError {
    let class = error.class();
    of(error, class)
}

fn of(error: impl std::error::Error + Send + Sync + 'static, class: Class) -> FeedError {
    FeedError { source: Box::new(error), class }
}
