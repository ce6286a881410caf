//! The bytes of segment files, as drawn in `docs/formats/log.md`.
//!
//! Every checksum of a segment is CRC-32C seeded with the segment's 16 byte random salt, and every
//! block begins with the salt's first 8 bytes. Who writes an event does not know the salt, so no
//! content can pass for a block.

use bytes::{Buf, BufMut};
use selfsame_event::Time;

use crate::frame;

/// The version of this format. A newer one is refused.
pub(crate) const VERSION: u16 = 2;
pub(crate) const SEGMENT_HEADER_LEN: usize = 64;
pub(crate) const BLOCK_HEADER_LEN: usize = 56;
pub(crate) const TRAILER_LEN: usize = 48;
pub(crate) const PLACE_LEN: usize = 8;

/// No log comes to this offset: arithmetic on those below it never overflows.
pub(crate) const OFFSET_LIMIT: u64 = 1 << 62;

/// LZ4 needs a byte for every 255 that it makes, so a longer payload is not believed, nor room made
/// for it.
const LZ4_GROWTH: u64 = 255;
const MAGIC: [u8; 8] = *b"SELFLOG\0";
const FLAG_LZ4: u8 = 1;
const STATE_SEALED: u8 = 1;
const REUSED: u8 = 1;

/// The random bytes of one segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) [u8; 16]);

impl Salt {
    /// What each block begins with.
    pub(crate) fn tag(self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        [a, b, c, d, e, f, g, h]
    }

    pub(crate) fn crc(self, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.0), bytes)
    }
}

/// Why bytes were not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misread {
    /// They are damaged, or not ours.
    Damaged(&'static str),
    /// A newer program wrote them.
    Newer(u16),
}

impl From<bytes::TryGetError> for Misread {
    fn from(_: bytes::TryGetError) -> Self {
        Self::Damaged("too short")
    }
}

/// The first 64 bytes of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) sealed: bool,
    /// Whether an older segment's blocks may lie behind the last one. Never so in version 1.
    pub(crate) reused: bool,
    pub(crate) partition: u32,
    pub(crate) first: u64,
    pub(crate) salt: Salt,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_LEN);
        out.put_slice(&MAGIC);
        out.put_u16_le(VERSION);
        out.put_u8(if self.sealed { STATE_SEALED } else { 0 });
        out.put_u8(if self.reused { REUSED } else { 0 });
        out.put_u32_le(self.partition);
        out.put_u64_le(self.first);
        out.put_slice(&self.salt.0);
        out.put_u32_le(crc32c::crc32c(&out));
        out.resize(SEGMENT_HEADER_LEN, 0);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Misread> {
        let mut rest = bytes;
        let mut magic = [0; 8];
        rest.try_copy_to_slice(&mut magic)?;
        if magic != MAGIC {
            return Err(Misread::Damaged("not a segment"));
        }
        let version = rest.try_get_u16_le()?;
        let state = rest.try_get_u8()?;
        let reused = rest.try_get_u8()?;
        let partition = rest.try_get_u32_le()?;
        let first = rest.try_get_u64_le()?;
        let mut salt = Salt([0; 16]);
        rest.try_copy_to_slice(&mut salt.0)?;
        let crc = rest.try_get_u32_le()?;
        // A newer version may have moved the checksum; one that holds proves that it did not.
        if bytes.get(..40).map(crc32c::crc32c) != Some(crc) {
            return Err(if version > VERSION {
                Misread::Newer(version)
            } else {
                Misread::Damaged("segment header")
            });
        }
        if version > VERSION {
            return Err(Misread::Newer(version));
        }
        if version == 0 || state > STATE_SEALED || reused > REUSED {
            return Err(Misread::Damaged("segment header"));
        }
        let (sealed, reused) = (state == STATE_SEALED, reused == REUSED);
        Ok(Self { sealed, reused, partition, first, salt })
    }
}

/// What precedes the payload of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    pub(crate) first: u64,
    pub(crate) first_time: Time,
    pub(crate) last_time: Time,
    pub(crate) count: u32,
    pub(crate) raw_len: u32,
    pub(crate) stored_len: u32,
    pub(crate) compressed: bool,
    pub(crate) payload_crc: u32,
}

impl BlockHeader {
    /// The offset behind the block's last record.
    pub(crate) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// The size of the block in its file.
    pub(crate) fn size(&self) -> u64 {
        BLOCK_HEADER_LEN as u64 + u64::from(self.stored_len)
    }

    pub(crate) fn encode(&self, salt: Salt) -> [u8; BLOCK_HEADER_LEN] {
        let mut out = [0; BLOCK_HEADER_LEN];
        let mut rest = &mut out[..];
        rest.put_slice(&salt.tag());
        rest.put_u64_le(self.first);
        rest.put_i64_le(self.first_time.micros());
        rest.put_i64_le(self.last_time.micros());
        rest.put_u32_le(self.count);
        rest.put_u32_le(self.raw_len);
        rest.put_u32_le(self.stored_len);
        rest.put_u8(if self.compressed { FLAG_LZ4 } else { 0 });
        rest.put_slice(&[0; 3]);
        rest.put_u32_le(self.payload_crc);
        let crc = salt.crc(out.get(..52).unwrap_or_default());
        out[52..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header. `None` if these bytes are not one of this segment's, as a crash may leave
    /// them; an error if they are, by their checksum, and make no sense.
    pub(crate) fn decode(bytes: &[u8], salt: Salt) -> Option<Result<Self, Misread>> {
        let covered = bytes.get(..52)?;
        let mut rest = bytes.get(..BLOCK_HEADER_LEN)?;
        let mut tag = [0; 8];
        rest.try_copy_to_slice(&mut tag).ok()?;
        if tag != salt.tag() {
            return None;
        }
        let first = rest.try_get_u64_le().ok()?;
        let first_time = Time::from_micros(rest.try_get_i64_le().ok()?);
        let last_time = Time::from_micros(rest.try_get_i64_le().ok()?);
        let count = rest.try_get_u32_le().ok()?;
        let raw_len = rest.try_get_u32_le().ok()?;
        let stored_len = rest.try_get_u32_le().ok()?;
        let flags = rest.try_get_u32_le().ok()?;
        let payload_crc = rest.try_get_u32_le().ok()?;
        if rest.try_get_u32_le().ok()? != salt.crc(covered) {
            return None;
        }
        let (raw, stored) = (u64::from(raw_len), u64::from(stored_len));
        let fits = if flags == 0 { raw == stored } else { raw <= stored * LZ4_GROWTH };
        let sensible = count > 0
            && flags <= u32::from(FLAG_LZ4)
            && first.checked_add(count.into()).is_some()
            && u64::from(count) * frame::PREFIX as u64 <= raw
            && fits;
        if !sensible {
            return Some(Err(Misread::Damaged("block header")));
        }
        let compressed = flags != 0;
        Some(Ok(Self {
            first,
            first_time,
            last_time,
            count,
            raw_len,
            stored_len,
            compressed,
            payload_crc,
        }))
    }
}

/// Where a block is, relative to its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The block's first offset less the segment's.
    pub(crate) first: u32,
    /// Where its header is in the file.
    pub(crate) position: u32,
}

/// The last bytes of a sealed segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) block_count: u32,
    pub(crate) end: u64,
    /// Where the directory begins, and the blocks end.
    pub(crate) directory: u64,
    pub(crate) last_time: Time,
}

impl Trailer {
    /// The directory and the trailer, as they are written.
    pub(crate) fn encode(&self, places: &[Place], salt: Salt) -> Vec<u8> {
        let mut out = Vec::with_capacity(places.len() * PLACE_LEN + TRAILER_LEN);
        for place in places {
            out.put_u32_le(place.first);
            out.put_u32_le(place.position);
        }
        out.put_slice(&salt.tag());
        out.put_u32_le(self.block_count);
        out.put_u64_le(self.end);
        out.put_u64_le(self.directory);
        out.put_i64_le(self.last_time.micros());
        out.put_slice(&[0; 8]);
        out.put_u32_le(salt.crc(&out));
        out
    }

    /// Reads the trailer alone, unchecked.
    pub(crate) fn peek(bytes: &[u8], salt: Salt) -> Result<Self, Misread> {
        let mut rest = bytes;
        let mut tag = [0; 8];
        rest.try_copy_to_slice(&mut tag)?;
        if tag != salt.tag() {
            return Err(Misread::Damaged("directory"));
        }
        Ok(Self {
            block_count: rest.try_get_u32_le()?,
            end: rest.try_get_u64_le()?,
            directory: rest.try_get_u64_le()?,
            last_time: Time::from_micros(rest.try_get_i64_le()?),
        })
    }

    /// Reads the directory and the trailer, and checks them.
    pub(crate) fn decode(bytes: &[u8], salt: Salt) -> Result<(Self, Vec<Place>), Misread> {
        const BAD: Misread = Misread::Damaged("directory");
        let split = bytes.len().checked_sub(TRAILER_LEN).ok_or(BAD)?;
        let (mut directory, trailer) = bytes.split_at(split);
        let (covered, mut crc) = bytes.split_at(bytes.len() - 4);
        if crc.try_get_u32_le()? != salt.crc(covered) {
            return Err(BAD);
        }
        let trailer = Self::peek(trailer, salt)?;
        let mut places = Vec::with_capacity(split / PLACE_LEN);
        while !directory.is_empty() {
            let first = directory.try_get_u32_le()?;
            places.push(Place { first, position: directory.try_get_u32_le()? });
        }
        let count = u32::try_from(places.len()).map_err(|_| BAD)?;
        if count == trailer.block_count { Ok((trailer, places)) } else { Err(BAD) }
    }
}
