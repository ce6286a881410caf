//! A log of events behind definitions that are in force from the beginning, and the fold of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use selfsame_event::{Clock, Collection, EventsHead, RecordId, RecordKind, SourceNumber, Time};
use selfsame_identity::RuleSet;
use selfsame_log::{Item, Log, LogRead, MemoryLog, NewRecord};
use selfsame_pipeline::workspace::{
    BrowserSdk, Change, DedupeScope, Definition, DefinitionKind, Identity, Source, SourceKind,
    WriteKey,
};
use selfsame_pipeline::{State, StateConfig};

const BATCH: usize = 100;

/// What is folded.
pub(crate) struct Input {
    log: MemoryLog,
    /// Events that are folded before the time is taken.
    before: u64,
    events: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Folded {
    /// How long the events took.
    pub(crate) spent: Duration,
    pub(crate) effects: u64,
    pub(crate) profiles: u64,
    /// Bytes of sections, and of what definitions came to.
    pub(crate) sections: usize,
    pub(crate) values: usize,
}

#[derive(Debug, Default)]
struct BenchClock(AtomicU64);

impl Clock for BenchClock {
    fn wall(&self) -> Time {
        let micros = i64::try_from(self.monotonic_micros()).unwrap_or(i64::MAX);
        Time::from_micros(1_790_000_010_000_000 + micros)
    }

    fn monotonic_micros(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }
}

fn record(number: u64, kind: RecordKind, head: Vec<u8>, items: Vec<Bytes>) -> NewRecord {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    id[8..].copy_from_slice(&number.to_le_bytes());
    let items = items.into_iter().map(Item::Body).collect();
    NewRecord { id: RecordId(id), kind: kind as u8, head: head.into(), items }
}

/// A definition of users, of which nobody is told.
pub(crate) fn definition(id: String, kind: DefinitionKind, query: String) -> Definition {
    Definition {
        number: 0,
        name: id.clone(),
        id,
        space: "default".to_owned(),
        kind,
        collection: Collection::Users,
        description: String::new(),
        query,
        filter_by_external_ids: Vec::new(),
        public: false,
        destinations: Vec::new(),
    }
}

fn set_up() -> Vec<Change> {
    vec![
        Change::Create { name: "bench".to_owned(), secret: "5a".repeat(32) },
        Change::SetSpace {
            id: "default".to_owned(),
            name: "Default".to_owned(),
            rules: RuleSet::default(),
            indexed_traits: Vec::new(),
        },
        Change::SetSource(Source {
            number: 0,
            id: "source".to_owned(),
            name: "bench".to_owned(),
            space: "default".to_owned(),
            write_keys: vec![WriteKey { key: "key".to_owned(), revoked: false }],
            strict: false,
            dedupe: DedupeScope::Source,
            kind: SourceKind::Any,
            browser_sdk: BrowserSdk::Official,
            identity: Identity::default(),
        }),
    ]
}

impl Input {
    /// These definitions, in force from the beginning, and these events, of which the first so many are history.
    pub(crate) fn new(
        definitions: Vec<Definition>,
        events: impl Iterator<Item = Bytes>,
        before: u64,
    ) -> Self {
        let log = MemoryLog::new(Arc::new(BenchClock::default()));
        let mut number = 0;
        let mut append = |kind, head: Vec<u8>, items| {
            number += 1;
            drop(log.append(record(number, kind, head, items)));
        };
        let count = definitions.len() as u64;
        let changes = definitions.into_iter().map(Change::SetDefinition);
        for change in set_up().into_iter().chain(changes) {
            append(RecordKind::Config, serde_json::to_vec(&change).expect("JSON"), Vec::new());
        }
        if count > 0 {
            // The streams have no history: they are whole as they are.
            let base = set_up().len() as u64;
            let versions: Vec<(u64, u64)> = (0..count).map(|one| (one, base + one)).collect();
            let streams: Vec<u64> = (0..4 * count).collect();
            let live = serde_json::json!({
                "computed": "live", "space": "default", "streams": streams, "versions": versions,
            });
            append(RecordKind::Computed, live.to_string().into_bytes(), Vec::new());
            // Nobody is there yet, so everybody was looked at.
            let definitions: Vec<u64> = (0..count).collect();
            let walk = serde_json::json!({
                "computed": "walk", "space": "default", "definitions": definitions, "is_last": true,
            });
            append(RecordKind::Computed, walk.to_string().into_bytes(), Vec::new());
        }
        let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() }.encode();
        let mut all = 0;
        let mut events = events.peekable();
        while events.peek().is_some() {
            let items: Vec<Bytes> = events.by_ref().take(BATCH).collect();
            all += items.len() as u64;
            append(RecordKind::Events, head.clone(), items);
        }
        Self { log, before, events: all }
    }

    /// How many events the time is taken of.
    pub(crate) fn measured(&self) -> u64 {
        self.events - self.before
    }
}

/// Folds a log.
pub(crate) fn fold(input: &Input) -> Folded {
    let folder = tempfile::tempdir().expect("a folder");
    let mut state = State::open(folder.path(), &StateConfig::default()).expect("opens");
    let Input { log, before, .. } = input;
    let (mut folded, mut next, mut events) = (Folded::default(), log.first(), 0);
    while next < log.end() {
        for record in log.read(next, 1 << 20).expect("reads") {
            let start = Instant::now();
            let emitted = state.step(&record).expect("folds");
            if RecordKind::from_code(record.kind) == Some(RecordKind::Events) {
                if events >= *before {
                    folded.spent += start.elapsed();
                    folded.effects += emitted.effects.len() as u64;
                }
                events += record.items.len() as u64;
            }
            next = record.position.next();
        }
    }
    let memory = state.tables().memory();
    let of = |name: &str| memory.iter().filter(|(one, _)| *one == name).map(|(_, it)| it.0).sum();
    folded.profiles = state.meta().spaces.iter().map(|space| space.profiles).sum();
    folded.sections = of("sections");
    folded.values = of("computed") + of("moments");
    folded
}
