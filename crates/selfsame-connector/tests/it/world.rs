//! A deliverer with one connection of the catalogue.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use selfsame_connector::{Config, Connector, Daily, Journal, Keep, Mapped, check};
use selfsame_deliver::{
    AttemptLimits, AttemptLog, BodyError, Connection, ConnectionId, ConnectionStatus,
    DeliverConfig, Deliverer, DelivererHandle, Effect, EffectKind, Feed, FeedEnd, FeedError,
    FeedPage, Measured, MemoryLedger, Outbound, OutboundConfig, Parts, Question, RetryPolicy,
    Secret, SeededRandom, Spoken, Start, SystemResolver, TraceRow,
};
use selfsame_destinations::Manifest;
use selfsame_event::{Clock, EventType, ItemPosition, Position, ProfileId, SystemClock, Time};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const ID: ConnectionId = ConnectionId([1; 16]);

pub(crate) fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

/// A feed of events, each of the profile of its `userId`.
#[derive(Debug)]
struct MemoryFeed {
    events: Vec<Value>,
    end: watch::Sender<FeedEnd>,
}

impl MemoryFeed {
    fn effect(&self, offset: u64) -> Effect {
        let event = &self.events[usize::try_from(offset).expect("few")];
        let mut profile = [0; 20];
        let user = event["userId"].as_str().unwrap_or_default().bytes();
        profile.iter_mut().zip(user).for_each(|(byte, of_user)| *byte = of_user);
        let kind = event["type"].as_str().and_then(EventType::from_name).expect("a type");
        let mut id = [0; 16];
        id[..8].copy_from_slice(&offset.to_le_bytes());
        Effect {
            at: at(offset),
            id,
            profile: ProfileId::from_bytes(profile),
            kind: EffectKind::from(kind),
            subject: None,
            log_time: Time::EPOCH,
        }
    }
}

impl Feed for MemoryFeed {
    fn read(&self, from: ItemPosition, max: usize) -> Result<FeedPage, FeedError> {
        let first = from.record.offset;
        let last = (self.events.len() as u64).min(first + max as u64);
        let effects = (first..last).map(|offset| self.effect(offset)).collect();
        Ok(FeedPage { effects, next: at(last.max(first)) })
    }

    fn body(&self, effect: &Effect) -> Result<Bytes, BodyError> {
        let offset = usize::try_from(effect.at.record.offset).expect("few");
        Ok(self.events[offset].to_string().into())
    }

    /// The text is a word that an event has in it.
    fn matches(&self, effects: &[Effect], text: &str) -> Result<Vec<bool>, FeedError> {
        let body = |effect: &Effect| self.body(effect).expect("it is there");
        let has = |body: Bytes| String::from_utf8_lossy(&body).contains(text);
        Ok(effects.iter().map(|effect| has(body(effect))).collect())
    }

    fn unsent(&self, _: ItemPosition) -> ItemPosition {
        at(0)
    }

    fn first(&self) -> ItemPosition {
        at(0)
    }

    fn measure(&self, _: Question) -> Result<Measured, FeedError> {
        Ok(Measured { bytes: 0, near: at(0), young: at(0), time: None })
    }

    fn subscribe(&self) -> watch::Receiver<FeedEnd> {
        self.end.subscribe()
    }
}

/// Remembers tokens that were to be kept.
#[derive(Debug, Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<Value>>);

impl Keep for Kept {
    fn keep(&self, auth: &Value) {
        self.0.lock().expect("no test panics here").push(auth.clone());
    }
}

pub(crate) fn track(user: &str, event: &str) -> Value {
    json!({"type": "track", "userId": user, "event": event, "messageId": format!("{user}-{event}"),
        "properties": {"n": event}, "timestamp": "2026-01-01T00:00:00Z"})
}

pub(crate) fn mapped(number: u8, action: &str, trigger: &str, mapping: Value) -> Mapped {
    Mapped {
        number,
        action: action.to_owned(),
        trigger: trigger.to_owned(),
        mapping: Some(mapping).filter(|mapping| !mapping.is_null()),
        enabled: true,
    }
}

pub(crate) fn manifest(text: &str) -> Arc<Manifest> {
    let read = Manifest::read("test/manifest.yaml", text);
    Arc::new(read.unwrap_or_else(|wrong| panic!("{wrong}")))
}

/// Retries at once.
pub(crate) fn impatient() -> DeliverConfig {
    let short = Duration::from_millis(20);
    let retry = RetryPolicy { base: short, cap: short, ..RetryPolicy::default() };
    DeliverConfig { retry, ..DeliverConfig::default() }
}

pub(crate) struct World {
    pub(crate) handle: DelivererHandle,
    pub(crate) kept: Arc<Kept>,
    journal: Arc<Journal>,
    connector: Mutex<Arc<Connector>>,
}

impl World {
    pub(crate) fn start(config: Config, events: Vec<Value>) -> Self {
        Self::with(config, events, &Arc::default())
    }

    /// One whose journal is in that log. Its own ledger is a new one: it knows of nothing that was sent.
    pub(crate) fn with(config: Config, events: Vec<Value>, journal: &Arc<MemoryLedger>) -> Self {
        // Another test may have been first; one provider is as good as the other.
        rustls::crypto::ring::default_provider().install_default().ok();
        let outbound = Outbound::new(OutboundConfig::default(), Arc::new(SystemResolver));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let end = FeedEnd { at: at(events.len() as u64), effects: events.len() as u64 };
        let feed = MemoryFeed { events, end: watch::Sender::new(end) };
        let parts = Parts {
            feed: Arc::new(feed),
            ledger: Arc::<MemoryLedger>::default(),
            outbound: outbound.expect("a client"),
            clock: Arc::clone(&clock),
            random: Arc::new(SeededRandom::new(1)),
            attempts: Arc::new(AttemptLog::in_memory(AttemptLimits::default())),
        };
        let deliverer = Deliverer::new(impatient(), parts);
        let handle = deliverer.handle();
        tokio::spawn(deliverer.run(std::future::pending()));
        let kept = Arc::<Kept>::default();
        let journal = Journal::open(Arc::<MemoryLedger>::clone(journal), clock.wall());
        let journal = Arc::new(journal.expect("it is read"));
        let keep = Arc::<Kept>::clone(&kept);
        let connector = Arc::new(Connector::new(config, keep, journal.of("test"), None));
        let world = Self { handle, kept, journal, connector: Mutex::new(Arc::clone(&connector)) };
        world.connect(connector);
        world
    }

    fn connect(&self, connector: Arc<Connector>) {
        let secret = Secret::from_bytes([0; 32]);
        let mut connection = Connection::new(ID, "", secret);
        connection.allow_loopback = true;
        connection.start = Start::At(FeedEnd::default());
        connection.concurrency = connector.concurrency();
        connection.tool = Some(Spoken(connector));
        self.handle.set_connections(vec![connection]);
    }

    /// Configures it anew.
    pub(crate) fn configure(&self, config: Config) {
        let mut before = self.connector.lock().expect("no test panics here");
        let keep = Arc::<Kept>::clone(&self.kept);
        let notes = self.journal.of("test");
        let connector = Arc::new(Connector::new(config, keep, notes, Some(&before)));
        *before = Arc::clone(&connector);
        drop(before);
        self.connect(connector);
    }

    /// What is left of its vendor's day.
    pub(crate) fn daily(&self) -> Daily {
        let connector = self.connector.lock().expect("no test panics here");
        connector.daily(SystemClock::default().wall()).expect("a limit")
    }

    fn status(&self) -> Option<ConnectionStatus> {
        let status = self.handle.status().into_iter().find(|status| status.id == ID)?;
        let ConnectionStatus { accepted, delivered, filtered, dead, pending, .. } = status;
        assert_eq!(accepted, delivered + filtered + dead + pending, "{status:?}");
        Some(status)
    }

    /// Waits until the numbers are so.
    pub(crate) async fn until(
        &self,
        condition: impl Fn(&ConnectionStatus) -> bool,
    ) -> ConnectionStatus {
        let mut changes = self.handle.subscribe();
        let waiting = async {
            loop {
                if let Some(status) = self.status().filter(&condition) {
                    return status;
                }
                changes.changed().await.expect("the deliverer is there");
            }
        };
        let last = || format!("last seen: {:?}", self.status());
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{}", last()))
    }

    /// Waits until nothing is pending of so many units.
    pub(crate) async fn done(&self, units: u64) -> ConnectionStatus {
        self.until(|status| status.pending == 0 && status.accepted >= units).await
    }

    /// What was tried of an event: the action, the outcome, the note.
    pub(crate) async fn tried(&self, offset: u64) -> Vec<(Option<u8>, &'static str, String)> {
        // Numbers are ahead of the trace, which has what is durable.
        let durable = async {
            loop {
                let rows = self.handle.attempts(at(offset)).await.expect("a trace");
                if !rows.is_empty() {
                    return rows;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let rows = timeout(PATIENCE, durable).await.expect("an attempt");
        let shown = |row: TraceRow| {
            let attempt = row.attempt;
            let outcome = match attempt.outcome {
                selfsame_deliver::Outcome::Withheld(reason) => reason.label(),
                outcome => outcome.label(),
            };
            (attempt.action, outcome, attempt.note)
        };
        rows.into_iter().map(shown).collect()
    }
}

/// A configuration that has nothing wrong with it.
pub(crate) fn config(
    manifest: &Arc<Manifest>,
    settings: Value,
    auth: Value,
    mappings: &[Mapped],
) -> Config {
    check(manifest, settings, auth, mappings).unwrap_or_else(|wrong| panic!("{wrong}"))
}
