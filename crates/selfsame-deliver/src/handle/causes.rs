//! Dead letters by their causes.

use super::{CommandError, DelivererHandle};
use crate::attempts::AttemptsError;
use crate::cause::{self, Caused, OfCause};
use crate::connection::ConnectionId;
use crate::replay::Replay;
use crate::status::{PageRequest, Selection};

/// Letters that are asked for together.
const PAGE: usize = 10_000;

/// Why causes cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum CausesError {
    /// The connection did not answer.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Its attempts cannot be read.
    #[error(transparent)]
    Attempts(#[from] AttemptsError),
}

impl DelivererHandle {
    /// The dead letters of a connection, or of a replay of it, by cause: the most frequent one first.
    pub async fn dead_causes(
        &self,
        connection: ConnectionId,
        replay: Option<&Replay>,
    ) -> Result<Vec<OfCause>, CausesError> {
        Ok(cause::grouped(self.caused(connection, replay).await?))
    }

    /// Sends dead letters of a cause again, with the keys that they had: the first ones, at most so many.
    /// Returns how many.
    pub async fn resend_cause(
        &self,
        connection: ConnectionId,
        replay: Option<&Replay>,
        cause: &str,
        limit: usize,
    ) -> Result<usize, CausesError> {
        let caused = self.caused(connection, replay).await?;
        let of = caused.into_iter().filter(|(_, one)| one.id() == cause);
        let places = of.take(limit).map(|(letter, _)| letter.effect.at).collect();
        let id = replay.map_or(connection, Replay::id);
        Ok(self.resend(id, Selection::These(places)).await?)
    }

    async fn caused(
        &self,
        connection: ConnectionId,
        replay: Option<&Replay>,
    ) -> Result<Caused, CausesError> {
        let id = replay.map_or(connection, Replay::id);
        let number = replay.map_or(0, |replay| replay.number);
        let (mut letters, mut after) = (Vec::new(), None);
        loop {
            let page = self.dead_letters(id, PageRequest { after, limit: PAGE }).await?;
            letters.extend(page.letters);
            after = page.after;
            if after.is_none() {
                break;
            }
        }
        let find = move |attempts: &crate::attempts::AttemptLog| {
            cause::caused(attempts, (connection, number), &letters)
        };
        Ok(self.on_attempts(find).await?)
    }
}
