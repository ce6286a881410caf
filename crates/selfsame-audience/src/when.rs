//! When an event happened, with its place among those of the same moment.

use selfsame_event::packed::{Reader, Sink, put_time};
use selfsame_event::{RecordId, Time};

/// The order of events: by time, then by record and item. Of the record id, which is random, the first
/// 48 bits take part, and of the item 16: a batch has fewer. The message id, which comes before the
/// record in a timeline, takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Effective event time.
    pub time: Time,
    rank: u64,
}

impl When {
    /// Of that item of that record.
    pub fn new(time: Time, record: RecordId, item: u32) -> Self {
        let [a, b, c, d, e, f, ..] = record.0;
        let [.., y, z] = item.min(u32::from(u16::MAX)).to_be_bytes();
        Self { time, rank: u64::from_be_bytes([a, b, c, d, e, f, y, z]) }
    }

    pub(crate) fn put(self, out: &mut impl Sink) {
        put_time(out, self.time);
        self.put_rank(out);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_rank(reader.time()?, reader)
    }

    /// It without its time.
    pub(crate) fn put_rank(self, out: &mut impl Sink) {
        out.put(&self.rank.to_be_bytes());
    }

    pub(crate) fn read_rank(time: Time, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { time, rank: u64::from_be_bytes(reader.array()?) })
    }
}
