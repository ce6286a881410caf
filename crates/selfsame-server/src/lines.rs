//! Bodies of lines that are sent as they come: server-sent events, and exports.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

/// What could not be read while it was sent: the connection breaks off, so that nobody takes a part for
/// the whole.
#[derive(Debug, thiserror::Error)]
#[error("what was to be sent could not be read")]
pub(crate) struct BrokenOff;

/// Rows that are sent, until the sender is dropped.
pub(crate) struct Rows(pub(crate) mpsc::Receiver<Result<Bytes, BrokenOff>>);

impl hyper::body::Body for Rows {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// What is sent, piece by piece, until the sender is dropped.
pub(crate) struct Lines(pub(crate) mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
