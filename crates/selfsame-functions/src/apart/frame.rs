//! What the two processes tell each other.

use std::io::{self, ErrorKind, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{FetchRequest, FetchResponse, Input, Kind, Report};

/// Most bytes of a frame: far more than any of them has.
const MOST: usize = 256 << 20;

/// From the parent to the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Down {
    /// A function of a connection, by a number, in place of one that is used no more.
    Instance {
        number: u64,
        forget: Option<u64>,
        connection: String,
        kind: Kind,
        code: String,
        settings: String,
    },
    /// A call.
    Call { id: u64, instance: u64, input: Input, measure: bool },
    /// What a request was answered.
    Answer { id: u64, response: Result<FetchResponse, String> },
}

/// From the child to the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Up {
    /// What a call came to.
    Report { call: u64, report: Report },
    /// A request of a call.
    Fetch { call: u64, id: u64, request: FetchRequest },
}

/// Writes a frame.
pub(super) fn write<T: Serialize>(output: &mut impl Write, value: &T) -> io::Result<()> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, value).map_err(io::Error::from)?;
    let length = u32::try_from(frame.len() - 4).map_err(|_| ErrorKind::InvalidData)?;
    if let Some(head) = frame.first_chunk_mut() {
        *head = length.to_le_bytes();
    }
    output.write_all(&frame)?;
    output.flush()
}

/// Reads a frame; `None` at the end.
pub(super) fn read<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut head = [0; 4];
    match input.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if length > MOST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    input.read_exact(&mut frame)?;
    Ok(Some(serde_json::from_slice(&frame)?))
}
