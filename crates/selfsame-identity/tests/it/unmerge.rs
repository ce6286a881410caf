//! Undo, in stories.

use std::collections::BTreeSet;

use proptest::prelude::*;
use selfsame_event::Time;
use selfsame_identity::{
    Change, LedgerEntry, LedgerRow, MemoryRows, PlanError, Progress, RulesLog, Sizes, Verdict,
    plan, plan_split, sides_of,
};

use crate::world::World;

/// The values on the profiles that change, before and after.
fn told(clusters: &[selfsame_identity::Cluster]) -> String {
    let values = |cluster: &selfsame_identity::Cluster| {
        let mut values: Vec<&str> = cluster.members.iter().map(|one| &*one.value).collect();
        values.sort_unstable();
        values.join(" ")
    };
    clusters.iter().map(values).collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_merge_that_is_undone_leaves_each_side_as_it_was() {
    let mut world = World::new("");
    let (first, second) = (world.user("u1 e1"), world.user("a1 p1"));
    world.user("e1 a1");
    assert_eq!(world.profiles(), "a1 e1 p1 u1");
    let plan = world.undo(&[("u1", "a1")], &[]);
    assert_eq!(told(&plan.before), "a1 e1 p1 u1");
    assert_eq!(told(&plan.after), "e1 u1 | a1 p1");
    assert_eq!(world.profiles(), "e1 u1 | a1 p1");
    assert_eq!((plan.others.len(), plan.uncertain, plan.left_over), (0, 0, 0));
    let ids = [world.user("u1 e1").profile, world.user("a1 p1").profile];
    assert_eq!(ids, [first.profile, second.profile], "each has its own id again");
}

#[test]
fn a_plan_changes_nothing() {
    let mut world = World::new("");
    for event in ["u1 e1", "a1 p1", "e1 a1"] {
        world.user(event);
    }
    let before = format!("{:?}", world.rows);
    world.plan(&[("u1", "a1")], &[]).expect("a plan");
    assert_eq!(format!("{:?}", world.rows), before);
}

#[test]
fn other_evidence_for_the_same_link_does_not_bring_it_back() {
    let mut world = World::new("");
    for event in ["u1 e1", "a1 p1", "e1 a1", "u1 p1", "e1 p1 a1"] {
        world.user(event);
    }
    let plan = world.undo(&[("u1", "a1")], &[]);
    assert_eq!(plan.met.values().sum::<u64>(), 3, "three sets say that they are one");
    assert_eq!(world.profiles(), "e1 u1 | a1 p1");
    let again = world.user("u1 a1");
    assert_eq!(again.violations[0].verdict, Verdict::CannotLink);
    assert_eq!(world.profiles(), "e1 u1 | a1 p1", "and neither does what comes later");
    let row = &world.rows.apart[&world.key("u1")];
    assert_eq!((row.others[0].times, &*row.others[0].by), (4, "test"));
}

#[test]
fn what_was_lifted_is_as_if_it_had_never_been() {
    let mut world = World::new("");
    for event in ["u1 e1", "a1 p1", "e1 a1", "u2 p1", "e2"] {
        world.user(event);
    }
    let before = world.rows.clone();
    world.undo(&[("u1", "a1")], &[]);
    assert_ne!(world.rows.components, before.components);
    world.undo(&[], &[("u1", "a1")]);
    let MemoryRows { identifiers, components, sightings, apart, .. } = world.rows;
    assert_eq!((identifiers, sightings), (before.identifiers, before.sightings));
    assert!(apart.is_empty());
    let graph =
        |rows: &std::collections::BTreeMap<_, std::sync::Arc<selfsame_identity::ComponentRow>>| {
            let members = rows.values().map(|row| format!("{:?} {:?}", row.parent, row.members));
            members.collect::<Vec<_>>()
        };
    assert_eq!(graph(&components), graph(&before.components));
}

#[test]
fn somebody_else_may_get_what_was_refused_and_is_listed() {
    let mut world = World::new("");
    // a1 goes to u1 because of e1, and is refused to u2.
    for event in ["u1 e1", "e1 a1", "u2 a1"] {
        world.user(event);
    }
    assert_eq!(world.profiles(), "a1 e1 u1 | u2");
    let plan = world.undo(&[("u1", "a1")], &[]);
    assert_eq!(world.profiles(), "e1 u1 | a1 u2");
    let other = world.user("u2").profile;
    assert_eq!(plan.others, [other]);
    let moved: Vec<_> = plan.moved.iter().map(|moved| (&*moved.name.value, moved.to)).collect();
    assert_eq!(moved, [("a1", Some(other))]);
}

#[test]
fn nothing_is_set_apart_that_never_came_or_is_of_two_kinds() {
    let mut world = World::new("");
    world.event("u1 g1");
    assert!(matches!(world.plan(&[("u1", "u9")], &[]), Err(PlanError::Unknown)));
    assert!(matches!(world.plan(&[("u1", "g1")], &[]), Err(PlanError::Collections)));
}

#[test]
fn refusals_that_are_resolved_again_name_the_limit_that_was_in_force_then() {
    let mut world = World::new("");
    for event in ["u1 e1", "e1 a1", "u2 a1"] {
        world.user(event);
    }
    world.rules(
        "types: [{ name: user_id, priority: 1, limit: { count: 4 } }, { name: email, priority: 2 }, \
         { name: anonymous_id, priority: 3 }]",
    );
    world.undo(&[("e1", "a1")], &[]);
    assert_eq!(world.profiles(), "e1 u1 | a1 u2");
    let again = world.undo(&[], &[("e1", "a1")]);
    let refused = again.ledger.iter().find_map(|row| match row.entry {
        LedgerEntry::Refused(refused) => refused.limit,
        _ => None,
    });
    let met = refused.expect("u2 is refused the device again, for its user id");
    assert_eq!(
        (world.numbers.name(met.number).expect("a type").1, met.limit.count),
        ("user_id", 1)
    );
}

#[test]
fn accounts_are_set_apart_like_users() {
    let mut world = World::new("");
    world.event("u1 g1 d1");
    world.event("u1 d2");
    world.event("u1 g1 d2");
    world.undo(&[("g1", "d2")], &[]);
    assert_ne!(world.holder("g1"), world.holder("d2"));
    assert_eq!(world.holder("g1"), world.holder("d1"));
}

#[test]
fn too_much_is_refused_with_what_links_it() {
    let mut world = World::new("");
    for number in 1..40 {
        world.user(&format!("u{number} a1"));
    }
    let pair = selfsame_identity::Pair::new(world.key("u1"), world.key("a1")).expect("two");
    let change = Change { apart: [pair].into(), ..Change::default() };
    let rules = RulesLog::new(world.log.clone());
    let mut planned = |in_step, most| {
        plan(&change, &rules, Sizes { in_step, most }, &mut world.rows, &mut |_| true)
    };
    assert!(matches!(planned(10, 100), Err(PlanError::JobNeeded { sets: 39, most: 10 })));
    let Err(PlanError::TooLarge { most: 20, hubs }) = planned(10, 20) else { panic!("too large") };
    assert_eq!(&*hubs[0].name.value, "a1");
}

#[test]
fn a_plan_says_how_far_it_is_and_can_be_stopped() {
    let mut world = World::new("");
    for number in 1..600 {
        world.user(&format!("u{number} a1"));
    }
    let pair = selfsame_identity::Pair::new(world.key("u1"), world.key("a1")).expect("two");
    let change = Change { apart: [pair].into(), ..Change::default() };
    let rules = RulesLog::new(world.log.clone());
    let mut told = Vec::new();
    let mut planned = |most: usize| {
        told.clear();
        let mut goes_on = |progress: Progress| {
            told.push(progress);
            told.len() < most
        };
        let plan = plan(&change, &rules, Sizes::default(), &mut world.rows, &mut goes_on);
        (plan, told.clone())
    };
    let (whole, told) = planned(usize::MAX);
    assert_eq!(whole.expect("a plan").sets, 599);
    assert_eq!(told.last(), Some(&Progress { found: 599, resolved: 512 }));
    for most in 1..told.len() {
        assert!(matches!(planned(most).0, Err(PlanError::Stopped)), "{most}");
    }
}

/// When it was asked for is all that differs between a plan that was made before and one of then.
#[test]
fn a_plan_that_was_made_before_gets_the_time_of_its_change() {
    let mut world = World::new("");
    for event in ["u1 a1", "u1 e1", "a1 e1", "u2 a1"] {
        world.user(event);
    }
    world.undo(&[("u1", "e1")], &[]);
    let pairs = [("u1", "a1"), ("u1", "e1")];
    let pairs = pairs.map(|(one, other)| (world.key(one), world.key(other)));
    let apart = pairs.iter().filter_map(|(one, other)| selfsame_identity::Pair::new(*one, *other));
    let early = Change { apart: apart.collect(), ..Change::default() };
    let change = Change { at: Time::from_micros(77), ..early.clone() };
    let rules = RulesLog::new(world.log.clone());
    let applied = |plan_of: &Change| {
        let mut rows = world.rows.clone();
        let planned = plan(plan_of, &rules, Sizes::default(), &mut rows, &mut |_| true);
        selfsame_identity::apply(&planned.expect("a plan").at(&change), &mut rows).expect("memory");
        rows.apart
    };
    let rows = applied(&change);
    let since = |row: &selfsame_identity::ApartRow| {
        row.others.iter().map(|other| other.since.micros()).collect::<Vec<_>>()
    };
    let sinces: Vec<_> = rows.values().flat_map(since).collect();
    assert_eq!(sinces.iter().filter(|since| **since == 77).count(), 2, "{sinces:?}");
    assert_eq!(applied(&early), rows);
}

/// The merges made, in order, up to the one that an event made.
fn merges(world: &mut World, events: &[&str]) -> Vec<LedgerRow> {
    let mut merges = Vec::new();
    for event in events {
        let outcome = world.user(event);
        let mut stamp = world.occurrence().stamp;
        world.events -= 1;
        stamp.position = selfsame_event::Position::embedded(world.events).item(0);
        merges.extend(outcome.ledger(stamp));
    }
    merges
}

#[test]
fn the_sides_of_a_merge_are_told_by_their_most_trusted_identifiers() {
    let mut world = World::new("");
    let merges = merges(&mut world, &["e1 p1", "a1 p2", "u1", "a2", "a1 a2", "p1 p2", "u1 e1"]);
    assert_eq!(merges.len(), 3);
    assert_eq!(world.profiles(), "a1 a2 e1 p1 p2 u1");
    let rules = world.rules.clone();
    // When p1 met p2, u1 was not there yet.
    let sides = sides_of(&merges[..2], &rules, &mut world.rows).expect("memory").expect("a merge");
    let expected = selfsame_identity::Pair::new(world.key("e1"), world.key("a1"));
    assert_eq!(Some(sides), expected);
}

fn split(world: &mut World, chosen: &[&str]) -> bool {
    let chosen: BTreeSet<_> = chosen.iter().map(|value| world.key(value)).collect();
    let rules = RulesLog::new(world.log.clone());
    let wish = Change::default();
    let split =
        plan_split(&chosen, &wish, &rules, Sizes::default(), &mut world.rows, &mut |_| true);
    let split = split.expect("a plan");
    selfsame_identity::apply(&split.plan, &mut world.rows).expect("memory");
    split.is_partial
}

#[test]
fn chosen_identifiers_are_split_off_and_stay_together_where_events_say_so() {
    let mut world = World::new("");
    for event in ["u1 e1 a1", "a2 p2", "e1 a2", "e1 p3", "a2 p3"] {
        world.user(event);
    }
    assert!(!split(&mut world, &["a2", "p2"]));
    assert_eq!(world.profiles(), "a1 e1 p3 u1 | a2 p2");
}

#[test]
fn a_split_adds_pairs_until_the_chosen_are_alone() {
    let mut world = World::new("");
    // p1 came with a1 only: a1 leaves it too, and then no event maps it.
    for event in ["u1 a1", "a1 p1", "e9"] {
        world.user(event);
    }
    assert!(!split(&mut world, &["a1"]));
    assert_eq!(world.profiles(), "u1 | a1 | e9");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happened before, undoing the merge of the last event gives the profiles before it.
    #[test]
    fn merging_and_then_splitting_is_the_identity(
        events in prop::collection::vec(prop::collection::btree_set("[uap][1-4]", 1..4), 1..10),
        last in ("[uap][1-4]", "[uap][1-4]"),
    ) {
        let mut world = World::new("
types:
  - { name: user_id, priority: 1, limit: { count: 1000 } }
  - { name: anonymous_id, priority: 3, limit: { count: 1000 } }
  - { name: phone, priority: 4, limit: { count: 1000 } }
");
        for event in &events {
            world.user(&event.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
        }
        let before = world.profiles();
        let (one, other) = (&last.0, &last.1);
        let is_known = world.holder(one).is_some() && world.holder(other).is_some();
        prop_assume!(is_known && world.holder(one) != world.holder(other));
        let merged = world.user(&format!("{one} {other}"));
        prop_assert_eq!(merged.merges.len(), 1);
        prop_assert_ne!(&world.profiles(), &before);
        world.undo(&[(one, other)], &[]);
        prop_assert_eq!(world.profiles(), before);
    }
}
