//! What every log does.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use selfsame_event::{Position, Time};
use tokio::sync::{oneshot, watch};

use crate::error::{AppendError, ReadError};
use crate::record::{NewRecord, Record};

/// Reading a log. Only what no crash can take back is shown, except in a regenerable log.
pub trait LogRead: Send + Sync + fmt::Debug {
    /// The first record that there is, or the end if there is none.
    fn first(&self) -> Position;

    /// The place behind the last readable record: where the next one will be.
    fn end(&self) -> Position;

    /// The records from a position on, in order: as many as fit into `max_bytes`, at least one
    /// unless the position is the end.
    fn read(&self, from: Position, max_bytes: usize) -> Result<Vec<Record>, ReadError>;

    /// One record.
    fn get(&self, position: Position) -> Result<Record, ReadError>;

    /// Waits until the record at the position can be read; `false` if the time is over first.
    fn wait_beyond(&self, position: Position, timeout: Duration) -> bool;

    /// The offset of [`LogRead::end`], to be awaited.
    fn subscribe(&self) -> watch::Receiver<u64>;
}

/// A log that gives each record its position and time, and acknowledges it when it is durable.
pub trait Log: LogRead {
    /// Hands a record over without waiting for the disk. Dropping the result does not take it back.
    fn append(&self, record: NewRecord) -> Append;

    /// Appends and waits. Must not be called on a thread that runs async tasks.
    fn append_wait(&self, record: NewRecord) -> Result<Appended, AppendError> {
        self.append(record).wait()
    }
}

/// Where and when a record was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its position.
    pub position: Position,
    /// Its log time.
    pub time: Time,
}

/// An append under way: a future of its acknowledgement.
#[derive(Debug)]
pub struct Append(State);

#[derive(Debug)]
enum State {
    Decided(Option<Result<Appended, AppendError>>),
    Waiting(oneshot::Receiver<Result<Appended, AppendError>>),
}

/// Where the acknowledgement is sent from.
pub(crate) type Acknowledge = oneshot::Sender<Result<Appended, AppendError>>;

impl Append {
    /// An append that is already decided, for implementations of [`Log`].
    pub fn decided(result: Result<Appended, AppendError>) -> Self {
        Self(State::Decided(Some(result)))
    }

    /// An append that the sender decides, for implementations of [`Log`].
    pub fn waiting(receiver: oneshot::Receiver<Result<Appended, AppendError>>) -> Self {
        Self(State::Waiting(receiver))
    }

    /// Waits on this thread. Must not be called on a thread that runs async tasks.
    pub fn wait(self) -> Result<Appended, AppendError> {
        match self.0 {
            State::Decided(result) => result.unwrap_or(Err(AppendError::Closed)),
            State::Waiting(receiver) => {
                receiver.blocking_recv().unwrap_or(Err(AppendError::Closed))
            }
        }
    }
}

impl Future for Append {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Decided(result) => {
                Poll::Ready(result.take().unwrap_or(Err(AppendError::Closed)))
            }
            State::Waiting(receiver) => Pin::new(receiver)
                .poll(cx)
                .map(|received| received.unwrap_or(Err(AppendError::Closed))),
        }
    }
}
