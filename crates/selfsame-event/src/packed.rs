//! The bytes that everything packed is made of: variable-length numbers, texts with their length.

use smallvec::SmallVec;

use crate::Time;

/// Where bytes are put together before they become part of a row.
pub type Scratch = SmallVec<[u8; 256]>;

/// Takes bytes.
pub trait Sink {
    /// Adds these bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl<A: smallvec::Array<Item = u8>> Sink for SmallVec<A> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
pub fn put_number(out: &mut impl Sink, mut value: u64) {
    if value < 0x80 {
        return out.put(&[value.to_le_bytes()[0]]);
    }
    let mut bytes = [0; 10];
    let mut length = 0;
    for byte in &mut bytes {
        length += 1;
        *byte = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        if value == 0 {
            *byte &= 0x7f;
            break;
        }
    }
    out.put(bytes.get(..length).unwrap_or_default());
}

/// Its length, then its bytes.
pub fn put_text(out: &mut impl Sink, text: &str) {
    put_number(out, text.len() as u64);
    out.put(text.as_bytes());
}

/// A time: twice its milliseconds where it is a whole number of them, as most are; else twice its
/// microseconds and one.
pub fn put_time(out: &mut impl Sink, time: Time) {
    let micros = time.micros().unsigned_abs();
    put_number(out, if micros.is_multiple_of(1_000) { micros / 500 } else { micros * 2 + 1 });
}

/// Small numbers of either sign as small numbers without one.
pub fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// The inverse of [`zigzag`].
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads packed bytes from the front. `None` where there are too few, or they are no such thing.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// What [`put_number`] wrote.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        match self.0.split_first() {
            // Most numbers are small.
            Some((first, rest)) if *first < 0x80 => {
                self.0 = rest;
                Some(u64::from(*first))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Option<u64> {
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

    /// A number below 2^32.
    pub fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// What [`put_time`] wrote.
    pub fn time(&mut self) -> Option<Time> {
        let number = self.number()?;
        let micros = if number % 2 == 1 { number / 2 } else { (number / 2).checked_mul(1_000)? };
        Some(Time::from_micros(i64::try_from(micros).ok()?))
    }

    /// The next N bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// The next bytes.
    pub fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// What [`put_text`] wrote.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.slice(length)?).ok()
    }
}

#[cfg(test)]
mod tests;
