//! The files of segments that were sealed, kept for the segments to come.
//!
//! A sealed segment replaces the file that it was written to first. Giving the blocks of that file
//! back makes the file system discard them, for which commits wait, and a new file has to be given
//! others, which every commit then notes. So a few are kept, and a new segment is begun in one of
//! them: its header is written over the old one, and it gets the new segment's name.
//!
//! **Invariants:** a spare has no other name, durably, before anything is written to it; its name
//! is one that the next open removes; what it holds is behind the end of every segment, and bound to
//! another salt; no spare is kept or used while something is erased.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::Chain;
use crate::format::SegmentHeader;
use crate::fs::File;
use crate::segment::{self, Directory, Segment};

/// How many are kept: one for the next segment, and one for when sealing has fallen behind.
const MOST: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Spares {
    files: Vec<Spare>,
    /// Names that may still be there after they could not be removed.
    left: Vec<PathBuf>,
    /// How many erasures are under way.
    erasing: u32,
}

/// A file that is kept.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
    file: Arc<dyn File>,
    bytes: u64,
}

/// While this lives there are no spares.
#[derive(Debug)]
pub(crate) struct NoSpares<'a>(&'a Chain);

impl Drop for NoSpares<'_> {
    fn drop(&mut self) {
        self.0.spares().erasing -= 1;
    }
}

impl Chain {
    fn spares(&self) -> MutexGuard<'_, Spares> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spare_bytes(&self) -> u64 {
        self.spares().files.iter().map(|spare| spare.bytes).sum()
    }

    /// Gives the file of a segment that is about to be replaced a second name, if it is to be kept.
    pub(super) fn save(&self, old: &Segment) -> Option<Spare> {
        let file = old.file.as_ref()?;
        {
            let spares = self.spares();
            if spares.erasing > 0 || spares.files.len() >= MOST {
                return None;
            }
        }
        let path = self.folder.join(format!("spare-{}.tmp", old.serial));
        let bytes = file.size().ok()?;
        // Not every file system has second names; then the file goes, as it would without a spare.
        self.fs.link(&self.folder.join(segment::name(old.first)), &path).ok()?;
        Some(Spare { path, file: Arc::clone(file), bytes })
    }

    /// Keeps a file whose other name shows another file now, durably.
    pub(super) fn keep(&self, spare: Spare) {
        let mut spares = self.spares();
        if spares.erasing == 0 {
            spares.files.push(spare);
        } else {
            drop(spares);
            self.discard(spare);
        }
    }

    /// Removes a file that cannot be kept.
    pub(super) fn discard(&self, spare: Spare) {
        if self.fs.remove(&spare.path).is_err() {
            self.spares().left.push(spare.path);
        }
    }

    /// Begins a segment: in the file of a sealed one, if there is a spare.
    pub(crate) fn begin(&self, first: u64, room: u32) -> io::Result<Arc<Segment>> {
        let spare = self.spares().files.pop();
        let (salt, serial) = self.draw(first);
        let header = SegmentHeader {
            sealed: false,
            reused: spare.is_some(),
            partition: self.partition,
            first,
            salt,
        };
        let (bytes, fs, folder) = (header.encode(), &*self.fs, &self.folder);
        let file = match spare {
            None => segment::put_open(fs, folder, first, &bytes, room)?,
            Some(Spare { path, file, .. }) => {
                let named = (path.as_path(), file);
                segment::put_in_place(fs, folder, first, named, &bytes, room)
                    .inspect_err(|_| self.spares().left.push(path.clone()))?
            }
        };
        Ok(Segment::open(serial, &header, file, Directory::empty(first)))
    }

    /// Removes all spares, and sees to it that there are none until the result is dropped.
    pub(crate) fn without_spares(&self) -> io::Result<NoSpares<'_>> {
        self.spares().erasing += 1;
        let none = NoSpares(self);
        loop {
            let path = {
                let Spares { files, left, .. } = &mut *self.spares();
                left.extend(files.drain(..).map(|spare| spare.path));
                left.pop()
            };
            let Some(path) = path else { return Ok(none) };
            match self.fs.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    self.spares().left.push(path);
                    return Err(error);
                }
                _ => {}
            }
        }
    }
}
