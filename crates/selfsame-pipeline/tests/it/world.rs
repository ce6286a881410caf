//! Logs of random histories, for the engine to fold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use selfsame_event::{
    Clock, Collection, EventsHead, KeyHasher, RecordId, RecordKind, Refusal, SourceNumber, Time,
    TokenVerdict,
};
use selfsame_identity::RuleSet;
use selfsame_identity::rule::{SharedDevices, Strategy};
use selfsame_log::{Item, Log, MemoryLog, NewRecord};
use selfsame_pipeline::IdentityChange;
use selfsame_pipeline::workspace::{
    BrowserSdk, Change, DedupeScope, Identity, IdentityKey, KeyText, Source, SourceKind,
    TokenAlgorithm, WriteKey,
};

/// A clock that moves a little at each look.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn wall(&self) -> Time {
        Time::from_micros(
            1_790_000_000_000_000 + i64::try_from(self.monotonic_micros()).expect("small"),
        )
    }

    fn monotonic_micros(&self) -> u64 {
        self.0.fetch_add(137, Ordering::Relaxed)
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

pub(crate) fn record(id: u64, kind: RecordKind, head: Vec<u8>, items: Vec<Bytes>) -> NewRecord {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&id.to_le_bytes());
    let items = items.into_iter().map(Item::Body).collect();
    NewRecord { id: RecordId(bytes), kind: kind as u8, head: head.into(), items }
}

pub(crate) fn change(id: u64, change: &Change) -> NewRecord {
    record(id, RecordKind::Config, serde_json::to_vec(change).expect("JSON"), vec![])
}

fn source(number: u32, dedupe: DedupeScope, kind: SourceKind, identity: Identity) -> Change {
    Change::SetSource(Source {
        number,
        id: format!("source-{number}"),
        name: "test".to_owned(),
        space: "default".to_owned(),
        write_keys: vec![WriteKey { key: format!("key-{number}"), revoked: false }],
        strict: false,
        dedupe,
        kind,
        browser_sdk: BrowserSdk::Official,
        identity,
    })
}

/// The records that make a workspace with one space and two sources.
pub(crate) fn set_up(rules: RuleSet) -> Vec<NewRecord> {
    let source = |number, dedupe| source(number, dedupe, SourceKind::Any, Identity::default());
    let changes = [
        Change::Create { name: "test".to_owned(), secret: "5a".repeat(32) },
        Change::SetSpace {
            id: "default".to_owned(),
            name: "Default".to_owned(),
            rules,
            indexed_traits: vec!["email".to_owned()],
        },
        source(0, DedupeScope::Source),
        source(1, DedupeScope::Workspace),
    ];
    (0..).zip(&changes).map(|(id, one)| change(id, one)).collect()
}

/// One random event of a small world of people, devices and companies.
fn event(dice: &mut Dice) -> Bytes {
    let (user, device) = (dice.roll(40), dice.roll(60));
    let who = match dice.roll(4) {
        0 => format!(r#""userId":"u{user}""#),
        1 => format!(r#""userId":"u{user}","anonymousId":"a{device}""#),
        _ => format!(r#""anonymousId":"a{device}""#),
    };
    // Some ids come twice, some of these with other content, and some events have none.
    let id = match dice.roll(8) {
        0 => String::new(),
        _ => format!(r#","messageId":"m{}""#, dice.roll(3_000)),
    };
    let time = format!(r#","timestamp":"2026-0{}-1{}T00:00:00Z""#, 1 + dice.roll(9), dice.roll(10));
    let what = match dice.roll(12) {
        0 => format!(
            r#""type":"identify","traits":{{"email":"e{}@x.y","n":{}}}"#,
            dice.roll(40),
            dice.roll(5)
        ),
        1 => r#""type":"identify","traits":{"n":null,"deep":{"a":[1,2]}}"#.to_owned(),
        2 => format!(
            r#""type":"group","groupId":"g{}","traits":{{"plan":"p{}"}}"#,
            dice.roll(5),
            dice.roll(3)
        ),
        3 => format!(r#""type":"alias","previousId":"a{}""#, dice.roll(60)),
        4 => r#""type":"page","name":"Home""#.to_owned(),
        n => format!(r#""type":"track","event":"E{n}","properties":{{"v":{}}}"#, dice.roll(100)),
    };
    let who = if what.contains("alias") { format!(r#""userId":"u{user}""#) } else { who };
    format!("{{{what},{who}{id}{time}}}").into()
}

/// A log of so many requests by a small world.
pub(crate) fn history(seed: u64, requests: u64) -> Arc<MemoryLog> {
    history_with(seed, requests, RuleSet::default())
}

/// The same, in which somebody now and then sets identifiers apart, or lifts that again.
pub(crate) fn history_with_undo(seed: u64, requests: u64) -> Arc<MemoryLog> {
    history_with_undo_every(seed, requests, 131, false)
}

/// The same, behind every so many requests; and maybe by records that may resolve more again than a step
/// does by itself.
pub(crate) fn history_with_undo_every(
    seed: u64,
    requests: u64,
    every: u64,
    large: bool,
) -> Arc<MemoryLog> {
    let mut undone = Undone { large, ..Undone::new(seed, every) };
    told(seed, requests, RuleSet::default(), |request| undone.behind(request).into_iter().collect())
}

/// Who now and then sets identifiers apart.
struct Undone {
    dice: Dice,
    /// Behind every so many requests.
    every: u64,
    large: bool,
    standing: Vec<[String; 2]>,
}

impl Undone {
    fn new(seed: u64, every: u64) -> Self {
        Self { dice: Dice::new(seed + 1_000), every, large: false, standing: Vec::new() }
    }

    /// What they do behind that request.
    fn behind(&mut self, request: u64) -> Option<NewRecord> {
        if request % self.every != self.every - 1 {
            return None;
        }
        let mut change =
            IdentityChange { space: "default".to_owned(), ..IdentityChange::default() };
        change.by = format!("request {request}");
        change.large = self.large;
        if self.dice.roll(4) == 0 && !self.standing.is_empty() {
            let place = self.dice.roll(self.standing.len() as u64);
            change.lift.push(self.standing.swap_remove(usize::try_from(place).expect("small")));
        } else {
            let mut one = |kind, letter, sides| {
                let value = format!("{letter}{}", self.dice.roll(sides));
                let value = if kind == "email" { format!("{value}@x.y") } else { value };
                key(Collection::Users, kind, &value)
            };
            let pair = match request % 3 {
                0 => [one("user_id", 'u', 40), one("anonymous_id", 'a', 60)],
                1 => [one("email", 'e', 40), one("anonymous_id", 'a', 60)],
                _ => [one("anonymous_id", 'a', 60), one("anonymous_id", 'a', 60)],
            };
            self.standing.push(pair.clone());
            change.apart.push(pair);
        }
        let head = serde_json::to_vec(&change).expect("JSON");
        Some(record(100_000 + request, RecordKind::Identity, head, vec![]))
    }
}

/// The key of an identifier in the space of these logs, in hex.
pub(crate) fn key(collection: Collection, kind: &str, value: &str) -> String {
    let key = KeyHasher::new([0x5a; 32]).identifier(0, collection, kind, value);
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A log of so many requests by a small world that has these rules.
pub(crate) fn history_with(seed: u64, requests: u64, rules: RuleSet) -> Arc<MemoryLog> {
    told(seed, requests, rules, |_| Vec::new())
}

/// A log in whose space devices follow the last person, until too many came with them.
pub(crate) fn linked_history(seed: u64, requests: u64) -> Arc<MemoryLog> {
    let shared_devices = Some(SharedDevices { people: 5 });
    let rules = RuleSet { strategy: Strategy::Link, shared_devices, ..RuleSet::default() };
    history_with(seed, requests, rules)
}

/// A log in whose space people are guarded from a quarter of it on, more strictly from a half on, and
/// no more from three quarters on. Identifiers are set apart in it too.
pub(crate) fn guarded_history(seed: u64, requests: u64) -> Arc<MemoryLog> {
    let key = IdentityKey {
        id: "k1".to_owned(),
        algorithm: TokenAlgorithm::Hs256,
        key: KeyText("checked by nobody here".to_owned()),
    };
    let guarded = |required, keys| {
        let identity = Identity { keys, required, ..Identity::default() };
        Some(source(1, DedupeScope::Workspace, SourceKind::Browser, identity))
    };
    let mut undone = Undone::new(seed, 37);
    told(seed, requests, RuleSet::default(), |request| {
        let quarter = |request: u64| request * 4 / requests;
        let is_new = request > 0 && quarter(request) != quarter(request - 1);
        let made = match quarter(request) {
            0 if request == 0 => {
                Some(source(0, DedupeScope::Source, SourceKind::Server, Identity::default()))
            }
            1 if is_new => guarded(false, vec![key.clone()]),
            2 if is_new => guarded(true, vec![key.clone()]),
            3 if is_new => guarded(true, Vec::new()),
            _ => None,
        };
        let made = made.map(|made| change(1_000_000 + request, &made));
        made.into_iter().chain(undone.behind(request)).collect()
    })
}

/// A log of requests, and of what else is said behind each of them. Some events have a token, which is
/// in force only while people are guarded.
fn told(
    seed: u64,
    requests: u64,
    rules: RuleSet,
    mut besides: impl FnMut(u64) -> Vec<NewRecord>,
) -> Arc<MemoryLog> {
    let log = MemoryLog::new(Arc::new(TestClock::default()));
    let mut dice = Dice::new(seed);
    let mut tokens = Dice::new(seed + 1_000);
    set_up(rules).into_iter().for_each(|record| _ = log.append_wait(record).expect("appends"));
    for request in 0..requests {
        let source = SourceNumber(u32::try_from(dice.roll(2)).expect("small"));
        let mut head = EventsHead { source, ..EventsHead::default() };
        let items: Vec<_> = (0..1 + dice.roll(6)).map(|_| event(&mut dice)).collect();
        for item in 0..u32::try_from(items.len()).expect("few") {
            match tokens.roll(8) {
                0 => head.tokens.push((item, TokenVerdict::Valid)),
                1 => head.tokens.push((item, TokenVerdict::Expired)),
                _ => {}
            }
        }
        let kind = if dice.roll(20) == 0 { RecordKind::Rejected } else { RecordKind::Events };
        if kind == RecordKind::Rejected {
            head.refusals = items.iter().map(|_| Refusal::NoId).collect();
        }
        log.append_wait(record(1_000 + request, kind, head.encode(), items)).expect("appends");
        for record in besides(request) {
            log.append_wait(record).expect("appends");
        }
    }
    Arc::new(log)
}
