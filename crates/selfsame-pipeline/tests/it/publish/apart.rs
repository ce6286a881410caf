//! Pairs that are set apart, where rules are published: they hold from the first record on, whatever else the rules
//! do, and may be published themselves.

use selfsame_event::{Identifier, IdentifierKey};
use selfsame_identity::PlanError;
use selfsame_pipeline::{UndoError, UndoWish};

use super::*;
use crate::world::{guarded_history, key, linked_history};

/// Two keys, in hex.
type Names = [String; 2];

fn user(value: &str) -> String {
    key(Collection::Users, "user_id", value)
}

fn device(value: &str) -> String {
    key(Collection::Users, "anonymous_id", value)
}

fn address(value: &str) -> String {
    key(Collection::Users, "email", value)
}

fn apart(pairs: &[Names]) -> IdentityChange {
    IdentityChange { space: "default".to_owned(), apart: pairs.to_vec(), ..Default::default() }
}

fn lift(pairs: &[Names]) -> IdentityChange {
    IdentityChange { space: "default".to_owned(), lift: pairs.to_vec(), ..Default::default() }
}

fn sorted([one, other]: &Names) -> Names {
    if one < other { [one.clone(), other.clone()] } else { [other.clone(), one.clone()] }
}

impl World {
    /// What is apart by all that the log says.
    fn standing(&self) -> BTreeSet<Names> {
        let mut standing = BTreeSet::new();
        for record in self.log.read(Position::default(), 100 << 20).expect("reads") {
            let change: Option<IdentityChange> = match RecordKind::from_code(record.kind) {
                Some(RecordKind::Identity) => serde_json::from_slice(&record.head).ok(),
                Some(RecordKind::Config) => match serde_json::from_slice(&record.head) {
                    Ok(Change::PublishRules { identity, .. }) => identity,
                    _ => None,
                },
                _ => None,
            };
            if let Some(change) = change {
                change.lift.iter().for_each(|pair| _ = standing.remove(&sorted(pair)));
                standing
                    .extend(change.apart.iter().map(sorted).filter(|[one, other]| one != other));
            }
        }
        standing
    }

    /// The pairs of these that share a profile.
    fn together(&self, pairs: &BTreeSet<Names>) -> Vec<Names> {
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        let view = self.engine.shared().view().expect("open");
        let mut number = 0;
        view.tables
            .components
            .scan(&0_u32.to_be_bytes(), |_, packed| {
                let row = ComponentRow::decode(packed).expect("a row");
                if row.parent.is_none() {
                    number += 1;
                    held.extend(row.members.iter().map(|member| (hex(member.key), number)));
                }
                true
            })
            .expect("scans");
        let is_one =
            |[one, other]: &&Names| held.contains_key(one) && held.get(one) == held.get(other);
        pairs.iter().filter(is_one).cloned().collect()
    }

    fn says(&mut self, events: &[&str]) {
        self.records += 1;
        let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() };
        let items = events.iter().map(|event| Bytes::from((*event).to_owned())).collect();
        let said = record(9_000_000 + self.records, RecordKind::Events, head.encode(), items);
        self.log.append_wait(said).expect("appends");
        self.engine.catch_up().expect("folds");
    }

    /// Sets apart or lifts by a record of its own.
    fn change(&mut self, change: &IdentityChange) {
        self.records += 1;
        let head = serde_json::to_vec(change).expect("JSON");
        let said = record(7_000_000 + self.records, RecordKind::Identity, head, vec![]);
        self.log.append_wait(said).expect("appends");
        self.engine.catch_up().expect("folds");
    }

    fn reader(&self) -> Reader {
        let log: Arc<dyn LogRead> = Arc::<MemoryLog>::clone(&self.log);
        Reader::new(self.engine.shared(), log)
    }

    /// How sure a plan is that the history would give the same; none where there is no plan.
    fn planned(&self, one: &Identifier, other: &Identifier) -> Result<usize, UndoError> {
        let read = self.reader().space("default").expect("a space");
        let wish = UndoWish::Apart(one.clone(), other.clone());
        let sizes = read.undo_sizes();
        let plan = read.plan_undo(Collection::Users, &wish, "", sizes, &mut |_| true)?.plan;
        Ok(plan.uncertain + plan.left_over)
    }
}

fn hex(key: IdentifierKey) -> String {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_was_set_apart_stays_apart_whatever_is_published() {
    let mut stood = 0;
    for log in [history_with_undo(21, 500), guarded_history(22, 300), linked_history(23, 300)] {
        let mut world = World::new(log, 1);
        let mut dice = Dice::new(24);
        for round in 0..6 {
            let mut rules = random_rules(&mut dice);
            // Under these, evidence alone says of no device where it was.
            if round % 2 == 0 {
                rules.strategy = Strategy::Link;
            }
            let one = [user(&format!("u{round}")), device(&format!("a{}", round * 7))];
            world.publish_with(&rules, Some(apart(&[one])));
            let standing = world.standing();
            stood += standing.len();
            assert_eq!(world.together(&standing), Vec::<Names>::new());
            // What comes later meets it too.
            let event = format!(
                r#"{{"type":"page","messageId":"late{round}","userId":"u{round}","anonymousId":"a{}"}}"#,
                round * 7
            );
            world.says(&[&event]);
            assert_eq!(world.together(&standing), Vec::<Names>::new());
            world.check_against_a_replay();
        }
    }
    assert!(stood > 50, "{stood} pairs stood");
}

#[test]
fn an_undo_that_is_published_is_the_undo() {
    let rules = RuleSet::default();
    let (mut dice, mut compared) = (Dice::new(31), 0);
    for seed in 0..12 {
        let log = shop(40 + seed, 60);
        let mut planned = World::new(Arc::clone(&log), 1);
        let before = planned.seen().profiles;
        let several = |names: &&BTreeSet<String>| names.len() > 2;
        let profiles: Vec<_> = before[0].values().filter(several).cloned().collect();
        let of = &profiles[usize::try_from(dice.roll(profiles.len() as u64)).expect("small")];
        let ids: Vec<Identifier> = of
            .iter()
            .map(|name| name.split_once(':').expect("a name"))
            .map(|(kind, value)| Identifier::new(kind, value))
            .collect();
        let one = usize::try_from(dice.roll(ids.len() as u64)).expect("small");
        let (one, other) = (&ids[one], &ids[(one + 1) % ids.len()]);
        if planned.planned(one, other).expect("a plan") > 0 {
            continue;
        }
        compared += 1;
        let pair = [one, other].map(|id| key(Collection::Users, &id.kind, &id.value));
        let mut published = World::new(Arc::new(copy(&log)), 1);
        planned.change(&apart(std::slice::from_ref(&pair)));
        published.publish_with(&rules, Some(apart(std::slice::from_ref(&pair))));
        let (planned_seen, published_seen) = (planned.seen(), published.seen());
        assert_eq!(planned_seen.profiles, published_seen.profiles, "{one:?} {other:?}");
        assert_eq!(planned_seen.events, published_seen.events, "{one:?} {other:?}");
        // And as it was when it is lifted, in the other way.
        published.change(&lift(std::slice::from_ref(&pair)));
        planned.publish_with(&rules, Some(lift(&[pair])));
        assert_eq!(planned.seen().profiles, published.seen().profiles);
        assert_eq!(planned.seen().profiles, before);
        published.check_against_a_replay();
        planned.check_against_a_replay();
    }
    assert!(compared >= 6, "{compared} undone in both ways");
}

/// The same records in a log of its own.
fn copy(log: &MemoryLog) -> MemoryLog {
    let copy = MemoryLog::new(Arc::new(TestClock::default()));
    for one in log.read(Position::default(), 100 << 20).expect("reads") {
        let (id, kind, head) = (one.id, one.kind, one.head.clone());
        let items = one.items.to_vec();
        copy.append_wait(selfsame_log::NewRecord { id, kind, head, items }).expect("appends");
    }
    copy
}

#[test]
fn what_a_trial_says_of_pairs_is_what_publishing_does() {
    let mut split = 0;
    for (log, partitions) in [
        (history_with_undo(51, 400), 1),
        (guarded_history(52, 300), 3),
        (linked_history(53, 300), 1),
    ] {
        let mut world = World::new(log, partitions);
        let mut dice = Dice::new(54);
        let mut before = world.seen();
        for round in 0..5 {
            let rules = if round == 0 { RuleSet::default() } else { random_rules(&mut dice) };
            let standing = world.standing();
            let pair =
                [user(&format!("u{}", dice.roll(40))), device(&format!("a{}", dice.roll(60)))];
            let mail = [address(&format!("e{}@x.y", dice.roll(40))), pair[1].clone()];
            let mut identity = apart(&[pair, mail]);
            identity.lift.extend(standing.into_iter().take(1));
            let report = world.try_with(&rules, Some(identity.clone()));
            world.publish_with(&rules, Some(identity));
            let after = world.seen();
            check(&report, &before, &after);
            split += report.users.split;
            before = after;
        }
        world.check_against_a_replay();
    }
    assert!(split > 0, "nobody was taken apart");
}

/// Ada and Bob share an address: only a secret says so, and only a log that is resolved again can undo it.
#[test]
fn people_who_are_verified_are_set_apart_by_publishing() {
    let mut world = World::new(guarded_history(61, 4), 1);
    // The guard has ended with the history; whoever was verified is so for good.
    let (key_of_tokens, text) = ("k1".to_owned(), "checked by nobody here".to_owned());
    let identity = selfsame_pipeline::workspace::Identity {
        keys: vec![selfsame_pipeline::workspace::IdentityKey {
            id: key_of_tokens,
            algorithm: selfsame_pipeline::workspace::TokenAlgorithm::Hs256,
            key: selfsame_pipeline::workspace::KeyText(text),
        }],
        ..Default::default()
    };
    let source = world.engine.state().meta().workspace.sources[1].clone();
    world.say(&Change::SetSource(selfsame_pipeline::workspace::Source { identity, ..source }));
    let mut rules = RuleSet::default();
    let limited = rules.types.iter_mut().find(|rule| rule.name == "user_id");
    limited.expect("user_id").limit.count = 2;
    world.publish(&rules);
    world.says(&[
        r#"{"type":"identify","messageId":"1","userId":"ada","traits":{"email":"home@b.c"}}"#,
        r#"{"type":"identify","messageId":"2","userId":"bob","traits":{"email":"home@b.c"}}"#,
        r#"{"type":"track","event":"Seen","messageId":"3","userId":"bob"}"#,
    ]);
    let pair = [user("ada"), user("bob")];
    let both = BTreeSet::from([sorted(&pair)]);
    assert_eq!(world.together(&both).len(), 1);
    let (ada, bob) = (Identifier::new("user_id", "ada"), Identifier::new("user_id", "bob"));
    let refused = world.planned(&ada, &bob);
    assert!(matches!(refused, Err(UndoError::Plan(PlanError::Verified))), "{refused:?}");
    world.publish_with(&rules, Some(apart(std::slice::from_ref(&pair))));
    assert_eq!(world.together(&both).len(), 0);
    // It is listed, by name, with the event that met it.
    let read = world.reader().space("default").expect("a space");
    let listed = read.apart_pairs(Collection::Users, 10_000).expect("reads").0;
    drop(read);
    let listed = listed.iter().find(|one| {
        [&one.one, &one.other].map(|id| &*id.value).iter().all(|id| ["ada", "bob"].contains(id))
    });
    let listed = listed.expect("the pair");
    assert!(listed.times > 0 && listed.since > selfsame_event::Time::default(), "{listed:?}");
    world.says(&[
        r#"{"type":"identify","messageId":"4","userId":"bob","traits":{"email":"home@b.c"}}"#,
    ]);
    assert_eq!(world.together(&both).len(), 0);
    world.check_against_a_replay();
    world.publish_with(&rules, Some(lift(std::slice::from_ref(&pair))));
    assert_eq!(world.together(&both).len(), 1);
    world.check_against_a_replay();
}

#[test]
fn a_device_that_moved_is_set_apart_by_publishing() {
    let log = MemoryLog::new(Arc::new(TestClock::default()));
    let rules = RuleSet { strategy: Strategy::Link, ..RuleSet::default() };
    for one in set_up(rules.clone()) {
        log.append_wait(one).expect("appends");
    }
    let mut world = World::new(Arc::new(log), 1);
    world.says(&[
        r#"{"type":"identify","messageId":"1","userId":"ada","anonymousId":"tablet"}"#,
        r#"{"type":"identify","messageId":"2","userId":"bob","anonymousId":"tablet"}"#,
        r#"{"type":"page","messageId":"3","userId":"ada","anonymousId":"tablet"}"#,
    ]);
    let of = |world: &World, id: &str| {
        let seen = world.seen();
        let held = seen.profiles[0].values().find(|names| names.contains(id)).cloned();
        held.expect("a profile").into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(&world, "anonymous_id:tablet"), "anonymous_id:tablet user_id:ada");
    let (ada, tablet) =
        (Identifier::new("user_id", "ada"), Identifier::new("anonymous_id", "tablet"));
    let refused = world.planned(&ada, &tablet);
    assert!(matches!(refused, Err(UndoError::Plan(PlanError::Moves))), "{refused:?}");
    world.publish_with(&rules, Some(apart(&[[user("ada"), device("tablet")]])));
    assert_eq!(of(&world, "anonymous_id:tablet"), "anonymous_id:tablet user_id:bob");
    assert_eq!(of(&world, "user_id:ada"), "user_id:ada");
    world.check_against_a_replay();
}

#[test]
fn what_names_no_pairs_is_not_published() {
    let mut world = World::new(history_with_undo(71, 50), 1);
    let before = world.seen();
    for identity in [
        apart(&[["zz".to_owned(), user("u1")]]),
        IdentityChange { space: "another".to_owned(), ..apart(&[[user("u1"), user("u2")]]) },
    ] {
        let rules = RuleSet { strategy: Strategy::Isolate, ..RuleSet::default() };
        world.publish_with(&rules, Some(identity));
        assert_eq!(world.seen().profiles, before.profiles);
        assert_ne!(world.engine.state().meta().workspace.spaces[0].rules, rules);
        world.check_against_a_replay();
    }
}
