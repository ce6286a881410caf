//! Opening a log: what is there, what a crash cut short, what is damaged.
//!
//! **The rule.** What the last write left unfinished is cut off, and said. Everything else that is
//! missing or wrong is no work of a crash and is refused. A regenerable log is told up to where it
//! was synced (its floor): at or above the floor anything may be missing, and the log is cut at the
//! first damage.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::chain::{Chain, Parts, Salts};
use crate::config::{LogConfig, Recovery};
use crate::error::{Damage, OpenError};
use crate::format::{Misread, OFFSET_LIMIT, SegmentHeader, VERSION};
use crate::fs::Fs;
use crate::manifest::Manifest;
use crate::segment::{self, Directory, Loaded, Scan, Segment, Tail};

/// How a log was written, which decides what may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Every block was synced before the next.
    Durable,
    /// Only what is below the floor was synced.
    Regenerable { floor: u64 },
}

/// Opens the log in a folder, or begins one.
pub(crate) fn recover(
    config: &LogConfig,
    fs: Arc<dyn Fs>,
    mode: Mode,
) -> Result<(Chain, Recovery), OpenError> {
    let folder = &config.folder;
    fs.create_dir(folder).map_err(OpenError::io("create the folder"))?;
    let lock = fs.lock(folder).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => OpenError::Busy,
        _ => OpenError::Io { action: "lock the folder", source: error },
    })?;
    let names = fs.list(folder).map_err(OpenError::io("list the folder"))?;
    let mut files: BTreeMap<u64, ()> = BTreeMap::new();
    files.extend(names.iter().filter_map(|name| Some((segment::parse_name(name)?, ()))));
    for name in names.iter().filter(|name| name.ends_with(".tmp")) {
        fs.remove(&folder.join(name)).map_err(OpenError::io("remove an unfinished file"))?;
    }
    let mut manifest = load_manifest(&*fs, folder, files.is_empty())?;
    for first in files.range(..manifest.first).map(|(first, ())| *first) {
        let path = folder.join(segment::name(first));
        fs.remove(&path).map_err(OpenError::io("remove a trimmed segment"))?;
    }
    let files = files.split_off(&manifest.first);
    let floor = match mode {
        Mode::Durable => manifest.floor,
        Mode::Regenerable { floor } => floor,
    };
    let mut opening = Opening {
        config,
        fs: &*fs,
        mode,
        floor,
        salts: Salts::new(config.random),
        segments: Vec::new(),
        end: manifest.first,
        recovery: Recovery { first: manifest.first, ..Recovery::default() },
    };
    opening.segments(&files.into_keys().collect::<Vec<_>>(), manifest.begun)?;
    let Opening { salts, segments, end, mut recovery, .. } = opening;
    if end < floor {
        return Err(OpenError::Missing { from: end, to: floor });
    }
    recovery.end = end;
    if !manifest.begun {
        manifest.begun = true;
        manifest.store(&*fs, folder).map_err(OpenError::io("write the manifest"))?;
    }
    fs.sync_dir(folder).map_err(OpenError::io("sync the folder"))?;
    if recovery.torn_bytes > 0 || recovery.dropped_segments > 0 {
        let Recovery { end, torn_bytes, dropped_segments, .. } = recovery;
        tracing::warn!(end, torn_bytes, dropped_segments, "log was cut where a crash left it");
    }
    let parts = Parts { segments, manifest, salts, lock };
    Ok((Chain::new(fs, config, parts), recovery))
}

fn load_manifest(fs: &dyn Fs, folder: &Path, empty: bool) -> Result<Manifest, OpenError> {
    let loaded = Manifest::load(fs, folder).map_err(OpenError::io("read the manifest"))?;
    match loaded {
        Some(Ok(manifest)) if manifest.first < OFFSET_LIMIT => Ok(manifest),
        Some(Ok(_)) => Err(corrupt(0, 0, "the manifest's first offset")),
        Some(Err(misread)) => Err(misread_error(misread, 0)),
        None if empty => {
            let manifest = Manifest::default();
            manifest.store(fs, folder).map_err(OpenError::io("write the manifest"))?;
            Ok(manifest)
        }
        None => Err(corrupt(0, 0, "the manifest is missing")),
    }
}

fn misread_error(misread: Misread, segment: u64) -> OpenError {
    match misread {
        Misread::Newer(found) => OpenError::Newer { found, known: VERSION },
        Misread::Damaged(what) => corrupt(segment, 0, what),
    }
}

fn corrupt(segment: u64, block: u64, what: &'static str) -> OpenError {
    OpenError::Corrupt(Damage { segment, block, what })
}

/// The segments opened so far.
struct Opening<'a> {
    config: &'a LogConfig,
    fs: &'a dyn Fs,
    mode: Mode,
    floor: u64,
    salts: Salts,
    segments: Vec<Arc<Segment>>,
    /// The offset behind the last record so far.
    end: u64,
    recovery: Recovery,
}

impl Opening<'_> {
    /// Whether the log may be cut at this offset without losing what is promised.
    fn may_cut(&self, offset: u64) -> bool {
        matches!(self.mode, Mode::Regenerable { .. }) && offset >= self.floor
    }

    fn segments(&mut self, files: &[u64], begun: bool) -> Result<(), OpenError> {
        for (index, first) in files.iter().enumerate() {
            let is_last = index + 1 == files.len();
            // A cut rewrites a segment before it removes the later ones, which may reach below.
            if *first != self.end {
                if self.may_cut(self.end) {
                    return self.drop_rest(files.get(index..).unwrap_or_default());
                }
                return Err(OpenError::Missing { from: self.end, to: (*first).max(self.end) });
            }
            match self.segment(*first, is_last) {
                Ok(true) => {}
                // Cut inside this segment: what follows belongs to the past.
                Ok(false) => {
                    return self.drop_rest(files.get(index + 1..).unwrap_or_default());
                }
                Err(OpenError::Corrupt(_)) if self.may_cut(*first) => {
                    return self.drop_rest(files.get(index..).unwrap_or_default());
                }
                Err(error) => return Err(error),
            }
        }
        if files.is_empty() && begun && !self.may_cut(self.end) {
            return Err(corrupt(self.end, 0, "there is no segment"));
        }
        self.ensure_active()
    }

    /// Removes segments that lie behind damage, newest first.
    fn drop_rest(&mut self, files: &[u64]) -> Result<(), OpenError> {
        for first in files.iter().rev() {
            let path = self.config.folder.join(segment::name(*first));
            self.fs.remove(&path).map_err(OpenError::io("remove a segment behind damage"))?;
            self.recovery.dropped_segments += 1;
        }
        self.ensure_active()
    }

    /// Opens one segment; `false` if the log was cut inside it.
    fn segment(&mut self, first: u64, is_last: bool) -> Result<bool, OpenError> {
        let path = self.config.folder.join(segment::name(first));
        let loaded = segment::load(self.fs, &path).map_err(OpenError::io("read a segment"))?;
        let Loaded { header, file, directory } =
            loaded.map_err(|misread| misread_error(misread, first))?;
        if header.partition != self.config.partition {
            let (found, expected) = (header.partition, self.config.partition);
            return Err(OpenError::Partition { found, expected });
        }
        if header.first != first {
            return Err(corrupt(first, 0, "the header names another segment"));
        }
        let (_, serial) = self.salts.draw(first);
        if let Some(directory) = directory {
            self.end = directory.end;
            self.segments.push(Segment::sealed(serial, first, header.salt, directory));
            return Ok(true);
        }
        let scanned = segment::scan(&*file, &header).map_err(OpenError::io("scan a segment"))?;
        let Scan { directory, tail } = scanned;
        let cut = self.decide(&header, &directory, tail, is_last)?;
        let io = OpenError::io("repair a segment");
        let repair = || {
            if cut || tail == Tail::Stale {
                file.truncate(directory.size)?;
            }
            if cut || is_last {
                // Without room now, the first append will say so.
                drop(file.allocate(self.config.segment_bytes.into()));
                segment::write_again(&*file, &directory, self.doubtful(first, &directory))?;
            }
            Ok(())
        };
        repair().map_err(io)?;
        self.end = directory.end;
        let header = SegmentHeader { reused: false, ..header };
        self.segments.push(Segment::open(serial, &header, file, directory));
        Ok(!cut || is_last)
    }

    /// Whether the file must be cut behind its last whole block.
    fn decide(
        &mut self,
        header: &SegmentHeader,
        directory: &Directory,
        tail: Tail,
        is_last: bool,
    ) -> Result<bool, OpenError> {
        let may_cut = self.may_cut(directory.end);
        match tail {
            // If the offsets do not meet the next segment's, its turn says so.
            Tail::Clean | Tail::Stale => Ok(false),
            Tail::Torn(bytes) if may_cut || is_last && directory.end >= self.floor => {
                self.recovery.torn_bytes += bytes;
                Ok(true)
            }
            Tail::Damaged if may_cut => {
                self.recovery.torn_bytes += 1;
                Ok(true)
            }
            Tail::Torn(_) | Tail::Damaged => {
                Err(corrupt(header.first, directory.places.len() as u64, "a whole block"))
            }
        }
    }

    /// Where the blocks begin that the last process may not have synced.
    fn doubtful(&self, first: u64, directory: &Directory) -> u64 {
        let last = directory.places.len().saturating_sub(1);
        let index = match self.mode {
            Mode::Durable => last,
            Mode::Regenerable { floor } => {
                directory.find(floor.saturating_sub(first)).unwrap_or(0).min(last)
            }
        };
        directory.places.get(index).map_or(0, |place| place.position.into())
    }

    /// Makes an active segment if the last one is sealed, or there is none.
    fn ensure_active(&mut self) -> Result<(), OpenError> {
        if self.segments.last().is_some_and(|segment| !segment.sealed) {
            return Ok(());
        }
        let first = self.end;
        let (salt, serial) = self.salts.draw(first);
        let partition = self.config.partition;
        let header = SegmentHeader { sealed: false, reused: false, partition, first, salt };
        let (bytes, room) = (header.encode(), self.config.segment_bytes);
        let file = segment::put_open(self.fs, &self.config.folder, first, &bytes, room)
            .map_err(OpenError::io("create a segment"))?;
        let active = Segment::open(serial, &header, file, Directory::empty(first));
        self.segments.push(active);
        Ok(())
    }
}
