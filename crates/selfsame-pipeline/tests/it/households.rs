//! Households: who is one by the traits of now, whatever came before, and that nobody is merged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use selfsame_event::{Collection, EventsHead, RecordKind, SourceNumber};
use selfsame_identity::rule::HouseholdRules;
use selfsame_identity::{HouseholdBy, Lack, RuleSet};
use selfsame_log::{Log, LogRead, MemoryLog, NewRecord};
use selfsame_pipeline::workspace::Change;
use selfsame_pipeline::{
    Engine, HouseholdBudget, HouseholdId, IdentityChange, ProfileRef, Reader, ReplayConfig,
    SpaceRead, Standing, StateConfig, replay,
};

use crate::reader::engine;
use crate::world::{TestClock, key, record, set_up};

const CARD: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn rules() -> RuleSet {
    let households = HouseholdRules { address: true, card: Some("card".to_owned()) };
    RuleSet { households, ..RuleSet::default() }
}

fn rules_changed(id: u64, rules: RuleSet) -> NewRecord {
    let (name, indexed_traits) = ("Default".to_owned(), Vec::new());
    let change = Change::SetSpace { id: "default".to_owned(), name, rules, indexed_traits };
    record(id, RecordKind::Config, serde_json::to_vec(&change).expect("JSON"), vec![])
}

/// A log that grows, and an engine that folds it.
struct World {
    log: Arc<MemoryLog>,
    engine: Engine,
    reader: Reader,
    next: u64,
    folder: tempfile::TempDir,
}

impl World {
    fn new(rules: RuleSet, partitions: u32) -> Self {
        let log = Arc::new(MemoryLog::new(Arc::new(TestClock::default())));
        set_up(rules).into_iter().for_each(|one| _ = log.append_wait(one).expect("appends"));
        let folder = tempfile::tempdir().expect("a folder");
        let engine = engine(folder.path(), &log, partitions);
        let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
        Self { log, engine, reader, next: 1_000, folder }
    }

    /// With these events, each of a later day.
    fn with(events: &[&str]) -> Self {
        let mut world = Self::new(rules(), 1);
        world.send(events);
        world
    }

    fn append(&mut self, record: NewRecord) {
        self.log.append_wait(record).expect("appends");
        self.fold();
    }

    fn fold(&mut self) {
        while self.engine.state().next() < self.log.end() {
            self.engine.turns(1).expect("folds");
        }
    }

    fn send(&mut self, events: &[&str]) {
        for event in events {
            let day = self.next - 999;
            let time = format!("2026-{:02}-{:02}T00:00:00Z", 1 + day / 28, 1 + day % 28);
            let event = format!(r#"{{"messageId":"m{day}","timestamp":"{time}",{event}}}"#);
            self.send_raw(event);
        }
    }

    fn send_raw(&mut self, event: String) {
        self.receive(event);
        self.fold();
    }

    /// Appends an event without folding it.
    fn receive(&mut self, event: String) {
        let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() }.encode();
        let record = record(self.next, RecordKind::Events, head, vec![Bytes::from(event)]);
        self.log.append_wait(record).expect("appends");
        self.next += 1;
    }

    fn read(&self) -> SpaceRead {
        self.reader.space("default").expect("a space")
    }

    /// Who is in the household of a user by a rule, by their user or anonymous ids; or why nobody is.
    fn of(&self, by: HouseholdBy, user: &str) -> String {
        self.of_within(by, user, HouseholdBudget::default())
    }

    fn of_within(&self, by: HouseholdBy, user: &str, budget: HouseholdBudget) -> String {
        let read = self.read();
        let found = read.find(Collection::Users, &wanted(user)).expect("reads").expect("a profile");
        let all = read.households_of(&found, &budget).expect("reads");
        let one = all.iter().find(|one| one.by == by).expect("a rule");
        if let (Some(id), Standing::Members(_)) = (one.id, &one.standing) {
            let by_id = read.household(id, &budget).expect("reads").expect("the household");
            assert_eq!(shown(&by_id.standing), shown(&one.standing), "the same by its id");
            assert_eq!(HouseholdId::parse(&id.to_string()), Some(id));
        }
        shown(&one.standing)
    }

    fn address(&self, user: &str) -> String {
        self.of(HouseholdBy::Address, user)
    }

    fn profiles(&self) -> u64 {
        self.engine.state().meta().spaces[0].profiles
    }
}

fn wanted(user: &str) -> ProfileRef {
    let kind = if user.starts_with('a') { "anonymous_id" } else { "user_id" };
    ProfileRef::Identifier { kind: kind.to_owned(), value: user.to_owned() }
}

fn shown(standing: &Standing<'_>) -> String {
    match standing {
        Standing::Members(members) => {
            let first = |member: &selfsame_pipeline::HouseholdMember<'_>| {
                let mut ids: Vec<_> =
                    member.profile.external_ids().map(|id| id.value.to_owned()).collect();
                ids.retain(|id| !id.contains('@'));
                ids.sort();
                ids.join("+")
            };
            let mut names: Vec<_> = members.iter().map(first).collect();
            names.sort();
            names.join(" ")
        }
        Standing::Alone => "alone".to_owned(),
        Standing::TooMany => "too many".to_owned(),
        Standing::Lacks(lack) => format!("{lack:?}"),
    }
}

fn identify(who: &str, traits: &str) -> String {
    let kind = if who.starts_with('a') { "anonymousId" } else { "userId" };
    format!(r#""type":"identify","{kind}":"{who}","traits":{{{traits}}}"#)
}

fn lives(who: &str, street: &str, family: &str) -> String {
    let address = format!(r#"{{"street":"{street}","postalCode":"62701","country":"US"}}"#);
    identify(who, &format!(r#""address":{address},"lastName":"{family}""#))
}

fn world(events: &[String]) -> World {
    World::with(&events.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn profiles_of_one_address_and_family_name_are_a_household_and_stay_profiles() {
    let world = world(&[
        lives("u1", "12 Main Street, Apt 4", "Hill"),
        lives("u2", "12 MAIN ST. #4", "hill"),
        lives("u3", "12 Main Street, Apt 4", "Dale"),
        lives("u4", "12 Main Street, Apt 5", "Hill"),
        identify("u5", r#""lastName":"Hill""#),
    ]);
    assert_eq!(world.address("u1"), "u1 u2");
    assert_eq!(world.address("u2"), "u1 u2");
    assert_eq!(world.address("u3"), "alone");
    assert_eq!(world.address("u4"), "alone");
    assert_eq!(world.address("u5"), format!("{:?}", Lack::NoAddress));
    assert_eq!(world.of(HouseholdBy::Card, "u1"), format!("{:?}", Lack::NoCard));
    assert_eq!(world.profiles(), 5, "nobody is merged");
}

#[test]
fn address_and_name_may_come_on_different_events_and_of_different_devices() {
    let mut world = world(&[
        lives("u1", "12 Main Street", "Hill"),
        identify("a2", r#""address":{"street":"12 Main St","postalCode":62701,"country":"us"}"#),
        identify("u2", r#""name":"Ada Hill""#),
    ]);
    assert_eq!(world.address("a2"), format!("{:?}", Lack::NoFamilyName));
    world.send(&[r#""type":"track","event":"In","userId":"u2","anonymousId":"a2""#]);
    assert_eq!(world.address("u2"), "a2+u2 u1");
    let read = world.read();
    let found = read.find(Collection::Users, &wanted("u1")).expect("reads").expect("a profile");
    let all = read.households_of(&found, &HouseholdBudget::default()).expect("reads");
    let Standing::Members(members) = &all[0].standing else { panic!("{all:?}") };
    let other = members.iter().find(|one| one.profile.id() != found.id()).expect("the other");
    assert_eq!(other.traits, ["address", "name"]);
    assert_eq!(other.since.to_string(), "2026-01-04T00:00:00.000Z", "the name came last");
    let view = other.profile.view();
    assert_eq!(view.trait_of("name").expect("said").stamp.message_id.to_string(), "m3");
}

#[test]
fn who_moves_away_or_takes_another_name_is_a_member_no_more() {
    let mut world = world(&[
        lives("u1", "12 Main Street", "Hill"),
        lives("u2", "12 Main Street", "Hill"),
        lives("u3", "12 Main Street", "Hill"),
    ]);
    assert_eq!(world.address("u1"), "u1 u2 u3");
    world.send(&[&lives("u2", "7 Oak Avenue", "Hill"), &identify("u3", r#""lastName":"Dale""#)]);
    assert_eq!(world.address("u1"), "alone");
    assert_eq!(world.address("u2"), "alone");
    // An older event that comes late changes nothing, and moving back does.
    world.send_raw(format!(
        r#"{{"timestamp":"2025-01-01T00:00:00Z","messageId":"late",{}}}"#,
        lives("u2", "12 Main Street", "Hill")
    ));
    assert_eq!(world.address("u1"), "alone");
    world.send(&[&lives("u2", "12 Main Street", "Hill"), &identify("u1", r#""address":null"#)]);
    assert_eq!(world.address("u2"), "alone");
    assert_eq!(world.address("u1"), format!("{:?}", Lack::NoAddress));
}

#[test]
fn a_merge_makes_one_member_and_an_undo_makes_two_again() {
    let mut world = world(&[
        lives("u1", "12 Main Street", "Hill"),
        lives("a2", "12 Main Street", "Hill"),
        lives("u3", "12 Main Street", "Hill"),
    ]);
    assert_eq!(world.address("u1"), "a2 u1 u3");
    world.send(&[r#""type":"track","event":"In","userId":"u1","anonymousId":"a2""#]);
    assert_eq!(world.address("u3"), "a2+u1 u3");
    let hex = |kind, value| key(Collection::Users, kind, value);
    let apart = vec![[hex("user_id", "u1"), hex("anonymous_id", "a2")]];
    let change = IdentityChange { space: "default".into(), apart, ..IdentityChange::default() };
    let head = serde_json::to_vec(&change).expect("JSON");
    world.append(record(90_000, RecordKind::Identity, head, vec![]));
    assert_eq!(world.address("u3"), "a2 u1 u3");
}

#[test]
fn a_card_makes_a_household_of_its_own() {
    let card = |who: &str, card: &str| identify(who, &format!(r#""card":"{card}""#));
    let world = world(&[
        lives("u1", "12 Main Street", "Hill"),
        card("u1", CARD),
        card("u2", &CARD.to_uppercase()),
        lives("u3", "12 Main Street", "Hill"),
        card("u4", "4111111111111111"),
        card("u5", "4111111111111111"),
    ]);
    assert_eq!(world.of(HouseholdBy::Card, "u1"), "u1 u2");
    assert_eq!(world.of(HouseholdBy::Card, "u4"), format!("{:?}", Lack::NotAHash));
    // One is not chained to the other: u2 and u3 have nothing in common.
    assert_eq!(world.address("u1"), "u1 u3");
    assert_eq!(world.address("u2"), format!("{:?}", Lack::NoAddress));
    assert_eq!(world.of(HouseholdBy::Card, "u3"), format!("{:?}", Lack::NoCard));
}

#[test]
fn more_than_a_household_has_is_none() {
    let mut events: Vec<_> =
        (1..=20).map(|one| lives(&format!("u{one}"), "1 Campus Road", "Li")).collect();
    let mut world = world(&events);
    assert_eq!(world.address("u1").split(' ').count(), 20);
    world.send(&[&lives("u21", "1 Campus Road", "Li"), &lives("u22", "1 Campus Road", "Hill")]);
    assert_eq!(world.address("u1"), "too many");
    assert_eq!(
        world.address("u22"),
        "alone",
        "one of many at the address, and the only one of the name"
    );
    // With more entries than are followed nobody knows.
    let budget = HouseholdBudget { candidates: 21, ..HouseholdBudget::default() };
    assert_eq!(world.of_within(HouseholdBy::Address, "u22", budget), "too many");
    // Those who leave make it one again.
    events = (1..=19).map(|one| lives(&format!("u{one}"), "2 Campus Road", "Li")).collect();
    world.send(&events.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(world.address("u21"), "u20 u21");
}

#[test]
fn what_the_rules_block_makes_no_household_from_then_on_and_again_when_they_do_not() {
    let mut world =
        world(&[lives("u1", "12 Main Street", "Test"), lives("u2", "12 Main Street", "test")]);
    assert_eq!(world.address("u1"), "u1 u2");
    let mut blocking = rules();
    blocking.blocked.exact.push("TEST".to_owned());
    world.append(rules_changed(50_000, blocking));
    assert_eq!(world.address("u1"), format!("{:?}", Lack::Blocked));
    world.append(rules_changed(50_001, rules()));
    assert_eq!(world.address("u1"), "u1 u2");
}

#[test]
fn an_answer_says_how_many_events_came_before_the_rule() {
    let mut world = World::new(RuleSet::default(), 1);
    let all = |world: &World| {
        let read = world.read();
        let found = read.find(Collection::Users, &wanted("u1")).expect("reads").expect("a profile");
        let all = read.households_of(&found, &HouseholdBudget::default()).expect("reads");
        all.iter().map(|one| (one.by, one.events_before, shown(&one.standing))).collect::<Vec<_>>()
    };
    world.send(&[&lives("u1", "12 Main Street", "Hill"), &lives("u2", "12 Main Street", "Hill")]);
    assert_eq!(all(&world), [], "no rule, no household");
    let address = HouseholdRules { address: true, card: None };
    let only = RuleSet { households: address, ..RuleSet::default() };
    world.append(rules_changed(50_000, only.clone()));
    assert_eq!(all(&world), [(HouseholdBy::Address, 2, "alone".to_owned())]);
    // Both say it again, one of them in another way.
    world.send(&[&lives("u2", "12 Main St", "Hill")]);
    assert_eq!(all(&world)[0].2, "u1 u2", "who asks counts, in the index or not");
    world.append(rules_changed(50_001, rules()));
    let before: Vec<_> = all(&world).into_iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(before, [(HouseholdBy::Address, 2), (HouseholdBy::Card, 3)]);
    // Off and on again is a new beginning.
    world.append(rules_changed(50_002, RuleSet::default()));
    world.send(&[&lives("u3", "12 Main Street", "Hill")]);
    world.append(rules_changed(50_003, only));
    assert_eq!(all(&world)[0].1, 4);
}

#[test]
fn traits_of_accounts_and_of_other_calls_make_no_household() {
    let address = r#""address":{"street":"12 Main Street","postalCode":"62701"},"lastName":"Hill""#;
    let world = world(&[
        identify("u1", address),
        format!(r#""type":"group","userId":"u2","groupId":"g1","traits":{{{address}}}"#),
        format!(r#""type":"group","userId":"u3","groupId":"g2","traits":{{{address}}}"#),
        format!(r#""type":"track","event":"X","userId":"u4","context":{{"traits":{{{address}}}}}"#),
    ]);
    assert_eq!(world.address("u1"), "alone");
    assert_eq!(world.address("u2"), format!("{:?}", Lack::NoAddress));
    assert_eq!(world.address("u4"), format!("{:?}", Lack::NoAddress));
    let read = world.read();
    let account = ProfileRef::Identifier { kind: "group_id".to_owned(), value: "g1".to_owned() };
    let account = read.find(Collection::Accounts, &account).expect("reads").expect("an account");
    assert!(read.households_of(&account, &HouseholdBudget::default()).expect("reads").is_empty());
    assert!(
        read.household(
            HouseholdId::parse(&format!("household:{}", "0".repeat(32))).expect("an id"),
            &HouseholdBudget::default()
        )
        .expect("reads")
        .is_none()
    );
}

/// What a random person says in one event.
fn said() -> impl Strategy<Value = String> {
    let address = prop_oneof![
        4 => (0..3_usize, 0..2_usize).prop_map(|(house, spelling)| {
            let street = ["Main Street", "MAIN ST."][spelling];
            format!(r#""address":{{"street":"{} {street}","postalCode":"62701"}}"#, house + 1)
        }),
        1 => Just(r#""address":null"#.to_owned()),
        1 => Just(r#""address":"n/a""#.to_owned()),
    ];
    let name = (0..3_usize, any::<bool>()).prop_map(|(name, whole)| {
        let name = ["Hill", "HILL", "Dale"][name];
        if whole {
            format!(r#""name":"Ada {name}","lastName":null"#)
        } else {
            format!(r#""lastName":"{name}""#)
        }
    });
    let card = prop_oneof![Just(CARD), Just("Xt5EWLLDS7FJjR1c"), Just("4111111111111111")];
    let card = card.prop_map(|card| format!(r#""card":"{card}""#));
    let traits = prop_oneof![3 => address, 3 => name, 1 => card];
    let who = prop_oneof![4 => (1..6_u32).prop_map(|n| format!("u{n}")), 2 => (1..4_u32).prop_map(|n| format!("a{n}"))];
    let day = 1..28_u32;
    let says = (who, traits, day).prop_map(|(who, traits, day)| {
        format!(r#""timestamp":"2026-01-{day:02}T00:00:00Z",{}"#, identify(&who, &traits))
    });
    let joins = (1..6_u32, 1..4_u32).prop_map(|(user, device)| {
        format!(r#""type":"track","event":"In","userId":"u{user}","anonymousId":"a{device}""#)
    });
    prop_oneof![8 => says, 1 => joins]
}

/// Every household by grouping the final traits of all profiles.
fn grouped(read: &SpaceRead) -> BTreeMap<(HouseholdBy, String), BTreeSet<String>> {
    let users = (1..6).map(|n| format!("u{n}")).chain((1..4).map(|n| format!("a{n}")));
    let mut groups: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for user in users {
        let Some(found) = read.find(Collection::Users, &wanted(&user)).expect("reads") else {
            continue;
        };
        let view = found.view();
        let text = |name: &str| view.trait_of(name).and_then(|one| one.value?.string());
        let id = found.id().to_string();
        if let Some(card) =
            text("card").filter(|card| card.bytes().any(|one| one.is_ascii_alphabetic()))
        {
            groups.entry((HouseholdBy::Card, card.into_owned())).or_default().insert(id.clone());
        }
        let street = view.trait_of("address").and_then(|one| one.value?.get("street")?.string());
        let family = text("lastName").map(|name| name.to_lowercase());
        let family = family.or_else(|| Some(text("name")?.strip_prefix("Ada ")?.to_lowercase()));
        if let (Some(street), Some(family)) = (street, family) {
            let house = street.split(' ').next().expect("a number").to_owned();
            groups
                .entry((HouseholdBy::Address, format!("{house} {family}")))
                .or_default()
                .insert(id);
        }
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever people say in whatever order, households are the groups of what they say at last.
    #[test]
    fn households_are_the_groups_of_the_last_traits(events in prop::collection::vec(said(), 1..40), partitions in 1..4_u32) {
        let mut world = World::new(rules(), partitions);
        for (number, event) in (0..).zip(&events) {
            world.receive(format!(r#"{{"messageId":"m{number}",{event}}}"#));
        }
        world.fold();
        let read = world.read();
        let groups = grouped(&read);
        let mut seen = BTreeSet::new();
        for ((by, place), members) in &groups {
            let id = selfsame_event::ProfileId::parse(members.first().expect("one")).expect("an id");
            let found = read.find(Collection::Users, &ProfileRef::Id(id)).expect("reads").expect("there");
            let all = read.households_of(&found, &HouseholdBudget::default()).expect("reads");
            let one = all.iter().find(|one| one.by == *by).expect("a rule");
            let told: BTreeSet<String> = match &one.standing {
                Standing::Members(members) => members.iter().map(|one| one.profile.id().to_string()).collect(),
                Standing::Alone => BTreeSet::from([found.id().to_string()]),
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(&told, members, "{:?} {}", by, place);
            prop_assert!(seen.insert(one.id.expect("an id")), "each its own id");
            prop_assert_eq!(one.events_before, 0);
        }
    }
}

#[test]
fn the_index_is_part_of_the_state_and_the_same_for_every_way_to_fold() {
    let mut world =
        world(&[lives("u1", "12 Main Street", "Hill"), lives("u2", "12 Main St", "Hill")]);
    for number in 0..200 {
        let (who, house) = (format!("u{}", number % 23), format!("{} Oak Road", number % 7));
        world.send(&[&lives(&who, &house, "Hill")]);
    }
    let hash = |partitions, batch_bytes, reopen_every| {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateConfig { partitions, ..StateConfig::default() };
        let config = ReplayConfig { state, batch_bytes, reopen_every, ..ReplayConfig::default() };
        replay(&*world.log, world.log.end(), folder.path(), &config, |_| ()).expect("replays")
    };
    let expected = hash(1, 4 << 20, None);
    let rows = expected.parts().iter().find(|(name, _)| *name == "trait_index").expect("a table");
    assert!(rows.1.rows() > 150, "{} rows", rows.1.rows());
    for (partitions, batch_bytes, reopen_every) in [(2, 1, None), (7, 2_000, Some(50))] {
        let differences = hash(partitions, batch_bytes, reopen_every).differences(&expected);
        assert!(differences.is_empty(), "{differences:?}");
    }
    // From the store alone the answers are the same.
    let before: Vec<_> = (0..23).map(|user| world.address(&format!("u{user}"))).collect();
    world.engine.catch_up().expect("checkpoints");
    let World { log, engine, reader, next, folder } = world;
    drop((engine, reader));
    let engine = self::engine(folder.path(), &log, 1);
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    let world = World { log, engine, reader, next, folder };
    let after: Vec<_> = (0..23).map(|user| world.address(&format!("u{user}"))).collect();
    assert_eq!(before, after);
}
