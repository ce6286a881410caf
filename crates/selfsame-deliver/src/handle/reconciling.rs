//! What became of effects at connections, read from where it is kept.

use std::collections::HashMap;
use std::sync::Arc;

use selfsame_event::{Class, ItemPosition};

use super::{CommandError, DelivererHandle};
use crate::attempts::AttemptsError;
use crate::connection::{Connection, ConnectionId, Start};
use crate::feed::{Effect, Feed, FeedError, FeedPage};
use crate::shared::Command;
use crate::standing::{Knowledge, Standing, Tried, Wanted};

/// Why it cannot be said what became of effects.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// The connection did not answer.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Its attempts cannot be read.
    #[error(transparent)]
    Attempts(#[from] AttemptsError),
}

impl StandingError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Command(error) => error.class(),
            Self::Attempts(error) => error.class(),
        }
    }
}

impl DelivererHandle {
    /// Effects between two places, at most `max`: all of them, or the events that a text in the language of
    /// the feed means. How much is looked at is bounded.
    pub async fn effects(
        &self,
        (from, to): (ItemPosition, ItemPosition),
        matching: Arc<str>,
        max: usize,
    ) -> Result<FeedPage, FeedError> {
        let feed = Arc::clone(&self.shared.feed);
        let to = to.min(feed.subscribe().borrow().at);
        let read = tokio::task::spawn_blocking(move || {
            let first = from.max(feed.first());
            if first >= to {
                return Ok(FeedPage { effects: Vec::new(), next: to.max(from) });
            }
            let mut page = feed.read(first, max)?;
            if page.next == first || page.next > to {
                page.next = to;
            }
            page.effects.retain(|effect| effect.at < to);
            if !matching.is_empty() {
                page.effects.retain(|effect| effect.subject.is_none());
                let mut matching = feed.matches(&page.effects, &matching)?.into_iter();
                page.effects.retain(|_| matching.next().unwrap_or(false));
            }
            Ok(page)
        });
        read.await
            .unwrap_or_else(|error| Err(FeedError { source: Box::new(error), class: Class::Bug }))
    }

    /// What became of these effects, which are in order, at a connection.
    pub async fn standings(
        &self,
        connection: ConnectionId,
        effects: Arc<[Effect]>,
    ) -> Result<Vec<Standing>, StandingError> {
        let (Some(first), Some(last)) = (effects.first(), effects.last()) else {
            return Ok(Vec::new());
        };
        let (low, high) = (first.at, last.at);
        let all = self.shared.connections.borrow().clone().unwrap_or_default();
        let found = all.iter().find(|one| one.id == connection).cloned();
        let found = found.ok_or(CommandError::Unknown)?;
        // First what is written down of it; then attempts, of which there may be more by now.
        let ledgered = self.ask(connection, |reply| Command::Ledgered((low, high), reply)).await?;
        let (feed, attempts) = (Arc::clone(&self.shared.feed), Arc::clone(&self.shared.attempts));
        let read = tokio::task::spawn_blocking(move || {
            let mut tried: HashMap<ItemPosition, Tried> = HashMap::new();
            let reaches_back_to = attempts.between(connection, (low, high), |replay, one| {
                let of = tried.entry(one.at).or_default();
                of.note(replay, one.action, one.outcome);
            })?;
            let filter = found.filter.with_derived(feed.wanted(connection));
            let begun = begun(&found);
            let knowledge = Knowledge { begun, filter, ledgered, reaches_back_to };
            let standing = |effect: &Effect| {
                let wanted = || wanted(&*feed, &found, effect);
                knowledge.standing(effect, tried.get(&effect.at), wanted)
            };
            Ok(effects.iter().map(standing).collect())
        });
        let io = |error| StandingError::Attempts(std::io::Error::other(error).into());
        read.await.unwrap_or_else(|error| Err(io(error)))
    }
}

/// Where a connection began; the beginning of the feed where it was not said.
fn begun(connection: &Connection) -> ItemPosition {
    match connection.start {
        Start::At(start) => start.at,
        Start::Now => ItemPosition::default(),
    }
}

/// Who wants an event by what is configured now.
fn wanted(feed: &dyn Feed, connection: &Connection, effect: &Effect) -> Wanted {
    let is_event = effect.subject.is_none();
    let Some(tool) = &connection.tool else {
        return if is_event { Wanted::Whole } else { Wanted::Unknown };
    };
    if !is_event {
        return Wanted::Unknown;
    }
    let Ok(body) = feed.body(effect) else { return Wanted::Unknown };
    match Arc::clone(&tool.0).open(&body).map(|letter| letter.wanted_by()) {
        Ok(share) if share.is_whole() => Wanted::Nobody,
        Ok(share) => Wanted::By(share),
        Err(_) => Wanted::Unknown,
    }
}
