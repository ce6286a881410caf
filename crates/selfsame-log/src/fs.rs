//! The few file operations that a log needs, behind a trait so that a test can lose, tear and
//! refuse them.
//!
//! **Invariants** that the log builds on: what was written before a successful [`File::sync_data`]
//! of the same file survives a power cut; names survive after [`Fs::sync_dir`] of their folder;
//! [`Fs::rename`] over an old name shows either the old or the new file, whole.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

mod real;

pub use real::RealFs;

/// An open file. All calls name their place, none moves a shared cursor.
pub trait File: Send + Sync + fmt::Debug {
    /// Reads from `position` until the buffer or the file ends; returns how many bytes it read.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Writes all bytes at `position`. After an error any part of them may be written.
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    /// Makes all that was written to this file durable, its size included.
    fn sync_data(&self) -> io::Result<()>;
    /// The size in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Cuts or grows (with zeros) the file.
    fn truncate(&self, size: u64) -> io::Result<()>;
    /// Reserves space up to `size` and grows the file to it with zeros.
    fn allocate(&self, size: u64) -> io::Result<()>;
}

/// A file system.
pub trait Fs: Send + Sync + fmt::Debug {
    /// Creates the folder and its parents where they are missing, durably.
    fn create_dir(&self, folder: &Path) -> io::Result<()>;
    /// Creates a file, emptying an old one of the same name.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens a file that exists, for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Gives a file a new name, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file a second name, which nothing may have yet.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names of the files in a folder, in no order.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes all names of the folder durable.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;
    /// Takes the folder for this process alone, until the result is dropped.
    fn lock(&self, folder: &Path) -> io::Result<Box<dyn Lock>>;
}

/// A folder taken for one process; dropping it gives the folder back.
pub trait Lock: Send + Sync + fmt::Debug {}

/// Whether the error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
