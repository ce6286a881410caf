//! A file system in memory that forgets what was not synced, for tests of what must survive.
//!
//! It knows what each file and folder holds for the running process, what of that is durable, and
//! the writes in between. At each sync, before and after, it can take a [`Snapshot`]; each snapshot
//! gives any number of crash images, in which every unsynced write of a sector, change of size and
//! change of a name is kept or lost on its own. It can also fail the n-th call of a kind.
//!
//! A failed sync behaves as on Linux: what was to be written may be lost, the process still sees
//! it, and no later sync brings it back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fs::{File, Fs, Lock};

mod disk;

use disk::{Disk, NameChange};

/// A kind of call that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`File::write_at`]; some of its sectors are written all the same.
    Write,
    /// [`File::sync_data`].
    Sync,
    /// [`Fs::sync_dir`].
    SyncDir,
    /// [`File::allocate`].
    Allocate,
    /// [`File::truncate`].
    Truncate,
    /// [`Fs::create`], [`Fs::rename`], [`Fs::link`] or [`Fs::remove`].
    Name,
}

/// What a call fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The device failed.
    Broken,
    /// There is no room.
    Full,
}

impl Failure {
    fn error(self) -> io::Error {
        match self {
            Self::Broken => io::Error::other("injected failure of the device"),
            Self::Full => io::ErrorKind::StorageFull.into(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    call: Call,
    /// Succeeds so many times first.
    after: u64,
    failure: Failure,
    /// How many times it fails.
    times: u64,
}

/// A file system in memory that forgets what was not synced. Clones share the disk.
#[derive(Debug, Clone, Default)]
pub struct FaultFs {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    disk: Disk,
    locked: BTreeSet<PathBuf>,
    plans: Vec<Plan>,
    seen: BTreeMap<u8, u64>,
    recording: Option<Vec<Arc<AtomicU64>>>,
    snapshots: Vec<Snapshot>,
}

/// What a disk holds at one moment, and what was promised until then.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The values that the recorded counters had.
    pub promised: Vec<u64>,
    disk: Disk,
}

impl Snapshot {
    /// What a crash at this moment may leave; another for each seed. Seeds 0 and 1 lose and keep
    /// everything that was not synced.
    pub fn image(&self, seed: u64) -> FaultFs {
        FaultFs::from_disk(self.disk.crash(seed))
    }

    /// Whether anything was unsynced, so that images differ.
    pub fn is_uncertain(&self) -> bool {
        self.disk.is_uncertain()
    }
}

impl FaultFs {
    fn from_disk(disk: Disk) -> Self {
        let state = Mutex::new(State { disk, ..State::default() });
        Self { shared: Arc::new(Shared { state }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a snapshot at each sync from now on, before and after, noting these counters.
    pub fn record(&self, promised: Vec<Arc<AtomicU64>>) {
        self.state().recording = Some(promised);
    }

    /// The snapshots taken until now; they are handed over.
    pub fn take_snapshots(&self) -> Vec<Snapshot> {
        std::mem::take(&mut self.state().snapshots)
    }

    /// What a crash now may leave.
    pub fn image(&self, seed: u64) -> Self {
        Self::from_disk(self.state().disk.crash(seed))
    }

    /// Lets a call succeed `after` times, and then fail `times` times.
    pub fn fail(&self, call: Call, after: u64, failure: Failure, times: u64) {
        let mut state = self.state();
        let after = after + state.count(call);
        state.plans.push(Plan { call, after, failure, times });
    }

    /// Lets all calls succeed again.
    pub fn heal(&self) {
        self.state().plans.clear();
    }

    /// How many calls of a kind were made.
    pub fn count(&self, call: Call) -> u64 {
        self.state().count(call)
    }

    /// The bytes of a file, as the process sees them.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        self.state().disk.bytes(path).map(<[u8]>::to_vec)
    }

    /// Puts a file there, durably, replacing an old one: damage, or a file from elsewhere.
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        self.state().disk.put(path, bytes);
    }
}

impl State {
    fn count(&self, call: Call) -> u64 {
        self.seen.get(&(call as u8)).copied().unwrap_or(0)
    }

    /// Counts a call; the error if it must fail.
    fn call(&mut self, call: Call) -> io::Result<()> {
        let seen = self.seen.entry(call as u8).or_default();
        let number = *seen;
        *seen += 1;
        let plan = self.plans.iter().find(|plan| {
            plan.call == call
                && (plan.after..plan.after.saturating_add(plan.times)).contains(&number)
        });
        plan.map_or(Ok(()), |plan| Err(plan.failure.error()))
    }

    fn snapshot(&mut self) {
        let Some(promised) = &self.recording else { return };
        let promised = promised.iter().map(|counter| counter.load(Ordering::SeqCst)).collect();
        self.snapshots.push(Snapshot { promised, disk: self.disk.clone() });
    }
}

#[derive(Debug)]
struct FaultFile {
    fs: FaultFs,
    number: u64,
}

impl File for FaultFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        Ok(self.fs.state().disk.file(self.number).read(buffer, position))
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut state = self.fs.state();
        let called = state.call(Call::Write);
        let part = if called.is_ok() { bytes.len() } else { bytes.len() / 2 };
        let bytes = bytes.get(..part).unwrap_or_default();
        state.disk.file_mut(self.number).write(bytes, position);
        called
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.fs.state();
        state.snapshot();
        let called = state.call(Call::Sync);
        match &called {
            Ok(()) => state.disk.file_mut(self.number).sync(),
            Err(_) => state.disk.fail_sync(self.number),
        }
        state.snapshot();
        called
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.fs.state().disk.file(self.number).size())
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        let mut state = self.fs.state();
        state.call(Call::Truncate)?;
        state.disk.file_mut(self.number).resize(size);
        Ok(())
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        let mut state = self.fs.state();
        state.call(Call::Allocate)?;
        let file = state.disk.file_mut(self.number);
        if file.size() < size {
            file.resize(size);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct FaultLock {
    fs: FaultFs,
    folder: PathBuf,
}

impl Lock for FaultLock {}

impl Drop for FaultLock {
    fn drop(&mut self) {
        self.fs.state().locked.remove(&self.folder);
    }
}

impl Fs for FaultFs {
    fn create_dir(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.state();
        state.call(Call::Name)?;
        let number = state.disk.create(path);
        Ok(Arc::new(FaultFile { fs: self.clone(), number }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let number = self.state().disk.find(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultFile { fs: self.clone(), number }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Name)?;
        let number = state.disk.find(from).ok_or(io::ErrorKind::NotFound)?;
        let (from, to) = (from.to_path_buf(), to.to_path_buf());
        state.disk.change(NameChange { removed: Some(from), added: Some((to, number)) });
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Name)?;
        let number = state.disk.find(from).ok_or(io::ErrorKind::NotFound)?;
        if state.disk.find(to).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.disk.change(NameChange { removed: None, added: Some((to.to_path_buf(), number)) });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Name)?;
        state.disk.find(path).ok_or(io::ErrorKind::NotFound)?;
        state.disk.change(NameChange { removed: Some(path.to_path_buf()), added: None });
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        Ok(self.state().disk.list(folder))
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.snapshot();
        state.call(Call::SyncDir)?;
        state.disk.sync_dir(folder);
        state.snapshot();
        Ok(())
    }

    fn lock(&self, folder: &Path) -> io::Result<Box<dyn Lock>> {
        if !self.state().locked.insert(folder.to_path_buf()) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(Box::new(FaultLock { fs: self.clone(), folder: folder.to_path_buf() }))
    }
}

#[cfg(test)]
mod tests;
