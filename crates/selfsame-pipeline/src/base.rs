//! The base: a whole state as of a position, kept beside the log. Where the log no longer has the
//! records before that position, every fold begins with a copy of it.
//!
//! Files are copied from their end to their beginning, in small pieces, so that a copy of a file that
//! something appends to in synced steps is what a crash would have left: whole up to some step, and
//! at most one step cut short. Runs of zeros, which files have that are made ahead of their
//! content, become holes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use selfsame_event::Position;

use crate::engine::EngineError;
use crate::state::{State, StateConfig};

const PIECE: u64 = 64 << 10;
/// The folders that a state is made of.
const PARTS: [&str; 2] = ["store", "seen"];

/// Copies a file, durably. The new one must not be there.
pub fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let source = File::open(from)?;
    let target = File::create_new(to)?;
    let len = source.metadata()?.len();
    target.set_len(len)?;
    let mut piece = vec![0; usize::try_from(PIECE).unwrap_or(usize::MAX)];
    let mut start = len.next_multiple_of(PIECE);
    while start > 0 {
        start -= PIECE;
        let wanted = usize::try_from(PIECE.min(len - start)).unwrap_or(usize::MAX);
        let piece = piece.get_mut(..wanted).unwrap_or_default();
        source.read_exact_at(piece, start)?;
        if piece.iter().any(|byte| *byte != 0) {
            target.write_all_at(piece, start)?;
        }
    }
    target.sync_all()?;
    Ok(len)
}

/// Copies a folder and what is in it, durably.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (name, is_folder) = (entry.file_name(), entry.file_type()?.is_dir());
        if is_folder {
            copy_folder(&entry.path(), &to.join(&name))?;
        } else {
            copy_file(&entry.path(), &to.join(&name))?;
        }
    }
    File::open(to)?.sync_all()
}

/// Copies a state that nothing has open.
pub fn copy_state(from: &Path, to: &Path) -> io::Result<()> {
    PARTS.iter().try_for_each(|part| copy_folder(&from.join(part), &to.join(part)))
}

/// Opens the state in a folder. Where the log begins behind it, it is made anew from the base.
pub(crate) fn open_behind(
    first: Position,
    folder: &Path,
    base: Option<&Path>,
    config: &StateConfig,
) -> Result<State, EngineError> {
    let state = State::open(folder, config)?;
    if state.next() >= first {
        return Ok(state);
    }
    let folded = state.next();
    let Some(base) = base else { return Err(EngineError::NoBase { first, folded }) };
    drop(state);
    tracing::info!(first = %first, "the state begins with the base, as the log does not begin at 0");
    clear(folder)?;
    copy_state(base, folder).map_err(EngineError::Marker)?;
    let state = State::open(folder, config)?;
    if state.next() < first {
        return Err(EngineError::NoBase { first, folded: state.next() });
    }
    Ok(state)
}

/// Removes the state in a folder.
pub(crate) fn clear(folder: &Path) -> Result<(), EngineError> {
    let remove = |part: &&str| match std::fs::remove_dir_all(folder.join(part)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    PARTS.iter().try_for_each(remove).map_err(EngineError::Marker)
}

#[cfg(test)]
mod tests;
