//! The least of an HTTP/1.1 client: one connection, one request at a time, bytes prepared ahead.
//!
//! A measuring client must cost little beside what it measures, so requests are written as they
//! are and answers are read no further than their length needs. Only loopback addresses are spoken to.

#[cfg(test)]
mod tests;

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest head of an answer.
const HEAD_BYTES: usize = 64 * 1024;
/// How long an answer may take in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back. Its body stays in the connection until the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What `Retry-After` says.
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    /// Whether it asks for the same request again, later.
    pub(crate) fn is_refused_for_now(&self) -> bool {
        matches!(self.status, 429 | 503)
    }
}

/// Says no to any address but this machine's own.
pub(crate) fn loopback(text: &str) -> std::result::Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "not an address and port".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only loopback addresses are accepted".to_owned())
    }
}

/// A connection that is made when first needed, and again after it broke.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    /// A connection to that address, which is a loopback address.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, received: Vec::new(), body: Vec::new() }
    }

    /// Sends a whole request and waits for its answer. After an error nothing is known of the
    /// request's fate, and the next one gets a new connection.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer> {
        let outcome = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
        if outcome.is_err() {
            self.stream = None;
        }
        outcome
    }

    /// Sends a request that changes nothing; once more if the connection had been closed while it
    /// was idle, as a server may do.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let was_connected = self.stream.is_some();
        match self.send(request).await {
            Err(_) if was_connected => self.send(request).await,
            outcome => outcome,
        }
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Connects, where it is not connected.
    pub(crate) async fn connect(&mut self) -> Result<()> {
        if self.stream.is_none() {
            if !self.address.ip().is_loopback() {
                return Err(ErrorKind::Unsupported.into());
            }
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.received.clear();
            self.stream = Some(stream);
        }
        Ok(())
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.connect().await?;
        let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
        stream.write_all(request).await?;
        let head = loop {
            if let Some(head) = Head::parse(&self.received)? {
                break head;
            }
            if self.received.len() > HEAD_BYTES {
                return Err(broken("the head of an answer is too long"));
            }
            more(stream, &mut self.received).await?;
        };
        self.received.drain(..head.bytes);
        self.body.clear();
        match head.length {
            Length::Known(length) => {
                while self.received.len() < length {
                    more(stream, &mut self.received).await?;
                }
                self.body.extend(self.received.drain(..length));
            }
            Length::Chunks => {
                while !self.take_chunk()? {
                    let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
                    more(stream, &mut self.received).await?;
                }
            }
        }
        if head.close {
            self.stream = None;
        }
        Ok(head.answer)
    }

    /// Moves whole chunks to the body; whether the last was among them.
    fn take_chunk(&mut self) -> Result<bool> {
        while let Some(end) = find(&self.received, b"\r\n") {
            let line = std::str::from_utf8(&self.received[..end]).unwrap_or_default();
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| broken("not a chunk"))?;
            let whole = end + 2 + size + 2;
            if self.received.len() < whole {
                return Ok(false);
            }
            self.body.extend_from_slice(&self.received[end + 2..end + 2 + size]);
            self.received.drain(..whole);
            if size == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunks,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    answer: Answer,
    length: Length,
    close: bool,
    bytes: usize,
}

impl Head {
    /// The head at the front of these bytes, or `None` while it is not whole.
    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| broken("not an HTTP answer"))?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
        let status = status.and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| broken("not an HTTP answer"))?;
        let (mut length, mut close, mut retry_after) = (Length::Known(0), false, None);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                let known = value.parse().map_err(|_| broken("not a length"))?;
                length = Length::Known(known);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                length = Length::Chunks;
            } else if name.eq_ignore_ascii_case("connection") {
                close = value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("retry-after") {
                retry_after = value.parse().ok().map(Duration::from_secs);
            }
        }
        let answer = Answer { status, retry_after };
        Ok(Some(Self { answer, length, close, bytes: end + 4 }))
    }
}

async fn more(stream: &mut TcpStream, into: &mut Vec<u8>) -> Result<()> {
    into.reserve(4 * 1024);
    match stream.read_buf(into).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
