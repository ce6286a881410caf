//! A small file that is replaced whole: whoever reads it finds what was written before, or all of the new.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file: when this returns, it is on disk.
pub(crate) fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = file.with_added_extension("new");
    let mut new = File::create(&temporary)?;
    new.write_all(text)?;
    new.sync_all()?;
    std::fs::rename(&temporary, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
