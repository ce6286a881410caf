//! What definitions cost the fold: events folded in a second with none, 10, 100, 300 and 500 of them in force,
//! in turns over the same events, and how many definitions an event touches.
//!
//! `EVENTS=1000000 DEFINITIONS=0,300 cargo bench -p selfsame-pipeline --bench definitions`

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures, and prints a table"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use selfsame_event::{Clock, Collection, EventsHead, RecordId, RecordKind, SourceNumber, Time};
use selfsame_identity::RuleSet;
use selfsame_log::{Item, Log, LogRead, MemoryLog, NewRecord};
use selfsame_pipeline::workspace::{
    Change, DedupeScope, Definition, DefinitionKind, Identity, Source, SourceKind, WriteKey,
};
use selfsame_pipeline::{State, StateConfig};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENT_NAMES: u64 = 10;
const BATCH: u64 = 100;
const ROUNDS: usize = 3;

#[derive(Debug, Default)]
struct BenchClock(AtomicU64);

impl Clock for BenchClock {
    fn wall(&self) -> Time {
        let micros = i64::try_from(self.monotonic_micros()).unwrap_or(i64::MAX);
        Time::from_micros(1_790_000_000_000_000 + micros)
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

/// A hundred traits for each two hundred audiences, of every kind; each event name is in a tenth of them.
fn definition(number: u64) -> Definition {
    let name = number / 3 % EVENT_NAMES;
    let n = number / 30;
    let (kind, query) = match number % 3 {
        0 => {
            let query = match n % 8 {
                0 => format!("event('E{name}').count()"),
                1 => format!("event('E{name}').sum(property('price'))"),
                2 => format!("event('E{name}').max(property('price'))"),
                3 => format!("event('E{name}').mode(property('sku'))"),
                4 => format!("event('E{name}').last(property('sku'))"),
                5 => format!("event('E{name}').unique(property('sku')).count()"),
                6 => format!("event('E{name}').within({} days).count()", 1 + n % 30),
                _ => format!("event('E{name}').within({} days).sum(property('price'))", 7 + n % 30),
            };
            (DefinitionKind::ComputedTrait, query)
        }
        side => {
            let n = 2 * n + side;
            let query = match n % 7 {
                0 => format!("event('E{name}').count() >= {}", 1 + n % 9),
                1 => {
                    format!("event('E{name}').within({} days).count() >= {}", 1 + n % 30, 1 + n % 5)
                }
                2 => {
                    format!("event('E{name}').where(property('price') >= {}).count() >= 2", n % 90)
                }
                3 => format!("event('E{name}').within({} days).count() = 0", 1 + n % 30),
                4 => format!("event('E{name}').sum(property('price')) > {}", 50 * (1 + n % 20)),
                5 => format!(
                    "event('E{name}').where(property('sku') = 's{}').within({} days).count() >= 1",
                    n % 50,
                    2 + n % 20
                ),
                _ => format!("event('E{name}').count() >= 1 and trait('plan') = 'p{}'", n % 4),
            };
            (DefinitionKind::Audience, query)
        }
    };
    let id = format!("d{number}");
    Definition {
        number: 0,
        name: id.clone(),
        id,
        space: "default".to_owned(),
        kind,
        collection: Collection::Users,
        description: String::new(),
        query,
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
            identity: Identity::default(),
        }),
    ]
}

/// The definitions, in force from the beginning, and a space of events.
fn log(definitions: u64, events: u64, profiles: u64) -> MemoryLog {
    let log = MemoryLog::new(std::sync::Arc::new(BenchClock::default()));
    let mut number = 0;
    let mut append = |kind, head: Vec<u8>, items| {
        number += 1;
        drop(log.append(record(number, kind, head, items)));
    };
    let changes = (0..definitions).map(|number| Change::SetDefinition(definition(number)));
    for change in set_up().into_iter().chain(changes) {
        append(RecordKind::Config, serde_json::to_vec(&change).expect("JSON"), Vec::new());
    }
    if definitions > 0 {
        // The streams have no history: they are whole as they are.
        let base = set_up().len() as u64;
        let versions: Vec<(u64, u64)> = (0..definitions).map(|one| (one, base + one)).collect();
        let streams: Vec<u64> = (0..2 * definitions).collect();
        let live = serde_json::json!({
            "computed": "live", "space": "default", "streams": streams, "versions": versions,
        });
        append(RecordKind::Computed, live.to_string().into_bytes(), Vec::new());
        // Nobody is there yet, so everybody was looked at.
        let definitions: Vec<u64> = (0..definitions).collect();
        let walk = serde_json::json!({
            "computed": "walk", "space": "default", "definitions": definitions, "is_last": true,
        });
        append(RecordKind::Computed, walk.to_string().into_bytes(), Vec::new());
    }
    let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() }.encode();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    for batch in 0..events / BATCH {
        let items = (0..BATCH).map(|item| {
            let (user, name) = (roll(profiles), roll(EVENT_NAMES));
            let (price, sku, plan) = (roll(100), roll(50), roll(4));
            let id = batch * BATCH + item;
            Bytes::from(match roll(12) {
                0 => format!(
                    r#"{{"type":"identify","userId":"u{user}","messageId":"m{id}","traits":{{"plan":"p{plan}","email":"u{user}@x.y"}}}}"#
                ),
                _ => format!(
                    r#"{{"type":"track","event":"E{name}","userId":"u{user}","messageId":"m{id}","properties":{{"price":{price},"sku":"s{sku}","currency":"EUR"}}}}"#
                ),
            })
        });
        append(RecordKind::Events, head.clone(), items.collect());
    }
    log
}

/// Folds a log. Gives the time that the events took, and how many effects there were.
fn fold(log: &MemoryLog) -> (Duration, u64, usize, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut state = State::open(folder.path(), &StateConfig::default()).expect("opens");
    let (mut spent, mut effects, mut next) = (Duration::ZERO, 0, log.first());
    while next < log.end() {
        for record in log.read(next, 1 << 20).expect("reads") {
            let start = Instant::now();
            let emitted = state.step(&record).expect("folds");
            if RecordKind::from_code(record.kind) == Some(RecordKind::Events) {
                spent += start.elapsed();
            }
            effects += emitted.effects.len() as u64;
            next = record.position.next();
        }
    }
    let memory = state.tables().memory();
    let of = |name: &str| memory.iter().filter(|(one, _)| *one == name).map(|(_, it)| it.0).sum();
    (spent, effects, of("sections"), of("computed") + of("moments"))
}

fn main() {
    let number = |name: &str, default| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let events: u64 = number("EVENTS", 300_000);
    let profiles = number("PROFILES", events / 20);
    println!(
        "{events} events of {profiles} profiles, {EVENT_NAMES} event names; the best of {ROUNDS} rounds"
    );
    println!(
        "definitions  events/s  of none  ns/event more  effects/event  sections B/profile  values B/profile"
    );
    let counts = std::env::var("DEFINITIONS").unwrap_or_else(|_| "0,10,100,300,500".to_owned());
    let counts = counts.split(',').filter_map(|count| count.trim().parse().ok());
    let logs: Vec<_> = counts.map(|count| (count, log(count, events, profiles))).collect();
    let mut best = vec![(Duration::MAX, 0, 0, 0); logs.len()];
    for _ in 0..ROUNDS {
        for ((_, log), best) in logs.iter().zip(&mut best) {
            let folded = fold(log);
            if folded.0 < best.0 {
                *best = folded;
            }
        }
    }
    let seconds = |spent: Duration| spent.as_secs_f64();
    let none = seconds(best[0].0);
    for ((count, _), (spent, effects, sections, values)) in logs.iter().zip(&best) {
        #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
        let (events, profiles, effects, sections, values) =
            (events as f64, profiles as f64, *effects as f64, *sections as f64, *values as f64);
        println!(
            "{count:>11}  {:>8.0}  {:>7.2}  {:>13.0}  {:>13.2}  {:>18.0}  {:>16.0}",
            events / seconds(*spent),
            none / seconds(*spent),
            (seconds(*spent) - none) / events * 1e9,
            effects / events,
            sections / profiles,
            values / profiles,
        );
    }
}
