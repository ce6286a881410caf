//! Records that stop the fold.
//!
//! A step that panics leaves its state half changed, so the state is opened anew and the record tried
//! again: what stopped it may have been the machine. After [`TRIES`] a record of the log says that it
//! is passed over, so that every replay passes over it too.

use std::io;
use std::path::{Path, PathBuf};

use selfsame_event::{Position, RecordId};

/// How often a record is tried.
pub(crate) const TRIES: u32 = 2;

/// The file that names a record which stopped the fold, and how often it did.
#[derive(Debug)]
pub(crate) struct Marker;

impl Marker {
    fn path(folder: &Path) -> PathBuf {
        folder.join("stopped-at")
    }

    /// Counts a failure of the record, durably, before it is tried again.
    pub(crate) fn count(folder: &Path, position: Position) -> io::Result<u32> {
        let count = match Self::read(folder)? {
            Some((offset, count)) if offset == position.offset => count + 1,
            _ => 1,
        };
        let file = std::fs::File::create(Self::path(folder))?;
        io::Write::write_all(&mut &file, format!("{} {count}\n", position.offset).as_bytes())?;
        file.sync_all()?;
        Ok(count)
    }

    /// Forgets, if the record is behind that checkpoint.
    pub(crate) fn clear_before(folder: &Path, checkpoint: Position) -> io::Result<()> {
        match Self::read(folder)? {
            Some((offset, _)) if offset < checkpoint.offset => {
                std::fs::remove_file(Self::path(folder))
            }
            _ => Ok(()),
        }
    }

    /// The offset of the record and the number of its failures. What cannot be read counts as none.
    fn read(folder: &Path) -> io::Result<Option<(u64, u32)>> {
        let text = match std::fs::read_to_string(Self::path(folder)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let parts = text.trim().split_once(' ');
        Ok(parts.and_then(|(offset, count)| Some((offset.parse().ok()?, count.parse().ok()?))))
    }
}

/// The head of a record that passes over another one.
pub(crate) fn skip_head(offset: u64, reason: &str) -> Vec<u8> {
    [&offset.to_le_bytes()[..], reason.as_bytes()].concat()
}

/// Its id, which follows from what it passes over.
pub(crate) fn skip_id(offset: u64) -> RecordId {
    let mut id = *b"skip\0\0\0\0........";
    id[8..].copy_from_slice(&offset.to_le_bytes());
    RecordId(id)
}
