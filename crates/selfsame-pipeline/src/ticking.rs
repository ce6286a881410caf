//! When the engine appends ticks: records that let the moments come at which values of profiles change
//! though nothing happens.
//!
//! A tick is appended only if a moment has come, and only behind the one before it. Its record names the
//! last moment that it lets come, so that its step does the same in every replay. Accounts are named one by one: which
//! of them to look at is no part of the state.

use selfsame_event::{Clock, Position, RecordId, RecordKind, Time};
use selfsame_log::{AppendError, Appended, Item, NewRecord};

use crate::computed::{ComputedRecord, Due};
use crate::state::State;

/// How many moments one record lets come; an account counts as its users.
const MOST: usize = 5_000;
/// How long to wait where the log's time has not come to the moment yet.
const PATIENCE_MICROS: u64 = 100_000;
/// How long to wait where the log took no record.
const FAILED_MICROS: u64 = 1_000_000;

/// What was appended last.
#[derive(Debug, Default)]
pub(crate) struct Ticking {
    last: Option<Position>,
    due: Time,
    not_before: u64,
    /// Whether the last one let moments of accounts come: where both have some, they take turns.
    was_of_accounts: bool,
}

impl Ticking {
    /// The record that is to be appended now, if one is.
    pub(crate) fn record(&mut self, state: &State, clock: &dyn Clock) -> Option<NewRecord> {
        if state.recall.is_on() || self.last.is_some_and(|last| state.next() <= last) {
            return None;
        }
        let now = clock.wall();
        let of_users = state.timers.through(now, MOST);
        // A mark is as old as the log's time when it was made, which may be ahead of a clock that was set back.
        let of_accounts = state.account_timers.come(now.max(state.log_time())).next();
        if (of_users, of_accounts) == (None, None) || clock.monotonic_micros() < self.not_before {
            return None;
        }
        self.was_of_accounts = match (of_users, of_accounts) {
            (Some(_), Some(_)) => !self.was_of_accounts,
            (of_users, _) => of_users.is_none(),
        };
        let (head, items) = match of_users.filter(|_| !self.was_of_accounts) {
            Some((due, key)) => {
                self.due = due;
                (ComputedRecord::tick(due, key.space, key.key), Vec::new())
            }
            None => {
                self.due = Time::EPOCH;
                accounts(state, now.max(state.log_time()), of_accounts?.1.space)?
            }
        };
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.due.micros().to_be_bytes());
        id[8..].copy_from_slice(&state.next().offset.to_be_bytes());
        id[8] ^= 0x74;
        Some(NewRecord {
            id: RecordId(id),
            kind: RecordKind::Computed as u8,
            head: head.encode().into(),
            items,
        })
    }

    /// Notes what became of the record, and says whether it is in the log. The log's time may be behind the
    /// wall clock, which it believes slowly; and a log that takes nothing, as on a full disk, is asked again:
    /// until then readers evaluate for themselves what is due.
    pub(crate) fn appended(
        &mut self,
        appended: &Result<Appended, AppendError>,
        clock: &dyn Clock,
    ) -> bool {
        let is_late = match appended {
            Ok(appended) => {
                self.last = Some(appended.position);
                appended.time < self.due
            }
            Err(error) => {
                tracing::warn!(%error, "moments of computed values wait: the log takes no record");
                true
            }
        };
        if is_late {
            let patience = if appended.is_ok() { PATIENCE_MICROS } else { FAILED_MICROS };
            self.not_before = clock.monotonic_micros().saturating_add(patience);
        }
        appended.is_ok()
    }
}

/// The record that has the accounts of a space evaluated whose moment has come, those that wait longest.
fn accounts(state: &State, now: Time, space: u32) -> Option<(ComputedRecord, Vec<Item>)> {
    let slot = usize::try_from(space).unwrap_or(usize::MAX);
    let space_id = state.meta().workspace.spaces.get(slot)?.id.clone();
    let mut sum = 0;
    let mut fits = |(_, key): &Due| {
        let is_first = sum == 0;
        sum += state.account_weight(*key);
        is_first || sum <= MOST
    };
    let due = state.account_timers.come(now).filter(|(_, key)| key.space == space);
    let named = due.take_while(|due| fits(due)).map(|(_, key)| key.key.to_bytes().to_vec());
    let items = named.map(|item| Item::Body(item.into())).collect();
    Some((ComputedRecord::Accounts { space: space_id }, items))
}
