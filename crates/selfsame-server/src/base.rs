//! Where the bases are that folding begins with once the log was trimmed.
//!
//! ```text
//! DIR/base/P/          the whole state before record P, durable
//! DIR/base/P.new/      one that is being made
//! ```

use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Held by what removes parts of a data folder, and by what copies it.
pub(crate) static KEEPING: Mutex<()> = Mutex::new(());

/// The folder that bases are in.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("base")
}

/// Every base of a data folder, the newest last.
pub(crate) fn all(root: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(folder(root)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut bases = Vec::new();
    for entry in entries {
        let entry = entry?;
        let position = entry.file_name().to_str().and_then(|name| name.parse().ok());
        bases.extend(position.map(|position| (position, entry.path())));
    }
    bases.sort();
    Ok(bases)
}

/// The newest base of a data folder.
pub(crate) fn newest(root: &Path) -> std::io::Result<Option<PathBuf>> {
    Ok(all(root)?.pop().map(|(_, path)| path))
}
