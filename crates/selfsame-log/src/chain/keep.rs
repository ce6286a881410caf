//! Rewriting and removing whole segments: sealing, erasing, trimming, cutting.
//!
//! A segment is rewritten beside itself under a temporary name, synced, and renamed over the old
//! file; the folder is synced. So at any moment its name shows the old or the new file, whole, and
//! what a crash leaves under the temporary name is removed at the next open.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use selfsame_event::ItemPosition;

use super::Chain;
use crate::error::KeepError;
use crate::format::SegmentHeader;
use crate::frame::{self, FrameError};
use crate::segment::{self, BlockError, Directory, SealedWriter, Segment};

/// The indexes of the items to erase, by the offset of their record.
type Erasures = BTreeMap<u64, Vec<u32>>;

impl Chain {
    /// Seals the oldest segment that is closed and not sealed; `false` if there is none.
    pub(crate) fn seal_next(&self) -> Result<bool, KeepError> {
        let _work = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(segment) = self.unsealed() else { return Ok(false) };
        self.rewrite(&segment, &Erasures::new())?;
        Ok(true)
    }

    fn unsealed(&self) -> Option<Arc<Segment>> {
        let segments = self.segments();
        let (_, closed) = segments.split_last()?;
        closed.iter().find(|segment| !segment.sealed).map(Arc::clone)
    }

    /// Erases items of closed segments. Returns how many were there until now.
    pub(crate) fn erase(&self, items: &[ItemPosition]) -> Result<u64, KeepError> {
        let _work = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let mut erased = 0;
        let mut by_segment: BTreeMap<u64, Erasures> = BTreeMap::new();
        // The active segment is never rewritten: the caller has rolled it.
        let (first, end) = (self.first(), self.active().first);
        for item in items {
            let offset = item.record.offset;
            if item.record.partition != self.partition || offset < first || offset >= end {
                continue;
            }
            let Some(segment) = self.find(offset) else { continue };
            let erasures = by_segment.entry(segment.first).or_default();
            erasures.entry(offset).or_default().push(item.index);
        }
        let closed: Vec<_> = self.segments().iter().map(Arc::clone).collect();
        for segment in closed.iter().filter(|segment| segment.first < end) {
            segment.drop_stale().map_err(KeepError::io("cut off what a file held before"))?;
        }
        for (first, mut erasures) in by_segment {
            let Some(segment) = self.find(first) else { continue };
            // The files decide what is left to erase, never the memory.
            let mut present = 0;
            let mut failed = None;
            erasures.retain(|offset, indexes| match self.present(&segment, *offset, indexes) {
                Ok(count) => {
                    present += count;
                    count > 0
                }
                Err(error) => {
                    failed = Some(error);
                    true
                }
            });
            if let Some(error) = failed {
                return Err(error);
            }
            if present > 0 {
                self.rewrite(&segment, &erasures)?;
                erased += present;
            }
        }
        if erased > 0 {
            self.tail().clear();
        } else {
            // An erasure before this one may have failed at the very last step.
            self.fs.sync_dir(&self.folder).map_err(KeepError::io("sync the folder"))?;
        }
        Ok(erased)
    }

    /// How many of a record's items at these indexes have bodies.
    fn present(
        &self,
        segment: &Segment,
        offset: u64,
        indexes: &mut Vec<u32>,
    ) -> Result<u64, KeepError> {
        indexes.sort_unstable();
        indexes.dedup();
        let read = |error| KeepError::Read(self.read_error(segment, error));
        let (mut payload, block) = self.frames_in(segment, offset).map_err(read)?;
        let decoded =
            frame::take(&mut payload).and_then(|f| frame::decode(f, self.position(offset)));
        let record = decoded.map_err(|FrameError| self.bad_record(offset, block))?;
        let bodies = indexes.iter().filter(|index| {
            let item = usize::try_from(**index).ok().and_then(|index| record.items.get(index));
            item.is_some_and(|item| item.body().is_some())
        });
        Ok(bodies.count() as u64)
    }

    /// Writes a closed segment anew, sealed and without these items, and puts it in place.
    fn rewrite(&self, old: &Segment, erasures: &Erasures) -> Result<(), KeepError> {
        let io = |source| KeepError::Io { action: "rewrite a segment", source };
        let temporary = self.folder.join(format!("{}.tmp", segment::name(old.first)));
        let (salt, serial) = self.draw(old.first);
        let (partition, first) = (self.partition, old.first);
        let header = SegmentHeader { sealed: true, reused: false, partition, first, salt };
        let written = (|| {
            let file = self.fs.create(&temporary)?;
            let mut writer = SealedWriter::new(file, header);
            let blocks = old.read_directory(|directory| directory.places.len());
            for index in 0..blocks {
                self.copy_block(old, index, erasures, &mut writer)?;
            }
            Ok(writer.finish()?)
        })();
        let (salt, directory) = match written {
            Ok(written) => written,
            Err(error) => {
                // Leave no half file behind; if this fails too, the next open removes it.
                drop(self.fs.remove(&temporary));
                return Err(match error {
                    BlockError::Io(source) => io(source),
                    damage @ BlockError::Damage(_) => self.read_error(old, damage).into(),
                });
            }
        };
        assert_eq!(directory.end, old.end(), "a rewritten segment holds the same records");
        // What is erased must not stay in a spare.
        let spare = if erasures.is_empty() { self.save(old) } else { None };
        let new = Segment::sealed(serial, first, salt, directory);
        let placed = self.put_sealed(old, new, &temporary).map_err(io);
        if let Some(spare) = spare {
            // Until the folder is synced, a crash may show the old file under its name again.
            if placed.is_ok() { self.keep(spare) } else { self.discard(spare) }
        }
        placed
    }

    /// Puts the file of a segment that was written anew in the place of the old one.
    fn put_sealed(&self, old: &Segment, new: Arc<Segment>, temporary: &Path) -> io::Result<()> {
        self.fs.rename(temporary, &self.folder.join(segment::name(old.first)))?;
        // The name shows the new file now, whatever becomes of the folder's sync.
        self.replace(old.serial, Some(new));
        self.fs.sync_dir(&self.folder)
    }

    fn copy_block(
        &self,
        old: &Segment,
        index: usize,
        erasures: &Erasures,
        writer: &mut SealedWriter,
    ) -> Result<(), BlockError> {
        let (header, stored) = old.stored(&*self.fs, &self.folder, index)?;
        let hit = erasures.range(header.first..header.end()).next().is_some();
        if old.sealed && !hit {
            return Ok(writer.block(header, &stored)?);
        }
        let payload = segment::inflate(&header, stored);
        let mut payload = payload.ok_or_else(|| old.damage(index, "compression"))?;
        let bad = |FrameError| old.damage(index, "record");
        for offset in header.first..header.end() {
            let mut frame = frame::take(&mut payload).map_err(bad)?;
            let time = frame::time(&frame).map_err(bad)?;
            if let Some(indexes) = erasures.get(&offset) {
                let record = frame::decode(frame, self.position(offset)).map_err(bad)?;
                let mut out = Vec::new();
                frame::encode((&record.without(indexes)).into(), &mut out);
                frame = Bytes::from(out);
            }
            writer.frame(&frame, time)?;
        }
        if payload.is_empty() { Ok(()) } else { Err(old.damage(index, "records")) }
    }

    /// Puts another object in the place of one, or nothing.
    fn replace(&self, serial: u64, new: Option<Arc<Segment>>) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = segments.iter().position(|segment| segment.serial == serial) {
            segments.splice(index..=index, new);
        }
        drop(segments);
        self.cache().forget(serial);
    }

    /// Removes the segments that end at or before an offset, but never the active one. Returns how
    /// many.
    pub(crate) fn trim(&self, offset: u64) -> Result<u64, KeepError> {
        let _work = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let removed: Vec<_> = {
            let segments = self.segments();
            let closed = segments.split_last().map_or(&[][..], |(_, closed)| closed);
            closed.iter().take_while(|segment| segment.end() <= offset).map(Arc::clone).collect()
        };
        let Some(last) = removed.last() else { return Ok(0) };
        let first = last.end();
        // First the fact, then the files: what a crash leaves of them is removed at the next open.
        let noted = self.note(|manifest| {
            manifest.first = first;
            manifest.floor = manifest.floor.max(first);
        });
        noted.map_err(KeepError::io("write the manifest"))?;
        for segment in &removed {
            self.replace(segment.serial, None);
        }
        for segment in &removed {
            self.remove(segment.first).map_err(KeepError::io("remove a segment"))?;
        }
        self.fs.sync_dir(&self.folder).map_err(KeepError::io("sync the folder"))?;
        Ok(removed.len() as u64)
    }

    fn remove(&self, first: u64) -> io::Result<()> {
        self.fs.remove(&self.folder.join(segment::name(first)))
    }

    /// Drops every record from an offset on. The segment that the offset is in becomes the active
    /// one, holding what it held below it.
    pub(crate) fn cut(&self, offset: u64, segment_bytes: u32) -> Result<(), KeepError> {
        let _work = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let io = KeepError::io("cut the log");
        let old = self.find(offset).unwrap_or_else(|| self.active());
        // Readers must not find what is about to go.
        self.progress.set(offset);
        self.tail().cut(offset);
        let new = self.rewrite_open(&old, offset, segment_bytes)?;
        let later: Vec<_> = {
            let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
            let index = segments.partition_point(|segment| segment.first < old.first);
            let later = segments.split_off(index);
            segments.push(new);
            later
        };
        let mut result = Ok(());
        for segment in later.iter().rev() {
            self.cache().forget(segment.serial);
            if segment.first != old.first {
                result = result.and_then(|()| self.remove(segment.first));
            }
        }
        result.and_then(|()| self.fs.sync_dir(&self.folder)).map_err(io)
    }

    /// Writes the beginning of a segment anew, open for appends, and puts its file in place.
    fn rewrite_open(
        &self,
        old: &Segment,
        end: u64,
        segment_bytes: u32,
    ) -> Result<Arc<Segment>, KeepError> {
        let io = |source| KeepError::Io { action: "cut a segment", source };
        let (salt, serial) = self.draw(old.first);
        let (partition, first) = (self.partition, old.first);
        let open = SegmentHeader { sealed: false, reused: false, partition, first, salt };
        let read = |error| KeepError::Read(self.read_error(old, error));
        let mut out = open.encode();
        let mut directory = Directory::empty(old.first);
        let blocks = old.read_directory(|directory| directory.places.len());
        for index in 0..blocks {
            let (mut header, mut payload) =
                old.payload(&*self.fs, &self.folder, index).map_err(read)?;
            if header.first >= end {
                break;
            }
            if header.end() > end {
                payload = head_of(&payload, end - header.first)
                    .ok_or_else(|| read(old.damage(index, "record")))?;
                header.count = segment::narrow(end - header.first);
            }
            header.compressed = false;
            header.raw_len = segment::narrow(payload.len() as u64);
            header.stored_len = header.raw_len;
            header.payload_crc = salt.crc(&payload);
            directory.push(old.first, &header);
            out.extend_from_slice(&header.encode(salt));
            out.extend_from_slice(&payload);
        }
        let file = segment::put_open(&*self.fs, &self.folder, old.first, &out, segment_bytes);
        Ok(Segment::open(serial, &open, file.map_err(io)?, directory))
    }
}

/// The first so many frames of a payload.
fn head_of(payload: &Bytes, count: u64) -> Option<Bytes> {
    let mut rest = payload.clone();
    for _ in 0..count {
        frame::take(&mut rest).ok()?;
    }
    Some(payload.slice(..payload.len() - rest.len()))
}
