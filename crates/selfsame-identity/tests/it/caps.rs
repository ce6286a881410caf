//! Caps on merges and mappings: defaults that can be raised, each hit a verdict, never a lost event.

use selfsame_identity::{Fate, Verdict};

use crate::world::World;

const MANY: &str = "
types:
  - { name: user_id, priority: 1, limit: { count: 1 } }
  - { name: email, priority: 2, limit: { count: 5000 } }
  - { name: anonymous_id, priority: 3, limit: { count: 5000 } }
";

#[test]
fn a_profile_consists_of_at_most_a_hundred_merges_unless_the_cap_is_raised() {
    let mut world = World::new(MANY);
    for number in 0..102 {
        world.user(&format!("a{number}"));
    }
    let survivor = world.holder("a0");
    for number in 1..=100 {
        let outcome = world.user(&format!("a0 a{number}"));
        assert_eq!((outcome.merges.len(), outcome.violations.len()), (1, 0), "merge {number}");
    }
    let refused = world.user("a0 a101");
    assert_eq!(Some(refused.component), survivor, "the event is not lost");
    assert_eq!(refused.violations[0].verdict, Verdict::MergeLimit);
    assert_eq!(refused.refused.len(), 1);
    assert_eq!(Some(refused.refused[0].other), world.holder("a101"));
    let fates: Vec<Fate> = refused.identifiers.iter().map(|seen| seen.fate).collect();
    assert_eq!(fates, [Fate::Kept, Fate::Kept], "each stays mapped where it is");

    world.rules(&format!("{MANY}\ncaps: {{ merges: 101 }}"));
    assert_eq!(world.user("a0 a101").merges.len(), 1);
}

#[test]
fn merges_of_both_sides_count() {
    let mut world = World::new(&format!("{MANY}\ncaps: {{ merges: 2 }}"));
    for event in ["a1", "a2", "a3", "a4", "a1 a2", "a3 a4"] {
        world.user(event);
    }
    assert_eq!(world.user("a1 a3").violations[0].verdict, Verdict::MergeLimit);
    assert_eq!(world.profiles(), "a1 a2 | a3 a4");
}

#[test]
fn when_a_merge_is_refused_the_event_stays_with_its_most_trusted_identifier() {
    let mut world = World::new(&format!("{MANY}\ncaps: {{ merges: 0 }}"));
    world.user("a1");
    let user = world.user("u1");
    let outcome = world.user("u1 a1 e1");
    assert_eq!(outcome.profile, user.profile);
    assert_eq!(world.profiles(), "a1 | e1 u1", "what is new goes where the event goes");
}

#[test]
fn a_profile_maps_at_most_a_thousand_identifiers_unless_the_cap_is_raised() {
    let mut world = World::new(MANY);
    for number in 1..1_000 {
        assert!(world.user(&format!("u1 a{number}")).violations.is_empty());
    }
    let profile = world.user("u1").profile;
    let stopped = world.user("u1 a1000");
    assert_eq!(stopped.violations[0].verdict, Verdict::MappingLimit);
    assert_eq!((stopped.profile, stopped.mapped.len()), (profile, 0));
    assert_eq!(stopped.identifiers[1].fate, Fate::Stopped);

    world.rules(&format!("{MANY}\ncaps: {{ mappings: 1001 }}"));
    assert_eq!(world.user("u1 a1000").mapped.len(), 1);
}

#[test]
fn when_the_cap_stops_the_anchor_the_next_mapped_identifier_is_it() {
    let mut world = World::new(&format!("{MANY}\ncaps: {{ mappings: 2 }}"));
    let stored = world.user("e1 a1");
    let outcome = world.user("u9 e1 a1");
    assert_eq!(outcome.violations[0].verdict, Verdict::MappingLimit);
    assert_eq!((outcome.anchor, outcome.component), (stored.anchor, stored.component));
}
