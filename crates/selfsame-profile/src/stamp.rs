//! Which event said something: when, under which message id, in which record, from which source.
//!
//! Stamps have one total order, by (event time, message id, record id, item). The latest stamp wins
//! a trait, the earliest is a profile's first event. The record id and item make an event unique, so
//! events that share a time and a message id are still in one order, whichever arrived first.

use selfsame_event::packed::{Reader, Scratch, put_number, put_time};
use selfsame_event::{PackedText, RecordId, SourceNumber, Time};

/// The event that said something. Compared as the module says; the source takes no part until all
/// else is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp<'a> {
    /// Effective event time.
    pub time: Time,
    /// The sender's id of the event, or the one derived from its record.
    pub message_id: PackedText<'a>,
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

    /// The time of a packed stamp, without reading the rest.
    pub(crate) fn time_of(packed: &[u8]) -> Option<Time> {
        Reader(packed).time()
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            time: reader.time()?,
            item: reader.small()?,
            source: SourceNumber(reader.small()?),
            record: RecordId(reader.array()?),
            message_id: PackedText::read(reader)?,
        })
    }
}
