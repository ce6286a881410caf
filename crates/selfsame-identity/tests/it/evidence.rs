//! The evidence: which events linked what, and which identifiers were seen together.

use selfsame_event::{Collection, ProfileId};
use selfsame_identity::rule::{Limit, Window};
use selfsame_identity::{Fate, LedgerEntry, SetKey, find_profile};

use crate::world::World;

#[test]
fn a_merge_says_which_event_linked_what() {
    let mut world = World::new("");
    let (older, younger) = (world.user("e1"), world.user("a1"));
    let outcome = world.user("e1 a1");
    let stamp = world.occurrence().stamp;
    let ledger: Vec<_> = outcome.ledger(stamp).collect();
    let LedgerEntry::Merged(merge) = ledger[0].entry else { panic!("merged") };
    assert_eq!((merge.parent, merge.child), (older.component, younger.component));
    assert_eq!((merge.parent_profile, merge.child_profile), (older.profile, younger.profile));
    assert_eq!((merge.parent_by, merge.child_by), (older.anchor, younger.anchor));
    assert_eq!(ledger[0].identifiers, outcome.identifiers);
}

#[test]
fn a_refusal_says_which_limit_was_met_as_it_was_then() {
    let mut world = World::new("");
    world.user("u1 a1");
    let refused = world.user("u2 a1").refused;
    let limit = refused[0].limit.expect("a limit on user ids");
    assert_eq!(world.numbers.name(limit.number), Some((Collection::Users, "user_id")));
    assert_eq!(limit.limit, Limit { count: 1, window: Window::Ever });
    for device in ["u1 a2", "u1 a3", "u1 a4", "u1 a5", "a6"] {
        world.user(device);
    }
    let refused = world.user("u1 a6").refused;
    let limit = refused[0].limit.expect("a limit on devices");
    assert_eq!(world.numbers.name(limit.number), Some((Collection::Users, "anonymous_id")));
    assert_eq!(limit.limit, Limit { count: 5, window: Window::Weekly });
}

#[test]
fn a_merged_profile_keeps_its_row_and_its_id_finds_the_survivor() {
    let mut world = World::new("");
    let (older, younger) = (world.user("e1"), world.user("a1"));
    world.user("e1 a1");
    let child = &world.rows.components[&younger.component];
    assert_eq!(child.parent, Some(older.component));
    assert_eq!(child.profile(), Some(younger.profile), "what it had, it has");
    let id = ProfileId::parse(&younger.profile.to_string()).expect("its own text");
    let (root, row) = find_profile(&mut world.rows, id.key()).expect("rows").expect("known");
    assert_eq!((root, row.profile()), (older.component, Some(older.profile)));
}

#[test]
fn identifiers_seen_together_are_recorded_once_although_they_merged_nothing() {
    let mut world = World::new("");
    assert!(!world.user("u1").is_evidence, "one identifier links nothing");
    assert!(world.user("u1 e1").is_evidence);
    assert!(world.user("u1 a1").is_evidence);
    assert!(world.user("e1 a1").is_evidence, "already one profile, and new evidence");
    assert!(!world.user("u1 e1").is_evidence);
    assert!(!world.user("e1 a1").is_evidence);
    assert_eq!(world.rows.evidence.len(), 3);
}

#[test]
fn known_evidence_stays_known_after_its_profile_was_merged_away() {
    let mut world = World::new("");
    for event in ["e1", "a1 p1", "e1 a1"] {
        world.user(event);
    }
    assert!(!world.user("a1 p1").is_evidence);
}

#[test]
fn evidence_holds_the_demoted_identifiers_with_their_values() {
    let mut world = World::new("");
    world.user("u1 a1");
    let outcome = world.user("u2 a1 p9");
    let set = SetKey::of(outcome.identifiers.iter().map(|seen| seen.key));
    let row = &world.rows.evidence[&(outcome.component, set)];
    let fates: Vec<Fate> = row.identifiers.iter().map(|seen| seen.fate).collect();
    assert_eq!(fates, [Fate::Kept, Fate::Demoted, Fate::Demoted]);
    assert_eq!(row.unmapped.iter().map(|value| &**value).collect::<Vec<_>>(), ["a1", "p9"]);
    assert!(!world.user("u2 a1 p9").is_evidence);
}

#[test]
fn the_first_event_under_an_anchor_opens_its_section() {
    let mut world = World::new("");
    assert!(world.user("u1 a1").opens_section);
    assert!(!world.user("u1 a1").opens_section);
    assert!(world.user("a1").opens_section, "the first under a1 alone");
    assert!(!world.user("a1").opens_section);
}

#[test]
fn what_a_shared_device_does_not_join_is_listed_once_however_often_it_comes() {
    let mut world = World::new("");
    world.user("u1 a1");
    world.user("u2 e2");
    let first = world.user("u2 a1");
    assert_eq!((first.violations.len(), first.refused.len()), (1, 1));
    for _ in 0..5 {
        let again = world.user("u2 a1");
        assert_eq!((again.violations.len(), again.refused.len()), (1, 0), "met, and known");
    }
    assert_eq!(world.user("u2 e2 a1").refused.len(), 1, "other identifiers, other evidence");
}
