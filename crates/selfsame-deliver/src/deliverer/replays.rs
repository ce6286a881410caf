//! Beginning replays, and making room for them.

use selfsame_event::ItemPosition;
use tokio::task::JoinSet;
use tracing::info;

use super::{All, Deliverer};
use crate::connection::ConnectionId;
use crate::image::Known;
use crate::record::{Entry, Record};
use crate::replay::{MAX_REPLAYS, Replay, ReplayError, ReplayWish};
use crate::runner::append;
use crate::shared::AskReplay;

impl Deliverer {
    pub(super) async fn take_ask(
        &self,
        ask: AskReplay,
        running: &mut All,
        tasks: &mut JoinSet<()>,
    ) {
        let AskReplay { connection, wish, reply } = ask;
        let begun = self.begin_replay(connection, wish, running, tasks).await;
        // A reply that nobody waits for any more is no loss.
        reply.send(begun).ok();
    }

    async fn begin_replay(
        &self,
        id: ConnectionId,
        wish: ReplayWish,
        running: &mut All,
        tasks: &mut JoinSet<()>,
    ) -> Result<Replay, ReplayError> {
        let task = running.get(&id).ok_or(ReplayError::Unknown)?;
        let connection = task.connection.borrow().clone();
        let cursor = self.shared.status(id).ok_or(ReplayError::Unknown)?.cursor;
        let from = wish.from.max(self.parts.feed.first());
        let to = wish.to.min(cursor);
        if from >= to {
            return Err(ReplayError::Ahead);
        }
        let number = self.room_for(id, running).await?;
        let wish = ReplayWish { from, to, ..wish };
        let begun = self.parts.clock.wall();
        let replay = Replay { connection: id, number, wish, begun, is_cancelled: false };
        let record = Record { connection: replay.id(), entry: Entry::Replay(replay.clone()) };
        let offset = append(&*self.parts.ledger, &record).await;
        self.shared.appended(offset);
        info!(connection_id = %id, number, records = records(from, to), "a replay begins");
        let known = Known::of_replay(replay.clone(), offset);
        running.insert(replay.id(), self.start(&connection, known, tasks));
        Ok(replay)
    }

    /// The number of the next replay of a connection. Gives up the oldest that is over, if there are many.
    async fn room_for(&self, id: ConnectionId, running: &mut All) -> Result<u32, ReplayError> {
        let of = running.values().filter(|task| task.is_replay_of(id)).count();
        let known = self.shared.replays(id);
        if of >= MAX_REPLAYS {
            let old = known.iter().find(|one| one.is_over() && one.tally.dead == 0);
            let old = old.ok_or(ReplayError::TooMany)?;
            self.remove(old.replay.id(), running).await;
        }
        Ok(known.last().map_or(1, |last| last.replay.number + 1))
    }
}

fn records(from: ItemPosition, to: ItemPosition) -> u64 {
    to.record.offset.saturating_sub(from.record.offset)
}
