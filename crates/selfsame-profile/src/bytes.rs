//! The bytes that everything packed is made of: variable-length numbers, texts with their length.

use selfsame_event::Time;
use smallvec::SmallVec;

/// Where bytes are put together before they become part of a section.
pub(crate) type Scratch = SmallVec<[u8; 256]>;

/// Seven bits a byte, the lowest first; the top bit says that more follow.
pub(crate) fn put_number(out: &mut Scratch, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Its length, then its bytes.
pub(crate) fn put_text(out: &mut Scratch, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A time: twice its milliseconds where it is a whole number of them, as most are; else twice its
/// microseconds and one.
pub(crate) fn put_time(out: &mut Scratch, time: Time) {
    let micros = time.micros().unsigned_abs();
    put_number(out, if micros.is_multiple_of(1_000) { micros / 500 } else { micros * 2 + 1 });
}

/// Small numbers of either sign as small numbers without one.
pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// The inverse of [`zigzag`].
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads packed bytes from the front. `None` where there are too few, or they are no such thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    pub(crate) fn time(&mut self) -> Option<Time> {
        let number = self.number()?;
        let micros = if number % 2 == 1 { number / 2 } else { (number / 2).checked_mul(1_000)? };
        Some(Time::from_micros(i64::try_from(micros).ok()?))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.slice(length)?).ok()
    }
}

#[cfg(test)]
mod tests;
