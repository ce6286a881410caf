//! Rules that are tried out and published: the outcome is what was predicted, and a state that was
//! changed so is the one that a clean replay makes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use selfsame_event::{Collection, EventsHead, Position, ProfileId, RecordKind, SourceNumber};
use selfsame_identity::rule::{Limit, SharedDevices, Strategy, TypeRule, Window};
use selfsame_identity::{ComponentRow, RuleSet};
use selfsame_log::{Log as _, LogConfig, LogRead, MemoryLog, RealFs, RegenerableLog};
use selfsame_pipeline::decision::NoteKind;
use selfsame_pipeline::effect::What;
use selfsame_pipeline::workspace::{Activation, Announce, Change, Definition, DefinitionKind};
use selfsame_pipeline::{
    Engine, EngineConfig, EngineParts, EventQuery, GraphDiff, IdentityChange, MemoryBudget,
    ProfileRef, Publication, Reader, ReplayConfig, StateConfig, Successor, TrialConfig,
    TrialReport, replay, try_rules,
};
use selfsame_profile::{EntryKey, Query};

use crate::accounts::of_accounts;
use crate::computed::{carry_on, carry_on_a_little, connect, define, effects};
use crate::world::{Dice, TestClock, change, history_with_undo, record, set_up};

mod apart;

/// A log, and an engine over it.
struct World {
    folder: tempfile::TempDir,
    log: Arc<MemoryLog>,
    outbox: Arc<RegenerableLog>,
    engine: Engine,
    records: u64,
}

fn open(folder: &Path, log: &Arc<MemoryLog>, partitions: u32) -> (Arc<RegenerableLog>, Engine) {
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
    (outbox, Engine::open(config, parts).expect("opens"))
}

/// A folder in memory, where the system has that: each change of rules opens, writes and syncs several
/// states, and what a power cut leaves of them is tested elsewhere.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

impl World {
    fn new(log: Arc<MemoryLog>, partitions: u32) -> Self {
        let folder = folder();
        let (outbox, mut engine) = open(folder.path(), &log, partitions);
        engine.catch_up().expect("folds");
        Self { folder, log, outbox, engine, records: 0 }
    }

    /// The engine dies, and another one begins where its state on disk is.
    fn restart(self, partitions: u32) -> Self {
        let Self { folder, log, outbox, engine, records } = self;
        drop(engine);
        drop(outbox);
        let (outbox, engine) = open(folder.path(), &log, partitions);
        Self { folder, log, outbox, engine, records }
    }

    fn say(&mut self, what: &Change) {
        self.records += 1;
        self.log.append_wait(change(5_000_000 + self.records, what)).expect("appends");
    }

    fn publish(&mut self, rules: &RuleSet) {
        self.publish_with(rules, None);
    }

    /// The same with what is set apart and lifted.
    fn publish_with(&mut self, rules: &RuleSet, identity: Option<IdentityChange>) {
        let (space, rules) = ("default".to_owned(), rules.clone());
        let (definitions, effects) = (self.log.end().offset, 0);
        self.say(&Change::PublishRules { space, rules, definitions, effects, identity });
        self.engine.catch_up().expect("folds");
    }

    /// Makes the definitions, of which a destination is told the first two of each collection, and has them
    /// computed over the history.
    fn define(&mut self) {
        connect(&*self.log, &DEFINITIONS[..TOLD]);
        define(&*self.log, &DEFINITIONS[TOLD..]);
        for (place, said) in FIRMS.iter().enumerate() {
            let told = Activation {
                destination: "hook".to_owned(),
                send: Announce::Both,
                identifiers: Vec::new(),
            };
            let destinations = if place < TOLD { vec![told] } else { Vec::new() };
            self.say(&Change::SetDefinition(Definition { destinations, ..of_accounts(*said) }));
        }
        self.settle();
    }

    /// Carries on what definitions need.
    fn settle(&mut self) {
        self.engine.catch_up().expect("folds");
        let folder = self.folder.path().join("history");
        carry_on(&mut self.engine, (&self.log, &self.outbox), folder);
        self.engine.catch_up().expect("folds");
    }

    /// These people buy something.
    fn buys(&mut self, people: std::ops::Range<u64>) {
        self.records += 1;
        let bought = |person: u64| {
            let id = format!("b{}-{person}", self.records);
            let event = format!(r#""messageId":"{id}","type":"track","event":"Bought""#);
            Bytes::from(format!(r#"{{{event},"userId":"u{person}"}}"#))
        };
        let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() };
        let items = people.map(bought).collect();
        let late = record(9_000_000 + self.records, RecordKind::Events, head.encode(), items);
        self.log.append_wait(late).expect("appends");
    }

    fn try_out(&self, rules: &RuleSet) -> TrialReport {
        self.try_with(rules, None)
    }

    fn try_with(&self, rules: &RuleSet, identity: Option<IdentityChange>) -> TrialReport {
        let folder = folder();
        let config = TrialConfig {
            space: "default".to_owned(),
            rules: rules.clone(),
            identity,
            until: self.log.end(),
            folder: folder.path().to_owned(),
            memory: MemoryBudget::default(),
        };
        try_rules(&*self.log, &*self.outbox, &config, |_| true).expect("a report")
    }

    fn check_against_a_replay(&mut self) {
        let found = self.engine.hash().expect("hashes");
        let folder = folder();
        let config = ReplayConfig::default();
        let replayed = replay(&*self.log, self.log.end(), folder.path(), &config, |_| ());
        let differences = found.differences(&replayed.expect("replays"));
        assert_eq!(differences, Vec::<&str>::new());
    }

    /// Who there is: each profile with its identifiers, and whose each event is. By what readers see.
    fn seen(&self) -> Seen {
        let now = self.engine.state().log_time();
        let log: Arc<dyn LogRead> = Arc::<MemoryLog>::clone(&self.log);
        let reader = Reader::new(self.engine.shared(), log);
        let read = reader.space("default").expect("a space");
        let view = self.engine.shared().view().expect("open");
        let mut roots = Vec::new();
        view.tables
            .components
            .scan(&0_u32.to_be_bytes(), |_, packed| {
                let row = ComponentRow::decode(packed).expect("a row");
                roots.extend(row.profile().filter(|_| row.parent.is_none()));
                true
            })
            .expect("scans");
        let mut seen = Seen::default();
        for id in roots {
            for collection in [Collection::Users, Collection::Accounts] {
                let found = read.find(collection, &ProfileRef::Id(id)).expect("reads");
                let Some(found) = found.filter(|found| found.id() == id) else { continue };
                let names = found.external_ids().map(|id| format!("{}:{}", id.kind, id.value));
                seen.profiles[collection as usize].insert(id, names.collect());
                if collection == Collection::Users {
                    let range = Query { limit: 100_000, ..Query::default() };
                    let query = EventQuery { range, ..EventQuery::default() };
                    let page = found.events(&query).expect("reads");
                    for event in &page.events {
                        seen.events.insert(event.key, id);
                    }
                }
                let values = found.computed(now).expect("reads").into_iter();
                let values = values.map(|one| (one.definition.id.clone(), one.value));
                seen.values[collection as usize].insert(id, values.collect());
            }
        }
        seen
    }
}

/// The id of a definition, what it is, and what it says.
type Said = (&'static str, DefinitionKind, &'static str);
/// Each profile with its identifiers.
type Profiles = BTreeMap<ProfileId, BTreeSet<String>>;

#[derive(Default)]
struct Seen {
    profiles: [Profiles; 2],
    events: BTreeMap<EntryKey, ProfileId>,
    /// What definitions come to for each profile, but for what is so where nothing happened.
    values: [BTreeMap<ProfileId, BTreeMap<String, String>>; 2],
}

/// Definitions over what happens in a shop.
const DEFINITIONS: &[Said] = &[
    ("buyers", DefinitionKind::Audience, "event('Bought').count() >= 2"),
    ("bought", DefinitionKind::ComputedTrait, "event('Bought').count()"),
    ("never", DefinitionKind::Audience, "event('Bought').count() = 0"),
    ("reached", DefinitionKind::Audience, "trait('email').exists() and trait('bought') >= 1"),
    ("of_season", DefinitionKind::Audience, "event('Bought').within(120 days).count() >= 1"),
    ("both", DefinitionKind::Audience, "trait('buyers') = true and trait('reached') = true"),
    ("late", DefinitionKind::ComputedTrait, "event('Bought').last(property('at'))"),
    ("mailed", DefinitionKind::Audience, "trait('email').exists()"),
    ("unknown", DefinitionKind::Audience, "trait('bought') >= 1 and trait('mailed') = false"),
];

/// Of each collection, a destination is told so many of the definitions.
const TOLD: usize = 2;

/// Definitions of the firms that people of the shop are of.
const FIRMS: &[Said] = &[
    ("firm_active", DefinitionKind::Audience, "any(trait('buyers') = true)"),
    ("firm_bought", DefinitionKind::ComputedTrait, "event('Bought').count()"),
    ("firm_loyal", DefinitionKind::Audience, "all(event('Bought').within(120 days).count() >= 1)"),
    (
        "firm_reached",
        DefinitionKind::Audience,
        "any(trait('email').exists() and trait('bought') >= 1) and not all(trait('mailed') = true)",
    ),
    ("firm_idle", DefinitionKind::Audience, "not any(trait('never') = false)"),
    (
        "firm_good",
        DefinitionKind::Audience,
        "trait('firm_active') = true or trait('firm_bought') >= 2",
    ),
];

/// What a definition comes to where nothing happened.
fn nothing(id: &str, kind: DefinitionKind) -> &'static str {
    match (id, kind) {
        (_, DefinitionKind::Audience) => "false",
        ("bought" | "firm_bought", _) => "0",
        _ => "null",
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).expect("small")
}

/// The difference of two graphs, by who holds which name. Without examples.
fn expected(before: &Profiles, after: &Profiles) -> GraphDiff {
    let holders = |all: &Profiles| -> BTreeMap<String, ProfileId> {
        let names = all.iter().flat_map(|(id, names)| names.iter().map(|name| (name.clone(), *id)));
        names.collect()
    };
    let (old, new) = (holders(before), holders(after));
    let of = |holders: &BTreeMap<String, ProfileId>, names: &BTreeSet<String>| -> Vec<ProfileId> {
        let ids: BTreeSet<_> = names.iter().filter_map(|name| holders.get(name)).copied().collect();
        ids.into_iter().collect()
    };
    let mut diff = GraphDiff {
        before: count(before.len()),
        after: count(after.len()),
        ..GraphDiff::default()
    };
    for names in after.values() {
        match of(&old, names).len() {
            0 => diff.created += 1,
            1 => {}
            many => {
                diff.merged += 1;
                diff.merged_of += count(many);
            }
        }
    }
    for (id, names) in before {
        match of(&new, names).as_slice() {
            [] => diff.gone += 1,
            [only] if after[only] == *names => {
                diff.unchanged += 1;
                diff.renamed += u64::from(only != id);
            }
            [_] => {}
            many => {
                diff.split += 1;
                diff.split_into += count(many.len());
            }
        }
    }
    diff
}

/// Whether a trial said what was then seen.
fn check(report: &TrialReport, before: &Seen, after: &Seen) {
    for (said, collection) in [(&report.users, 0), (&report.accounts, 1)] {
        let said = GraphDiff { samples: Vec::new(), ..said.clone() };
        assert_eq!(said, expected(&before.profiles[collection], &after.profiles[collection]));
    }
    let whose = |seen: &Seen, key| seen.events.get(key).copied();
    let keys: BTreeSet<_> = before.events.keys().chain(after.events.keys()).collect();
    let [mut moved, mut gained, mut lost] = [0; 3];
    for key in keys {
        match (whose(before, key), whose(after, key)) {
            (Some(old), Some(new)) => moved += u64::from(old != new),
            (None, Some(_)) => gained += 1,
            (Some(_), None) => lost += 1,
            (None, None) => {}
        }
    }
    assert_eq!([report.moved, report.gained, report.lost], [moved, gained, lost]);
}

/// By profiles of both sides and the names that they have in common: what definitions come to for each profile
/// as it is, and for those that held its names.
fn check_definitions(report: &TrialReport, before: &Seen, after: &Seen) -> [[u64; 3]; 2] {
    let mut met = [[0; 3]; 2];
    assert_eq!(report.definitions.len(), DEFINITIONS.len() + FIRMS.len());
    for (diff, (of, _, (id, kind, _))) in report.definitions.iter().zip(named()) {
        let of = of as usize;
        let text = |seen: &Seen, profile: &ProfileId, id: &str, kind| {
            let value = seen.values[of][profile].get(id).cloned();
            value.unwrap_or_else(|| nothing(id, kind).to_owned())
        };
        assert_eq!((diff.id.as_str(), diff.kind), (id, kind));
        let none = nothing(id, kind);
        let count = |seen: &Seen| {
            let profiles = seen.profiles[of].keys();
            count(profiles.filter(|profile| text(seen, profile, id, kind) != none).count())
        };
        assert_eq!([diff.before, diff.after], [count(before), count(after)], "{id}");
        let [mut enter, mut leave, mut changed] = [const { BTreeSet::new() }; 3];
        let gone = before.profiles[of].iter().filter(|(_, names)| {
            after.profiles[of].values().all(|others| others.is_disjoint(names))
        });
        let of_gone = gone
            .map(|(profile, _)| (*profile, vec![text(before, profile, id, kind)], none.to_owned()));
        let of_others = after.profiles[of].iter().map(|(profile, names)| {
            let parts = before.profiles[of].iter().filter(|(_, others)| !others.is_disjoint(names));
            let parts = parts.map(|(part, _)| text(before, part, id, kind));
            (*profile, parts.collect(), text(after, profile, id, kind))
        });
        for (profile, parts, is) in of_gone.chain(of_others) {
            let parts: Vec<String> = parts;
            let was = |value: &str| parts.iter().any(|part| part == value);
            if kind == DefinitionKind::ComputedTrait {
                if parts.iter().any(|part| *part != is) || parts.is_empty() && is != none {
                    changed.insert(profile);
                }
            } else if is == "true" && !was("true") {
                enter.insert(profile);
            } else if is == "false" && was("true") {
                leave.insert(profile);
            }
        }
        let sizes = [&enter, &leave, &changed].map(BTreeSet::len);
        assert_eq!([diff.enter, diff.leave, diff.changed], sizes.map(self::count), "{id}");
        let shown: BTreeSet<_> = diff.samples.iter().map(|sample| sample.profile).collect();
        let all: BTreeSet<_> = [enter, leave, changed].into_iter().flatten().collect();
        assert!(shown.is_subset(&all) && shown.is_empty() == all.is_empty(), "{id}: {diff:?}");
        met[of].iter_mut().zip(sizes).for_each(|(met, size)| *met += self::count(size));
    }
    met
}

/// The definitions of the shop in the order in which they were made.
fn named() -> impl Iterator<Item = (Collection, bool, Said)> {
    let of = |collection, all: &'static [Said]| {
        all.iter().enumerate().map(move |(place, said)| (collection, place < TOLD, *said))
    };
    of(Collection::Users, DEFINITIONS).chain(of(Collection::Accounts, FIRMS))
}

/// What is said behind a publication of each definition and profile, and whether because it changed.
fn said(world: &World, published: Position) -> BTreeMap<(u32, ProfileId), Vec<(bool, String)>> {
    let mut said: BTreeMap<(u32, ProfileId), Vec<_>> = BTreeMap::new();
    let behind = effects(&*world.outbox).into_iter().filter(|(position, _)| *position >= published);
    for (_, effect) in behind {
        let text = match effect.what {
            What::Entered => (true, "true".to_owned()),
            What::Exited => (true, "false".to_owned()),
            What::Value(json) => (true, json.into()),
            What::Announced(json) => (false, json.into()),
        };
        said.entry((effect.definition, effect.profile)).or_default().push(text);
    }
    said
}

/// What is to be said behind a publication: of what destinations are told, how it is for everybody; of other
/// audiences, who is in them.
fn to_be_said(after: &Seen) -> BTreeMap<(u32, ProfileId), String> {
    let mut expected = BTreeMap::new();
    for (number, (of, is_told, (id, kind, _))) in (0..).zip(named()) {
        for (profile, values) in &after.values[of as usize] {
            let value = values.get(id).cloned();
            let is_in = value.as_deref() == Some("true");
            if is_told || kind == DefinitionKind::Audience && is_in {
                let value = value.unwrap_or_else(|| nothing(id, kind).to_owned());
                expected.insert((number, *profile), value);
            }
        }
    }
    expected
}

/// What is to be said to destinations behind a publication is said once. Events may have changed traits meanwhile.
fn check_effects(world: &World, published: Position, after: &Seen) {
    let kinds: Vec<_> = named().map(|(_, _, (_, kind, _))| kind).collect();
    let said = said(world, published).into_iter().map(|(of, texts)| {
        let texts: Vec<_> = texts.into_iter().map(|(_, text)| text).collect();
        let is_trait =
            kinds[usize::try_from(of.0).expect("small")] == DefinitionKind::ComputedTrait;
        let first = if is_trait { texts.len() - 1 } else { 0 };
        (of, texts[first..].to_vec())
    });
    let expected = to_be_said(after).into_iter().map(|(of, text)| (of, vec![text]));
    assert_eq!(said.collect::<BTreeMap<_, _>>(), expected.collect::<BTreeMap<_, _>>());
}

/// The same where events changed much meanwhile: the last that is said is so, and no change is said twice.
fn check_last(world: &World, published: Position, after: &Seen) {
    let said = said(world, published);
    for (of, text) in to_be_said(after) {
        assert_eq!(said[&of].last().map(|(_, text)| text), Some(&text), "{of:?}");
    }
    for (of, texts) in said {
        let changes: Vec<_> = texts.iter().filter(|(is_change, _)| *is_change).collect();
        assert!(changes.windows(2).all(|two| two[0] != two[1]), "{of:?}: {texts:?}");
    }
}

/// What happens in a shop: people with devices and addresses, some of them shared.
fn shop(seed: u64, people: u64) -> Arc<MemoryLog> {
    let log = MemoryLog::new(Arc::new(TestClock::default()));
    let mut dice = Dice::new(seed);
    set_up(RuleSet::default())
        .into_iter()
        .for_each(|one| _ = log.append_wait(one).expect("appends"));
    let mut items: Vec<Bytes> = Vec::new();
    for visit in 0..people * 3 {
        let person = dice.roll(people);
        // A third device is a neighbour's, a fourth one the library's.
        let device = match dice.roll(12) {
            0 => format!("lib{}", person % (people / 100 + 1)),
            1 => format!("d{}", (person + 1) % people),
            2 | 3 => format!("tab{person}"),
            _ => format!("d{person}"),
        };
        let email = match dice.roll(20) {
            0 => "info@shop.example".to_owned(),
            1 | 2 => format!("family{}@x.y", person / 3),
            _ => format!("p{person}@x.y"),
        };
        let phone = dice.roll(people / 2 + 1);
        let time =
            format!(r#""timestamp":"2026-0{}-1{}T00:00:00Z""#, 1 + dice.roll(9), dice.roll(10));
        let what = match dice.roll(10) {
            0..5 => format!(r#""type":"page","anonymousId":"{device}""#),
            5 => format!(
                r#""type":"identify","anonymousId":"{device}","traits":{{"email":"{email}"}}"#
            ),
            6 => format!(
                r#""type":"identify","userId":"u{person}","anonymousId":"{device}","traits":{{"email":"{email}","phone":"{phone}"}}"#
            ),
            7 => format!(
                r#""type":"track","event":"Bought","userId":"u{person}","anonymousId":"{device}","properties":{{"at":{visit}}}"#
            ),
            8 => format!(r#""type":"group","userId":"u{person}","groupId":"g{}""#, person / 3),
            _ => format!(r#""type":"alias","userId":"u{person}","previousId":"{device}""#),
        };
        items.push(format!(r#"{{{what},"messageId":"v{visit}",{time}}}"#).into());
        if items.len() == 40 || visit + 1 == people * 3 {
            let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() };
            let items = std::mem::take(&mut items);
            let one = record(1_000 + visit, RecordKind::Events, head.encode(), items);
            log.append_wait(one).expect("appends");
        }
    }
    Arc::new(log)
}

/// Any rules that somebody might think of.
fn random_rules(dice: &mut Dice) -> RuleSet {
    let mut rules = RuleSet::default();
    if dice.roll(3) == 0 {
        rules.types.push(TypeRule::new("phone", 20));
    }
    if dice.roll(3) == 0 {
        let priorities: Vec<_> = rules.types.iter().map(|rule| rule.priority).collect();
        let turn = usize::try_from(dice.roll(6)).expect("small");
        for (index, rule) in rules.types.iter_mut().enumerate() {
            rule.priority = priorities[(index + turn) % priorities.len()];
        }
    }
    for rule in &mut rules.types {
        if dice.roll(3) == 0 {
            let windows = [Window::Ever, Window::Ever, Window::Weekly, Window::Monthly];
            let window = windows[usize::try_from(dice.roll(4)).expect("small")];
            rule.limit = Limit { count: 1 + u32::try_from(dice.roll(4)).expect("small"), window };
        }
    }
    if dice.roll(4) == 0 {
        let names = ["email", "anonymous_id", "user_id"];
        let left_out = names[usize::try_from(dice.roll(3)).expect("small")];
        rules.types.retain(|rule| rule.name != left_out);
    }
    if dice.roll(2) == 0 {
        rules.blocked.exact.push("info@shop.example".to_owned());
    }
    if dice.roll(3) == 0 {
        rules.blocked.regex.push("^lib".to_owned());
    }
    rules.options.alias = dice.roll(3) != 0;
    let strategies = [Strategy::Merge, Strategy::Merge, Strategy::Isolate, Strategy::Link];
    rules.strategy = strategies[usize::try_from(dice.roll(4)).expect("small")];
    if dice.roll(4) == 0 {
        rules.shared_devices = Some(SharedDevices { people: 2 });
    }
    if dice.roll(5) == 0 {
        rules.caps.mappings = 2 + u32::try_from(dice.roll(4)).expect("small");
        rules.caps.merges = 1 + u32::try_from(dice.roll(3)).expect("small");
    }
    rules
}

/// Tries and publishes random rules, each over what the ones before made of it, in a shop with definitions.
fn try_and_publish_with_definitions(seed: u64, partitions: u32, changes: usize) -> [[u64; 3]; 2] {
    let mut world = World::new(shop(seed, 120), partitions);
    world.define();
    let mut dice = Dice::new(seed + 77);
    let mut before = world.seen();
    let mut met = [[0; 3]; 2];
    for _ in 0..changes {
        let rules = random_rules(&mut dice);
        let report = world.try_out(&rules);
        let published = world.log.end();
        world.publish(&rules);
        // Readers are told how it is before everybody was evaluated.
        let early = world.seen();
        world.settle();
        let after = world.seen();
        assert_eq!(early.values, after.values);
        check(&report, &before, &after);
        check_effects(&world, published, &after);
        let more = check_definitions(&report, &before, &after);
        add(&mut met, more);
        before = after;
    }
    world.check_against_a_replay();
    met
}

fn add(met: &mut [[u64; 3]; 2], more: [[u64; 3]; 2]) {
    met.iter_mut().flatten().zip(more.into_iter().flatten()).for_each(|(met, more)| *met += more);
}

#[test]
fn what_a_trial_says_of_definitions_is_what_publishing_does() {
    let mut met = [[0; 3]; 2];
    for (seed, partitions) in [(14, 1), (15, 3)] {
        add(&mut met, try_and_publish_with_definitions(seed, partitions, 6));
    }
    let is_met = met[0].iter().all(|met| *met > 10) && met[1].iter().all(|met| *met > 5);
    assert!(is_met, "some people and firms enter, leave, have other values: {met:?}");
}

/// An engine that dies before the first profile is evaluated, or behind the last one without a checkpoint,
/// ends with the state of a clean replay, and destinations are told the same.
#[test]
fn definitions_are_published_across_restarts() {
    let mut world = World::new(shop(21, 200), 1);
    world.define();
    let mut rules = RuleSet::default();
    rules.types.retain(|rule| rule.name != "email");
    let published = world.log.end();
    let (space, definitions) = ("default".to_owned(), published.offset);
    world.say(&Change::PublishRules { space, rules, definitions, effects: 0, identity: None });
    world = world.restart(1);
    world.engine.catch_up().expect("folds");
    // Events come before everybody is evaluated: nobody enters what only looks so.
    world.buys(0..100);
    world.engine.catch_up().expect("folds");
    assert!(world.engine.state().meta().spaces[0].computing.reassessing);
    world = world.restart(1);
    let folder = world.folder.path().join("history");
    carry_on(&mut world.engine, (&world.log, &world.outbox), folder);
    assert!(!world.engine.state().meta().spaces[0].computing.reassessing);
    let seen = world.seen();
    check_effects(&world, published, &seen);
    // No checkpoint has these evaluations: what was told is taken from the outbox.
    world = world.restart(1);
    world.check_against_a_replay();
    assert_eq!(world.seen().values, seen.values);
    check_effects(&world, published, &seen);
    // A state that is lost is made anew while the outbox has what was told by the rules of before.
    std::fs::remove_dir_all(world.folder.path().join("state")).expect("removes");
    world = world.restart(1);
    world.check_against_a_replay();
    assert_eq!(world.seen().values, seen.values);
}

/// An engine that dies behind every piece of what is evaluated behind a publication, while people go on buying, ends
/// with the state of a clean replay.
#[test]
fn everybody_is_evaluated_by_engines_that_die() {
    for partitions in [1, 2] {
        let mut world = World::new(shop(22, 450), partitions);
        world.buys(0..450);
        world.define();
        let mut rules = RuleSet::default();
        rules.types.retain(|rule| rule.name != "email");
        let published = world.log.end();
        world.publish(&rules);
        let mut deaths = 0;
        while world.engine.state().meta().spaces[0].computing.reassessing {
            let folder = world.folder.path().join("history");
            let logs = (&world.log, &world.outbox);
            // What is interrupted begins anew.
            carry_on_a_little(&mut world.engine, logs, folder, 1 + deaths / 2);
            world.buys(deaths * 40..deaths * 40 + 20);
            world.engine.turns(1).expect("folds");
            world = world.restart(partitions);
            world.engine.catch_up().expect("folds");
            deaths += 1;
        }
        assert!(deaths > 2, "users are a piece, accounts are several: {deaths}");
        world.settle();
        let seen = world.seen();
        let met = seen.values[1].values().filter(|values| values.contains_key("firm_good"));
        assert!(met.count() > 10);
        check_last(&world, published, &seen);
        world.check_against_a_replay();
    }
}

/// Tries and publishes random rules, each over what the ones before made of it.
fn try_and_publish(seed: u64, people: u64, changes: usize) -> [u64; 7] {
    let mut world = World::new(shop(seed, people), 1);
    let mut dice = Dice::new(seed + 77);
    let mut before = world.seen();
    let mut met = [0; 7];
    for _ in 0..changes {
        let rules = random_rules(&mut dice);
        let report = world.try_out(&rules);
        world.publish(&rules);
        let after = world.seen();
        check(&report, &before, &after);
        let counts = &world.engine.state().meta().spaces[0];
        assert_eq!(report.merges[1], counts.merges);
        let said = report.violations.iter().map(|(kind, [_, after])| (*kind, *after));
        // What depends on more than identity is no part of a trial.
        let of_traits = [NoteKind::TraitLimit as u8, NoteKind::LinkLimit as u8];
        let seen = counts.violations.iter().filter(|(kind, _)| !of_traits.contains(kind));
        assert!(said.filter(|(_, times)| *times > 0).eq(seen.map(|(kind, met)| (*kind, *met))));
        let users = &report.users;
        let more = [users.merged, users.split, users.created, users.gone, report.moved];
        let more = more.into_iter().chain([report.gained, report.lost]);
        met.iter_mut().zip(more).for_each(|(met, more)| *met += more);
        before = after;
    }
    world.check_against_a_replay();
    met
}

#[test]
fn what_a_trial_says_is_what_publishing_does() {
    let mut met = [0; 7];
    for seed in 4..6 {
        let more = try_and_publish(seed, 150, 8);
        met = std::array::from_fn(|index| met[index] + more[index]);
    }
    assert!(met.iter().all(|met| *met > 0), "everything happens: {met:?}");
}

/// A thousand changes of rules in shops of 10,000 people. It takes a quarter of an hour:
/// `cargo test --release -p selfsame-pipeline --test it thousand -- --ignored --nocapture`
#[test]
#[ignore = "takes a quarter of an hour"]
fn what_a_thousand_trials_say_is_what_publishing_does() {
    for shop in 0..20 {
        let met = try_and_publish(1_000 + shop, 10_000, 50);
        println!(
            "{} changes agree. Profiles merged, split, created, gone; events moved, gained, lost: {met:?}",
            (shop + 1) * 50
        );
    }
}

#[test]
fn a_state_that_was_published_over_is_that_of_a_replay() {
    for partitions in [1, 3] {
        let mut world = World::new(history_with_undo(5, 700), partitions);
        let mut dice = Dice::new(9);
        for round in 0..4 {
            let rules = random_rules(&mut dice);
            if round % 2 == 0 {
                world.publish(&rules);
            } else {
                // In force from here on only, until the next ones are published.
                world.say(&Change::SetSpace {
                    id: "default".to_owned(),
                    name: "Default".to_owned(),
                    rules,
                    indexed_traits: vec!["email".to_owned()],
                });
            }
            world.check_against_a_replay();
        }
        let decided = world.outbox.end();
        assert_eq!(decided, world.log.end(), "one record of decisions for each of the log");
    }
}

#[test]
fn what_was_decided_before_rules_were_published_stays_as_it_was_said() {
    let log = history_with_undo(6, 300);
    let mut world = World::new(Arc::clone(&log), 1);
    let until = world.outbox.end();
    let said = |world: &World| {
        let records = world.outbox.read(Default::default(), 100 << 20).expect("reads");
        let records = records.into_iter().take_while(|record| record.position < until);
        records.map(|record| record.items.to_vec()).collect::<Vec<_>>()
    };
    let before = said(&world);
    world.publish(&random_rules(&mut Dice::new(4)));
    assert_eq!(said(&world), before);
}

#[test]
fn a_successor_that_was_begun_before_is_folded_on() {
    let mut world = World::new(history_with_undo(7, 400), 1);
    let rules = random_rules(&mut Dice::new(12));
    let folder = world.folder.path().join("state");
    let in_force = world.engine.state().meta().published.clone();
    let begin = |until: u64| {
        let config = StateConfig::default();
        let publication =
            Publication { space: "default", rules: &rules, definitions: until, identity: None };
        let mut successor =
            Successor::open(&*world.log, &folder, &config, &in_force, publication).expect("opens");
        let from = successor.next().offset;
        let until = Position::embedded(until);
        assert!(successor.fold(&*world.log, until, |_| true).expect("folds"));
        successor.close().expect("closes");
        from
    };
    assert_eq!(begin(150), 0);
    assert_eq!(begin(300), 150, "it goes on where it was");
    let mark = world.folder.path().join("state.next").join("writing");
    assert!(!mark.exists());
    std::fs::write(&mark, "").expect("writes");
    assert_eq!(begin(200), 0, "a checkpoint of it was being made: sections may be ahead");
    world.publish(&rules);
    world.check_against_a_replay();
}

/// A process that dies at any moment of it leaves what the next one needs.
#[test]
fn rules_are_published_across_restarts() {
    let mut world = World::new(history_with_undo(8, 400), 1);
    let rules = random_rules(&mut Dice::new(3));
    let (space, definitions) = ("default".to_owned(), world.log.end().offset);
    let published = Change::PublishRules { space, rules, definitions, effects: 0, identity: None };
    // Before the engine has seen the record.
    world.say(&published);
    world = world.restart(1);
    world.check_against_a_replay();
    // Between the two renames: the state in use is gone, and its successor is whole.
    let folder = world.folder.path().to_owned();
    world = world.restart(1);
    drop(world.engine);
    let offset = (world.log.end().offset - 1).to_string();
    std::fs::write(folder.join("state").join("finished"), offset).expect("writes");
    std::fs::rename(folder.join("state"), folder.join("state.next")).expect("renames");
    drop(world.outbox);
    let (outbox, engine) = open(&folder, &world.log, 1);
    world = World { outbox, engine, ..world };
    assert_eq!(world.engine.state().next(), world.log.end(), "nothing was folded again");
    world.check_against_a_replay();
    // Before the renames: both are there, and the engine comes to the record again.
    let rules = random_rules(&mut Dice::new(31));
    let before = folder.join("before");
    selfsame_pipeline::copy_state(&folder.join("state"), &before).expect("copies");
    world.publish(&rules);
    let World { outbox, engine, log, folder: root, records } = world;
    drop((outbox, engine));
    let offset = (log.end().offset - 1).to_string();
    std::fs::rename(folder.join("state"), folder.join("state.next")).expect("renames");
    std::fs::write(folder.join("state.next").join("finished"), offset).expect("writes");
    std::fs::rename(before, folder.join("state")).expect("renames");
    let (outbox, engine) = open(&folder, &log, 1);
    world = World { outbox, engine, log, folder: root, records };
    world.check_against_a_replay();
    // A state that is lost is made with the rules that hold.
    world = {
        std::fs::remove_dir_all(folder.join("state")).expect("removes");
        world.restart(1)
    };
    world.check_against_a_replay();
}
