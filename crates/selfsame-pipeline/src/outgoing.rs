//! Records of the outbox, put together from what steps decided.

use bytes::{BufMut, Bytes, BytesMut};
use selfsame_event::{Position, RecordId, Time};
use selfsame_log::{Item, NewRecord, Record};

use crate::step::Emitted;

/// Records of the outbox that are being put together.
pub(crate) struct Outgoing {
    /// What the outbox has already: a crash may come between its write and the next checkpoint.
    written: Position,
    rows: BytesMut,
    records: Vec<(Time, RecordId, u8, Vec<usize>)>,
}

impl Outgoing {
    pub(crate) fn behind(written: Position) -> Self {
        Self { written, rows: BytesMut::with_capacity(64 << 10), records: Vec::new() }
    }

    pub(crate) fn add(&mut self, record: &Record, emitted: &Emitted) {
        if record.position < self.written {
            return;
        }
        let mut row = Vec::with_capacity(128);
        let mut ends = Vec::with_capacity(emitted.decisions.len());
        for decision in &emitted.decisions {
            row.clear();
            decision.encode(&mut row);
            self.rows.put_slice(&row);
            ends.push(self.rows.len());
        }
        for effect in &emitted.effects {
            row.clear();
            effect.encode(&mut row);
            self.rows.put_slice(&row);
            ends.push(self.rows.len());
        }
        self.records.push((record.time, record.id, record.kind, ends));
    }

    pub(crate) fn finish(self) -> Vec<(Time, NewRecord)> {
        let rows = self.rows.freeze();
        let mut start = 0;
        let record = |(time, id, kind, ends): (Time, RecordId, u8, Vec<usize>)| {
            let items = ends.into_iter().map(|end| {
                let row = rows.slice(start..end);
                start = end;
                Item::Body(row)
            });
            (time, NewRecord { id, kind, head: Bytes::new(), items: items.collect() })
        };
        self.records.into_iter().map(record).collect()
    }
}
