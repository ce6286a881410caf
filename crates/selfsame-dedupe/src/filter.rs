//! A filter for each run: "certainly not here" from one line of 64 bytes.
//!
//! ```text
//! line:  60 bytes of bits | 4 bytes crc32c of them
//! ```
//!
//! Each id sets 6 bits of one line, at 10 bits an id; about 1.5 % of absent ids pass. A line carries
//! its own checksum, so that one can be read from disk alone and a damaged one is not believed.

use crate::bits::{length, low32, scale, wide};
use crate::entry::{Id, part};

pub(crate) const LINE: usize = 64;
const BIT_BYTES: usize = LINE - 4;
const BITS: usize = BIT_BYTES * 8;
const BITS_PER_ID: u64 = 10;
const PROBES: u32 = 6;

#[cfg(test)]
mod tests;

/// Lines for so many ids.
pub(crate) fn lines_for(ids: u64) -> usize {
    length((ids * BITS_PER_ID).div_ceil(wide(BITS)).max(1))
}

/// The line of an id.
pub(crate) fn line_of(id: Id, lines: usize) -> usize {
    length(
        u64::try_from((u128::from(id.low) * u128::from(wide(lines))) >> 64).expect("below lines"),
    )
}

/// The bits of an id in its line.
fn bits_of(id: Id) -> impl Iterator<Item = usize> {
    let mixed = (id.high ^ id.low.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (start, step) = (low32(mixed >> 32), low32(mixed) | 1);
    (0..PROBES).map(move |n| scale(start.wrapping_add(step.wrapping_mul(n)), BITS))
}

/// Whether the line says that the id may be in the run.
pub(crate) fn line_has(line: &[u8], id: Id) -> bool {
    bits_of(id).all(|bit| line[bit / 8] & (1 << (bit % 8)) != 0)
}

/// Whether the line is as it was written.
pub(crate) fn line_is_whole(line: &[u8]) -> bool {
    crc32c::crc32c(&line[..BIT_BYTES]).to_le_bytes() == part::<4>(line, BIT_BYTES)
}

/// A filter in memory.
#[derive(Debug)]
pub(crate) struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    pub(crate) fn new(ids: u64) -> Self {
        Self { bytes: vec![0; lines_for(ids) * LINE] }
    }

    pub(crate) fn insert(&mut self, id: Id) {
        let at = line_of(id, self.bytes.len() / LINE) * LINE;
        for bit in bits_of(id) {
            self.bytes[at + bit / 8] |= 1 << (bit % 8);
        }
    }

    pub(crate) fn may_have(&self, id: Id) -> bool {
        let at = line_of(id, self.bytes.len() / LINE) * LINE;
        line_has(&self.bytes[at..at + LINE], id)
    }

    /// Puts the checksums in, and gives what is to be written.
    pub(crate) fn seal(&mut self) -> &[u8] {
        for line in self.bytes.chunks_exact_mut(LINE) {
            let sum = crc32c::crc32c(&line[..BIT_BYTES]);
            line[BIT_BYTES..].copy_from_slice(&sum.to_le_bytes());
        }
        &self.bytes
    }

    /// Takes what was read, if every line is whole.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let whole = !bytes.is_empty()
            && bytes.len().is_multiple_of(LINE)
            && bytes.chunks_exact(LINE).all(line_is_whole);
        whole.then_some(Self { bytes })
    }

    pub(crate) fn bytes(&self) -> u64 {
        wide(self.bytes.len())
    }
}
