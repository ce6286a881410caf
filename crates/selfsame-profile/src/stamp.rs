//! Which event said something: when, under which message id, in which record, from which source.
//!
//! Stamps have one total order, by (event time, message id, record id, item). The latest stamp wins
//! a trait, the earliest is a profile's first event. The record id and item make an event unique, so
//! events that share a time and a message id are still in one order, whichever arrived first.

use std::cmp::Ordering;
use std::fmt;

use selfsame_event::{RecordId, SourceNumber, Time};

use crate::bytes::{Reader, Scratch, put_number, put_time};

/// The event that said something. Compared as the module says; the source takes no part until all
/// else is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp<'a> {
    /// Effective event time.
    pub time: Time,
    /// The sender's id of the event, or the one derived from its record.
    pub message_id: MessageId<'a>,
    /// The record the event came in.
    pub record: RecordId,
    /// Which item of that record it is.
    pub item: u32,
    /// The source it came from.
    pub source: SourceNumber,
}

impl<'a> Stamp<'a> {
    pub(crate) fn write(&self, out: &mut Scratch) {
        put_time(out, self.time);
        put_number(out, u64::from(self.item));
        put_number(out, u64::from(self.source.0));
        out.extend_from_slice(&self.record.0);
        self.message_id.write(out);
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            time: reader.time()?,
            item: reader.small()?,
            source: SourceNumber(reader.small()?),
            record: RecordId(reader.array()?),
            message_id: MessageId::read(reader)?,
        })
    }
}

/// A message id. Most end in a UUID, which takes 16 bytes instead of 36. Compared as texts are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageId<'a> {
    head: &'a str,
    uuid: Option<[u8; 16]>,
}

const UUID_CHARS: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl<'a> MessageId<'a> {
    /// The message id of that text.
    pub fn new(text: &'a str) -> Self {
        let split = text.len().checked_sub(UUID_CHARS).and_then(|at| text.split_at_checked(at));
        match split.and_then(|(head, tail)| Some((head, parse_uuid(tail.as_bytes())?))) {
            Some((head, uuid)) => Self { head, uuid: Some(uuid) },
            None => Self { head: text, uuid: None },
        }
    }

    fn text_bytes(&self) -> impl Iterator<Item = u8> {
        self.head.bytes().chain(self.uuid.iter().flat_map(uuid_chars))
    }

    fn write(&self, out: &mut Scratch) {
        put_number(out, self.head.len() as u64 * 2 + u64::from(self.uuid.is_some()));
        out.extend_from_slice(self.head.as_bytes());
        if let Some(uuid) = &self.uuid {
            out.extend_from_slice(uuid);
        }
    }

    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let number = reader.number()?;
        let length = usize::try_from(number / 2).ok()?;
        let head = std::str::from_utf8(reader.slice(length)?).ok()?;
        let uuid = if number % 2 == 1 { Some(reader.array()?) } else { None };
        // A text has one form only: a UUID at its end is never spelled out.
        let spelled = uuid.is_none() && Self::new(head).uuid.is_some();
        (!spelled).then_some(Self { head, uuid })
    }
}

/// The 16 bytes of a UUID in its usual form: lower case, with hyphens.
fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != UUID_CHARS || HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let mut uuid = [0; 16];
    let mut at = 0;
    for byte in &mut uuid {
        if HYPHENS.contains(&at) {
            at += 1;
        }
        *byte = digit(text[at])? << 4 | digit(text[at + 1])?;
        at += 2;
    }
    Some(uuid)
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

fn uuid_chars(uuid: &[u8; 16]) -> impl Iterator<Item = u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    uuid.iter().enumerate().flat_map(|(index, byte)| {
        let hyphen = matches!(index, 4 | 6 | 8 | 10).then_some(b'-');
        let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        hyphen.into_iter().chain(digits)
    })
}

impl Ord for MessageId<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text_bytes().cmp(other.text_bytes())
    }
}

impl PartialOrd for MessageId<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for MessageId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.head)?;
        let Some(uuid) = &self.uuid else { return Ok(()) };
        uuid_chars(uuid).try_for_each(|letter| fmt::Write::write_char(f, char::from(letter)))
    }
}

impl fmt::Debug for MessageId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

#[cfg(test)]
mod tests;
