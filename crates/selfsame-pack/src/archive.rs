//! The pack as a file.
//!
//! ```text
//! +--------------+-----------------+----------------+--------------------------+
//! | "SSPACK\0\1" | length: u32, LE | index [length] | parts, one after another |
//! +--------------+-----------------+----------------+--------------------------+
//! index: JSON, with the place of each part behind it          index and parts: gzip, each for itself
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::sync::{Mutex, PoisonError};

use flate2::read::GzDecoder;
use selfsame_destinations::{Manifest, ManifestError};
use selfsame_functions::{Code, Kind};
use serde::Deserialize;

/// What a pack begins with, the version last.
const MAGIC: &[u8; 8] = b"SSPACK\0\x01";
/// Most bytes of a part when it is unpacked.
const MOST_BYTES: u64 = 8 << 20;

/// Why a pack cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It is none, or of another version.
    #[error("this is no actions pack of the version that this program reads")]
    Kind,
    /// It is damaged.
    #[error("the actions pack is damaged")]
    Damaged,
    /// It has no such destination.
    #[error("the actions pack has no `{0}`")]
    Unknown(String),
    /// A manifest in it has something wrong with it.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
}

/// Where a part is, behind the index.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Place(usize, usize);

#[derive(Debug, Deserialize)]
struct Index {
    version: String,
    shared: Place,
    licences: Place,
    entries: Vec<Entry>,
    left_out: BTreeMap<String, String>,
}

/// A destination of the pack, as far as it is known without reading its manifest.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// The id of its manifest.
    pub id: String,
    /// The name of its program.
    pub program: String,
    /// What people call it.
    pub name: String,
    /// What kind of tool it is.
    pub category: String,
    /// How many actions it has.
    pub actions: usize,
    /// The destination of ours that does the same without code.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// Whether it speaks to an address that the vendor made for the publisher of the pack.
    #[serde(default)]
    pub partner: bool,
    /// Settings that are of an application which has to be registered with the vendor first.
    #[serde(default)]
    pub application: Vec<String>,
    manifest: Place,
    code: Place,
}

/// The pack.
pub struct Pack {
    bytes: Cow<'static, [u8]>,
    index: Index,
    /// Where parts begin.
    base: usize,
    /// Programs that were asked for.
    codes: Mutex<BTreeMap<String, Code>>,
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack").field("version", &self.index.version).finish_non_exhaustive()
    }
}

impl Pack {
    /// A pack of these bytes.
    ///
    /// # Errors
    ///
    /// They are none.
    pub fn open(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, PackError> {
        let bytes = bytes.into();
        let rest = bytes.strip_prefix(MAGIC).ok_or(PackError::Kind)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(PackError::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let index = unpacked(rest.get(..length).ok_or(PackError::Damaged)?)?;
        let index = serde_json::from_str(&index).map_err(|_| PackError::Damaged)?;
        let base = MAGIC.len() + 4 + length;
        Ok(Self { bytes, index, base, codes: Mutex::default() })
    }

    /// The version of the package that it was made of.
    pub fn version(&self) -> &str {
        &self.index.version
    }

    /// Its destinations, by their ids.
    pub fn entries(&self) -> &[Entry] {
        &self.index.entries
    }

    /// Destinations of the package that are not in the pack, and why.
    pub fn left_out(&self) -> &BTreeMap<String, String> {
        &self.index.left_out
    }

    /// Whose work is in it, and under which terms.
    ///
    /// # Errors
    ///
    /// It is damaged.
    pub fn licences(&self) -> Result<String, PackError> {
        self.part(self.index.licences)
    }

    /// The manifest of that id.
    ///
    /// # Errors
    ///
    /// There is none, or it is damaged.
    pub fn manifest(&self, id: &str) -> Result<Manifest, PackError> {
        Ok(Manifest::read(&format!("{id}/manifest.json"), &self.text(id)?)?)
    }

    /// The manifest of that id, as it is written: JSON.
    ///
    /// # Errors
    ///
    /// There is none, or it is damaged.
    pub fn text(&self, id: &str) -> Result<String, PackError> {
        let entry = self.index.entries.iter().find(|entry| entry.id == id);
        self.part(entry.ok_or_else(|| PackError::Unknown(id.to_owned()))?.manifest)
    }

    /// The program of that name.
    ///
    /// # Errors
    ///
    /// There is none, or it is damaged.
    pub fn code(&self, program: &str) -> Result<Code, PackError> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = codes.get(program) {
            return Ok(code.clone());
        }
        let entry = self.index.entries.iter().find(|entry| entry.program == program);
        let entry = entry.ok_or_else(|| PackError::Unknown(program.to_owned()))?;
        let text = format!("{}\n{}", self.part(self.index.shared)?, self.part(entry.code)?);
        let code = Code::new(Kind::Program, &text);
        codes.insert(program.to_owned(), code.clone());
        Ok(code)
    }

    fn part(&self, Place(at, length): Place) -> Result<String, PackError> {
        let start = self.base.checked_add(at).ok_or(PackError::Damaged)?;
        let end = start.checked_add(length).ok_or(PackError::Damaged)?;
        unpacked(self.bytes.get(start..end).ok_or(PackError::Damaged)?)
    }
}

fn unpacked(bytes: &[u8]) -> Result<String, PackError> {
    let mut text = String::new();
    let read = GzDecoder::new(bytes).take(MOST_BYTES).read_to_string(&mut text);
    read.map(|_| text).map_err(|_| PackError::Damaged)
}

#[cfg(test)]
mod tests;
