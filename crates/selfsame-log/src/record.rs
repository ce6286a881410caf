//! What a log holds: records of bytes.

use std::sync::Arc;

use bytes::Bytes;
use selfsame_event::{Position, RecordId, Time};

/// One item of a record (one event of a request).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The bytes, as they were appended.
    Body(Bytes),
    /// There were bytes here; they were erased.
    Erased,
}

impl Item {
    /// The bytes, unless they were erased.
    pub fn body(&self) -> Option<&Bytes> {
        match self {
            Self::Body(bytes) => Some(bytes),
            Self::Erased => None,
        }
    }

    fn size(&self) -> usize {
        self.body().map_or(0, Bytes::len)
    }
}

impl From<Bytes> for Item {
    fn from(bytes: Bytes) -> Self {
        Self::Body(bytes)
    }
}

/// A record that is to be appended. The log gives it a position and a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Its identity, drawn by the caller.
    pub id: RecordId,
    /// What it is, in the caller's own numbers.
    pub kind: u8,
    /// The envelope.
    pub head: Bytes,
    /// The items, each of which can be erased alone.
    pub items: Vec<Item>,
}

impl NewRecord {
    /// About how many bytes it takes in memory and on disk.
    pub fn size(&self) -> usize {
        crate::frame::size(&self.head, &self.items)
    }

    pub(crate) fn into_record(self, position: Position, time: Time) -> Record {
        let Self { id, kind, head, items } = self;
        Record { position, id, time, kind, head, items: items.into() }
    }
}

/// A record of a log. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is.
    pub position: Position,
    /// Its identity, as the appender gave it.
    pub id: RecordId,
    /// Log time: never less than that of the record before.
    pub time: Time,
    /// What it is, in the appender's own numbers.
    pub kind: u8,
    /// The envelope.
    pub head: Bytes,
    /// The items.
    pub items: Arc<[Item]>,
}

impl Record {
    /// About how many bytes it takes in memory and on disk.
    pub fn size(&self) -> usize {
        crate::frame::size(&self.head, &self.items)
    }

    /// The same record without the bodies of the items at these indexes.
    #[must_use]
    pub fn without(&self, indexes: &[u32]) -> Self {
        let items = self.items.iter().zip(0_u32..).map(|(item, index)| {
            if indexes.contains(&index) { Item::Erased } else { item.clone() }
        });
        Self { items: items.collect(), ..self.clone() }
    }
}

pub(crate) fn items_size(items: &[Item]) -> usize {
    items.iter().map(|item| 4 + item.size()).sum()
}
