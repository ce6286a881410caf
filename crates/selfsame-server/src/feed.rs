//! What there is to deliver in one space: accepted events, read from the outbox and the log.

use std::sync::Arc;

use bytes::Bytes;
use selfsame_deliver::{
    BodyError, Effect, EffectKind, Feed, FeedEnd, FeedError, FeedPage, Measured, Question,
};
use selfsame_event::{Class, EventsHead, ItemPosition, Position, ProfileId, RecordId};
use selfsame_log::{LogRead, ReadError, RegenerableLog, SegmentLog};
use selfsame_pipeline::Shared;
use selfsame_pipeline::decision::{Accepted, Decision, Verdict};
use selfsame_pipeline::event_json::EventJson;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::reach::{bytes_from, first_near, first_since};

const READ_BYTES: usize = 1 << 20;

/// The accepted events of a space.
#[derive(Debug)]
pub(crate) struct SpaceFeed {
    pub(crate) space: u32,
    pub(crate) space_id: String,
    pub(crate) log: Arc<SegmentLog>,
    pub(crate) outbox: Arc<RegenerableLog>,
    pub(crate) end: watch::Receiver<FeedEnd>,
}

/// The end of a space's feed, as the engine moves it.
pub(crate) fn end_of(shared: &Shared, space: u32) -> FeedEnd {
    let meta = shared.meta();
    let counts = usize::try_from(space).ok().and_then(|space| meta.spaces.get(space));
    match counts {
        Some(counts) => {
            FeedEnd { at: Position::embedded(meta.next).item(0), effects: counts.events }
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

impl Feed for SpaceFeed {
    fn read(&self, from: ItemPosition, max: usize) -> Result<FeedPage, FeedError> {
        let (mut effects, mut next) = (Vec::new(), from);
        // The outbox may be ahead of what readers see of the state; the feed is not.
        let end = self.end.borrow().at.record;
        while next.record < end && effects.len() < max {
            for record in self.outbox.read(next.record, READ_BYTES).map_err(failed)? {
                let first = if record.position == next.record { next.index } else { 0 };
                for (index, item) in (0_u32..).zip(record.items.iter()).skip(index_of(first)) {
                    if effects.len() == max {
                        return Ok(FeedPage { effects, next: record.position.item(index) });
                    }
                    let Some((kind, accepted)) = item.body().and_then(|row| self.accepted(row))
                    else {
                        continue;
                    };
                    let at = record.position.item(index);
                    let id = self.effect_id(record.id, index, kind);
                    let profile = accepted.profile;
                    effects.push(Effect { at, id, profile, kind, log_time: record.time });
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
