//! A log in memory, for tests of those who use one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_event::{Clock, ItemPosition, Position};
use tokio::sync::watch;

use crate::error::{AppendError, ReadError};
use crate::log::{Append, Appended, Log, LogRead};
use crate::log_time::Stamper;
use crate::progress::Progress;
use crate::record::{NewRecord, Record};

/// A log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    clock: Arc<dyn Clock>,
    progress: Progress,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    first: u64,
    records: Vec<Record>,
    stamper: Stamper,
    /// How many more appends succeed, if not all.
    left: Option<u64>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let stamper = Stamper::new(None);
        let state = State { first: 0, records: Vec::new(), stamper, left: None };
        Self { clock, progress: Progress::new(0), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all appends fail after so many more.
    pub fn fail_after(&self, appends: u64) {
        self.state().left = Some(appends);
    }

    /// Erases the bodies of these items. Returns how many there were.
    pub fn erase(&self, items: &[ItemPosition]) -> u64 {
        let mut state = self.state();
        let first = state.first;
        let mut erased = 0;
        for item in items.iter().filter(|item| item.record.partition == 0) {
            let index = item.record.offset.checked_sub(first).and_then(|i| usize::try_from(i).ok());
            let Some(record) = index.and_then(|index| state.records.get_mut(index)) else {
                continue;
            };
            let body = usize::try_from(item.index).ok().and_then(|index| record.items.get(index));
            if body.is_some_and(|body| body.body().is_some()) {
                *record = record.without(&[item.index]);
                erased += 1;
            }
        }
        erased
    }

    /// Removes the records below the position.
    pub fn trim_to(&self, position: Position) {
        let mut state = self.state();
        let end = state.first + state.records.len() as u64;
        let first = position.offset.clamp(state.first, end);
        let count = usize::try_from(first - state.first).unwrap_or(usize::MAX);
        state.records.drain(..count);
        state.first = first;
    }
}

impl State {
    fn index(&self, position: Position) -> Result<usize, ReadError> {
        let (first, end) = (self.first, self.first + self.records.len() as u64);
        if position.partition != 0 {
            Err(ReadError::Partition(position.partition))
        } else if position.offset > end {
            Err(ReadError::Beyond { position, end: Position::embedded(end) })
        } else if position.offset < first {
            Err(ReadError::Trimmed { position, first: Position::embedded(first) })
        } else {
            Ok(usize::try_from(position.offset - first).unwrap_or(usize::MAX))
        }
    }
}

impl LogRead for MemoryLog {
    fn first(&self) -> Position {
        Position::embedded(self.state().first)
    }

    fn end(&self) -> Position {
        Position::embedded(self.progress.end())
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let state = self.state();
        let from = state.index(from)?;
        let mut records = Vec::new();
        let mut room = max_bytes;
        for record in state.records.iter().skip(from) {
            let size = record.size();
            if size > room && !records.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            records.push(record.clone());
        }
        Ok(records)
    }

    fn get(&self, position: Position) -> Result<Record, ReadError> {
        let state = self.state();
        let record = state.records.get(state.index(position)?);
        record.cloned().ok_or(ReadError::Beyond { position, end: position })
    }

    fn wait_beyond(&self, position: Position, timeout: Duration) -> bool {
        self.progress.wait_beyond(position.offset, timeout)
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }
}

impl Log for MemoryLog {
    fn append(&self, record: NewRecord) -> Append {
        let mut state = self.state();
        match &mut state.left {
            Some(0) => {
                let error = Arc::new(std::io::Error::other("told to fail"));
                return Append::decided(Err(AppendError::Failed(error)));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let time = state.stamper.stamp(&*self.clock, false).time;
        let position = Position::embedded(state.first + state.records.len() as u64);
        state.records.push(record.into_record(position, time));
        self.progress.set(position.offset + 1);
        Append::decided(Ok(Appended { position, time }))
    }
}
