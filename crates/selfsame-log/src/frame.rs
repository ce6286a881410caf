//! A record as bytes inside a block.
//!
//! ```text
//! +----------+--------+-----------+----------+----------+-----------+------+-------+
//! | len: u32 | id: 16 | time: i64 | kind: u8 | head:u32 | items:u32 | head | items |
//! +----------+--------+-----------+----------+----------+-----------+------+-------+
//! item: | len: u32 | bytes [len] |      len = 0xffff_ffff: erased, no bytes
//! ```
//!
//! Little-endian. `len` counts what follows it. The position is not stored: it is the block's first
//! offset plus the record's number in the block. Checksums are the block's.

use bytes::{Buf, BufMut, Bytes};
use selfsame_event::{Position, RecordId, Time};

use crate::record::{Item, Record, items_size};

/// What precedes the head, and the size of the smallest frame.
pub(crate) const PREFIX: usize = 4 + 16 + 8 + 1 + 4 + 4;
const ERASED: u32 = u32::MAX;
/// The largest frame that the format can say; the log's own limit is far below.
pub(crate) const MAX_SIZE: usize = 1 << 30;

/// Bytes that are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are not a record")]
pub(crate) struct FrameError;

impl From<bytes::TryGetError> for FrameError {
    fn from(_: bytes::TryGetError) -> Self {
        Self
    }
}

/// The size of a record's frame.
pub(crate) fn size(head: &Bytes, items: &[Item]) -> usize {
    PREFIX + head.len() + items_size(items)
}

/// The parts of a record that a frame holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) id: RecordId,
    pub(crate) time: Time,
    pub(crate) kind: u8,
    pub(crate) head: &'a Bytes,
    pub(crate) items: &'a [Item],
}

impl<'a> From<&'a Record> for Parts<'a> {
    fn from(record: &'a Record) -> Self {
        let Record { id, time, kind, head, items, .. } = record;
        Self { id: *id, time: *time, kind: *kind, head, items }
    }
}

/// Appends the frame of a record.
pub(crate) fn encode(parts: Parts<'_>, out: &mut Vec<u8>) {
    let size = size(parts.head, parts.items);
    assert!(size <= MAX_SIZE, "the log refuses records of this size before they come here");
    out.reserve(size);
    out.put_u32_le(length(size - 4));
    out.put_slice(&parts.id.0);
    out.put_i64_le(parts.time.micros());
    out.put_u8(parts.kind);
    out.put_u32_le(length(parts.head.len()));
    out.put_u32_le(length(parts.items.len()));
    out.put_slice(parts.head);
    for item in parts.items {
        match item {
            Item::Body(bytes) => {
                out.put_u32_le(length(bytes.len()));
                out.put_slice(bytes);
            }
            Item::Erased => out.put_u32_le(ERASED),
        }
    }
}

/// Takes the next frame from the front, undecoded.
pub(crate) fn take(payload: &mut Bytes) -> Result<Bytes, FrameError> {
    let len = payload.clone().try_get_u32_le()?;
    let size = usize::try_from(len).ok().and_then(|len| len.checked_add(4)).ok_or(FrameError)?;
    let fits = (PREFIX..=MAX_SIZE.min(payload.len())).contains(&size);
    if fits { Ok(payload.split_to(size)) } else { Err(FrameError) }
}

/// Whether a payload is so many frames, one behind the other, and nothing else.
pub(crate) fn are(mut payload: Bytes, count: u32) -> bool {
    (0..count).all(|_| take(&mut payload).is_ok()) && payload.is_empty()
}

/// The log time of a frame.
pub(crate) fn time(frame: &Bytes) -> Result<Time, FrameError> {
    let mut rest = frame.get(20..).ok_or(FrameError)?;
    Ok(Time::from_micros(rest.try_get_i64_le()?))
}

/// Decodes a whole frame. The record shares the frame's memory.
pub(crate) fn decode(mut frame: Bytes, position: Position) -> Result<Record, FrameError> {
    let len = frame.try_get_u32_le()?;
    if u64::from(len) != frame.len() as u64 {
        return Err(FrameError);
    }
    let mut id = RecordId::default();
    frame.try_copy_to_slice(&mut id.0)?;
    let time = Time::from_micros(frame.try_get_i64_le()?);
    let kind = frame.try_get_u8()?;
    let head_len = frame.try_get_u32_le()?;
    let item_count = frame.try_get_u32_le()?;
    let head = bytes(&mut frame, head_len)?;
    if u64::from(item_count) * 4 > frame.len() as u64 {
        return Err(FrameError);
    }
    let items = (0..item_count).map(|_| match frame.try_get_u32_le()? {
        ERASED => Ok(Item::Erased),
        len => bytes(&mut frame, len).map(Item::Body),
    });
    let items = items.collect::<Result<_, FrameError>>()?;
    if frame.is_empty() {
        Ok(Record { position, id, time, kind, head, items })
    } else {
        Err(FrameError)
    }
}

fn bytes(from: &mut Bytes, len: u32) -> Result<Bytes, FrameError> {
    let len = usize::try_from(len).map_err(|_| FrameError)?;
    if len > from.len() { Err(FrameError) } else { Ok(from.split_to(len)) }
}

fn length(len: usize) -> u32 {
    u32::try_from(len).expect("every part is shorter than the largest frame")
}

#[cfg(test)]
mod tests;
