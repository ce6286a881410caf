//! What an event does that names two known people.

use selfsame_identity::Verdict;

use crate::world::World;

/// A space with that strategy after these events, which commas separate.
fn told(strategy: &str, events: &str) -> World {
    let mut world = World::new(&format!("{MANY}strategy: {strategy}"));
    for event in events.split(',') {
        world.user(event);
    }
    world
}

/// No limit is in the way.
const MANY: &str = "
types:
  - { name: user_id, priority: 1, limit: { count: 9 } }
  - { name: email, priority: 2, limit: { count: 9 } }
  - { name: anonymous_id, priority: 3, limit: { count: 9 } }
  - { name: phone, priority: 4, limit: { count: 9 } }
  - { name: group_id, collection: accounts, priority: 1, limit: { count: 9 } }
  - { name: domain, collection: accounts, priority: 2, limit: { count: 9 } }
";

#[test]
fn two_known_people_become_one_by_default_and_stay_two_where_they_are_isolated() {
    let events = "u1 a1, u2 e2, u1 e2";
    assert_eq!(told("merge", events).profiles(), "a1 e2 u1 u2");
    assert_eq!(told("isolate", events).profiles(), "a1 u1 | e2 u2");
}

#[test]
fn the_least_trusted_identifier_is_left_out_until_one_person_is_left() {
    let mut world = told("isolate", "u1 e1, u2 a2");
    let event = world.user("u1 a2 p9");
    assert_eq!(world.profile(event.component), "e1 u1");
    let left_out: Vec<_> = event.violations.iter().map(|one| (one.verdict, one.key)).collect();
    let people = Verdict::KnownPeople;
    assert_eq!(left_out, [(people, world.key("p9")), (people, world.key("a2"))]);
    assert_eq!(event.refused.len(), 1, "the other person is named");
}

#[test]
fn a_device_of_nobody_joins_a_known_person_who_is_isolated() {
    let world = told("isolate", "a1, a2, a1 a2, u1 e1, u1 a2");
    assert_eq!(world.profiles(), "a1 a2 e1 u1");
}

#[test]
fn a_new_identifier_is_mapped_to_a_person_who_is_isolated() {
    assert_eq!(told("isolate", "u1 a1, u2 a1, e3 a1").profiles(), "a1 e3 u1 u2");
}

#[test]
fn accounts_are_not_people_and_merge_by_their_limits() {
    let mut world = told("isolate", "u1");
    for event in ["u1 g1 d1", "u1 g2 d2", "u1 g1 d2"] {
        world.event(event);
    }
    assert_eq!(world.holder("g1"), world.holder("g2"));
}
