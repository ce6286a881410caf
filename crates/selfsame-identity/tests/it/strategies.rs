//! What an event does that names two known people.

use selfsame_identity::{AGAIN, LedgerEntry, LedgerRow, PlanError, Verdict, find_profile};

use crate::world::{Proof, World};

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

/// A space where each person has one user id.
fn linked(changes: &str) -> World {
    World::new(&format!("{changes}\nstrategy: link"))
}

#[test]
fn a_device_is_the_last_known_persons_who_came_with_it() {
    let mut world = linked("");
    let first = world.user("u1 a1");
    let second = world.user("u2 a1");
    assert_eq!(world.profiles(), "u1 | a1 u2");
    let moved = second.moved[0];
    assert_eq!((moved.key, moved.from, moved.to), (world.key("a1"), first.profile, second.profile));
    assert!(second.violations.is_empty(), "nothing was left out");
    let listed: Vec<_> = second.ledger(world.occurrence().stamp).collect();
    let handed = |row: &LedgerRow| match row.entry {
        LedgerEntry::Handed(handed) => Some((row.component(), handed)),
        _ => None,
    };
    let [(got_by, got), (lost_by, lost)] = listed.iter().filter_map(handed).collect::<Vec<_>>()[..]
    else {
        panic!("a row of each: {listed:?}")
    };
    assert_eq!((got_by, lost_by), (second.component, first.component));
    assert_eq!((got.profile, got.other_profile), (second.profile, first.profile));
    assert_eq!((lost.profile, lost.other_profile), (first.profile, second.profile));
    assert!(got.is_gained && !lost.is_gained && got.device == moved.key);
    assert_eq!(world.user("a1").profile, second.profile, "the device alone is theirs");
    for (event, profiles) in
        [("u1 a1", "a1 u1 | u2"), ("u1 a1", "a1 u1 | u2"), ("u2 a1", "u1 | a1 u2")]
    {
        world.user(event);
        assert_eq!(world.profiles(), profiles, "an event that was there before moves it again");
    }
}

#[test]
fn a_device_that_goes_to_and_fro_is_listed_as_often_as_its_events_are_kept() {
    let mut world = linked("");
    world.user("u1 a1");
    let (mut moves, mut listed) = (0, 0);
    for _ in 0..AGAIN + 50 {
        for event in ["u2 a1", "u1 a1"] {
            let outcome = world.user(event);
            moves += outcome.moved.len();
            listed += outcome.handed.len() / 2;
        }
    }
    assert_eq!(moves, 2 * (AGAIN + 50), "it moves all the same");
    assert!((2 * AGAIN..=2 * AGAIN + 4).contains(&listed), "{listed}");
}

#[test]
fn under_link_two_known_people_stay_two_and_devices_of_nobody_join() {
    let mut world = linked("");
    for event in ["a1", "u1 a1", "u2 e2", "u1 e2 a1"] {
        world.user(event);
    }
    assert_eq!(world.profiles(), "a1 u1 | e2 u2");
}

#[test]
fn a_name_that_nobody_holds_is_the_persons_whose_device_it_came_with() {
    let mut world = linked("");
    world.user("u1 a1");
    assert!(world.user("e9 a1").moved.is_empty());
    assert_eq!(world.profiles(), "a1 e9 u1");
}

#[test]
fn a_limit_a_cap_or_a_pair_keeps_a_device_where_it_is() {
    let check = |rules: &str, apart: &[(&str, &str)], verdict: Verdict| {
        let mut world = linked("");
        for event in ["u1", "u1 a1", "u2 e2", "u2 a2"] {
            world.user(event);
        }
        if !apart.is_empty() {
            world = World::new("");
            for event in ["u1", "u2 e2", "u2 a2", "u1 a1"] {
                world.user(event);
            }
            world.undo(apart, &[]);
        }
        world.rules(&format!("{rules}\nstrategy: link"));
        let event = world.user("u2 a1");
        assert!(event.moved.is_empty());
        let left_out: Vec<_> = event.violations.iter().map(|one| (one.verdict, one.key)).collect();
        assert_eq!(left_out, [(verdict, world.key("a1"))]);
        assert_eq!(world.profiles(), "a1 u1 | a2 e2 u2");
    };
    let one_device = "
types:
  - { name: user_id, priority: 1, limit: { count: 1 } }
  - { name: email, priority: 2, limit: { count: 5 } }
  - { name: anonymous_id, priority: 3, limit: { count: 1 } }";
    check(one_device, &[], Verdict::ValueLimit);
    check("caps: { mappings: 3 }", &[], Verdict::MappingLimit);
    check("", &[("a1", "e2")], Verdict::CannotLink);
}

#[test]
fn the_id_of_a_device_that_moved_finds_the_profile_that_holds_it_now() {
    let mut world = linked("");
    let device = world.user("a1");
    let first = world.user("u1 a1");
    assert_eq!(first.profile, device.profile, "the device was there first");
    let second = world.user("u2 a1");
    let key = device.profile.key();
    assert_eq!(key, world.key("a1"));
    let (root, row) = find_profile(&mut world.rows, key).expect("memory").expect("mapped");
    assert_eq!((root, row.profile()), (second.component, Some(second.profile)));
    let left = world.user("u1");
    assert_ne!(left.profile, first.profile, "the person has an id of their own now");
    assert_eq!(left.profile.key(), world.key("u1"));
}

#[test]
fn what_a_profile_began_with_is_evidence_when_a_device_leaves_it() {
    let mut world = linked("");
    let first = world.user("u1 a1");
    world.user("u2 a1");
    let under = |world: &World| {
        let rows = world.rows.evidence.iter().filter(|((id, _), _)| *id == first.component);
        rows.map(|(_, row)| (row.first.position, row.again.len())).collect::<Vec<_>>()
    };
    let began = selfsame_event::Position::embedded(1).item(0);
    assert_eq!(under(&world), [(began, 0)]);
    world.user("u1 a1");
    assert_eq!(under(&world), [(began, 1)], "and the event that moved it back is kept with it");
}

#[test]
fn a_device_of_a_verified_person_moves_by_proof_only_and_brings_none() {
    let (nothing, token) = (Proof::Nothing { required: false }, Proof::Token { required: true });
    let mut world = linked("");
    world.proven(token, "u1 a1");
    world.proven(Proof::Secret, "u2 e2");
    world.proven(nothing, "u3 a1");
    assert_eq!(world.holder("a1"), world.holder("u1"), "nothing proves that it is another's");
    world.proven(token, "u2 a1");
    assert_eq!(world.holder("a1"), world.holder("u2"));
    assert!(world.rows.identifiers[&world.key("a1")].verified, "the event that moved it proves it");
    let mut world = linked("");
    world.proven(Proof::Secret, "u1 a1");
    world.user("u2 a1");
    assert!(!world.rows.identifiers[&world.key("a1")].verified, "the proof was of another person");
}

/// A space where a device of two people is shared.
fn shared(strategy: &str) -> World {
    World::new(&format!("shared_devices: {{ people: 2 }}\nstrategy: {strategy}"))
}

#[test]
fn a_device_of_too_many_people_is_nobodys_whatever_the_strategy() {
    for strategy in ["merge", "isolate", "link"] {
        let mut world = shared(strategy);
        world.user("u1 a1");
        let second = world.user("u2 a1");
        let left_out: Vec<_> = second.violations.iter().map(|one| one.verdict).collect();
        assert_eq!(left_out, [Verdict::SharedDevice], "{strategy}");
        assert!(second.moved[0].is_alone);
        let to = second.handed.iter().map(|one| (one.is_gained, one.profile)).collect::<Vec<_>>();
        assert_eq!(to, [(true, second.moved[0].to), (false, second.moved[0].from)]);
        assert_eq!(world.profiles(), "u1 | u2 | a1", "{strategy}");
        assert_eq!(world.user("u1 a1").violations[0].verdict, Verdict::SharedDevice);
        let alone = world.user("a1");
        assert_eq!(world.profile(alone.component), "a1", "the device alone is nobody's");
        assert!(alone.violations.is_empty());
        world.user("a1 e7");
        assert_eq!(world.profiles(), "u1 | u2 | a1 | e7", "{strategy}");
    }
}

#[test]
fn the_same_person_again_does_not_make_a_device_a_shared_one() {
    let mut world = shared("merge");
    for event in ["u1 a1", "u1 e1 a1", "a1", "u1 a1", "e1 a1"] {
        assert!(world.user(event).violations.is_empty());
    }
    assert_eq!(world.profiles(), "a1 e1 u1");
}

#[test]
fn people_are_counted_though_the_event_brings_nothing_new() {
    let mut world = World::new("");
    for event in ["u1 a1", "u1 a1"] {
        world.user(event);
    }
    world.rules("shared_devices: { people: 2 }");
    world.user("u1 a1");
    world.user("u2 a1");
    assert_eq!(world.profiles(), "u1 | u2 | a1");
}

#[test]
fn shared_devices_alone_on_an_event_keep_it() {
    let mut world = shared("merge");
    for event in ["u1 a1 a2", "u2 a1 a2"] {
        world.user(event);
    }
    assert_eq!(world.profiles(), "u1 | u2 | a1 | a2");
    let event = world.user("a1 a2");
    assert_eq!(world.profile(event.component), "a1");
    assert_eq!(event.violations[0].key, world.key("a2"));
}

#[test]
fn nobody_can_share_the_device_of_a_verified_person_without_proof() {
    let mut world = shared("merge");
    let (nothing, token) = (Proof::Nothing { required: false }, Proof::Token { required: false });
    world.proven(token, "u1 a1");
    for event in ["u7 a1", "u8 a1", "u9 a1"] {
        world.proven(nothing, event);
    }
    assert_eq!(world.holder("a1"), world.holder("u1"));
    world.proven(token, "u2 a1");
    assert_eq!(world.user("a1").identifiers.len(), 1);
    assert_ne!(world.holder("a1"), world.holder("u1"));
}

#[test]
fn where_devices_move_nothing_that_came_with_one_is_undone() {
    for rules in ["strategy: link", "shared_devices: { people: 3 }"] {
        let mut world = World::new(rules);
        for event in ["u1 e1", "e1 p1", "u2 a2"] {
            world.user(event);
        }
        assert!(matches!(world.plan(&[("u2", "a2")], &[]), Err(PlanError::Moves)), "{rules}");
        world.undo(&[("u1", "p1")], &[]);
        assert_eq!(world.profiles(), "e1 u1 | a2 u2", "what came without one is: {rules}");
    }
}

#[test]
fn what_came_before_devices_could_move_is_undone_until_an_event_moves_one() {
    let mut world = World::new("");
    world.user("u1 a1");
    world.rules("strategy: link");
    assert!(world.plan(&[("u1", "a1")], &[]).is_ok());
    world.user("u2 a1");
    assert!(matches!(world.plan(&[("u1", "a1")], &[]), Err(PlanError::Moves)));
}
