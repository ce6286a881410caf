//! The traffic of a torture: users who are anonymous first and known later, in batches and single
//! events, with clients that send again what was not acknowledged, and sometimes what was.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use selfsame_event::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::ledger::Ledger;
use super::model::DEVICES;
use crate::generate::{finish, post_head};
use crate::http::Connection;
use crate::random::Random;

/// Events of a user's life: anonymous on every browser, then known on each, then both.
const LIFE: u64 = 30;
const ANONYMOUS: u64 = 10;
/// Users a connection speaks for at once.
const CROWD: usize = 3;
/// Acknowledged requests a client may send again.
const REMEMBERED: usize = 50;

/// A request that was sent, as it will be sent again.
#[derive(Debug)]
struct Sent {
    bytes: Vec<u8>,
    events: Vec<u64>,
}

/// What a connection met.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Met {
    pub(super) resent: u64,
    pub(super) refused: u64,
    pub(super) broken: u64,
    /// The status of an answer that no request of ours should get.
    pub(super) wrong: Option<u16>,
}

/// One client. It lives through all crashes of the server.
#[derive(Debug)]
pub(super) struct Client {
    random: Random,
    clock: SystemClock,
    ledger: Arc<Mutex<Ledger>>,
    crowd: Vec<(u64, u64)>,
    pending: Vec<Sent>,
    done: Vec<Sent>,
    pub(super) met: Met,
}

impl Client {
    pub(super) fn new(seed: u64, index: u64, ledger: &Arc<Mutex<Ledger>>) -> Self {
        Self {
            random: Random::part(seed, index),
            clock: SystemClock::default(),
            ledger: Arc::clone(ledger),
            crowd: Vec::new(),
            pending: Vec::new(),
            done: Vec::new(),
            met: Met::default(),
        }
    }

    /// Sends until the server is gone: so many events a second, to hold the size of a round, and from
    /// `rush_at` on without a pause.
    pub(super) async fn send_until(
        &mut self,
        over: &AtomicBool,
        address: SocketAddr,
        rate: u64,
        rush_at: Instant,
    ) {
        let mut connection = Connection::new(address);
        let mut due = Instant::now();
        while !over.load(Ordering::Relaxed) && self.met.wrong.is_none() {
            let sent = self.choose();
            let count = sent.events.len() as u64;
            self.deliver(&mut connection, sent, over).await;
            due += Duration::from_micros(count * 1_000_000 / rate.max(1));
            if due > Instant::now() {
                sleep_until(due.min(rush_at)).await;
            }
        }
    }

    /// Sends everything that was never acknowledged until it is; whether all was in time.
    pub(super) async fn settle(&mut self, address: SocketAddr, patience: Duration) -> bool {
        self.introduce_all();
        let (mut connection, never) = (Connection::new(address), AtomicBool::new(false));
        let started = Instant::now();
        while let Some(sent) = self.pending.pop() {
            if started.elapsed() > patience || self.met.wrong.is_some() {
                return false;
            }
            self.met.resent += 1;
            self.deliver(&mut connection, sent, &never).await;
        }
        true
    }

    /// Three of ten requests were sent before.
    fn choose(&mut self) -> Sent {
        if self.random.percent(30) {
            let from = if self.pending.is_empty() || self.random.percent(33) {
                &mut self.done
            } else {
                &mut self.pending
            };
            if !from.is_empty() {
                self.met.resent += 1;
                return from.swap_remove(pick(&mut self.random, from.len()));
            }
        }
        let size = if self.random.percent(50) { 1 } else { self.random.between(2, 31) };
        self.compose(size)
    }

    async fn deliver(&mut self, connection: &mut Connection, sent: Sent, over: &AtomicBool) {
        match connection.send(&sent.bytes).await {
            Ok(answer) if answer.status == 200 => {
                lock(&self.ledger).acknowledge(&sent.events);
                if self.done.len() == REMEMBERED {
                    let place = pick(&mut self.random, REMEMBERED);
                    self.done.swap_remove(place);
                }
                self.done.push(sent);
            }
            Ok(answer) => {
                self.pending.push(sent);
                if answer.is_refused_for_now() {
                    self.met.refused += 1;
                    let wait = answer.retry_after.unwrap_or(Duration::from_secs(1));
                    if !over.load(Ordering::Relaxed) {
                        sleep(wait.min(Duration::from_secs(2))).await;
                    }
                } else {
                    self.met.wrong = Some(answer.status);
                }
            }
            Err(_) => {
                self.pending.push(sent);
                self.met.broken += 1;
                sleep(Duration::from_millis(2)).await;
            }
        }
    }

    /// A new request of so many events.
    fn compose(&mut self, size: u64) -> Sent {
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = lock(&ledger);
        let (events, texts): (Vec<u64>, Vec<Value>) =
            (0..size).map(|_| self.live(&mut ledger)).unzip();
        request(events, texts)
    }

    /// The next event of one of the crowd.
    fn live(&mut self, ledger: &mut Ledger) -> (u64, Value) {
        while self.crowd.len() < CROWD {
            self.crowd.push((ledger.model.add_user(), 0));
        }
        let place = pick(&mut self.random, CROWD);
        let (user, age) = self.crowd[place];
        if age + 1 == LIFE {
            self.crowd.swap_remove(place);
        } else {
            self.crowd[place].1 += 1;
        }
        let device = age % DEVICES;
        let now = self.clock.wall().to_string();
        let model = &mut ledger.model;
        let (name, anonymous) = (model.user_id(user), model.anonymous_id(user, device));
        let is_track = !(ANONYMOUS..ANONYMOUS + DEVICES).contains(&age);
        let event = model.add_event(user, is_track);
        let mut text = json!({ "messageId": model.message_id(event), "timestamp": now });
        let mut put = |key: &str, value: Value| text[key] = value;
        if is_track {
            put("type", json!("track"));
            put("event", json!("Step Taken"));
            put("properties", json!({ "age": age, "amount": 1 }));
        } else {
            put("type", json!("identify"));
            put("traits", json!({ "name": name }));
        }
        let is_anonymous = age < ANONYMOUS;
        if !is_anonymous {
            put("userId", json!(name));
        }
        if is_anonymous || !is_track || self.random.percent(60) {
            put("anonymousId", json!(anonymous));
            if !is_anonymous {
                model.link(user, device);
            }
        }
        (event, text)
    }

    /// An identify for every browser of the crowd that nobody was told of.
    fn introduce_all(&mut self) {
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = lock(&ledger);
        let model = &mut ledger.model;
        for (user, _) in std::mem::take(&mut self.crowd) {
            for device in (0..DEVICES).filter(|d| !model.is_linked(user, *d)).collect::<Vec<_>>() {
                let event = model.add_event(user, false);
                model.link(user, device);
                let text = json!({
                    "type": "identify", "messageId": model.message_id(event),
                    "userId": model.user_id(user), "anonymousId": model.anonymous_id(user, device),
                });
                self.pending.push(request(vec![event], vec![text]));
            }
        }
    }
}

fn request(events: Vec<u64>, mut texts: Vec<Value>) -> Sent {
    let mut bytes = Vec::new();
    let (path, body) = match texts.as_mut_slice() {
        [single] => {
            let kind = single.get("type").and_then(Value::as_str).unwrap_or("track");
            (format!("/v1/{kind}"), single.to_string())
        }
        _ => ("/v1/batch".to_owned(), json!({ "batch": texts }).to_string()),
    };
    finish(&mut bytes, &post_head(&path), body.as_bytes());
    Sent { bytes, events }
}

fn pick(random: &mut Random, length: usize) -> usize {
    usize::try_from(random.below(length.max(1) as u64)).unwrap_or(0)
}

/// The ledger; a client that ended early leaves it whole.
pub(super) fn lock(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
