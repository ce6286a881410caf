//! Receivers on this machine, each on a port of its own, all in one thread beside the load.
//!
//! They read no more of HTTP and JSON than they need, so that they cost little beside what is measured. Each
//! event says whose it is, which of that person's, and when it was made ([`mark`]); a receiver notes whether
//! those of one person come in order.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::histogram::Histogram;
use crate::random::Random;

/// How a receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It takes everything, after that long.
    Takes(Duration),
    /// It answers every other request with 500, by chance.
    FailsHalf(Duration),
    /// It closes every connection.
    Dead,
}

/// What a receiver has taken.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) events: u64,
    pub(crate) requests: u64,
    /// Requests that it did not take.
    pub(crate) refused: u64,
    /// Events that came behind a later one of their person.
    pub(crate) disordered: u64,
    /// Events that it had taken before.
    pub(crate) repeated: u64,
    /// From the moment an event was made.
    pub(crate) latency: Histogram,
    /// When the last one came.
    pub(crate) last: Option<Instant>,
    /// Of each person the number of the newest event, and one more.
    newest: Vec<u32>,
}

#[derive(Debug)]
struct Receiver {
    manner: Mutex<Manner>,
    taken: Mutex<Taken>,
    began: Instant,
}

/// Some receivers, which listen until they are dropped.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) addresses: Vec<SocketAddr>,
    receivers: Vec<Arc<Receiver>>,
    _stop: oneshot::Sender<()>,
    _thread: JoinHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// Receivers with these manners. Events say when they were made in microseconds from `began` on.
    pub(crate) fn start(manners: &[Manner], began: Instant) -> Result<Self> {
        let (mut listeners, mut addresses, mut receivers) = (Vec::new(), Vec::new(), Vec::new());
        for manner in manners {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            addresses.push(listener.local_addr()?);
            listeners.push(listener);
            let (manner, taken) = (Mutex::new(*manner), Mutex::default());
            receivers.push(Arc::new(Receiver { manner, taken, began }));
        }
        let (stop, stopped) = oneshot::channel();
        let all: Vec<_> = listeners.into_iter().zip(receivers.iter().cloned()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || {
            runtime.block_on(async move {
                for (index, (listener, receiver)) in (0..).zip(all) {
                    tokio::spawn(accept(listener, receiver, index));
                }
                // An error says that the fleet is dropped.
                drop(stopped.await);
            });
        };
        let thread = std::thread::Builder::new().name("fleet".to_owned()).spawn(serve)?;
        Ok(Self { addresses, receivers, _stop: stop, _thread: thread })
    }

    /// Has a receiver do otherwise from now on.
    pub(crate) fn set(&self, index: usize, manner: Manner) {
        if let Some(receiver) = self.receivers.get(index) {
            *lock(&receiver.manner) = manner;
        }
    }

    /// Looks at what a receiver has taken.
    pub(crate) fn taken<T>(&self, index: usize, look: impl FnOnce(&Taken) -> T) -> T {
        look(&lock(&self.receivers[index].taken))
    }

    /// The times of what comes from now on count, and those before do not.
    pub(crate) fn forget_latencies(&self) {
        for receiver in &self.receivers {
            lock(&receiver.taken).latency = Histogram::default();
        }
    }

    /// How many events all of them have taken.
    pub(crate) fn events(&self) -> u64 {
        self.receivers.iter().map(|receiver| lock(&receiver.taken).events).sum()
    }
}

async fn accept(listener: std::net::TcpListener, receiver: Arc<Receiver>, index: u64) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    for part in 0.. {
        let Ok((stream, _)) = listener.accept().await else { continue };
        if *lock(&receiver.manner) != Manner::Dead {
            let random = Random::part(index, part);
            tokio::spawn(serve(stream, Arc::clone(&receiver), random));
        }
    }
}

async fn serve(mut stream: TcpStream, receiver: Arc<Receiver>, mut random: Random) {
    stream.set_nodelay(true).ok();
    let mut received: Vec<u8> = Vec::with_capacity(16 << 10);
    loop {
        // A server that is stopped or killed breaks its connections.
        let Ok(Some((head, length))) = request(&mut stream, &mut received).await else { return };
        let manner = *lock(&receiver.manner);
        let (wait, is_taken) = match manner {
            Manner::Takes(wait) => (wait, true),
            Manner::FailsHalf(wait) => (wait, random.percent(50)),
            Manner::Dead => return,
        };
        if !wait.is_zero() {
            sleep(wait).await;
        }
        let body = received.get(head..head + length).unwrap_or_default();
        let answer: &[u8] = if is_taken {
            receiver.take(body);
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        } else {
            lock(&receiver.taken).refused += 1;
            b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
        };
        received.drain(..head + length);
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Reads until a whole request is there: the bytes of its head, and of its body. None at the end.
async fn request(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
) -> std::io::Result<Option<(usize, usize)>> {
    loop {
        if let Some((head, length)) = whole_head(received)
            && received.len() >= head + length
        {
            return Ok(Some((head, length)));
        }
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
}

/// The length of a head, and what it says of that of the body.
fn whole_head(received: &[u8]) -> Option<(usize, usize)> {
    let end = find(received, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(received.get(..end)?).ok()?;
    let length = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Some((end, length.unwrap_or(0)))
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = *pattern.first()?;
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(from..)?.starts_with(pattern) {
            return Some(from);
        }
        from += 1;
    }
}

/// The member by which a receiver knows an event.
const MARK: &[u8] = b"\"fleet\":\"";

/// Writes that member.
pub(crate) fn mark(out: &mut Vec<u8>, person: u64, number: u64, at_micros: u128) {
    out.extend_from_slice(MARK);
    out.extend_from_slice(format!("{person}.{number}.{at_micros}\"").as_bytes());
}

/// The marks of a body, in order: the person, the number and when it was made.
fn marks(mut body: &[u8]) -> Vec<(usize, u32, u64)> {
    let mut found = Vec::new();
    while let Some(at) = find(body, MARK) {
        body = body.get(at + MARK.len()..).unwrap_or_default();
        let end = body.iter().position(|byte| *byte == b'"').unwrap_or(body.len());
        let text = std::str::from_utf8(&body[..end]).unwrap_or_default();
        let mut parts = text.split('.');
        let mut next = || parts.next()?.parse::<u64>().ok();
        if let (Some(person), Some(number), Some(at)) = (next(), next(), next())
            && let (Ok(person), Ok(number)) = (usize::try_from(person), u32::try_from(number))
        {
            found.push((person, number, at));
        }
    }
    found
}

impl Receiver {
    fn take(&self, body: &[u8]) {
        let now = Instant::now();
        let micros = u64::try_from(now.duration_since(self.began).as_micros()).unwrap_or(u64::MAX);
        let mut taken = lock(&self.taken);
        taken.requests += 1;
        taken.last = Some(now);
        for (person, number, at) in marks(body) {
            taken.events += 1;
            taken.latency.record(Duration::from_micros(micros.saturating_sub(at)));
            if taken.newest.len() <= person {
                taken.newest.resize(person + 1, 0);
            }
            let newest = taken.newest[person];
            // `newest` is one more than the number that it stands for.
            if number + 1 == newest {
                taken.repeated += 1;
            } else if number < newest {
                taken.disordered += 1;
            } else {
                taken.newest[person] = number + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
