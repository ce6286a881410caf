//! The lines of a JSONL file.

use std::io::{BufRead as _, BufReader, Read};

use selfsame_event::limits;

/// A line longer than any event is cut here: it is set aside all the same, and not held whole.
const LINE_BYTES: usize = limits::EVENT_BYTES + 1;

/// One row of a file: a line, or a record of a CSV file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its number in the file, from 1. No number is left out.
    pub(super) number: u64,
    /// The line of the file that it begins at.
    pub(super) line: u64,
    /// Where it ends in the file, in bytes.
    pub(super) end: u64,
    /// The event as JSON, without a line end.
    pub(super) bytes: Vec<u8>,
    /// Why it is no event.
    pub(super) fault: Option<String>,
}

impl Row {
    /// Whether there is nothing in it.
    pub(super) fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// The lines of a file.
pub(super) struct Lines<R> {
    file: BufReader<R>,
    number: u64,
    end: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file: BufReader::with_capacity(256 << 10, file), number: 0, end: 0 }
    }

    fn next_line(&mut self) -> std::io::Result<Option<Row>> {
        let (mut bytes, mut read) = (Vec::new(), 0_u64);
        loop {
            let available = self.file.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let (taken, ended) = match available.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (available.len(), false),
            };
            let content = available.get(..taken - usize::from(ended)).unwrap_or_default();
            let room = LINE_BYTES.saturating_sub(bytes.len());
            bytes.extend(content.iter().take(room));
            self.file.consume(taken);
            read += u64::try_from(taken).unwrap_or(0);
            if ended {
                break;
            }
        }
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.end += read;
        Ok(Some(Row { number: self.number, line: self.number, end: self.end, bytes, fault: None }))
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = anyhow::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().map_err(anyhow::Error::from).transpose()
    }
}
