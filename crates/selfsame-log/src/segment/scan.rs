//! Reading a segment that is not sealed, block by block, to find where it ends and how.
//!
//! The end is clean if only zeros follow, or in a reused file nothing of this segment. Otherwise the
//! bytes there are what a crash left of the last write, unless a whole block follows them anywhere:
//! then something inside is damaged.

use std::io;

use super::Directory;
use crate::format::{
    BLOCK_HEADER_LEN, BlockHeader, OFFSET_LIMIT, SEGMENT_HEADER_LEN, Salt, SegmentHeader,
};
use crate::fs::File;

/// What a scan found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) directory: Directory,
    pub(crate) tail: Tail,
}

/// What follows the last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing, or zeros.
    Clean,
    /// What the file held before it was this segment's.
    Stale,
    /// So many bytes (up to the last that is not zero) that are not a block, and no block behind.
    Torn(u64),
    /// Bytes that are not a block, and a block behind them; or a block that makes no sense.
    Damaged,
}

/// What is at a position.
enum Found {
    Block(BlockHeader),
    /// Nothing, or what a crash leaves of a block.
    None,
    /// A header that is whole and makes no sense.
    Nonsense,
}

/// Scans a segment from its first block to its end.
pub(crate) fn scan(file: &dyn File, header: &SegmentHeader) -> io::Result<Scan> {
    let mut directory = Directory::empty(header.first);
    let size = file.size()?;
    loop {
        let block = match read_block(file, header.salt, directory.size, size)? {
            Found::Block(block) => block,
            Found::None => break,
            Found::Nonsense => return Ok(Scan { directory, tail: Tail::Damaged }),
        };
        let follows = block.first == directory.end && block.end() <= OFFSET_LIMIT;
        if !follows || !directory.has_room(header.first) {
            // A whole block of this segment, but not the one that follows, or too far behind.
            return Ok(Scan { directory, tail: Tail::Damaged });
        }
        directory.push(header.first, &block);
    }
    let tail = inspect(file, header, &directory, size)?;
    Ok(Scan { directory, tail })
}

/// Reads the block at a position, and checks it.
fn read_block(file: &dyn File, salt: Salt, position: u64, size: u64) -> io::Result<Found> {
    let mut header = [0; BLOCK_HEADER_LEN];
    if file.read_at(&mut header, position)? < header.len() {
        return Ok(Found::None);
    }
    let block = match BlockHeader::decode(&header, salt) {
        None => return Ok(Found::None),
        Some(Err(_)) => return Ok(Found::Nonsense),
        Some(Ok(block)) => block,
    };
    if position + block.size() > size {
        return Ok(Found::None);
    }
    let mut payload = vec![0; usize::try_from(block.stored_len).unwrap_or(usize::MAX)];
    let len = file.read_at(&mut payload, position + BLOCK_HEADER_LEN as u64)?;
    let whole = len == payload.len() && salt.crc(&payload) == block.payload_crc;
    Ok(if whole { Found::Block(block) } else { Found::None })
}

fn inspect(
    file: &dyn File,
    header: &SegmentHeader,
    directory: &Directory,
    size: u64,
) -> io::Result<Tail> {
    const CHUNK: usize = 1 << 20;
    let tag = header.salt.tag();
    let (mut last, mut ours) = (None, None);
    let mut chunk = vec![0; CHUNK.min(usize::try_from(size).unwrap_or(CHUNK)) + tag.len()];
    let mut position = directory.size;
    while position < size {
        // Chunks overlap by the length of a tag, so that none is missed between two.
        let len = file.read_at(&mut chunk, position)?;
        let bytes = chunk.get(..len).unwrap_or_default();
        if let Some(index) = bytes.iter().rposition(|byte| *byte != 0) {
            last = Some(position + index as u64);
            for index in bytes.windows(tag.len()).enumerate().filter(|(_, w)| *w == tag) {
                let at = position + index.0 as u64;
                ours = Some(at + tag.len() as u64 - 1);
                match read_block(file, header.salt, at, size)? {
                    Found::Block(block) if block.first < directory.end => {}
                    Found::None => {}
                    Found::Block(_) | Found::Nonsense => return Ok(Tail::Damaged),
                }
            }
        }
        if len < chunk.len() {
            break;
        }
        position += (chunk.len() - tag.len()) as u64;
    }
    let torn = |last| Tail::Torn(last + 1 - directory.size);
    Ok(match (last, ours) {
        (None, _) => Tail::Clean,
        // Of a torn write nothing but the tag can be told from what was there before.
        (Some(_), ours) if header.reused => ours.map_or(Tail::Stale, torn),
        (Some(last), _) => torn(last),
    })
}

/// Writes the last blocks of a scanned segment again, those that reach `from` and at least one, and
/// syncs them.
///
/// After a failed sync the system may call pages clean that never reached the disk, and show them to
/// us as if they were durable. Writing them again makes it write them.
pub(crate) fn write_again(file: &dyn File, directory: &Directory, start: u64) -> io::Result<()> {
    let start = start.max(SEGMENT_HEADER_LEN as u64);
    if start < directory.size {
        let mut bytes = vec![0; usize::try_from(directory.size - start).unwrap_or(usize::MAX)];
        let len = file.read_at(&mut bytes, start)?;
        file.write_at(bytes.get(..len).unwrap_or_default(), start)?;
    }
    file.sync_data()
}
