//! Explanations of identity, checked against a naive search over the log.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use selfsame_event::{Collection, Identifier, ItemPosition, ProfileId};
use selfsame_identity::RuleSet;
use selfsame_identity::rule::{Caps, Limit, Window};
use selfsame_log::{LogConfig, LogRead, MemoryLog, RealFs, RegenerableLog};
use selfsame_pipeline::decision::{Decision, NoteKind, Verdict};
use selfsame_pipeline::{
    Between, Effect, Engine, EngineConfig, EngineParts, ProfileRef, Reader, SpaceRead, StateConfig,
    Why, WhyBudget, WhyQuery,
};
use serde_json::Value;

use crate::world::{TestClock, history_with};

/// A folded log, and what was decided about its events.
struct World {
    read: SpaceRead,
    profiles: RefCell<BTreeMap<Identifier, Option<ProfileId>>>,
    log: Arc<MemoryLog>,
    outbox: Arc<RegenerableLog>,
    engine: Engine,
    folder: tempfile::TempDir,
}

impl World {
    fn new(log: Arc<MemoryLog>, partitions: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut engine, outbox) = Self::open(folder.path(), &log, partitions);
        while engine.state().next() < log.end() {
            engine.turns(1).expect("folds");
        }
        let read = Self::read(&engine, &log);
        Self { read, profiles: RefCell::default(), log, outbox, engine, folder }
    }

    fn open(
        folder: &std::path::Path,
        log: &Arc<MemoryLog>,
        partitions: u32,
    ) -> (Engine, Arc<RegenerableLog>) {
        let outbox = LogConfig::new(folder.join("outbox"), [3; 16]);
        let clock = Arc::new(TestClock::default());
        let outbox = RegenerableLog::open(&outbox, clock, Arc::new(RealFs), 0).expect("opens");
        let outbox = Arc::new(outbox);
        let mut config = EngineConfig::new(folder.join("state"));
        config.state = StateConfig { partitions, ..StateConfig::default() };
        config.checkpoint_interval = Duration::from_secs(3600);
        let parts = EngineParts {
            log: Arc::<MemoryLog>::clone(log),
            outbox: Arc::clone(&outbox),
            clock: Arc::new(TestClock::default()),
        };
        (Engine::open(config, parts).expect("opens"), outbox)
    }

    /// The same state, read from the store alone.
    fn again(mut self, partitions: u32) -> Self {
        self.engine.catch_up().expect("checkpoints");
        let Self { log, outbox, engine, folder, read, .. } = self;
        drop((engine, outbox, read));
        let (engine, outbox) = Self::open(folder.path(), &log, partitions);
        let read = Self::read(&engine, &log);
        Self { read, profiles: RefCell::default(), log, outbox, engine, folder }
    }

    fn read(engine: &Engine, log: &Arc<MemoryLog>) -> SpaceRead {
        let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(log));
        reader.space("default").expect("a space")
    }

    fn decided(&self, at: ItemPosition) -> Option<Decision> {
        let record = self.outbox.get(at.record).ok()?;
        Decision::decode(record.items.get(usize::try_from(at.index).ok()?)?.body()?)
    }

    fn why(&self, from: &Identifier, to: &Identifier, budget: WhyBudget) -> Why {
        let query = WhyQuery { collection: Collection::Users, from, to, budget };
        self.read.why(&query, &|at| self.decided(at)).expect("reads")
    }

    /// The identifiers of users on every event that was folded, in the order of the log.
    fn events(&self) -> BTreeMap<ItemPosition, BTreeSet<Identifier>> {
        let mut events = BTreeMap::new();
        let mut offset = 0;
        while offset < self.log.end().offset {
            let record = self.log.get(selfsame_event::Position::embedded(offset)).expect("reads");
            offset += 1;
            for (index, item) in (0..).zip(record.items.iter()) {
                let at = record.position.item(index);
                let decision = self.decided(at);
                if matches!(decision.map(|one| one.verdict), Some(Verdict::Accepted(_))) {
                    events.insert(at, ids(item.body().expect("a body")));
                }
            }
        }
        events
    }

    /// The profile that an event is of now.
    fn profile_of(&self, at: ItemPosition) -> Option<ProfileId> {
        let Some(Verdict::Accepted(accepted)) = self.decided(at).map(|one| one.verdict) else {
            return None;
        };
        let wanted = ProfileRef::Id(accepted.profile);
        self.read.find(Collection::Users, &wanted).expect("reads").map(|found| found.id())
    }

    fn profile(&self, id: &Identifier) -> Option<ProfileId> {
        if let Some(known) = self.profiles.borrow().get(id) {
            return *known;
        }
        let wanted =
            ProfileRef::Identifier { kind: id.kind.to_string(), value: id.value.to_string() };
        let found = self.read.find(Collection::Users, &wanted).expect("reads");
        let profile = found.map(|found| found.id());
        self.profiles.borrow_mut().insert(id.clone(), profile);
        profile
    }
}

/// The identifiers on an event of the test world, with no help of the code that is tested.
fn ids(body: &[u8]) -> BTreeSet<Identifier> {
    let event: Value = serde_json::from_slice(body).expect("JSON");
    let values = [
        ("user_id", &event["userId"]),
        ("anonymous_id", &event["anonymousId"]),
        ("anonymous_id", &event["previousId"]),
        ("email", &event["traits"]["email"]),
    ];
    let said = values.into_iter().filter_map(|(kind, value)| Some((kind, value.as_str()?)));
    said.map(|(kind, value)| Identifier::new(kind, value)).collect()
}

/// How many events lie between an identifier and all others, by every event of the log.
fn distances(
    events: &BTreeMap<ItemPosition, BTreeSet<Identifier>>,
    from: &Identifier,
) -> BTreeMap<Identifier, usize> {
    let mut known = BTreeMap::from([(from.clone(), 0)]);
    for distance in 1.. {
        let before = known.clone();
        for ids in events.values().filter(|ids| ids.iter().any(|id| before.contains_key(id))) {
            for id in ids {
                known.entry(id.clone()).or_insert(distance);
            }
        }
        if known.len() == before.len() {
            return known;
        }
    }
    known
}

fn rules(count: u32, window: Window, caps: Caps) -> RuleSet {
    let mut rules = RuleSet { caps, ..RuleSet::default() };
    rules.types.iter_mut().for_each(|one| one.limit = Limit { count, window });
    rules
}

/// Checks an answer against the log. Says how long its path is, if it has one.
fn check(
    world: &World,
    events: &BTreeMap<ItemPosition, BTreeSet<Identifier>>,
    from: &Identifier,
    to: &Identifier,
) -> Option<usize> {
    let rules = &world.read.space().rules;
    let why = world.why(from, to, WhyBudget::default());
    let profiles = [from, to].map(|id| world.profile(id));
    assert_eq!([why.from.profile, why.to.profile], profiles);
    match why.between {
        Between::Path(path) => {
            assert!(profiles[0] == profiles[1] && profiles[0].is_some());
            assert!(!path.is_cut, "{from} to {to}");
            let links = path.links.expect("a path");
            let mut at = from.clone();
            for link in &links {
                assert_eq!(link.from, at);
                let carried = &events[&link.event.position];
                assert!(carried.contains(&link.from) && carried.contains(&link.to));
                assert_eq!(world.profile(&link.to), profiles[0]);
                let Some(Verdict::Accepted(accepted)) =
                    world.decided(link.event.position).map(|one| one.verdict)
                else {
                    panic!("an event that was not folded");
                };
                let has = |kind| accepted.notes.iter().any(|note| note.kind == kind);
                let says_mapped = accepted.notes.iter().any(|note| {
                    let is_end = [&link.from, &link.to]
                        .iter()
                        .any(|id| *id.kind == *note.identifier && *id.value == *note.value);
                    note.kind == NoteKind::IdentifierMapped && is_end
                });
                match link.effect {
                    Effect::Mapped => assert!(says_mapped),
                    Effect::Merged { .. } => assert!(has(NoteKind::ProfilesMerged)),
                    Effect::Seen => assert!(!says_mapped),
                }
                at = link.to.clone();
            }
            assert_eq!(at, *to);
            Some(links.len())
        }
        Between::Apart(apart) => {
            assert!(profiles[0] != profiles[1] && profiles.iter().all(Option::is_some));
            assert!(!apart.is_cut);
            for refusal in &apart.refusals {
                let carried = &events[&refusal.event.position];
                let sides =
                    profiles.map(|profile| carried.iter().any(|id| world.profile(id) == profile));
                assert_eq!(sides, [true, true], "{from} and {to}");
                let is_limit =
                    matches!(refusal.rule, Some(NoteKind::ValueLimit | NoteKind::ValueTimeLimit));
                assert_eq!(refusal.limit.is_some(), is_limit, "{refusal:?}");
                let Some(met) = &refusal.limit else { continue };
                let rule = rules.types.iter().find(|rule| rule.name == met.kind);
                assert_eq!(rule.map(|rule| rule.limit), Some(met.limit), "{refusal:?}");
            }
            // An event that left out both may be a third profile's.
            let met = events.iter().any(|(at, ids)| {
                let is_both = ids.contains(from) && ids.contains(to);
                is_both && profiles.contains(&world.profile_of(*at))
            });
            assert!(!met || apart.count > 0, "{from} and {to} met, and nothing kept them apart");
            None
        }
        Between::Nothing => {
            assert!(profiles.contains(&None));
            for (end, id) in [(&why.from, from), (&why.to, to)] {
                let Some(unmapped) = &end.unmapped else { continue };
                let seen = events.values().any(|ids| ids.contains(id));
                assert_eq!(unmapped.stopped.is_some(), seen, "{id}");
                let Some(stopped) = &unmapped.stopped else { continue };
                let is_limit =
                    matches!(stopped.by, NoteKind::ValueLimit | NoteKind::ValueTimeLimit);
                assert_eq!(stopped.limit.is_some(), is_limit, "{stopped:?}");
            }
            None
        }
    }
}

/// Every identifier of the world, and some that are not in it.
fn everybody(events: &BTreeMap<ItemPosition, BTreeSet<Identifier>>) -> Vec<Identifier> {
    let mut all: BTreeSet<_> = events.values().flatten().cloned().collect();
    all.insert(Identifier::new("user_id", "nobody"));
    all.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Whatever limits and caps there are, every link is an event that carried both of its ends, and
    /// every two identifiers of a profile have a path.
    #[test]
    fn every_link_is_an_event_with_both_identifiers(
        seed in 1..1_000_u64,
        count in 1..6_u32,
        window in prop_oneof![Just(Window::Ever), Just(Window::Daily), Just(Window::Monthly)],
        merges in prop_oneof![Just(0_u32), Just(1), Just(3), Just(100)],
        mappings in prop_oneof![Just(2_u32), Just(6), Just(1_000)],
    ) {
        let rules = rules(count, window, Caps { merges, mappings });
        let world = World::new(history_with(seed, 120, rules), 2);
        let (events, mut linked) = (world.events(), 0);
        let all = everybody(&events);
        for (index, from) in all.iter().enumerate() {
            for to in all.iter().skip(index % 5).step_by(5) {
                linked += usize::from(check(&world, &events, from, to).is_some());
            }
        }
        prop_assert!(linked > 10);
    }

    /// Where no limit is met, no path over the events of the log is shorter.
    #[test]
    fn no_path_is_shorter(seed in 1..1_000_u64) {
        let caps = Caps { merges: 10_000, mappings: 10_000 };
        let world = World::new(history_with(seed, 40, rules(10_000, Window::Ever, caps)), 1);
        let events = world.events();
        let all = everybody(&events);
        let mut longest = 0;
        for from in all.iter().step_by(8) {
            let distances = distances(&events, from);
            for to in &all {
                let length = check(&world, &events, from, to);
                let expected = distances.get(to).filter(|_| world.profile(from).is_some());
                prop_assert_eq!(length, expected.copied(), "{} to {}", from, to);
                longest = longest.max(length.unwrap_or(0));
            }
        }
        prop_assert!(longest > 1);
    }
}

#[test]
fn the_answer_does_not_depend_on_where_rows_are() {
    let caps = Caps { merges: 3, mappings: 20 };
    let log = history_with(5, 300, rules(2, Window::Monthly, caps));
    let mut worlds = vec![World::new(Arc::clone(&log), 1), World::new(Arc::clone(&log), 3)];
    worlds.push(World::new(log, 3).again(3));
    let all = everybody(&worlds[0].events());
    let mut kinds = [0; 3];
    for (from, to) in all.iter().zip(all.iter().rev()).chain(all.iter().zip(&all[1..])) {
        let answers: Vec<_> =
            worlds.iter().map(|world| world.why(from, to, WhyBudget::default())).collect();
        assert_eq!(answers[0], answers[1], "{from} and {to}, other partitions");
        assert_eq!(answers[0], answers[2], "{from} and {to}, from the store");
        kinds[match answers[0].between {
            Between::Path(_) => 0,
            Between::Apart(_) => 1,
            Between::Nothing => 2,
        }] += 1;
    }
    assert!(kinds[0] > 0 && kinds[1] > 0, "{kinds:?}");
}

#[test]
fn an_answer_that_is_not_of_everything_says_so() {
    let caps = Caps { merges: 10_000, mappings: 10_000 };
    let world = World::new(history_with(9, 60, rules(10_000, Window::Ever, caps)), 1);
    let all = everybody(&world.events());
    let budget = WhyBudget { sets: 3, events: 0, ledger: 2, insights: 0, refusals: 1 };
    let mut cut = 0;
    for (from, to) in all.iter().zip(all.iter().rev()) {
        if let Between::Path(path) = world.why(from, to, budget).between {
            assert!(path.sets <= 3);
            cut += usize::from(path.is_cut);
        }
    }
    assert!(cut > 10, "{cut}");
}
