//! Answers by connection and exchange, in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use selfsame_destinations::Reply;
use selfsame_event::Time;

use super::record::Record;
use super::{MOST_AGE, MOST_BYTES, MOST_BYTES_OF_ALL, SETTLED};

/// An answer that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The number of its request in the exchange.
    pub(crate) place: usize,
    pub(crate) digest: [u8; 32],
    pub(crate) reply: Reply,
}

#[derive(Debug, Default)]
pub(super) struct Exchanges {
    connections: BTreeMap<Arc<str>, OfConnection>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct OfConnection {
    exchanges: BTreeMap<String, Noted>,
    /// In the order in which they began.
    order: BTreeMap<u64, String>,
    next: u64,
    /// Those that have ended, and when.
    ended: VecDeque<(Time, String)>,
    bytes: usize,
}

#[derive(Debug)]
struct Noted {
    kept: Vec<Kept>,
    /// Its place in the order.
    number: u64,
    /// When the last answer came.
    at: Time,
    has_ended: bool,
}

impl Exchanges {
    /// How many answers there are.
    pub(super) fn len(&self) -> usize {
        let of = |connection: &OfConnection| {
            connection.exchanges.values().map(|one| one.kept.len()).sum::<usize>()
        };
        self.connections.values().map(of).sum()
    }

    /// Keeps an answer, in the place of an earlier one of the same request.
    pub(super) fn put(&mut self, of: &Arc<str>, key: &str, kept: Kept, at: Time) {
        let bytes = size(&kept);
        let connection = self.connections.entry(Arc::clone(of)).or_default();
        let noted = connection.exchanges.entry(key.to_owned()).or_insert_with(|| {
            let number = connection.next;
            connection.next += 1;
            connection.order.insert(number, key.to_owned());
            Noted { kept: Vec::new(), number, at, has_ended: false }
        });
        (noted.at, noted.has_ended) = (at, false);
        let mut gone = 0;
        match noted.kept.iter_mut().find(|one| one.place == kept.place) {
            Some(before) => {
                gone = size(before);
                *before = kept;
            }
            None => noted.kept.push(kept),
        }
        connection.bytes = connection.bytes + bytes - gone;
        self.bytes = self.bytes + bytes - gone;
        while self.connections.get(of).is_some_and(|one| one.bytes > MOST_BYTES) {
            self.drop_oldest(of);
        }
        while self.bytes > MOST_BYTES_OF_ALL {
            let largest = self.connections.iter().max_by_key(|(_, one)| one.bytes);
            let Some(largest) = largest.map(|(of, _)| Arc::clone(of)) else { break };
            self.drop_oldest(&largest);
        }
    }

    /// Gives up an exchange of a connection: the first that ended, else the first that began.
    fn drop_oldest(&mut self, of: &str) {
        let Some(connection) = self.connections.get_mut(of) else { return };
        let ended = connection.ended.pop_front().map(|(_, key)| key);
        let ended = ended.filter(|key| connection.has_ended(key));
        let oldest = || connection.order.first_key_value().map(|(_, key)| key.clone());
        if let Some(key) = ended.or_else(oldest) {
            self.bytes -= connection.remove(&key);
        }
    }

    /// What was answered to an exchange before, and what is to be forgotten of it: one that ended and comes
    /// again is another one.
    pub(super) fn begin(&mut self, of: &str, key: &str) -> (Vec<Kept>, Vec<String>) {
        let Some(noted) = self.connections.get(of).and_then(|one| one.exchanges.get(key)) else {
            return (Vec::new(), Vec::new());
        };
        if !noted.has_ended {
            return (noted.kept.clone(), Vec::new());
        }
        self.forget(of, &[key.to_owned()]);
        (Vec::new(), vec![key.to_owned()])
    }

    /// An exchange has ended.
    pub(super) fn end(&mut self, of: &str, key: &str, now: Time) {
        let Some(connection) = self.connections.get_mut(of) else { return };
        if let Some(noted) = connection.exchanges.get_mut(key) {
            noted.has_ended = true;
            connection.ended.push_back((now, key.to_owned()));
        }
    }

    /// Takes away what ended long enough ago, and says what that was.
    pub(super) fn settled(&mut self, of: &str, now: Time) -> Vec<String> {
        let mut keys = Vec::new();
        let Some(connection) = self.connections.get_mut(of) else { return keys };
        let long_ago = now.plus_micros(-SETTLED);
        while let Some((_, key)) = connection.ended.pop_front_if(|(at, _)| *at <= long_ago) {
            if connection.has_ended(&key) {
                keys.push(key);
            }
        }
        self.forget(of, &keys);
        keys
    }

    pub(super) fn forget(&mut self, of: &str, keys: &[String]) {
        let Some(connection) = self.connections.get_mut(of) else { return };
        for key in keys {
            self.bytes -= connection.remove(key);
        }
        if connection.exchanges.is_empty() {
            self.connections.remove(of);
        }
    }

    /// Takes away what is too old to be of use.
    pub(super) fn expire(&mut self, now: Time) {
        let oldest = now.plus_micros(-MOST_AGE);
        let mut old = Vec::new();
        for (of, connection) in &self.connections {
            let keys = connection.exchanges.iter().filter(|(_, noted)| noted.at < oldest);
            old.push((Arc::clone(of), keys.map(|(key, _)| key.clone()).collect::<Vec<_>>()));
        }
        for (of, keys) in old {
            self.forget(&of, &keys);
        }
    }

    pub(super) fn forget_all(&mut self, of: &str) {
        if let Some(gone) = self.connections.remove(of) {
            self.bytes -= gone.bytes;
        }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.connections.iter().flat_map(|(of, connection)| {
            let exchanges = connection.order.values();
            let exchanges = exchanges.filter_map(|key| Some((key, connection.exchanges.get(key)?)));
            exchanges.flat_map(move |(key, noted)| {
                noted.kept.iter().map(move |kept| Record::Kept {
                    of: of.to_string(),
                    key: key.clone(),
                    at: noted.at,
                    kept: kept.clone(),
                })
            })
        })
    }
}

impl OfConnection {
    /// Takes an exchange away; how many bytes it was.
    fn remove(&mut self, key: &str) -> usize {
        let Some(gone) = self.exchanges.remove(key) else { return 0 };
        self.order.remove(&gone.number);
        let bytes = gone.kept.iter().map(size).sum();
        self.bytes -= bytes;
        bytes
    }

    fn has_ended(&self, key: &str) -> bool {
        self.exchanges.get(key).is_some_and(|noted| noted.has_ended)
    }
}

fn size(kept: &Kept) -> usize {
    let headers = kept.reply.headers.iter();
    let headers: usize =
        headers.map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    kept.reply.body.len() + headers + 512
}
