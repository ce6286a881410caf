//! The bytes of a file of attempts.
//!
//! ```text
//! file:   | "SSATT" | version: u8 = 1 | block, block, ...
//! block:  | len: u32 | crc32c: u32, of the rest | ledger: uint | replay: uint | [row] |
//! row:    | attempt, as a step of the ledger has it, its note empty | mark: u8, 0 or 1
//!         | profile: 8, if 1 | answer: bytes |
//! ```
//!
//! Little-endian. A block that is cut or does not have its checksum ends a file: what follows was not written whole.

use super::{Kept, ProfileMark};
use crate::record::{Attempt, read_attempt, write_attempt};
use crate::wire::{Reader, WireError, Writer};

/// How every file begins.
pub(super) const HEAD: &[u8] = b"SSATT\x01";
const BLOCK_HEAD: usize = 8;

/// The attempts of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) ledger: u64,
    pub(super) replay: u32,
    pub(super) rows: Vec<Kept>,
}

pub(super) fn encode(ledger: u64, replay: u32, rows: &[Kept]) -> Vec<u8> {
    let mut out = Writer::default();
    out.uint(ledger);
    out.uint(u64::from(replay));
    let mut before = (0, 0);
    out.list(rows, |out, Kept { attempt, profile }| {
        let bare = Attempt { note: String::new(), ..attempt.clone() };
        before = write_attempt(out, &bare, before);
        out.byte(profile.is_some().into());
        if let Some(mark) = profile {
            out.raw(&mark.0);
        }
        out.bytes(attempt.note.as_bytes());
    });
    let body = out.finish();
    let length = u32::try_from(body.len()).expect("a step is far smaller than 4 GiB");
    [&length.to_le_bytes()[..], &crc32c::crc32c(&body).to_le_bytes(), &body].concat()
}

fn decode(body: &[u8]) -> Result<Block, WireError> {
    let mut from = Reader::new(body);
    let (ledger, replay) = (from.uint()?, from.u32()?);
    let mut before = (0, 0);
    let rows = from.list(|from| {
        let mut attempt = read_attempt(from, &mut before)?;
        let profile = match from.byte()? {
            0 => None,
            1 => Some(ProfileMark(from.raw()?)),
            _ => return Err(WireError),
        };
        std::str::from_utf8(from.bytes()?).map_err(|_| WireError)?.clone_into(&mut attempt.note);
        Ok(Kept { attempt, profile })
    })?;
    if from.is_empty() { Ok(Block { ledger, replay, rows }) } else { Err(WireError) }
}

/// The whole blocks of a file, and where the last of them ends.
pub(super) fn blocks(file: &[u8]) -> (Vec<Block>, usize) {
    let mut blocks = Vec::new();
    let Some(mut rest) = file.strip_prefix(HEAD) else { return (blocks, 0) };
    let mut end = HEAD.len();
    while let Some((head, body)) = rest.split_first_chunk::<BLOCK_HEAD>() {
        let [length, checksum] = [&head[..4], &head[4..]]
            .map(|part| u32::from_le_bytes(part.first_chunk().copied().unwrap_or_default()));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((body, behind)) = body.split_at_checked(length) else { break };
        if crc32c::crc32c(body) != checksum {
            break;
        }
        let Ok(block) = decode(body) else { break };
        blocks.push(block);
        rest = behind;
        end += BLOCK_HEAD + length;
    }
    (blocks, end)
}
