//! `alias`: the pair goes through the same resolution with the same limits.

use selfsame_identity::{LedgerEntry, Verdict};

use crate::world::World;

#[test]
fn a_previous_id_is_looked_up_as_an_anonymous_id_first() {
    let mut world = World::new("");
    world.user("a1");
    world.user("u2");
    assert_eq!(world.user("u2 xa1").merges.len(), 1);
    assert_eq!(world.profiles(), "a1 u2");
}

#[test]
fn an_unknown_previous_id_is_recorded_as_an_anonymous_id() {
    let mut world = World::new("");
    world.user("u1 xold");
    let old = serde_json::json!({ "type": "identify", "anonymousId": "old" });
    let found = world.json(&old).user.expect("known");
    assert!(!found.created);
    assert_eq!(world.profile(found.component), "old u1");
}

#[test]
fn two_known_users_are_not_merged_and_the_refusal_is_in_the_ledger() {
    for (known, user, alias) in [("u2", "u1", "u1 xu2"), ("u1", "u2", "u2 xu1")] {
        let mut world = World::new("");
        let other = world.user(known);
        let mine = world.user(user);
        let outcome = world.user(alias);
        assert_eq!(outcome.profile, mine.profile, "{alias} belongs to its userId");
        assert!(outcome.merges.is_empty());
        let stamp = world.occurrence().stamp;
        let ledger: Vec<_> = outcome.ledger(stamp).collect();
        assert_eq!(ledger.len(), 1);
        let LedgerEntry::Refused(refused) = ledger[0].entry else { panic!("refused") };
        assert_eq!(refused.verdict, Verdict::ValueLimit);
        assert_eq!((refused.profile, refused.other_profile), (mine.profile, other.profile));
    }
}

#[test]
fn an_alias_to_oneself_changes_nothing() {
    let mut world = World::new("");
    let outcome = world.user("u1 xu1");
    assert_eq!(outcome.identifiers.len(), 1);
    assert_eq!(world.profiles(), "u1");
}

#[test]
fn switched_off_an_alias_belongs_to_its_user_and_links_nothing() {
    let mut world = World::new("options: { alias: false }");
    world.user("a1");
    let outcome = world.user("u1 xa1");
    assert_eq!(outcome.identifiers.len(), 1);
    assert_eq!(world.profiles(), "a1 | u1");
}

#[test]
fn a_blocked_previous_id_links_nothing() {
    let mut world = World::new("");
    assert_eq!(world.user("u1 x000").identifiers.len(), 1);
}
