//! When the engine appends ticks: records that let the moments come at which values of profiles change
//! though nothing happens.
//!
//! A tick is appended only if a moment has come, and only behind the one before it. Its record names the
//! last moment that it lets come, so that its step does the same in every replay.

use selfsame_event::{Clock, Position, RecordId, RecordKind, Time};
use selfsame_log::{AppendError, Appended, NewRecord};

use crate::computed::ComputedRecord;
use crate::state::State;

/// How many moments one record lets come.
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
}

impl Ticking {
    /// The record that is to be appended now, if one is.
    pub(crate) fn record(&mut self, state: &State, clock: &dyn Clock) -> Option<NewRecord> {
        if state.recall.is_on() || self.last.is_some_and(|last| state.next() <= last) {
            return None;
        }
        let now = clock.wall();
        let (due, key) = state.timers.through(now, MOST)?;
        if clock.monotonic_micros() < self.not_before {
            return None;
        }
        self.due = due;
        let head = ComputedRecord::tick(due, key.space, key.key).encode();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&due.micros().to_be_bytes());
        id[8..].copy_from_slice(&state.next().offset.to_be_bytes());
        id[8] ^= 0x74;
        Some(NewRecord {
            id: RecordId(id),
            kind: RecordKind::Computed as u8,
            head: head.into(),
            items: Vec::new(),
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
