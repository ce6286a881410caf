//! The manifest: the two facts about a log that its segments cannot tell themselves.
//!
//! ```text
//! +---------+--------------+-----------+----------------+------------+------------+----------+
//! | magic 8 | version: u16 | begun: u8 | zero 1         | first: u64 | floor: u64 | crc: u32 |
//! +---------+--------------+-----------+----------------+------------+------------+----------+
//! ```
//!
//! Replaced as a whole (new file, sync, rename, sync of the folder).

use std::io;
use std::path::Path;

use bytes::{Buf, BufMut};

use crate::format::{Misread, VERSION};
use crate::fs::Fs;

pub(crate) const NAME: &str = "manifest";
const TEMPORARY: &str = "manifest.tmp";
const MAGIC: [u8; 8] = *b"SELFMAN\0";
const LEN: usize = 32;

/// What the manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Manifest {
    /// Whether the first segment was created, so that no segment at all means loss.
    pub(crate) begun: bool,
    /// The log's first offset: segments below it were removed by retention.
    pub(crate) first: u64,
    /// An offset up to which all is known to be durable: below it nothing may be missing.
    pub(crate) floor: u64,
}

impl Manifest {
    fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEN);
        out.put_slice(&MAGIC);
        out.put_u16_le(VERSION);
        out.put_u8(self.begun.into());
        out.put_u8(0);
        out.put_u64_le(self.first);
        out.put_u64_le(self.floor);
        out.put_u32_le(crc32c::crc32c(&out));
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Misread> {
        let mut rest = bytes;
        let mut magic = [0; 8];
        rest.try_copy_to_slice(&mut magic)?;
        if magic != MAGIC {
            return Err(Misread::Damaged("not a manifest"));
        }
        let version = rest.try_get_u16_le()?;
        if version > VERSION {
            return Err(Misread::Newer(version));
        }
        let begun = rest.try_get_u8()? != 0;
        rest.try_get_u8()?;
        let (first, floor) = (rest.try_get_u64_le()?, rest.try_get_u64_le()?);
        let whole = bytes.get(..LEN - 4).map(crc32c::crc32c) == Some(rest.try_get_u32_le()?);
        if whole && rest.is_empty() {
            Ok(Self { begun, first, floor })
        } else {
            Err(Misread::Damaged("manifest"))
        }
    }

    /// Reads the manifest of a folder; `None` if there is none.
    pub(crate) fn load(fs: &dyn Fs, folder: &Path) -> io::Result<Option<Result<Self, Misread>>> {
        let file = match fs.open(&folder.join(NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // One byte more than it has, so that a longer one is seen.
        let mut bytes = [0; LEN + 1];
        let len = file.read_at(&mut bytes, 0)?;
        Ok(Some(Self::decode(bytes.get(..len).unwrap_or_default())))
    }

    /// Replaces the manifest of a folder, durably.
    pub(crate) fn store(self, fs: &dyn Fs, folder: &Path) -> io::Result<()> {
        let temporary = folder.join(TEMPORARY);
        let file = fs.create(&temporary)?;
        file.write_at(&self.encode(), 0)?;
        file.sync_data()?;
        fs.rename(&temporary, &folder.join(NAME))?;
        fs.sync_dir(folder)
    }
}
