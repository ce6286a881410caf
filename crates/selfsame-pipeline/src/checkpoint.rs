//! Fuzzy checkpoints: the state is written back beside the fold, not in its way.
//!
//! ```text
//! engine                                         checkpoint thread
//!   freeze at C: keys of dirty rows, ids     ->    sections and chunks, in batches of 4 MB,
//!   ... folds on ...                                 each behind durable(outbox)
//!                                            <-    the run of message ids
//!   installs the run, makes the manifest     ->    one batch: exact rows, the state's row, the
//!   ... folds on ...                                 manifest; synced
//!   marks what was written               <-    done
//! ```
//!
//! A section that is written may be ahead of C; it says so. The exact rows are as of C. So after a
//! crash folding goes on from C, and passes over what a section already has.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use selfsame_dedupe::{Frozen, RunError, RunInfo};
use selfsame_event::Position;
use selfsame_log::{LogRead, RegenerableLog};
use selfsame_store::{Batch, Durability, StoreError, Table};

use crate::key::InSpace;
use crate::row::folded_to;
use crate::state::{MANIFEST_KEY, META_KEY, State, StateError};
use crate::tables::{ExactKeys, Tables};

const BATCH_BYTES: usize = 4 << 20;

/// Why a checkpoint was not made. The state on disk is that of the one before.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The outbox could not be made durable.
    #[error("the outbox could not be made durable")]
    Outbox(#[from] selfsame_log::AppendError),
    /// The thread could not be started or has stopped.
    #[error("the checkpoint thread is not running")]
    Stopped,
}

impl From<StoreError> for CheckpointError {
    fn from(error: StoreError) -> Self {
        Self::State(error.into())
    }
}

/// What is written back, frozen at a position.
#[derive(Debug)]
struct Job {
    next: Position,
    exact: ExactKeys,
    meta: Vec<u8>,
    frozen: Frozen,
    seen_folder: PathBuf,
    dirty: Vec<Vec<InSpace<selfsame_event::IdentifierKey>>>,
}

#[derive(Debug)]
enum Answer {
    /// The run of message ids is written; its manifest is awaited.
    Run(RunInfo),
    /// All is durable.
    Done {
        next: Position,
        keys: ExactKeys,
    },
    Failed(CheckpointError),
}

/// Runs checkpoints on a thread of its own, one at a time.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    jobs: Option<SyncSender<Job>>,
    manifests: SyncSender<Vec<u8>>,
    answers: Receiver<Answer>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    is_running: bool,
    /// A merge of runs of message ids, beside everything else: it may take seconds.
    merge: Option<JoinHandle<Result<RunInfo, RunError>>>,
    manifest: Vec<u8>,
    /// The next record to fold of the last checkpoint and of the one before it.
    pub(crate) done: [Option<Position>; 2],
}

impl Checkpointer {
    pub(crate) fn start(
        tables: Arc<Tables>,
        outbox: Option<Arc<RegenerableLog>>,
    ) -> Result<Self, CheckpointError> {
        let (jobs, incoming) = sync_channel::<Job>(1);
        let (manifests, manifest) = sync_channel(1);
        let (answer, answers) = sync_channel(2);
        let behind = Behind { outbox, stop: Arc::default() };
        let stop = Arc::clone(&behind.stop);
        let work = move || {
            for job in incoming {
                let answered = match write(&tables, &behind, job, &answer, &manifest) {
                    Ok((next, keys)) => Answer::Done { next, keys },
                    Err(error) => Answer::Failed(error),
                };
                if answer.send(answered).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(work);
        let thread = Some(thread.map_err(|_| CheckpointError::Stopped)?);
        Ok(Self {
            jobs: Some(jobs),
            manifests,
            answers,
            stop,
            thread,
            is_running: false,
            merge: None,
            manifest: Vec::new(),
            done: [None; 2],
        })
    }

    pub(crate) fn is_running(&self) -> bool {
        self.is_running
    }

    /// Freezes the state as it is and begins to write it back.
    pub(crate) fn begin(&mut self, state: &mut State) -> Result<(), CheckpointError> {
        debug_assert!(!self.is_running, "one checkpoint at a time");
        let exact = state.tables.freeze_exact();
        let meta = serde_json::to_vec(&state.meta).map_err(StateError::Meta)?;
        let partitions = &state.tables.partitions;
        let job = Job {
            next: state.next(),
            exact,
            meta,
            frozen: state.dedupe.freeze(),
            seen_folder: state.dedupe.dir().to_owned(),
            dirty: partitions.iter().map(|partition| partition.sections.take_dirty()).collect(),
        };
        let jobs = self.jobs.as_ref().ok_or(CheckpointError::Stopped)?;
        jobs.send(job).map_err(|_| CheckpointError::Stopped)?;
        self.is_running = true;
        Ok(())
    }

    /// Does the engine's part of a running checkpoint, waiting at most so long for the thread's.
    /// Says whether one has just ended.
    pub(crate) fn poll(
        &mut self,
        state: &mut State,
        wait: Duration,
    ) -> Result<bool, CheckpointError> {
        self.tend_merge(state)?;
        if !self.is_running {
            return Ok(false);
        }
        match self.answers.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(CheckpointError::Stopped),
            Ok(Answer::Run(info)) => {
                state.dedupe.installed(info);
                self.manifest = state.dedupe.manifest();
                let sent = self.manifests.send(self.manifest.clone());
                sent.map_err(|_| CheckpointError::Stopped)?;
                Ok(false)
            }
            Ok(Answer::Done { next, keys }) => {
                self.is_running = false;
                self.done = [Some(next), self.done[0]];
                state.tables.exact_written(&keys);
                let discard = state.dedupe.stored(&[&self.manifest]);
                if let Err(error) = discard.remove() {
                    tracing::warn!(error = %error, "files of old message ids could not be removed");
                }
                Ok(true)
            }
            Ok(Answer::Failed(error)) => Err(error),
        }
    }

    /// Takes the result of a merge that has ended, and begins the next one that is worth doing. One
    /// that fails is offered again.
    fn tend_merge(&mut self, state: &mut State) -> Result<(), CheckpointError> {
        if self.merge.as_ref().is_some_and(|merge| !merge.is_finished()) {
            return Ok(());
        }
        match self.merge.take().map(JoinHandle::join) {
            Some(Ok(Ok(info))) => state.dedupe.installed(info),
            Some(Ok(Err(error))) => {
                tracing::warn!(error = %error, "runs of message ids could not be merged");
                return Ok(());
            }
            Some(Err(_)) => return Err(CheckpointError::Stopped),
            None => {}
        }
        if let Some(merge) = state.dedupe.plan_merge() {
            let thread = std::thread::Builder::new().name("merge".to_owned());
            let run = thread.spawn(move || merge.run()).map_err(|_| CheckpointError::Stopped)?;
            self.merge = Some(run);
        }
        Ok(())
    }

    /// Makes a checkpoint of the state as it is, and waits for it.
    pub(crate) fn run_now(&mut self, state: &mut State) -> Result<(), CheckpointError> {
        const WAIT: Duration = Duration::from_secs(3600);
        while self.is_running {
            self.poll(state, WAIT)?;
        }
        self.begin(state)?;
        while !self.poll(state, WAIT)? {}
        Ok(())
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        drop(self.jobs.take());
        // A thread that waits for a manifest sees that nobody will send one.
        let (nobody, _) = sync_channel(1);
        self.manifests = nobody;
        if self.merge.take().is_some_and(|merge| merge.join().is_err())
            || self.thread.take().is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("a thread of the checkpoints panicked");
        }
    }
}

fn write(
    tables: &Tables,
    behind: &Behind,
    mut job: Job,
    answers: &SyncSender<Answer>,
    manifests: &Receiver<Vec<u8>>,
) -> Result<(Position, ExactKeys), CheckpointError> {
    // In the order of the keys the store takes them with half the work.
    job.dirty.iter_mut().for_each(|anchors| anchors.sort_unstable());
    job.exact.sort();
    write_sections(tables, behind, &job.dirty)?;
    let info = job.frozen.write(&job.seen_folder).map_err(StateError::from)?;
    answers.send(Answer::Run(info)).map_err(|_| CheckpointError::Stopped)?;
    let manifest = manifests.recv().map_err(|_| CheckpointError::Stopped)?;
    let mut batch = Batch::default();
    tables.write_exact(&job.exact, &mut batch);
    batch.put(Table::Meta, META_KEY, job.meta);
    batch.put(Table::Layout, MANIFEST_KEY, manifest);
    behind.wait(job.next)?;
    tables.store.commit(batch, Durability::Synced)?;
    Ok((job.next, job.exact))
}

fn write_sections(
    tables: &Tables,
    outbox: &Behind,
    dirty: &[Vec<InSpace<selfsame_event::IdentifierKey>>],
) -> Result<(), CheckpointError> {
    for (partition, anchors) in tables.partitions.iter().zip(dirty) {
        let mut rest = anchors.as_slice();
        loop {
            let (mut batch, mut behind) = (Batch::default(), Position::default());
            let mut count = 0;
            while let Some(anchor) = rest.get(count).filter(|_| batch.bytes() < BATCH_BYTES) {
                partition.sections.write_back(anchor, &mut batch, |section| {
                    behind = behind.max(folded_to(section).next());
                });
                count += 1;
            }
            // After the sections: every chunk that one of them points to is in this batch or before.
            let chunks = partition.chunks.take_dirty();
            chunks.iter().for_each(|chunk| partition.chunks.write_back(chunk, &mut batch, |_| ()));
            if !batch.is_empty() {
                outbox.wait(behind)?;
                // Little by little: the log's syncs wait for what the disk has to take at once.
                tables.store.commit(batch, Durability::Synced)?;
            }
            let (written, left) = rest.split_at(count);
            partition.sections.written(written);
            partition.chunks.written(&chunks);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// What the state on disk stays behind.
struct Behind {
    outbox: Option<Arc<RegenerableLog>>,
    stop: Arc<AtomicBool>,
}

impl Behind {
    /// Waits until the outbox is durable up to a position. A section may have been taken in the
    /// middle of a batch whose decisions the engine is about to append: were it written before them,
    /// a crash would leave a section that is folded further than what was decided is known.
    fn wait(&self, end: Position) -> Result<(), CheckpointError> {
        const PAUSE: Duration = Duration::from_micros(200);
        let Some(outbox) = &self.outbox else { return Ok(()) };
        while outbox.end() < end {
            if self.stop.load(Ordering::Acquire) {
                return Err(CheckpointError::Stopped);
            }
            std::thread::park_timeout(PAUSE);
        }
        if outbox.synced() < end {
            outbox.sync()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
