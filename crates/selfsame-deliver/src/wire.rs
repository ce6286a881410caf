//! Numbers and bytes of ledger records: LEB128 integers, zigzag for signed ones, lengths before
//! bytes. Reading never panics and never reserves more than what is there.

use selfsame_event::{ItemPosition, Position, Time};

/// Bytes that do not read as what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are not a ledger record")]
pub struct WireError;

#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn uint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }

    pub(crate) fn int(&mut self, value: i64) {
        self.uint((value << 1 ^ value >> 63).cast_unsigned());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.uint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn time(&mut self, time: Time) {
        self.int(time.micros());
    }

    pub(crate) fn position(&mut self, at: ItemPosition) {
        self.uint(u64::from(at.record.partition));
        self.uint(at.record.offset);
        self.uint(u64::from(at.index));
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.uint(items.len() as u64);
        for item in items {
            each(self, item);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        let (first, rest) = self.0.split_first().ok_or(WireError)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn raw<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(WireError)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn uint(&mut self) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(WireError);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        u32::try_from(self.uint()?).map_err(|_| WireError)
    }

    pub(crate) fn int(&mut self) -> Result<i64, WireError> {
        let value = self.uint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.uint()?).map_err(|_| WireError)?;
        let (first, rest) = self.0.split_at_checked(length).ok_or(WireError)?;
        self.0 = rest;
        Ok(first)
    }

    pub(crate) fn time(&mut self) -> Result<Time, WireError> {
        self.int().map(Time::from_micros)
    }

    pub(crate) fn position(&mut self) -> Result<ItemPosition, WireError> {
        let partition = self.u32()?;
        let offset = self.uint()?;
        Ok(Position { partition, offset }.item(self.u32()?))
    }

    pub(crate) fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let count = self.uint()?;
        if count > self.0.len() as u64 {
            return Err(WireError);
        }
        (0..count).map(|_| each(self)).collect()
    }
}

#[cfg(test)]
mod tests;
