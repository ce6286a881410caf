//! Events for a fleet: people who do things of many kinds, each of them marked.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use super::mock::mark;
use crate::generate::{CONTEXT, Supply, decimal, finish, post_head, uuid};
use crate::random::Random;

/// Of each name, how many events were made.
pub(crate) type Made = Arc<Vec<AtomicU64>>;

/// Requests, one after the other. Each connection has its own, and people of its own, whose events come in
/// their order.
#[derive(Debug)]
pub(crate) struct Doings {
    made: Made,
    /// The first of its people.
    index: u64,
    connections: u64,
    people: u64,
    batch: u64,
    seed: u64,
    random: Random,
    began: Instant,
    /// How many events of each of its people there were.
    numbers: Vec<u64>,
    body: Vec<u8>,
    request: Vec<u8>,
    head: Vec<u8>,
}

/// Counts for that many names.
pub(crate) fn names(count: usize) -> Made {
    Arc::new((0..count.max(1)).map(|_| AtomicU64::new(0)).collect())
}

/// How a name is written.
pub(crate) fn name(number: usize) -> String {
    format!("Deed {number}")
}

impl Doings {
    /// Requests for so many connections, of so many events each, of so many people from the first one on.
    pub(crate) fn of(
        made: &Made,
        (connections, batch): (u64, u64),
        (first, people): (u64, u64),
        began: Instant,
    ) -> Vec<Self> {
        let one = |index| Self {
            made: Arc::clone(made),
            index: first + index,
            connections,
            people: (people / connections).max(1),
            batch,
            seed: 0xF1EE7,
            random: Random::part(0xF1EE7, first + index),
            began,
            numbers: Vec::new(),
            body: Vec::new(),
            request: Vec::new(),
            head: post_head("/v1/batch"),
        };
        (0..connections).map(one).collect()
    }

    fn event(&mut self) {
        let own = self.random.below(self.people);
        let name = usize::try_from(self.random.below(self.made.len() as u64)).unwrap_or(0);
        self.made[name].fetch_add(1, Ordering::Relaxed);
        let place = usize::try_from(own).unwrap_or(0);
        if self.numbers.len() <= place {
            self.numbers.resize(place + 1, 0);
        }
        let number = self.numbers[place];
        self.numbers[place] += 1;
        let person = own * self.connections + self.index;
        self.body.extend_from_slice(b"{\"type\":\"track\",\"messageId\":\"");
        uuid(&mut self.body, self.seed ^ person, number);
        self.body.extend_from_slice(b"\",\"userId\":\"person-");
        decimal(&mut self.body, person, 10);
        self.body.extend_from_slice(b"\",\"event\":\"");
        write!(self.body, "{}", self::name(name)).expect("memory takes every write");
        self.body.extend_from_slice(b"\",\"properties\":{");
        mark(&mut self.body, person, number, self.began.elapsed().as_micros());
        self.body
            .extend_from_slice(b",\"price\":12.50,\"currency\":\"EUR\",\"category\":\"garden\"},");
        self.body.extend_from_slice(CONTEXT);
    }
}

impl Supply for Doings {
    fn next(&mut self) -> &[u8] {
        self.body.clear();
        self.body.extend_from_slice(b"{\"batch\":[");
        for place in 0..self.batch {
            if place > 0 {
                self.body.push(b',');
            }
            self.event();
        }
        self.body.extend_from_slice(b"]}");
        finish(&mut self.request, &self.head, &self.body);
        &self.request
    }
}
