//! What the rest of the program asks of deliveries.

use std::sync::Arc;

use selfsame_event::{Class, ItemPosition};
use tokio::sync::{oneshot, watch};

use crate::attempts::{AttemptLog, AttemptPage, AttemptQuery, AttemptsError, FoundAttempt};
use crate::connection::{Connection, ConnectionId, Filter};
use crate::feed::{BodyError, Call, Effect, FeedError, FeedPage};
use crate::range::DeadRange;
use crate::replay::{Replay, ReplayError, ReplayStatus, ReplayWish, Sought};
use crate::shared::{AskReplay, Command, Shared};
use crate::status::{
    ConnectionStatus, DeadLetterPage, PageRequest, RangeSelection, Selection, TraceRow,
};
use crate::told::Heard;

mod causes;
mod reconciling;

pub use causes::CausesError;
pub use reconciling::StandingError;

/// Why a connection did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no such connection.
    #[error("there is no such connection")]
    Unknown,
    /// Deliveries have stopped, or have not begun.
    #[error("deliveries are not running")]
    Stopped,
}

impl CommandError {
    /// What the caller can do about it.
    pub fn class(self) -> Class {
        match self {
            Self::Unknown => Class::Missing,
            Self::Stopped => Class::Unavailable,
        }
    }
}

/// Asks the deliverer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DelivererHandle {
    pub(crate) shared: Arc<Shared>,
}

impl DelivererHandle {
    /// Says which connections there are. Deliveries begin with the first call. Those that are
    /// missing here and known to the ledger are removed, with all that is known of them.
    pub fn set_connections(&self, connections: Vec<Connection>) {
        self.shared.connections.send_replace(Some(connections.into()));
    }

    /// Every connection's numbers, by id.
    pub fn status(&self) -> Vec<ConnectionStatus> {
        self.shared.statuses()
    }

    /// A number that changes when some connection's numbers have.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// The earliest place that some connection needs the log to keep; `None` while that is not known, or
    /// when there is no connection.
    pub fn needed_from(&self) -> Option<ItemPosition> {
        let known = self.shared.connections.borrow().as_ref().map(|connections| connections.len());
        let statuses = self.shared.statuses();
        if known.is_none_or(|known| statuses.len() < known) {
            return None;
        }
        let needed = statuses.iter().map(|status| status.needed_from);
        needed.chain(self.shared.replays_need()).min()
    }

    /// A connection's dead letters, in order of place.
    pub async fn dead_letters(
        &self,
        connection: ConnectionId,
        page: PageRequest,
    ) -> Result<DeadLetterPage, CommandError> {
        self.ask(connection, |reply| Command::DeadLetters(page, reply)).await
    }

    /// Sends dead letters again, with the keys they had. Returns how many.
    pub async fn resend(
        &self,
        connection: ConnectionId,
        selection: Selection,
    ) -> Result<usize, CommandError> {
        self.ask(connection, |reply| Command::Resend(selection, reply)).await
    }

    /// A connection's dead ranges, in order of place.
    pub async fn dead_ranges(
        &self,
        connection: ConnectionId,
    ) -> Result<Vec<DeadRange>, CommandError> {
        self.ask(connection, Command::DeadRanges).await
    }

    /// Begins to send dead ranges again, with the keys that their effects had. Returns how many effects
    /// there are in them.
    pub async fn resend_ranges(
        &self,
        connection: ConnectionId,
        selection: RangeSelection,
    ) -> Result<u64, CommandError> {
        self.ask(connection, |reply| Command::ResendRanges(selection, reply)).await
    }

    /// Lets a connection send again whose receiver had answered 410 or that was too far behind, or probes one that is down.
    pub async fn resume(&self, connection: ConnectionId) -> Result<(), CommandError> {
        self.ask(connection, Command::Resume).await?;
        for one in self.replays(connection) {
            self.ask(one.replay.id(), Command::Resume).await?;
        }
        Ok(())
    }

    /// Looks for events that a replay of a connection would send, from a place on and before another.
    /// Says how far it looked: that is bounded.
    pub async fn look(
        &self,
        connection: ConnectionId,
        matching: Arc<str>,
        (from, to): (ItemPosition, ItemPosition),
    ) -> Result<FeedPage, FeedError> {
        let feed = Arc::clone(&self.shared.feed);
        let to = to.min(feed.subscribe().borrow().at);
        let all = self.shared.connections.borrow().clone().unwrap_or_default();
        let filter = all.iter().find(|one| one.id == connection).map(|one| one.filter.clone());
        let filter = filter.unwrap_or_else(|| Filter::only([]));
        let sought = Sought { filter, matching, to };
        let read = tokio::task::spawn_blocking(move || {
            let from = from.max(feed.first());
            if from < sought.to {
                sought.read(&*feed, from, usize::MAX)
            } else {
                Ok(FeedPage { effects: Vec::new(), next: sought.to })
            }
        });
        read.await
            .unwrap_or_else(|error| Err(FeedError { source: Box::new(error), class: Class::Bug }))
    }

    /// Begins a replay. It is in the ledger when this returns.
    pub async fn replay(
        &self,
        connection: ConnectionId,
        wish: ReplayWish,
    ) -> Result<Replay, ReplayError> {
        let (reply, answer) = oneshot::channel();
        let ask = AskReplay { connection, wish, reply };
        self.shared.asks.send(ask).await.map_err(|_| ReplayError::Stopped)?;
        answer.await.map_err(|_| ReplayError::Stopped)?
    }

    /// The replays of a connection, in the order in which they were begun.
    pub fn replays(&self, connection: ConnectionId) -> Vec<ReplayStatus> {
        self.shared.replays(connection)
    }

    /// Ends a replay: what it has not sent is not sent any more. It is so in the ledger when this returns.
    pub async fn cancel(&self, replay: &Replay) -> Result<(), CommandError> {
        self.ask(replay.id(), Command::Cancel).await
    }

    /// Every attempt to deliver an effect, oldest first of each connection, as long as they are kept.
    pub async fn attempts(&self, at: ItemPosition) -> Result<Vec<TraceRow>, AttemptsError> {
        let found = self.on_attempts(move |attempts| attempts.at(at)).await?;
        let row = |(connection, found): (ConnectionId, FoundAttempt)| {
            let FoundAttempt { replay, attempt } = found;
            TraceRow { connection, replay, attempt }
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// Looks for attempts of a connection, newest first. How much is read at once is bounded.
    pub async fn search_attempts(
        &self,
        connection: ConnectionId,
        query: AttemptQuery,
    ) -> Result<AttemptPage, AttemptsError> {
        self.on_attempts(move |attempts| attempts.search(connection, &query)).await
    }

    /// The requests that deliver what is at a place to a connection, as they are made now to a receiver
    /// that was told nothing; `None` where there is nothing, or nothing may be sent any more.
    pub async fn render(
        &self,
        connection: ConnectionId,
        at: ItemPosition,
    ) -> Result<Option<(Effect, Vec<Call>)>, FeedError> {
        let feed = Arc::clone(&self.shared.feed);
        let read = tokio::task::spawn_blocking(move || {
            if at < feed.first() {
                return Ok(None);
            }
            let page = feed.read(at, 1)?;
            let Some(effect) = page.effects.first().filter(|effect| effect.at == at) else {
                return Ok(None);
            };
            match feed.calls(effect, connection, &Heard::nothing()) {
                Ok(calls) => Ok(Some((*effect, calls))),
                Err(BodyError::Unavailable(source)) => {
                    Err(FeedError { source, class: Class::Unavailable })
                }
                Err(_) => Ok(None),
            }
        });
        read.await
            .unwrap_or_else(|error| Err(FeedError { source: Box::new(error), class: Class::Bug }))
    }

    async fn on_attempts<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AttemptLog) -> Result<T, AttemptsError> + Send + 'static,
    ) -> Result<T, AttemptsError> {
        let attempts = Arc::clone(&self.shared.attempts);
        let read = tokio::task::spawn_blocking(move || work(&attempts));
        read.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    async fn ask<T>(
        &self,
        connection: ConnectionId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, CommandError> {
        let mailbox = self.shared.mailbox(connection).ok_or(CommandError::Unknown)?;
        // What is asked for is done by the connections that were said before.
        tokio::select! {
            () = self.all_have_heard() => {}
            () = mailbox.closed() => return Err(CommandError::Stopped),
        }
        let (reply, answer) = oneshot::channel();
        mailbox.send(command(reply)).await.map_err(|_| CommandError::Stopped)?;
        answer.await.map_err(|_| CommandError::Stopped)
    }

    async fn all_have_heard(&self) {
        let newest = |heard_of: &Option<Arc<[Connection]>>| match (
            heard_of,
            &*self.shared.connections.borrow(),
        ) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        // Its sender lives as long as we do.
        drop(self.shared.heard_of.subscribe().wait_for(newest).await);
    }
}
