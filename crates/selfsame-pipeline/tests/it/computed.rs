//! Computed traits and audiences in the fold: what profiles hold is what their whole timelines come to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use selfsame_audience::{Event, Plans, Query, Traits, When};
use selfsame_event::{
    Clock, Collection, EventType, EventsHead, Position, ProfileId, Raw, RecordId, RecordKind, Time,
};
use selfsame_identity::RuleSet;
use selfsame_log::{Item, Log, LogConfig, LogRead, MemoryLog, NewRecord, RealFs, RegenerableLog};
use selfsame_pipeline::decision::{Decision, Verdict};
use selfsame_pipeline::effect::{Effect, What};
use selfsame_pipeline::workspace::{
    Activation, Announce, Change, Definition, DefinitionKind, Destination, Since,
};
use selfsame_pipeline::{
    Compute, ComputeStatus, Engine, EngineConfig, EngineParts, EventQuery, MemoryBudget,
    PreviewConfig, PreviewError, ProfileRef, Reader, Reason, ReplayConfig, SpaceRead, StateConfig,
    preview, replay, replay_beside,
};

use crate::accounts::{ACCOUNTS, check_accounts, define_accounts};
use crate::world::{Dice, TestClock, change, history_with_undo};

/// Definitions of every kind over the events of the small world.
pub(crate) const DEFINITIONS: &[(&str, DefinitionKind, &str)] = &[
    ("seen", DefinitionKind::ComputedTrait, "event('E5').count()"),
    ("spent", DefinitionKind::ComputedTrait, "event('E6').sum(property('v'))"),
    ("top", DefinitionKind::ComputedTrait, "event('E7').max(property('v'))"),
    ("last_v", DefinitionKind::ComputedTrait, "event('E8').last(property('v'))"),
    ("values", DefinitionKind::ComputedTrait, "event('E9').unique(property('v'))"),
    ("often", DefinitionKind::Audience, "event('E5').count() >= 3"),
    ("never", DefinitionKind::Audience, "event('E6').count() = 0"),
    ("recent", DefinitionKind::Audience, "event('E7').within(30 days).count() >= 1"),
    ("named", DefinitionKind::Audience, "trait('n').exists() and trait('seen') >= 2"),
    ("both", DefinitionKind::Audience, "trait('often') = true and trait('never') = false"),
    (
        "funnel",
        DefinitionKind::Audience,
        "event('E5').where(event('E10').within(parent: 60 days).count() >= 1).count() >= 1",
    ),
];

pub(crate) fn definition(id: &str, kind: DefinitionKind, query: &str) -> Definition {
    Definition {
        number: 0,
        id: id.to_owned(),
        space: "default".to_owned(),
        kind,
        collection: Collection::Users,
        name: id.to_owned(),
        description: String::new(),
        query: query.to_owned(),
        filter_by_external_ids: Vec::new(),
        public: false,
        destinations: Vec::new(),
    }
}

/// Appends the definitions.
pub(crate) fn define(log: &dyn Log, definitions: &[(&str, DefinitionKind, &str)]) {
    for (id, kind, query) in definitions {
        static NEXT: AtomicU64 = AtomicU64::new(500_000);
        let set = Change::SetDefinition(definition(id, *kind, query));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        log.append_wait(change(number, &set)).expect("appends");
    }
}

/// Has a destination told of definitions from now on.
pub(crate) fn connect(log: &dyn Log, definitions: &[(&str, DefinitionKind, &str)]) {
    static NEXT: AtomicU64 = AtomicU64::new(900_000);
    let append = |set: &Change| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        log.append_wait(change(number, set)).expect("appends");
    };
    append(&Change::SetDestination(Destination {
        id: "hook".to_owned(),
        name: "Hook".to_owned(),
        space: "default".to_owned(),
        kind: "webhook".to_owned(),
        tool: None,
        url: "https://hook.example".to_owned(),
        secrets: Vec::new(),
        events: Vec::new(),
        relaxed: false,
        enabled: true,
        since: Since::default(),
    }));
    for (id, kind, query) in definitions {
        let told = Activation {
            destination: "hook".to_owned(),
            send: Announce::Both,
            identifiers: Vec::new(),
        };
        let destinations = vec![told];
        append(&Change::SetDefinition(Definition { destinations, ..definition(id, *kind, query) }));
    }
}

/// A clock that can be moved.
#[derive(Debug, Default)]
pub(crate) struct LeapClock(AtomicU64);

impl LeapClock {
    pub(crate) fn leap(&self, days: u64) {
        self.0.fetch_add(days * 86_400_000_000, Ordering::Relaxed);
    }
}

impl Clock for LeapClock {
    fn wall(&self) -> Time {
        let micros = i64::try_from(self.monotonic_micros()).expect("small");
        Time::from_micros(1_790_000_000_000_000 + micros)
    }

    fn monotonic_micros(&self) -> u64 {
        self.0.fetch_add(137, Ordering::Relaxed)
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<LeapClock>,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) outbox: Arc<RegenerableLog>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn outbox(folder: &Path) -> Arc<RegenerableLog> {
    let config = LogConfig::new(folder.join("outbox"), [3; 16]);
    let clock = Arc::new(TestClock::default());
    Arc::new(RegenerableLog::open(&config, clock, Arc::new(RealFs), 0).expect("opens"))
}

impl World {
    /// A world in which nothing happened yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(LeapClock::default());
        let log = Arc::new(MemoryLog::new(Arc::<LeapClock>::clone(&clock)));
        Self { clock, log, outbox: outbox(folder.path()), folder }
    }

    /// Another one over the same log.
    fn again(&self) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (clock, log) = (Arc::clone(&self.clock), Arc::clone(&self.log));
        Self { clock, log, outbox: outbox(folder.path()), folder }
    }

    /// Lets happen what a log says, but for its first records.
    pub(crate) fn happens(&self, told: &MemoryLog, skipped: usize, salt: u8) {
        self.happens_between(told, skipped, usize::MAX, salt);
    }

    pub(crate) fn happens_between(&self, told: &MemoryLog, skipped: usize, until: usize, salt: u8) {
        let mut next = told.first();
        let mut records = Vec::new();
        while next < told.end() {
            records.extend(told.read(next, 1 << 20).expect("reads"));
            next = records.last().expect("there are some").position.next();
        }
        for record in records.iter().take(until).skip(skipped) {
            let mut id = record.id;
            id.0[15] ^= salt;
            let new = NewRecord {
                id,
                kind: record.kind,
                head: record.head.clone(),
                items: record.items.to_vec(),
            };
            self.log.append_wait(new).expect("appends");
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_with(|_| ())
    }

    pub(crate) fn engine_with(&self, set: impl FnOnce(&mut EngineConfig)) -> Engine {
        let parts = EngineParts {
            log: Arc::<MemoryLog>::clone(&self.log),
            outbox: Arc::clone(&self.outbox),
            clock: Arc::<LeapClock>::clone(&self.clock),
        };
        let mut config = EngineConfig::new(self.folder.path().join("state"));
        set(&mut config);
        Engine::open(config, parts).expect("opens")
    }

    fn compute(&self, engine: &Engine) -> Compute {
        let folder = self.folder.path().join("history");
        compute(engine, (&self.log, &self.outbox), folder)
    }

    /// Carries on what definitions need, with the engine folding beside it.
    pub(crate) fn settle(&self, engine: &mut Engine) {
        engine.catch_up().expect("folds");
        let folder = self.folder.path().join("history");
        carry_on(engine, (&self.log, &self.outbox), folder);
        loop {
            engine.catch_up().expect("folds");
            if !engine.tick().expect("ticks") {
                break;
            }
        }
    }

    pub(crate) fn reader(&self, engine: &Engine) -> Reader {
        Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&self.log))
    }
}

/// The job that carries on what definitions need.
fn compute(
    engine: &Engine,
    (log, outbox): (&Arc<MemoryLog>, &Arc<RegenerableLog>),
    folder: PathBuf,
) -> Compute {
    let drawn = AtomicU64::new(1);
    Compute {
        shared: engine.shared(),
        log: Arc::<MemoryLog>::clone(log),
        outbox: Arc::<RegenerableLog>::clone(outbox),
        folder,
        draw: Box::new(move || {
            let mut id = [9; 16];
            id[..8].copy_from_slice(&drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            RecordId(id)
        }),
    }
}

/// Carries on what definitions need, with the engine folding beside it, and makes no checkpoint.
pub(crate) fn carry_on(
    engine: &mut Engine,
    logs: (&Arc<MemoryLog>, &Arc<RegenerableLog>),
    folder: PathBuf,
) {
    carry_on_by(
        engine,
        logs,
        folder,
        |compute| while compute.step(&mut |_| true).expect("computes") {},
    );
}

/// The same for so many records of the next thing that is to be done.
pub(crate) fn carry_on_a_little(
    engine: &mut Engine,
    logs: (&Arc<MemoryLog>, &Arc<RegenerableLog>),
    folder: PathBuf,
    mut records: u64,
) {
    carry_on_by(engine, logs, folder, |compute| {
        let mut goes_on = |_: &ComputeStatus| {
            records = records.saturating_sub(1);
            records > 0
        };
        compute.step(&mut goes_on).expect("computes");
    });
}

fn carry_on_by(
    engine: &mut Engine,
    (log, outbox): (&Arc<MemoryLog>, &Arc<RegenerableLog>),
    folder: PathBuf,
    work: impl FnOnce(&Compute) + Send,
) {
    let compute = compute(engine, (log, outbox), folder);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let is_done = &stop;
    std::thread::scope(|threads| {
        let job = threads.spawn(move || {
            let compute = compute;
            work(&compute);
            is_done.store(true, Ordering::Release);
        });
        while !stop.load(Ordering::Acquire) {
            engine.turns(1).expect("folds");
            while engine.tick().expect("ticks") {
                engine.turns(1).expect("folds");
            }
        }
        job.join().expect("the job ends");
    });
}

/// What a profile has as traits: those of events, then what definitions came to before.
pub(crate) struct Known(pub(crate) BTreeMap<String, String>);

impl Traits for Known {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        self.0.get(key).map(|json| Raw::trusted(json))
    }
}

/// The events of each profile, as the outbox and the log have them.
pub(crate) fn timelines(
    world: &World,
    reader: &Reader,
) -> BTreeMap<ProfileId, Vec<(Position, u32)>> {
    let space = reader.space("default").expect("a space");
    let mut timelines: BTreeMap<ProfileId, Vec<(Position, u32)>> = BTreeMap::new();
    let mut next = world.outbox.first();
    while next < world.outbox.end() {
        for record in world.outbox.read(next, 1 << 20).expect("reads") {
            next = record.position.next();
            for (index, item) in (0..).zip(record.items.iter()) {
                let decision = item.body().and_then(|row| Decision::decode(row));
                let Some(Decision { verdict: Verdict::Accepted(accepted), .. }) = decision else {
                    continue;
                };
                let wanted = ProfileRef::Id(ProfileId::candidate(Time::EPOCH, accepted.anchor));
                let found = space.find(Collection::Users, &wanted).expect("reads");
                // Rules may have been published by which the anchor is nobody's.
                let Some(found) = found else { continue };
                timelines.entry(found.id()).or_default().push((record.position, index));
            }
        }
    }
    timelines
}

fn queries() -> Vec<Query> {
    let parsed = |(_, kind, text): &(&str, DefinitionKind, &str)| match kind {
        DefinitionKind::Audience => {
            Query::Audience(selfsame_expr::query::condition(text).expect("parses"))
        }
        DefinitionKind::ComputedTrait => {
            Query::Trait(selfsame_expr::query::scalar(text).expect("parses"))
        }
    };
    DEFINITIONS.iter().map(parsed).collect()
}

/// What every definition comes to for a profile with these events, folded anew.
fn expected(
    world: &World,
    plans: &Plans,
    traits: BTreeMap<String, String>,
    events: &[(Position, u32)],
    now: Time,
) -> BTreeMap<&'static str, String> {
    let row = folded(world, plans, events);
    let mut known = Known(traits);
    let mut values = BTreeMap::new();
    for (place, (id, ..)) in DEFINITIONS.iter().enumerate() {
        let rows = [&row[..]];
        let value = plans.evaluate(place, &rows, &known, now).expect("is there").value.json();
        known.0.insert((*id).to_owned(), value.clone());
        values.insert(*id, value);
    }
    values
}

/// What is kept of these events, folded anew.
pub(crate) fn folded(world: &World, plans: &Plans, events: &[(Position, u32)]) -> Vec<u8> {
    let mut row = Vec::new();
    for (position, index) in events {
        let record = world.log.get(*position).expect("reads");
        assert_eq!(RecordKind::from_code(record.kind), Some(RecordKind::Events));
        let head = EventsHead::decode(&record.head).expect("decodes");
        let body = record.items[usize::try_from(*index).expect("small")].body().expect("kept");
        let event = head.event(body).expect("is one");
        let source = format!("source-{}", head.source.0);
        let seen = Event {
            kind: event.kind,
            name: match event.kind {
                EventType::Page => event.name.as_deref(),
                _ => event.event.as_deref(),
            },
            when: When::new(event.happened_at(record.time), record.id, *index),
            source: &source,
            properties: event.properties,
            context: event.context,
        };
        row = plans.fold(&row, &seen, record.time).unwrap_or(row);
    }
    row
}

/// Every profile holds what its timeline comes to.
pub(crate) fn check(world: &World, engine: &Engine) {
    let timelines = timelines(world, &world.reader(engine));
    check_with(world, engine, &timelines);
}

pub(crate) type Timelines = BTreeMap<ProfileId, Vec<(Position, u32)>>;

fn check_with(world: &World, engine: &Engine, timelines: &Timelines) {
    let reader = world.reader(engine);
    let space = reader.space("default").expect("a space");
    let plans = Plans::compile(&queries()).expect("compiles");
    let now = engine.state().log_time();
    let (mut members, mut wrong) = (BTreeMap::<&str, u64>::new(), Vec::new());
    for (profile, events) in timelines {
        let found = space.find(Collection::Users, &ProfileRef::Id(*profile)).expect("reads");
        let found = found.expect("is there");
        let view = found.view();
        let traits = view
            .traits()
            .filter_map(|one| Some((one.key.to_owned(), one.value?.text().to_owned())));
        let expected = expected(world, &plans, traits.collect(), events, now);
        let held: BTreeMap<&str, String> = found
            .computed(now)
            .expect("reads")
            .into_iter()
            .map(|one| (one.definition.id.as_str(), one.value))
            .collect();
        for (id, kind, _) in DEFINITIONS {
            let expected = &expected[id];
            let held = held.get(id).map(String::as_str);
            let default = match kind {
                DefinitionKind::Audience => "false",
                DefinitionKind::ComputedTrait if *id == "seen" => "0",
                DefinitionKind::ComputedTrait => "null",
            };
            if held.unwrap_or(default) != expected {
                wrong.push(format!("{profile} {id}: {held:?} and not {expected}"));
            }
            if *kind == DefinitionKind::Audience && expected == "true" {
                *members.entry(id).or_default() += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), timelines.len());
    assert!(members.len() >= 4, "audiences have members in this world: {members:?}");
    for (id, kind, _) in DEFINITIONS {
        if *kind == DefinitionKind::Audience {
            let definition = space.definition(id).expect("is there");
            let count = members.get(id).copied().unwrap_or(0);
            assert_eq!(space.member_counts(definition).count, count, "{id}");
            let page = space.members(definition, None, 10_000).expect("reads");
            assert_eq!(u64::try_from(page.members.len()), Ok(count), "{id}");
        }
    }
}

/// All effects, with the position of their record.
pub(crate) fn effects(outbox: &dyn LogRead) -> Vec<(Position, Effect)> {
    let (mut next, mut all) = (outbox.first(), Vec::new());
    while next < outbox.end() {
        for record in outbox.read(next, 1 << 20).expect("reads") {
            next = record.position.next();
            let items = record.items.iter().filter_map(Item::body);
            all.extend(items.filter_map(|it| Effect::decode(it)).map(|it| (record.position, it)));
        }
    }
    all
}

/// Whom effects say to be in each audience.
fn told(outbox: &dyn LogRead) -> BTreeMap<u32, i64> {
    let mut told = BTreeMap::new();
    for (_, effect) in effects(outbox) {
        *told.entry(effect.definition).or_default() += match effect.what {
            What::Entered => 1,
            What::Exited => -1,
            What::Value(_) | What::Announced(_) => 0,
        };
    }
    told
}

#[test]
fn definitions_over_a_history_hold_what_timelines_come_to() {
    let world = World::new();
    world.happens(&history_with_undo(21, 900), 0, 0);
    define(&*world.log, DEFINITIONS);
    define_accounts(&*world.log, ACCOUNTS);
    let mut engine = world.engine();
    world.settle(&mut engine);
    check(&world, &engine);
    check_accounts(&world, &engine);
    assert!(!told(&*world.outbox).is_empty());
}

#[test]
fn definitions_before_all_events_hold_what_timelines_come_to() {
    let world = World::new();
    let history = history_with_undo(22, 200);
    world.happens_between(&history, 0, 4, 0);
    define(&*world.log, DEFINITIONS);
    define_accounts(&*world.log, ACCOUNTS);
    world.happens(&history, 4, 0);
    let mut engine = world.engine();
    world.settle(&mut engine);
    check(&world, &engine);
    check_accounts(&world, &engine);
}

/// A world with definitions that come and change between events, days that pass, and undos.
pub(crate) fn eventful(seed: u64) -> World {
    let world = World::new();
    let (before, behind) = (history_with_undo(seed, 250), history_with_undo(seed + 1, 500));
    world.happens(&before, 0, 0);
    define(&*world.log, &DEFINITIONS[..6]);
    define_accounts(&*world.log, &ACCOUNTS[..5]);
    let mut engine = world.engine();
    engine.catch_up().expect("folds");
    world.happens_between(&behind, 4, 150, 1);
    world.settle(&mut engine);
    define(&*world.log, &DEFINITIONS[6..]);
    define_accounts(&*world.log, &ACCOUNTS[5..]);
    // Another version of one that is in force, which others read.
    define(&*world.log, &[("often", DefinitionKind::Audience, "event('E5').count() >= 9")]);
    world.settle(&mut engine);
    world.happens_between(&behind, 150, 330, 1);
    connect(&*world.log, &[DEFINITIONS[0], DEFINITIONS[6]]);
    world.clock.leap(9);
    world.settle(&mut engine);
    define(&*world.log, &[DEFINITIONS[5]]);
    world.happens_between(&behind, 330, usize::MAX, 1);
    world.settle(&mut engine);
    check_accounts(&world, &engine);
    world.clock.leap(12);
    world.settle(&mut engine);
    check(&world, &engine);
    check_accounts(&world, &engine);
    drop(engine);
    world
}

#[test]
fn definitions_that_come_and_change_while_events_do_hold_what_timelines_come_to() {
    let world = eventful(31);
    // Who exited is told so once for each time they entered.
    for (definition, told) in told(&*world.outbox) {
        assert!(told >= 0, "{definition}: {told}");
    }
}

#[test]
fn a_destination_that_is_connected_is_told_of_whoever_was_ever_in() {
    let world = World::new();
    world.happens(&history_with_undo(81, 300), 0, 0);
    define(&*world.log, DEFINITIONS);
    let mut engine = world.engine();
    world.settle(&mut engine);
    let before = effects(&*world.outbox).len();
    connect(&*world.log, &[DEFINITIONS[0], DEFINITIONS[6]]);
    world.settle(&mut engine);
    let all = effects(&*world.outbox);
    let reader = world.reader(&engine);
    let space = reader.space("default").expect("a space");
    let mut said: BTreeMap<u32, Vec<(ProfileId, String)>> = BTreeMap::new();
    let mut kept = BTreeMap::new();
    for (_, effect) in &all[before..] {
        match &effect.what {
            What::Announced(json) => {
                said.entry(effect.definition).or_default().push((effect.profile, json.to_string()));
            }
            // Nobody but a definition had read the trait: its value is kept from now on.
            What::Value(json) if said.is_empty() => {
                kept.insert((effect.definition, effect.profile), json.to_string());
            }
            _ => panic!("{effect:?}"),
        }
    }
    assert_eq!(said.len(), 2, "of no other definition");
    let of_trait = |(number, list): (&u32, &Vec<(ProfileId, String)>)| {
        let list = list.iter().cloned();
        list.map(|(profile, json)| ((*number, profile), json)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(said.iter().next().map(of_trait), Some(kept), "the trait is the first");
    for (number, said) in said {
        let mut definitions = space.definitions();
        let definition = definitions.find(|one| one.number == number).expect("is there");
        assert!(said.len() > 5 && said.is_sorted(), "{said:?}");
        for (profile, json) in &said {
            let found = space.find(Collection::Users, &ProfileRef::Id(*profile)).expect("reads");
            let settled = found.expect("is there").settled(definition).expect("reads");
            assert_eq!(settled.as_ref(), Some(json), "{profile} {}", definition.id);
        }
        let members = space.members(definition, None, 10_000).expect("reads").members;
        let is_said =
            |one: &selfsame_pipeline::Member| said.contains(&(one.profile, "true".to_owned()));
        assert!(members.iter().all(is_said), "{}", definition.id);
        let progress = space.progress(definition).expect("is there");
        assert_eq!((progress.announcing.as_ref(), progress.connected.len()), (None, 1));
    }
    // What happened before has no deliveries, and what was said since has two each.
    let (untold, told) = all.split_at(before);
    assert!(before > 20 && untold.iter().all(|(_, effect)| !effect.is_told));
    assert!(told.iter().all(|(_, effect)| effect.is_told));
    let meta = &engine.state().meta().spaces[0];
    let count = u64::try_from(told.len()).expect("few");
    assert_eq!((meta.effects, meta.deliveries()), (count, meta.events + 2 * count));
    // What is told to be so again is told once.
    world.settle(&mut engine);
    assert_eq!(effects(&*world.outbox).len(), all.len());
}

#[test]
fn the_same_log_gives_the_same_values_however_it_is_folded() {
    let world = eventful(41);
    let mut engine = world.engine();
    let expected = engine.hash().expect("hashes");
    let state = |partitions| StateConfig { partitions, ..StateConfig::default() };
    let tiny = MemoryBudget { sections: 2_000, identifiers: 1_000, components: 1_000, other: 600 };
    let configs = [
        ReplayConfig::default(),
        ReplayConfig { batch_bytes: 1, ..ReplayConfig::default() },
        ReplayConfig { state: state(2), ..ReplayConfig::default() },
        ReplayConfig { state: state(7), reopen_every: Some(150), ..ReplayConfig::default() },
        ReplayConfig {
            state: StateConfig { memory: tiny, ..state(2) },
            reopen_every: Some(100),
            ..ReplayConfig::default()
        },
    ];
    for config in configs {
        let folder = tempfile::tempdir().expect("a folder");
        let hash = replay(&*world.log, world.log.end(), folder.path(), &config, |_| ());
        let differences = hash.expect("replays").differences(&expected);
        assert!(differences.is_empty(), "{config:?}: {differences:?}");
    }
}

/// A state that is folded again after a crash does not know yet what was handed over already: nothing is
/// done by it.
#[test]
fn nothing_is_handed_over_again_by_a_state_that_is_folded_again() {
    let world = eventful(41).again();
    let set = |config: &mut EngineConfig| {
        config.batch_bytes = 1;
        config.checkpoint_events = u64::MAX;
        config.checkpoint_interval = std::time::Duration::from_secs(3_600);
    };
    let mut engine = world.engine_with(set);
    while world.outbox.end() < world.log.end() {
        engine.turns(1).expect("folds");
    }
    drop(engine);
    let mut engine = world.engine_with(set);
    let shared = engine.shared();
    let has_work = || {
        let meta = shared.meta();
        let computing = meta.spaces.first().map(|space| &space.computing);
        computing.is_some_and(|it| it.definitions.values().any(|one| one.next.is_some()))
    };
    while !has_work() {
        engine.turns(1).expect("folds");
    }
    assert!(shared.folded() < world.outbox.end(), "it is folded again");
    let end = world.log.end();
    assert!(world.compute(&engine).step(&mut |_| true).expect("waits"), "there is something to do");
    assert_eq!(world.log.end(), end, "and nothing was done");
}

/// A replay says whether an outbox has the changes that there were: all of them, and no others.
#[test]
fn what_was_emitted_is_compared_with_a_replay() {
    let world = eventful(41);
    let mut engine = world.engine();
    let expected = engine.hash().expect("hashes");
    let compared = |outbox: &dyn LogRead| {
        let (folder, config) = (tempfile::tempdir().expect("a folder"), ReplayConfig::default());
        let logs = (&*world.log as &dyn LogRead, outbox);
        let replayed = replay_beside(logs, world.log.end(), folder.path(), &config, |_| ());
        let (hash, effects) = replayed.expect("replays");
        assert!(hash.differences(&expected).is_empty());
        effects
    };
    let all = effects(&*world.outbox);
    let same = compared(&*world.outbox);
    let count = u64::try_from(all.len()).expect("few");
    assert_eq!((same.compared, same.different, same.first), (count, 0, None));

    // The same outbox, but that the last change of one record is not there.
    let hurt = all[all.len() / 2].0;
    let folder = tempfile::tempdir().expect("a folder");
    let (other, mut next) = (outbox(folder.path()), world.outbox.first());
    while next < world.outbox.end() {
        let record = world.outbox.get(next).expect("reads");
        let mut items: Vec<_> = record.items.to_vec();
        if next == hurt {
            items.pop();
        }
        let new = NewRecord { id: record.id, kind: record.kind, head: record.head, items };
        other.append_batch(vec![(record.time, new)]).expect("is taken");
        next = next.next();
    }
    let different = compared(&*other);
    assert_eq!((different.different, different.first), (1, Some(hurt)));
}

/// What was written of the state may be ahead of the checkpoint when the engine dies: what is folded again
/// is folded with that, and still comes to the same, at the same moments.
#[test]
fn an_engine_that_dies_again_and_again_ends_with_the_same_values() {
    for seed in [51, 61] {
        let world = eventful(seed);
        let set = |config: &mut EngineConfig| {
            config.batch_bytes = 2_000;
            config.checkpoint_events = 120;
        };
        let living = world.again();
        let mut engine = living.engine_with(set);
        let expected = engine.hash().expect("hashes");
        drop(engine);
        let World { clock, log, folder, outbox: first } = world.again();
        drop(first);
        let mut dice = Dice::new(seed);
        let dying = || World {
            clock: Arc::clone(&clock),
            log: Arc::clone(&log),
            outbox: outbox(folder.path()),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let set = |config: &mut EngineConfig| {
            set(config);
            config.folder = folder.path().join("state");
        };
        for _ in 0..15 {
            let turns = usize::try_from(dice.roll(40)).expect("small");
            dying().engine_with(set).turns(turns).expect("folds");
        }
        let dying = dying();
        let mut engine = dying.engine_with(set);
        let differences = engine.hash().expect("hashes").differences(&expected);
        assert!(differences.is_empty(), "seed {seed}: {differences:?}");
        drop(engine);
        assert_eq!(effects(&*dying.outbox), effects(&*living.outbox), "seed {seed}");
        assert_eq!(effects(&*dying.outbox), effects(&*world.outbox), "seed {seed}");
        let is_said_again = |(_, effect): &(_, Effect)| matches!(effect.what, What::Announced(_));
        assert!(effects(&*world.outbox).iter().any(is_said_again), "seed {seed}");
    }
}

/// Appends some of the records of a world to the log of another one.
fn copy(from: &World, to: &World, offsets: std::ops::Range<u64>) {
    for offset in offsets {
        let record = from.log.get(Position::embedded(offset)).expect("reads");
        let (id, kind, head) = (record.id, record.kind, record.head.clone());
        let new = NewRecord { id, kind, head, items: record.items.to_vec() };
        to.log.append_wait(new).expect("appends");
    }
}

/// A world in which events come between the record that puts definitions in force and the first that has
/// profiles evaluated for them; and where these events are.
fn before_the_walk(seed: u64) -> (World, std::ops::Range<u64>) {
    let (settled, world) = (World::new(), World::new());
    settled.happens(&history_with_undo(seed, 250), 0, 0);
    define(&*settled.log, &DEFINITIONS[5..6]);
    settled.settle(&mut settled.engine());
    connect(&*settled.log, DEFINITIONS);
    settled.settle(&mut settled.engine());
    let is_live = |offset: &u64| {
        let record = settled.log.get(Position::embedded(*offset)).expect("reads");
        record.head.starts_with(br#"{"computed":"live""#)
    };
    let live = (0..settled.log.end().offset).rfind(is_live);
    let start = live.expect("they are in force") + 1;
    copy(&settled, &world, 0..start);
    world.happens_between(&history_with_undo(seed + 1, 60), 4, 64, 1);
    let between = start..world.log.end().offset;
    copy(&settled, &world, start..settled.log.end().offset);
    (world, between)
}

/// A definition that is in force changes for a profile where something happens to it or the walk comes to it,
/// and is told of then, wherever the engine dies in between.
#[test]
fn an_engine_that_dies_before_the_walk_leaves_it_what_there_is_to_say() {
    let (world, between) = before_the_walk(71);
    assert!(between.end - between.start > 20, "{between:?}");
    for (dies_at, events) in between.clone().step_by(9).zip([u64::MAX, 40, 7].into_iter().cycle()) {
        let dying = World::new();
        copy(&world, &dying, 0..dies_at);
        let set = |config: &mut EngineConfig| {
            config.batch_bytes = 1;
            config.checkpoint_events = events;
        };
        let mut engine = dying.engine_with(set);
        while engine.shared().folded() < dying.log.end() {
            engine.turns(1).expect("folds");
        }
        drop(engine);
        let mut engine = dying.engine_with(set);
        let (folder, config) = (tempfile::tempdir().expect("a folder"), ReplayConfig::default());
        let clean = replay(&*dying.log, dying.log.end(), folder.path(), &config, |_| ());
        let differences = engine.hash().expect("hashes").differences(&clean.expect("replays"));
        assert!(differences.is_empty(), "{dies_at}, {events}: {differences:?}");
        copy(&world, &dying, dies_at..world.log.end().offset);
        engine.catch_up().expect("folds");
        let living = dying.again();
        living.engine().catch_up().expect("folds");
        let (said, expected) = (effects(&*dying.outbox), effects(&*living.outbox));
        assert_eq!(said, expected, "{dies_at}, {events}");
        let is_told = |(at, effect): &(Position, Effect)| {
            at.offset >= between.end && matches!(effect.what, What::Value(_))
        };
        assert!(expected.iter().any(is_told), "the walk has something to say");
    }
}

/// A preview says of every definition what it came to.
#[test]
fn a_preview_says_how_many_would_be_in() {
    let world = eventful(81);
    let engine = world.engine();
    let reader = world.reader(&engine);
    let space = reader.space("default").expect("a space");
    for (id, kind, query) in DEFINITIONS {
        let config = PreviewConfig {
            folder: world.folder.path().join("preview"),
            space: "default".to_owned(),
            kind: *kind,
            collection: Collection::Users,
            query: (*query).to_owned(),
            filter_by_external_ids: Vec::new(),
            replaces: Some((*id).to_owned()),
            overlap: Some("never".to_owned()),
            sample: 5,
            now: engine.state().log_time(),
        };
        let logs: (&dyn LogRead, &dyn LogRead) = (&*world.log, &*world.outbox);
        let seen = preview(&engine.shared(), logs, &config, &mut |_| true);
        let seen = seen.expect("previews").expect("to the end");
        let definition = space.definition(id).expect("is there");
        assert_eq!(seen.change, Some([0, 0]), "{id} is in force as it is: {seen:?}");
        if *kind == DefinitionKind::Audience {
            let counts = space.member_counts(definition);
            assert_eq!(seen.size, counts.count, "{id}");
            let most = usize::try_from(counts.count).expect("small").min(5);
            assert_eq!(seen.sample.len(), most, "{id}");
            let users = seen.identifiers.get("anonymous_id").copied().unwrap_or(0);
            assert!(users <= seen.size && seen.overlap <= Some(seen.size), "{seen:?}");
        }
        if *id == "never" {
            assert_eq!(seen.overlap, Some(seen.size));
        }
        assert!(!config.folder.exists());
    }
    let wrong = PreviewConfig {
        folder: world.folder.path().join("preview"),
        space: "default".to_owned(),
        kind: DefinitionKind::Audience,
        collection: Collection::Users,
        query: "event('A').count()".to_owned(),
        filter_by_external_ids: Vec::new(),
        replaces: None,
        overlap: None,
        sample: 5,
        now: engine.state().log_time(),
    };
    let logs: (&dyn LogRead, &dyn LogRead) = (&*world.log, &*world.outbox);
    let error =
        preview(&engine.shared(), logs, &wrong, &mut |_| true).expect_err("is no condition");
    assert!(matches!(error, PreviewError::Definition(_)), "{error}");
}

/// Where rules were published, the outbox says under which anchors events were before: definitions that
/// are made then are folded from the timelines.
#[test]
fn definitions_behind_published_rules_hold_what_timelines_come_to() {
    let world = World::new();
    world.happens(&history_with_undo(91, 500), 0, 0);
    let mut engine = world.engine();
    engine.catch_up().expect("folds");
    let reader = world.reader(&engine);
    let before = timelines(&world, &reader).len();
    // E-mail addresses identify nobody any more.
    let mut rules = RuleSet::default();
    rules.types.retain(|rule| rule.name != "email");
    publish(&world, rules, 0);
    world.happens(&history_with_undo(92, 300), 4, 1);
    define(&*world.log, DEFINITIONS);
    drop(reader);
    world.settle(&mut engine);
    let timelines = timelines_in_force(&world, &world.reader(&engine));
    assert!(before > 0 && !timelines.is_empty());
    check_with(&world, &engine, &timelines);
}

/// Publishes rules, with the definitions as they were before a record.
fn publish(world: &World, rules: RuleSet, definitions: u64) {
    static NEXT: AtomicU64 = AtomicU64::new(700_000);
    let space = "default".to_owned();
    let published = Change::PublishRules { space, rules, definitions, effects: 7, identity: None };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    world.log.append_wait(change(number, &published)).expect("appends");
}

/// The events of each profile by the rules in force, also where they were published, as its timeline has them.
fn timelines_in_force(world: &World, reader: &Reader) -> BTreeMap<ProfileId, Vec<(Position, u32)>> {
    let anchors = timelines(world, reader);
    let space = reader.space("default").expect("a space");
    let of_profile = |profile: &ProfileId| {
        let found = space.find(Collection::Users, &ProfileRef::Id(*profile)).expect("reads");
        let mut query = EventQuery::default();
        query.range.limit = 100_000;
        let page = found.expect("is there").events(&query).expect("reads");
        assert!(page.next.is_none());
        let events = page.events.iter().map(|event| (event.key.position, event.key.item));
        (*profile, events.collect())
    };
    anchors.keys().map(of_profile).collect()
}

/// What the first definitions come to for a profile, as readers see it.
fn values(space: &SpaceRead, profile: &ProfileId, now: Time) -> Vec<(String, String)> {
    let found = space.find(Collection::Users, &ProfileRef::Id(*profile)).expect("reads");
    let all = found.expect("is there").computed(now).expect("reads").into_iter();
    let known = all.filter(|one| DEFINITIONS[..5].iter().any(|it| it.0 == one.definition.id));
    known.map(|one| (one.definition.id.clone(), one.value)).collect()
}

/// Appends a record of a job with that head.
fn late(world: &World, head: &str) {
    let (id, items) = (RecordId([8; 16]), Vec::new());
    let (kind, head) = (RecordKind::Computed as u8, head.as_bytes().to_vec().into());
    world.log.append_wait(NewRecord { id, kind, head, items }).expect("appends");
}

/// Definitions that were there are in force with rules that are published, those that changed meanwhile are
/// computed behind it, and what a state of before said of people says nothing.
#[test]
fn definitions_are_published_with_rules() {
    for partitions in [1, 3] {
        let world = World::new();
        world.happens_between(&history_with_undo(96, 500), 0, 260, 0);
        let mut engine = world.engine_with(|config| config.state.partitions = partitions);
        define(&*world.log, &DEFINITIONS[..4]);
        world.settle(&mut engine);
        world.happens_between(&history_with_undo(96, 500), 260, 400, 0);
        define(&*world.log, &DEFINITIONS[4..8]);
        let lapsed = "event('E7').count() >= 1 and event('E7').within(30 days).count() = 0";
        define(&*world.log, &[("lapsed", DefinitionKind::Audience, lapsed)]);
        world.settle(&mut engine);
        // Time lets people enter and leave, by ticks of which the outbox has the effects.
        world.clock.leap(25);
        world.settle(&mut engine);
        let settled = world.log.end().offset;
        // These come too late to be kept from the first record on, and one of them replaces another one.
        let ("often", kind, _) = DEFINITIONS[5] else { panic!("is there") };
        define(&*world.log, &[("often", kind, "event('E5').count() >= 2")]);
        define(&*world.log, &DEFINITIONS[8..]);
        world.settle(&mut engine);
        // An early record does not say by which rules it computed.
        late(
            &world,
            r#"{"computed":"live","space":"default","streams":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19],"versions":[]}"#,
        );
        world.happens_between(&history_with_undo(96, 500), 400, usize::MAX, 0);
        let mut rules = RuleSet::default();
        rules.types.retain(|rule| rule.name != "email");
        publish(&world, rules, settled);
        // A job was just handing over what it had computed by the rules of before.
        for head in [
            r#"{"computed":"live","space":"default","under":0,"streams":[0,1,2,3,4,5,6,7,8],"versions":[]}"#,
            r#"{"computed":"walk","space":"default","under":0,"definitions":[0,1,2,3],"is_last":true}"#,
        ] {
            late(&world, head);
        }
        // Events come before everybody is evaluated.
        world.happens(&history_with_undo(97, 60), 4, 2);
        engine.catch_up().expect("folds");
        let meta = engine.state().meta();
        let counts = &meta.spaces[0];
        assert!(counts.computing.reassessing && meta.settled.is_empty());
        assert!(counts.effects >= 7, "changes are counted on");
        // Whoever reads is answered what is so before everybody was evaluated.
        let reader = world.reader(&engine);
        let space = reader.space("default").expect("a space");
        let now = engine.state().log_time();
        let profiles = timelines_in_force(&world, &reader);
        let early: Vec<_> = profiles.keys().map(|one| values(&space, one, now)).collect();
        drop(space);
        define(&*world.log, &DEFINITIONS[5..6]);
        world.settle(&mut engine);
        let reader = world.reader(&engine);
        let timelines = timelines_in_force(&world, &reader);
        check_with(&world, &engine, &timelines);
        let space = reader.space("default").expect("a space");
        let late: Vec<_> = profiles.keys().map(|one| values(&space, one, now)).collect();
        assert_eq!(early, late);
        assert!(!engine.state().meta().spaces[0].computing.reassessing);
        let hash = engine.hash().expect("hashes");
        // A state that is lost is made anew while the outbox has what the rules of before made of events.
        drop((space, reader, engine));
        std::fs::remove_dir_all(world.folder.path().join("state")).expect("removes");
        let mut engine = world.engine_with(|config| config.state.partitions = partitions);
        let again = engine.hash().expect("hashes");
        assert_eq!(hash.differences(&again), Vec::<&str>::new());
        check_with(&world, &engine, &timelines);
        for reopen_every in [None, Some(70)] {
            let folder = tempfile::tempdir().expect("a folder");
            let config = ReplayConfig { reopen_every, ..ReplayConfig::default() };
            let logs: (&dyn LogRead, &dyn LogRead) = (&*world.log, &*world.outbox);
            let replayed = replay_beside(logs, world.log.end(), folder.path(), &config, |_| ());
            let (replayed, told) = replayed.expect("replays");
            assert_eq!(hash.differences(&replayed), Vec::<&str>::new());
            assert!(told.compared > 0 && told.different == 0, "{told:?}");
        }
    }
}

/// A log that takes nothing does not stop the fold: what is due is due until it does.
#[test]
fn a_log_that_takes_no_tick_is_asked_again() {
    let world = World::new();
    world.happens(&history_with_undo(95, 200), 0, 0);
    let window = "event('E7').within(30 days).count() >= 1";
    define(&*world.log, &[("recent", DefinitionKind::Audience, window)]);
    let mut engine = world.engine();
    world.settle(&mut engine);
    world.clock.leap(400);
    world.log.fail_after(0);
    assert!(!engine.tick().expect("goes on"), "nothing was appended");
    world.log.fail_after(u64::MAX);
    assert!(!engine.tick().expect("goes on"), "not at once again");
    world.clock.leap(1);
    assert!(engine.tick().expect("ticks"));
}

/// Why somebody is in or out is what the parts of the definition say, each by itself.
#[test]
fn the_reasons_of_a_value_come_to_that_value() {
    let world = eventful(83);
    let engine = world.engine();
    let reader = world.reader(&engine);
    let space = reader.space("default").expect("a space");
    let now = engine.state().log_time();
    let (mut named, mut out) = (0, 0);
    for profile in timelines(&world, &reader).keys() {
        let found = space.find(Collection::Users, &ProfileRef::Id(*profile)).expect("reads");
        let found = found.expect("is there");
        let held = found.computed(now).expect("reads");
        for (id, kind, _) in DEFINITIONS {
            let definition = space.definition(id).expect("is there");
            let reasons = found.reasons(definition, now).expect("reads").expect("is read");
            let known = held.iter().find(|one| one.definition.id == *id).map(|one| &*one.value);
            let nothing = if *kind == DefinitionKind::Audience { "false" } else { "null" };
            assert_eq!(known.unwrap_or(nothing), reasons.value, "{id}: {reasons:?}");
            assert!(!reasons.is_cut && reasons.events > 0);
            let count = |reason: &Reason| reason.events.iter().filter(|one| one.counts).count();
            named += count(&reasons.reason) + reasons.reason.parts.iter().map(count).sum::<usize>();
            out += usize::from(reasons.value == "false");
        }
    }
    assert!(named > 100 && out > 10, "{named} {out}");
}
