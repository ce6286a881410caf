//! Filling a log fast: batches of events near the limit of one, of few profiles.
//!
//! **Invariants:** no message id repeats; the texts do not compress, so that the log on disk is as
//! large as what was sent.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::generate::{finish, post_head, user_id, uuid};
use crate::http::Connection;
use crate::print;
use crate::random::Random;

#[cfg(test)]
mod tests;

const CONNECTIONS: u64 = 8;
const PROFILES: u64 = 1_000;
/// So many events of that text stay below the limits of an event and of a batch.
const BATCH: u64 = 15;
const TEXT_BYTES: usize = 31_500;
/// Texts are pieces of this, from anywhere in it: farther apart than compression looks back.
const POOL_BYTES: usize = 8 << 20;
/// Decides the message ids, which differ from those of the loads.
const SEED: u64 = 0xF111;
/// How often a batch is sent until it must be acknowledged.
const TRIES: u32 = 600;

/// Says no to a folder with less than twice as much room: the log, and the segments that are
/// rewritten meanwhile, with what is made of them.
pub(in crate::table) fn check_room(folder: &Path, gibibytes: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    enough(disk.f_bavail * disk.f_frsize, gibibytes)
}

fn enough(free: u64, gibibytes: u64) -> Result<()> {
    let needed = gibibytes.saturating_mul(2 << 30);
    if free < needed {
        bail!(
            "a log of {gibibytes} GiB needs {} of free space in the folder, and {} are free; give a smaller --recovery-gib or another --folder",
            print::mebibytes(needed),
            print::mebibytes(free),
        );
    }
    Ok(())
}

/// Sends events until so many bytes of them are acknowledged; how many events those were.
pub(super) async fn fill(address: SocketAddr, bytes: u64) -> Result<u64> {
    let (pool, sent) = (pool().into(), Arc::new(AtomicU64::new(0)));
    let numbers = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for index in 0..CONNECTIONS {
        let batches = Batches::new(Arc::clone(&pool), Arc::clone(&numbers), index);
        tasks.push(tokio::spawn(send(address, batches, Arc::clone(&sent), bytes)));
    }
    for task in tasks {
        task.await??;
    }
    Ok(numbers.load(Ordering::Relaxed))
}

async fn send(
    address: SocketAddr,
    mut batches: Batches,
    sent: Arc<AtomicU64>,
    limit: u64,
) -> Result<()> {
    let mut connection = Connection::new(address);
    while sent.load(Ordering::Relaxed) < limit {
        let request = batches.next();
        let mut tries = 0;
        loop {
            let answer = connection.send(request).await?;
            if answer.status == 200 {
                break;
            }
            tries += 1;
            if !answer.is_refused_for_now() || tries == TRIES {
                bail!("a batch was answered {} the {tries}th time", answer.status);
            }
            sleep(answer.retry_after.unwrap_or(Duration::from_millis(100))).await;
        }
        sent.fetch_add(request.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// Letters and digits that do not compress well.
fn pool() -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = Random::part(SEED, 0);
    let mut pool = Vec::with_capacity(POOL_BYTES + 8);
    while pool.len() < POOL_BYTES {
        pool.extend(random.next().to_le_bytes().map(|byte| LETTERS[usize::from(byte % 64)]));
    }
    pool
}

/// Writes batches, one after the other.
struct Batches {
    pool: Arc<[u8]>,
    numbers: Arc<AtomicU64>,
    random: Random,
    head: Vec<u8>,
    body: Vec<u8>,
    request: Vec<u8>,
}

impl Batches {
    fn new(pool: Arc<[u8]>, numbers: Arc<AtomicU64>, index: u64) -> Self {
        let (random, head) = (Random::part(SEED, 1 + index), post_head("/v1/batch"));
        Self { pool, numbers, random, head, body: Vec::new(), request: Vec::new() }
    }

    fn next(&mut self) -> &[u8] {
        self.body.clear();
        self.body.extend_from_slice(b"{\"batch\":[");
        for index in 0..BATCH {
            if index > 0 {
                self.body.push(b',');
            }
            self.event();
        }
        self.body.extend_from_slice(b"]}");
        finish(&mut self.request, &self.head, &self.body);
        &self.request
    }

    fn event(&mut self) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.body.extend_from_slice(b"{\"type\":\"track\",\"messageId\":\"");
        uuid(&mut self.body, SEED, number);
        let user = user_id(self.random.below(PROFILES));
        write!(
            self.body,
            "\",\"userId\":\"{user}\",\"event\":\"Article Read\",\"properties\":{{\"text\":\""
        )
        .expect("memory takes every write");
        let most = (self.pool.len() - TEXT_BYTES) as u64;
        let at = usize::try_from(self.random.below(most)).expect("an index");
        self.body.extend_from_slice(&self.pool[at..at + TEXT_BYTES]);
        self.body.extend_from_slice(b"\"}}");
    }
}
