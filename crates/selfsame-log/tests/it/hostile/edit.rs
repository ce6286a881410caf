//! A valid segment, and changes to it that an input spells out.

use super::layout::{BLOCK, TRAILER, blocks, put};

/// Where the fields of a block's header are that a reader calculates with.
const FIELDS: [usize; 8] = [8, 16, 24, 32, 36, 40, 44, 48];

/// Takes numbers from the front of an input.
pub(crate) struct Taker<'a>(pub(crate) &'a [u8]);

impl Taker<'_> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.0.split_off_first().copied()
    }

    fn place(&mut self) -> Option<usize> {
        let bytes = self.0.split_off(..2)?;
        Some(usize::from(u16::from_le_bytes(*bytes.first_chunk()?)))
    }

    /// A number near a power of two, or any small one.
    fn number(&mut self) -> Option<u64> {
        let (shift, near) = (self.byte()?, self.byte()?);
        Some(
            match shift {
                0..=64 => 1_u64.checked_shl(shift.into()).unwrap_or(0),
                _ => 0,
            }
            .wrapping_add(i64::from(near.cast_signed()).cast_unsigned()),
        )
    }
}

/// Applies the changes, one after the other, until the input ends.
pub(crate) fn apply(bytes: &mut Vec<u8>, input: &mut Taker<'_>) {
    while let Some(()) = input.byte().and_then(|kind| one(bytes, kind, input)) {}
}

fn one(bytes: &mut Vec<u8>, kind: u8, input: &mut Taker<'_>) -> Option<()> {
    let of = |at: usize, len: usize| at % len.max(1);
    match kind % 9 {
        0 => {
            let (at, value) = (of(input.place()?, bytes.len()), input.byte()?);
            put(bytes, at, &[value]);
        }
        1 => {
            let (at, value) = (of(input.place()?, bytes.len()), input.number()?);
            put(bytes, at, &u32::try_from(value & 0xffff_ffff).ok()?.to_le_bytes());
        }
        2 => {
            let (block, field) = (usize::from(input.byte()?), usize::from(input.byte()?));
            let (value, blocks) = (input.number()?.to_le_bytes(), blocks(bytes));
            let at = blocks.get(of(block, blocks.len()))? + FIELDS[field % 8];
            put(bytes, at, if field % 8 < 3 { &value } else { &value[..4] });
        }
        3 => {
            let (block, within) = (usize::from(input.byte()?), input.place()?);
            let (value, blocks) = (input.number()?.to_le_bytes(), blocks(bytes));
            put(bytes, blocks.get(of(block, blocks.len()))? + BLOCK + within, &value[..4]);
        }
        4 => {
            let (block, blocks) = (usize::from(input.byte()?), blocks(bytes));
            let index = of(block, blocks.len());
            let (from, to) = (*blocks.get(index)?, blocks.get(index + 1).copied());
            let copied = bytes.get(from..to.unwrap_or(bytes.len()))?.to_vec();
            let at = of(input.place()?, bytes.len());
            bytes.splice(at..at, copied);
        }
        5 => {
            let (block, blocks) = (usize::from(input.byte()?), blocks(bytes));
            let index = of(block, blocks.len());
            let (from, to) = (*blocks.get(index)?, blocks.get(index + 1).copied());
            bytes.drain(from..to.unwrap_or(bytes.len()));
        }
        6 => bytes.truncate(input.place()?),
        7 => {
            let (at, count) = (of(input.place()?, bytes.len()), usize::from(input.byte()?));
            let value = input.byte()?;
            bytes.splice(at..at, std::iter::repeat_n(value, count));
        }
        _ => {
            let within = usize::from(input.byte()?) % (TRAILER + 32);
            let value = input.number()?.to_le_bytes();
            let at = bytes.len().checked_sub(TRAILER + 32)? + within;
            put(bytes, at, &value);
        }
    }
    (bytes.len() < 1 << 20).then_some(())
}
