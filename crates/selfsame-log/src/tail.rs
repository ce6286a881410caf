//! What was appended last, kept in memory so that a follower reads no file, and what was read last.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::record::Record;

/// The newest records, group by group, bounded by their bytes.
#[derive(Debug)]
pub(crate) struct Tail {
    groups: VecDeque<(usize, Arc<[Record]>)>,
    bytes: usize,
    limit: usize,
}

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self { groups: VecDeque::new(), bytes: 0, limit }
    }

    pub(crate) fn push(&mut self, size: usize, group: Arc<[Record]>) {
        self.bytes += size;
        self.groups.push_back((size, group));
        while self.bytes > self.limit {
            let Some((size, _)) = self.groups.pop_front() else { break };
            self.bytes -= size;
        }
    }

    /// The group that holds a record, if it is still here, and the record's index in it.
    pub(crate) fn find(&self, offset: u64) -> Option<(Arc<[Record]>, usize)> {
        let behind = self.groups.partition_point(|(_, group)| {
            group.first().is_some_and(|record| record.position.offset <= offset)
        });
        let (_, group) = self.groups.get(behind.checked_sub(1)?)?;
        let index = usize::try_from(offset - group.first()?.position.offset).ok()?;
        (index < group.len()).then(|| (Arc::clone(group), index))
    }

    /// Forgets everything from an offset on.
    pub(crate) fn cut(&mut self, offset: u64) {
        // A group that is cut through leaves whole; the files have its beginning.
        while let Some((size, group)) = self.groups.back() {
            if group.last().is_none_or(|record| record.position.offset < offset) {
                break;
            }
            self.bytes -= size;
            self.groups.pop_back();
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.bytes = 0;
    }
}

/// Which block: the serial number of the segment object, and the block's index.
pub(crate) type BlockKey = (u64, usize);

/// The payloads of blocks read from sealed segments last, bounded by their bytes.
#[derive(Debug)]
pub(crate) struct BlockCache {
    blocks: VecDeque<(BlockKey, Bytes)>,
    bytes: usize,
    limit: usize,
}

impl BlockCache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { blocks: VecDeque::new(), bytes: 0, limit }
    }

    pub(crate) fn get(&self, key: BlockKey) -> Option<Bytes> {
        self.blocks.iter().rev().find(|(k, _)| *k == key).map(|(_, bytes)| bytes.clone())
    }

    pub(crate) fn put(&mut self, key: BlockKey, payload: Bytes) {
        if payload.len() > self.limit / 4 || self.blocks.iter().any(|(k, _)| *k == key) {
            return;
        }
        self.bytes += payload.len();
        self.blocks.push_back((key, payload));
        while self.bytes > self.limit {
            let Some((_, payload)) = self.blocks.pop_front() else { break };
            self.bytes -= payload.len();
        }
    }

    /// Forgets the blocks of a segment object.
    pub(crate) fn forget(&mut self, serial: u64) {
        self.blocks.retain(|((of, _), _)| *of != serial);
        self.bytes = self.blocks.iter().map(|(_, payload)| payload.len()).sum();
    }
}
