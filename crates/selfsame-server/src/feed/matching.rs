//! Events of a page as they were sent: which of them a filter means, and what they are.

use selfsame_deliver::{Effect, FeedError};
use selfsame_event::{Class, EventsHead, Position, Raw};
use selfsame_expr::fql;
use selfsame_log::{LogRead as _, ReadError, Record};
use selfsame_pipeline::event_json::EventJson;

use super::{SpaceFeed, failed, index_of, of};

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
    /// follow each other.
    pub(super) fn each(
        &self,
        effects: &[Effect],
        mut look: impl FnMut(usize, &EventJson<'_>, &Effect),
    ) -> Result<(), FeedError> {
        let mut last: Option<(Position, Option<(Record, EventsHead)>)> = None;
        for (place, effect) in effects.iter().enumerate() {
            if last.as_ref().is_none_or(|(position, _)| *position != effect.at.record) {
                last = Some((effect.at.record, self.events(effect.at.record)?));
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

    /// A record of events, unless it is gone.
    fn events(&self, at: Position) -> Result<Option<(Record, EventsHead)>, FeedError> {
        match self.log.get(at) {
            Ok(record) => {
                let head = EventsHead::decode(&record.head);
                Ok(head.ok().map(|head| (record, head)))
            }
            Err(ReadError::Trimmed { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
