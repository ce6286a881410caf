//! The durable log in files.
//!
//! One thread takes all waiting appends, gives them one log time, writes them as one block, syncs
//! it, shows them to readers, and acknowledges them. While it syncs, the next group gathers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use selfsame_event::{Clock, ItemPosition, Position};
use tokio::sync::{oneshot, watch};

use crate::appender::Appender;
use crate::chain::Chain;
use crate::config::{LogConfig, LogStats, Recovery};
use crate::error::{AppendError, KeepError, OpenError, ReadError};
use crate::fs::Fs;
use crate::log::{Acknowledge, Append, Appended, Log, LogRead};
use crate::log_time::Stamper;
use crate::record::{NewRecord, Record};
use crate::recover::{Mode, recover};
use crate::sealer::Sealer;

/// The durable log in files.
#[derive(Debug)]
pub struct SegmentLog {
    chain: Arc<Chain>,
    shared: Arc<Shared>,
    recovery: Recovery,
    record_limit: usize,
    backlog_bytes: usize,
    backlog_records: usize,
    committer: Option<JoinHandle<()>>,
    sealer: Arc<Sealer>,
}

/// Who waits until an erasure can begin.
type Acknowledged = oneshot::Sender<Result<(), AppendError>>;

/// What callers and the committing thread share.
#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    accept_clock: AtomicBool,
    held_micros: AtomicI64,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<(NewRecord, usize, Acknowledge)>,
    bytes: usize,
    /// Those who are about to erase, each with the last offset.
    erasures: Vec<(u64, Acknowledged)>,
    closed: bool,
    /// Why nothing is taken any more.
    failed: Option<AppendError>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SegmentLog {
    /// Opens the log in the folder, or begins one.
    pub fn open(
        config: &LogConfig,
        clock: Arc<dyn Clock>,
        fs: Arc<dyn Fs>,
    ) -> Result<Self, OpenError> {
        let (chain, recovery) = recover(config, fs, Mode::Durable)?;
        let chain = Arc::new(chain);
        let shared = Arc::new(Shared::default());
        let thread = OpenError::io("start a thread");
        let sealer = Arc::new(Sealer::start(Arc::clone(&chain)).map_err(thread)?);
        sealer.ask();
        let committer = Committer {
            appender: Appender::new(Arc::clone(&chain), Arc::clone(&clock), config.segment_bytes),
            stamper: Stamper::new(chain.last_time()),
            clock,
            shared: Arc::clone(&shared),
            chain: Arc::clone(&chain),
            sealer: Arc::clone(&sealer),
            group_bytes: config.group_limit_bytes,
        };
        let committer = std::thread::Builder::new()
            .name("log-commit".into())
            .spawn(move || committer.run())
            .map_err(OpenError::io("start a thread"))?;
        Ok(Self {
            chain,
            shared,
            recovery,
            record_limit: config.record_limit_bytes.min(crate::frame::MAX_SIZE),
            backlog_bytes: config.backlog_limit_bytes,
            backlog_records: config.backlog_limit_records,
            committer: Some(committer),
            sealer,
        })
    }

    /// What was found when the log was opened.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Erases the bodies of these items, in the files and in memory; the records keep their
    /// position, id, time, head and number of items. Items that are not there, or erased already,
    /// are passed over. Returns how many bodies there were. Blocks while files are rewritten.
    pub fn erase(&self, items: &[ItemPosition]) -> Result<u64, KeepError> {
        let Some(last) = items.iter().map(|item| item.record.offset).max() else { return Ok(0) };
        let _none = self.chain.without_spares().map_err(KeepError::io("remove a spare file"))?;
        self.clear_for_erasure(last)?;
        let erased = self.chain.erase(items);
        self.sealer.ask();
        erased
    }

    /// Has the committing thread clear the active segment for an erasure.
    fn clear_for_erasure(&self, last: u64) -> Result<(), AppendError> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut queue = self.shared.queue();
            if let Some(failed) = &queue.failed {
                return Err(failed.clone());
            }
            queue.erasures.push((last, sender));
        }
        self.shared.changed.notify_one();
        receiver.blocking_recv().unwrap_or(Err(AppendError::Closed))
    }

    /// Removes segments that lie wholly below the position. The caller knows that nobody needs them.
    /// Returns how many were removed.
    pub fn trim_to(&self, position: Position) -> Result<u64, KeepError> {
        self.chain.trim(position.offset.min(self.chain.progress.end()))
    }

    /// Seals all closed segments on this thread, if the background has not done so yet.
    pub fn seal(&self) -> Result<(), KeepError> {
        while self.chain.seal_next()? {}
        Ok(())
    }

    /// By how much the wall clock is ahead of what is believed; 0 if it is believed.
    pub fn held_micros(&self) -> i64 {
        self.shared.held_micros.load(Ordering::Relaxed)
    }

    /// Believes the wall clock at the next append, however far it jumped forward.
    pub fn accept_clock(&self) {
        self.shared.accept_clock.store(true, Ordering::Relaxed);
    }

    /// The first offset of each segment, and the bytes that its records take on disk, in order.
    pub fn segment_sizes(&self) -> Vec<(u64, u64)> {
        self.chain.segment_sizes()
    }

    /// Figures, cheap to ask for.
    pub fn stats(&self) -> LogStats {
        LogStats { held_micros: self.held_micros(), ..self.chain.stats() }
    }
}

impl Drop for SegmentLog {
    /// Commits what waits, and stops. Blocks until that is done.
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.changed.notify_one();
        if let Some(committer) = self.committer.take() {
            drop(committer.join());
        }
    }
}

impl LogRead for SegmentLog {
    fn first(&self) -> Position {
        self.chain.position(self.chain.first())
    }

    fn end(&self) -> Position {
        self.chain.position(self.chain.progress.end())
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        self.chain.read(from, max_bytes)
    }

    fn get(&self, position: Position) -> Result<Record, ReadError> {
        self.chain.get(position)
    }

    fn wait_beyond(&self, position: Position, timeout: Duration) -> bool {
        self.chain.progress.wait_beyond(position.offset, timeout)
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.chain.progress.subscribe()
    }
}

impl Log for SegmentLog {
    fn append(&self, record: NewRecord) -> Append {
        let size = record.size();
        if size > self.record_limit {
            let limit = self.record_limit;
            return Append::decided(Err(AppendError::TooLarge { size, limit }));
        }
        let (sender, receiver) = oneshot::channel();
        {
            let mut queue = self.shared.queue();
            if let Some(failed) = &queue.failed {
                return Append::decided(Err(failed.clone()));
            }
            let (records, bytes) = (queue.waiting.len(), queue.bytes);
            if records >= self.backlog_records || bytes > 0 && bytes + size > self.backlog_bytes {
                return Append::decided(Err(AppendError::Backlog { records, bytes }));
            }
            queue.bytes += size;
            queue.waiting.push_back((record, size, sender));
        }
        self.shared.changed.notify_one();
        Append::waiting(receiver)
    }
}

/// The committing thread's own things.
struct Committer {
    appender: Appender,
    stamper: Stamper,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    chain: Arc<Chain>,
    sealer: Arc<Sealer>,
    group_bytes: usize,
}

/// What the thread found to do.
struct Work {
    records: Vec<NewRecord>,
    acknowledge: Vec<Acknowledge>,
    erasures: Vec<(u64, Acknowledged)>,
}

impl Committer {
    fn run(mut self) {
        while let Some(work) = self.take() {
            let active = self.chain.active().first;
            self.commit(work.records, work.acknowledge);
            for (last, erasure) in work.erasures {
                let cleared = self.appender.clear_for_erasure(last, false);
                // Who asked may have given up waiting.
                drop(erasure.send(cleared));
            }
            if self.chain.active().first != active {
                self.sealer.ask();
            }
            if self.appender.failure().is_some() {
                return;
            }
        }
        self.appender.close();
    }

    /// Waits for work; `None` when the log is closed and all is done.
    fn take(&self) -> Option<Work> {
        let idle = |queue: &mut Queue| {
            queue.waiting.is_empty() && queue.erasures.is_empty() && !queue.closed
        };
        let waited = self.shared.changed.wait_while(self.shared.queue(), idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.is_empty() && queue.erasures.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = |(_, size, _): &(NewRecord, usize, Acknowledge)| {
            let first = bytes == 0;
            bytes += size;
            first || bytes <= self.group_bytes
        };
        let count = queue.waiting.iter().take_while({
            let mut fits = fits;
            move |entry| fits(entry)
        });
        let count = count.count();
        let mut work = Work {
            records: Vec::with_capacity(count),
            acknowledge: Vec::with_capacity(count),
            erasures: std::mem::take(&mut queue.erasures),
        };
        for _ in 0..count {
            let Some((record, size, acknowledge)) = queue.waiting.pop_front() else { break };
            queue.bytes -= size;
            work.records.push(record);
            work.acknowledge.push(acknowledge);
        }
        Some(work)
    }

    fn commit(&mut self, records: Vec<NewRecord>, acknowledge: Vec<Acknowledge>) {
        if records.is_empty() {
            return;
        }
        let accept = self.shared.accept_clock.swap(false, Ordering::Relaxed);
        let advance = self.stamper.stamp(&*self.clock, accept);
        if advance.held_micros > 0 && self.shared.held_micros.load(Ordering::Relaxed) == 0 {
            let held_micros = advance.held_micros;
            tracing::error!(held_micros, "wall clock jumped forward and is not believed");
        }
        self.shared.held_micros.store(advance.held_micros, Ordering::Relaxed);
        let time = advance.time;
        let records = records.into_iter().map(|record| (time, record)).collect();
        let written = self.appender.write(records, true);
        if let Err(error) = &written
            && self.appender.failure().is_some()
        {
            // Before the first of this group hears of it, nobody else may be let in.
            self.shared.queue().failed = Some(error.clone());
        }
        for (index, acknowledge) in acknowledge.into_iter().enumerate() {
            let result = written.clone().map(|first| Appended {
                position: self.chain.position(first + index as u64),
                time,
            });
            // Who asked may have given up waiting.
            drop(acknowledge.send(result));
        }
    }

    /// Answers all that wait, and all that will come, with an error.
    fn refuse(&self, error: &AppendError) {
        let mut queue = self.shared.queue();
        queue.failed = Some(error.clone());
        queue.bytes = 0;
        let waiting = std::mem::take(&mut queue.waiting);
        let erasures = std::mem::take(&mut queue.erasures);
        drop(queue);
        for (_, _, acknowledge) in waiting {
            drop(acknowledge.send(Err(error.clone())));
        }
        for (_, erasure) in erasures {
            drop(erasure.send(Err(error.clone())));
        }
    }
}

impl Drop for Committer {
    /// However the thread ends, nobody is left waiting for it.
    fn drop(&mut self) {
        self.refuse(&self.appender.failure().unwrap_or(AppendError::Closed));
    }
}
