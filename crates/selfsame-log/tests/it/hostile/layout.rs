//! The bytes of a segment, as `docs/formats/log.md` draws them, read and written independently of
//! the log: where the blocks are, checksums put right, offsets moved, records of whole blocks.

use std::collections::BTreeMap;

use bytes::Bytes;
use selfsame_event::{Position, RecordId, Time};
use selfsame_log::{Item, Record};

pub(crate) const HEADER: usize = 64;
pub(crate) const BLOCK: usize = 56;
pub(crate) const TRAILER: usize = 48;
/// What a block may grow to, for this reader.
const INFLATED: usize = 64 << 20;

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Overwrites what there is of these bytes.
pub(crate) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    let there = bytes.get_mut(at..).unwrap_or_default();
    let len = there.len().min(new.len());
    there[..len].copy_from_slice(&new[..len]);
}

fn salt(bytes: &[u8]) -> [u8; 16] {
    bytes.get(24..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
}

fn salted(salt: [u8; 16], bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt), bytes)
}

pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.get(10) == Some(&1)
}

/// Where the directory of a sealed segment begins, if it says so at all.
fn directory(bytes: &[u8]) -> Option<usize> {
    let trailer = bytes.len().checked_sub(TRAILER).filter(|_| is_sealed(bytes))?;
    usize::try_from(u64_at(bytes, trailer + 20)?).ok().filter(|at| *at <= trailer)
}

/// Where blocks begin, one behind the other, up to the directory, the zeros, or what the file held
/// before.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<usize> {
    let end = directory(bytes).unwrap_or(bytes.len());
    let (mut at, mut found) = (HEADER, Vec::new());
    let reused = bytes.get(11) == Some(&1);
    let is_block = |at: usize| match reused {
        true => bytes[at..at + 8] == salt(bytes)[..8],
        false => bytes[at..at + BLOCK].iter().any(|byte| *byte != 0),
    };
    while at + BLOCK <= end && is_block(at) {
        found.push(at);
        let Some(stored) = u32_at(bytes, at + 40) else { break };
        at += BLOCK + stored as usize;
    }
    found
}

/// Moves all offsets so that the segment begins at `first`, and puts every checksum right.
pub(crate) fn mend(bytes: &mut [u8], first: u64) {
    let by = first.wrapping_sub(u64_at(bytes, 16).unwrap_or(first));
    let moved = |bytes: &mut [u8], at| {
        if let Some(old) = u64_at(bytes, at) {
            put(bytes, at, &old.wrapping_add(by).to_le_bytes());
        }
    };
    moved(bytes, 16);
    let salt = salt(bytes);
    let crc = crc32c::crc32c(bytes.get(..40).unwrap_or_default());
    put(bytes, 40, &crc.to_le_bytes());
    for at in blocks(bytes) {
        put(bytes, at, &salt[..8]);
        moved(bytes, at + 8);
        let stored = u32_at(bytes, at + 40).unwrap_or(0) as usize;
        let payload = bytes.get(at + BLOCK..).unwrap_or_default();
        let crc = salted(salt, &payload[..stored.min(payload.len())]);
        put(bytes, at + 48, &crc.to_le_bytes());
        let crc = salted(salt, &bytes[at..at + 52]);
        put(bytes, at + 52, &crc.to_le_bytes());
    }
    if let Some(directory) = directory(bytes) {
        let trailer = bytes.len() - TRAILER;
        put(bytes, trailer, &salt[..8]);
        moved(bytes, trailer + 12);
        let end = bytes.len() - 4;
        let crc = salted(salt, &bytes[directory.min(end)..end]);
        put(bytes, end, &crc.to_le_bytes());
    }
}

/// A manifest of a log that begins at an offset.
pub(crate) fn manifest(first: u64) -> Vec<u8> {
    let mut out = b"SELFMAN\0\x01\0\x01\0".to_vec();
    out.extend(first.to_le_bytes());
    out.extend(first.to_le_bytes());
    let crc = crc32c::crc32c(&out);
    out.extend(crc.to_le_bytes());
    out
}

/// The records of every block with right checksums, by their offsets.
pub(crate) fn records(bytes: &[u8]) -> BTreeMap<u64, Vec<Record>> {
    let mut found: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
    let salt = salt(bytes);
    for at in blocks(bytes) {
        for record in block(bytes, at, salt).unwrap_or_default() {
            found.entry(record.position.offset).or_default().push(record);
        }
    }
    found
}

fn block(bytes: &[u8], at: usize, salt: [u8; 16]) -> Option<Vec<Record>> {
    let header = bytes.get(at..at + BLOCK)?;
    let (first, count) = (u64_at(header, 8)?, u32_at(header, 32)?);
    let (raw, stored) = (u32_at(header, 36)? as usize, u32_at(header, 40)? as usize);
    let payload = bytes.get(at + BLOCK..)?.get(..stored)?;
    if header[..8] != salt[..8]
        || u32_at(header, 52)? != salted(salt, &header[..52])
        || u32_at(header, 48)? != salted(salt, payload)
        || raw > INFLATED
    {
        return None;
    }
    let payload = match u32_at(header, 44)? {
        0 => payload.to_vec(),
        _ => lz4_flex::block::decompress(payload, raw).ok()?,
    };
    let (mut rest, mut records) = (payload.as_slice(), Vec::new());
    for number in 0..u64::from(count) {
        let Some(record) = frame(&mut rest, first.wrapping_add(number)) else { break };
        records.push(record);
    }
    Some(records)
}

fn frame(rest: &mut &[u8], offset: u64) -> Option<Record> {
    let len = u32_at(rest, 0)? as usize;
    let mut frame = rest.get(4..)?.get(..len)?;
    *rest = &rest[4 + len..];
    let prefix = frame.split_off(..33)?;
    let micros = u64_at(prefix, 16)?.cast_signed();
    let (head, items) = (u32_at(prefix, 25)? as usize, u32_at(prefix, 29)?);
    let head = Bytes::copy_from_slice(frame.split_off(..head)?);
    let items = (0..items).map(|_| {
        Some(match u32_at(frame.split_off(..4)?, 0)? {
            u32::MAX => Item::Erased,
            len => Item::Body(Bytes::copy_from_slice(frame.split_off(..len as usize)?)),
        })
    });
    let items = items.collect::<Option<Vec<_>>>()?.into();
    frame.is_empty().then(|| Record {
        position: Position::embedded(offset),
        id: RecordId(*prefix.first_chunk().expect("33 bytes")),
        time: Time::from_micros(micros),
        kind: prefix[24],
        head,
        items,
    })
}
