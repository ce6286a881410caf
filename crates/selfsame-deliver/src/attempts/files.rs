//! The files of one connection: what they cover is in memory, what they hold is not.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use selfsame_event::{ItemPosition, Position, Time};

use super::block::{self, Block, HEAD};
use super::{AttemptLimits, Kept, lock};

/// A file is full at so many bytes, or at an eighth of what a connection may have.
const FILE_BYTES: u64 = 8 << 20;
const FILES: u64 = 8;
/// Files of which it is known which steps of the ledger they have.
const KNOWN_FILES: usize = 2;

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Disk(PathBuf),
    Memory(Arc<Mutex<Vec<u8>>>),
}

/// What a file covers. Empty ones cover nothing.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) place: Place,
    pub(super) bytes: u64,
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) low: ItemPosition,
    pub(super) high: ItemPosition,
}

impl Part {
    fn new(number: u32, place: Place) -> Self {
        let (nowhere, never) = (Position::embedded(u64::MAX).item(u32::MAX), Time::MAX);
        let (last, high) = (Time::EPOCH, ItemPosition::default());
        Self { number, place, bytes: 0, first: never, last, low: nowhere, high }
    }

    fn cover(&mut self, rows: &[Kept]) {
        for Kept { attempt, .. } in rows {
            self.first = self.first.min(attempt.started);
            self.last = self.last.max(attempt.started);
            self.low = self.low.min(attempt.at);
            self.high = self.high.max(attempt.at);
        }
    }

    /// Its bytes as they are now; none where it was removed meanwhile.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        match &self.place {
            Place::Memory(bytes) => Ok(lock(bytes).clone()),
            Place::Disk(path) => match std::fs::read(path) {
                // It became full meanwhile: then it has another name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    match closed_as(path, self.number)? {
                        Some(path) => std::fs::read(path),
                        None => Ok(Vec::new()),
                    }
                }
                read => read,
            },
        }
    }

    fn closed_name(&self) -> String {
        let (first, last) = (self.first.micros(), self.last.micros());
        format!("{:08}_{first}_{last}_{}_{}", self.number, written(self.low), written(self.high))
    }

    /// Reads what the name of a full file says.
    fn of_name(folder: &Path, name: &str) -> Option<Self> {
        let mut parts = name.split('_');
        let number = parts.next()?.parse().ok()?;
        let mut time = || Some(Time::from_micros(parts.next()?.parse().ok()?));
        let (first, last) = (time()?, time()?);
        let (low, high) = (place(parts.next()?)?, place(parts.next()?)?);
        let place = Place::Disk(folder.join(name));
        parts.next().is_none().then_some(Self { number, place, bytes: 0, first, last, low, high })
    }
}

fn written(at: ItemPosition) -> String {
    format!("{}.{}.{}", at.record.partition, at.record.offset, at.index)
}

fn place(text: &str) -> Option<ItemPosition> {
    let mut parts = text.split('.');
    let partition = parts.next()?.parse().ok()?;
    let offset = parts.next()?.parse().ok()?;
    let index = parts.next()?.parse().ok()?;
    parts.next().is_none().then(|| Position { partition, offset }.item(index))
}

fn closed_as(path: &Path, number: u32) -> io::Result<Option<PathBuf>> {
    let Some(folder) = path.parent() else { return Ok(None) };
    let begin = format!("{number:08}_");
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// The files of a connection, the oldest first; the last one is appended to.
#[derive(Debug)]
pub(super) struct Files {
    folder: Option<PathBuf>,
    limits: AttemptLimits,
    parts: Vec<Part>,
    writer: Option<File>,
    /// The steps of the ledger that the newest files have, and from which on that is all of them.
    steps: BTreeSet<u64>,
    known_from: u64,
}

impl Files {
    pub(super) fn open(folder: Option<PathBuf>, limits: AttemptLimits) -> io::Result<Self> {
        let mut files = Self {
            folder,
            limits,
            parts: Vec::new(),
            writer: None,
            steps: BTreeSet::new(),
            known_from: 0,
        };
        if let Some(folder) = files.folder.clone() {
            std::fs::create_dir_all(&folder)?;
            for entry in std::fs::read_dir(&folder)? {
                let name = entry?.file_name();
                let Some(name) = name.to_str() else { continue };
                let open = name.strip_suffix(".open").and_then(|number| number.parse().ok());
                let part = match open {
                    Some(number) => Some(Part::new(number, Place::Disk(folder.join(name)))),
                    None => Part::of_name(&folder, name),
                };
                files.parts.extend(part);
            }
            files.parts.sort_by_key(|part| part.number);
            files.look()?;
        }
        Ok(files)
    }

    /// Reads the newest files: what is torn is cut off, and what they have is known again.
    fn look(&mut self) -> io::Result<()> {
        let newest = self.parts.len().saturating_sub(KNOWN_FILES);
        for (index, part) in self.parts.iter_mut().enumerate() {
            let Place::Disk(path) = &part.place else { continue };
            part.bytes = std::fs::metadata(path)?.len();
            let is_open = path.extension().is_some_and(|extension| extension == "open");
            if index < newest && !is_open {
                continue;
            }
            let bytes = std::fs::read(path)?;
            let (blocks, end) = block::blocks(&bytes);
            if is_open && end < bytes.len() {
                OpenOptions::new().write(true).open(path)?.set_len(end as u64)?;
                part.bytes = end as u64;
            }
            for Block { ledger, rows, .. } in &blocks {
                part.cover(rows);
                self.steps.insert(*ledger);
            }
        }
        if newest > 0 {
            self.known_from = self.steps.first().copied().unwrap_or(0);
        }
        Ok(())
    }

    /// Nothing is asked any more of what was there before.
    pub(super) fn forget_steps(&mut self) {
        self.steps = BTreeSet::new();
    }

    pub(super) fn parts(&self) -> Vec<Part> {
        self.parts.clone()
    }

    pub(super) fn has(&self, ledger: u64) -> bool {
        ledger < self.known_from || self.steps.contains(&ledger)
    }

    pub(super) fn append(&mut self, ledger: u64, replay: u32, rows: &[Kept]) -> io::Result<()> {
        let block = block::encode(ledger, replay, rows);
        let full = FILE_BYTES.min(self.limits.bytes / FILES).max(1);
        let is_open = |part: &Part| match &part.place {
            Place::Disk(path) => path.extension().is_some_and(|extension| extension == "open"),
            Place::Memory(_) => true,
        };
        if self.parts.last().is_none_or(|part| !is_open(part) || part.bytes >= full) {
            self.next_file()?;
        }
        self.write(&block)?;
        let part = self.parts.last_mut().expect("just made");
        part.cover(rows);
        part.bytes += block.len() as u64;
        Ok(())
    }

    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        let part = self.parts.last_mut().expect("made before");
        let path = match &part.place {
            Place::Memory(bytes) => {
                lock(bytes).extend_from_slice(block);
                return Ok(());
            }
            Place::Disk(path) => path,
        };
        if self.writer.is_none() {
            self.writer = Some(OpenOptions::new().append(true).create(true).open(path)?);
        }
        let writer = self.writer.as_mut().expect("just opened");
        if part.bytes == 0 {
            writer.write_all(HEAD)?;
            part.bytes = HEAD.len() as u64;
        }
        let written = writer.write_all(block);
        if written.is_err() {
            // So that nothing is written behind a block that is cut.
            writer.set_len(part.bytes)?;
        }
        written
    }

    /// Closes the file that is full, makes the next one, and makes room.
    fn next_file(&mut self) -> io::Result<()> {
        self.sync()?;
        self.writer = None;
        if let (Some(folder), Some(part)) = (&self.folder, self.parts.last_mut()) {
            let name = folder.join(part.closed_name());
            if let Place::Disk(path) = &part.place
                && *path != name
            {
                std::fs::rename(path, &name)?;
                part.place = Place::Disk(name);
            }
        }
        let number = self.parts.last().map_or(1, |part| part.number + 1);
        let place = match &self.folder {
            Some(folder) => Place::Disk(folder.join(format!("{number:08}.open"))),
            None => Place::Memory(Arc::new(Mutex::new(HEAD.to_vec()))),
        };
        self.parts.push(Part::new(number, place));
        while self.parts.len() > 1
            && self.parts.iter().map(|part| part.bytes).sum::<u64>() > self.limits.bytes
        {
            self.remove_oldest()?;
        }
        Ok(())
    }

    fn remove_oldest(&mut self) -> io::Result<()> {
        let part = self.parts.remove(0);
        if self.parts.is_empty() {
            self.writer = None;
        }
        match part.place {
            Place::Disk(path) => match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            Place::Memory(_) => Ok(()),
        }
    }

    /// Removes files of which every attempt is too old.
    pub(super) fn expire(&mut self, now: Time) -> io::Result<()> {
        let age = i64::try_from(self.limits.age.as_micros()).unwrap_or(i64::MAX);
        let oldest = now.plus_micros(age.saturating_neg());
        while self.parts.first().is_some_and(|part| part.bytes > 0 && part.last < oldest) {
            if self.parts.len() == 1 {
                // The next one has another number: a place in a file is one for ever.
                self.next_file()?;
            }
            self.remove_oldest()?;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.writer.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Removes everything.
    pub(super) fn remove(&mut self) -> io::Result<()> {
        self.writer = None;
        self.parts.clear();
        match &self.folder {
            Some(folder) => std::fs::remove_dir_all(folder),
            None => Ok(()),
        }
    }
}
