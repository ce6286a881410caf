//! Events of a page as they were sent: which of them a filter means, and what they are.

use std::collections::VecDeque;

use selfsame_deliver::{Effect, FeedError};
use selfsame_event::{Class, EventsHead, Position, Raw};
use selfsame_expr::fql;
use selfsame_log::{LogRead as _, ReadError, Record};
use selfsame_pipeline::event_json::EventJson;

use super::{SpaceFeed, failed, index_of, of};

/// About how many bytes of records are read together.
const AHEAD_BYTES: usize = 64 << 10;

impl SpaceFeed {
    /// Whether each of these events matches, in FQL. One whose body is gone or erased does not.
    pub(super) fn matching(&self, effects: &[Effect], text: &str) -> Result<Vec<bool>, FeedError> {
        // It was read when it was asked for: a newer program may have given up what it says.
        let filter = fql::parse(text).map_err(|error| of(error, Class::Invalid))?;
        let mut matching = vec![false; effects.len()];
        self.each(effects, |place, json, _| {
            matching[place] = filter.holds(Raw::trusted(&json.with(&[])));
        })?;
        Ok(matching)
    }

    /// Looks at each of these events whose body is there. A record is read once for all events of it that
    /// follow each other, and records that follow each other are read together.
    pub(super) fn each(
        &self,
        effects: &[Effect],
        mut look: impl FnMut(usize, &EventJson<'_>, &Effect),
    ) -> Result<(), FeedError> {
        let mut last: Option<(Position, Option<(Record, EventsHead)>)> = None;
        let mut ahead = VecDeque::new();
        for (place, effect) in effects.iter().enumerate() {
            let at = effect.at.record;
            let before = last.as_ref().map(|(position, _)| *position);
            if before != Some(at) {
                let follows = before.is_some_and(|before| before.next() == at);
                last = Some((at, self.events(at, follows, &mut ahead)?));
            }
            let record = last.as_ref().and_then(|(_, record)| record.as_ref());
            if let Some((record, head)) = record
                && let Some(body) =
                    record.items.get(index_of(effect.at.index)).and_then(|item| item.body())
                && let Ok(json) = EventJson::of(record, head, effect.at.index, body)
            {
                look(place, &json, effect);
            }
        }
        Ok(())
    }

    /// A record of events, unless it is gone. Where it follows the one before, those behind it are read too.
    fn events(
        &self,
        at: Position,
        follows: bool,
        ahead: &mut VecDeque<Record>,
    ) -> Result<Option<(Record, EventsHead)>, FeedError> {
        ahead.retain(|record| record.position >= at);
        let read = match ahead.pop_front_if(|record| record.position == at) {
            Some(record) => Ok(record),
            None if follows => {
                ahead.clear();
                self.log.read(at, AHEAD_BYTES).and_then(|records| {
                    ahead.extend(records);
                    ahead.pop_front().ok_or(ReadError::Beyond { position: at, end: at })
                })
            }
            None => self.log.get(at),
        };
        match read {
            Ok(record) => {
                let head = EventsHead::decode(&record.head);
                Ok(head.ok().map(|head| (record, head)))
            }
            Err(ReadError::Trimmed { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
