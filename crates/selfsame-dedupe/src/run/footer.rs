//! The end of a run's file: what is where.

use super::{BLOCK, RunMeta, VERSION};
use crate::bits::wide;
use crate::entry::{Place, part};
use crate::filter::LINE;

pub(super) const FOOTER: usize = 96;
const MAGIC: &[u8; 8] = b"SSDEDUPE";

#[derive(Debug)]
pub(super) struct Footer {
    pub(super) meta: RunMeta,
    pub(super) blocks: u64,
    pub(super) lines: u64,
    pub(super) base: u64,
    pub(super) index_sum: u32,
}

impl Footer {
    pub(super) fn write(&self) -> [u8; FOOTER] {
        let mut bytes = Vec::with_capacity(FOOTER);
        for word in [self.meta.number, self.meta.ids, self.blocks, self.lines, self.base] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        for place in [self.meta.first, self.meta.last] {
            bytes.extend_from_slice(&place.offset.to_le_bytes());
            bytes.extend_from_slice(&place.index.to_le_bytes());
        }
        bytes.extend_from_slice(&self.index_sum.to_le_bytes());
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.resize(FOOTER - 12, 0);
        bytes.extend_from_slice(MAGIC);
        let sum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.try_into().expect("filled up to the footer's size")
    }

    pub(super) fn read(bytes: &[u8; FOOTER]) -> Option<Self> {
        let sum = crc32c::crc32c(&bytes[..FOOTER - 4]);
        if sum != u32::from_le_bytes(part(bytes, FOOTER - 4)) || bytes[FOOTER - 12..][..8] != *MAGIC
        {
            return None;
        }
        let word = |at: usize| u64::from_le_bytes(part(bytes, at));
        let half = |at: usize| u32::from_le_bytes(part(bytes, at));
        let meta = RunMeta {
            number: word(0),
            ids: word(8),
            bytes: 0,
            first: Place { offset: word(40), index: half(48) },
            last: Place { offset: word(52), index: half(60) },
        };
        Some(Self { meta, blocks: word(16), lines: word(24), base: word(32), index_sum: half(64) })
    }

    pub(super) fn index_start(&self) -> u64 {
        wide(BLOCK) * (self.blocks + 1)
    }

    /// The size of the whole file; none if the numbers make no sense.
    pub(super) fn size(&self) -> Option<u64> {
        let blocks = self.blocks.checked_add(1)?.checked_mul(wide(BLOCK))?;
        let index = self.blocks.checked_mul(8)?;
        let filter = self.lines.checked_mul(wide(LINE))?;
        let sensible = self.blocks > 0 && self.lines > 0;
        blocks
            .checked_add(index)?
            .checked_add(filter)?
            .checked_add(wide(FOOTER))
            .filter(|_| sensible)
    }
}
