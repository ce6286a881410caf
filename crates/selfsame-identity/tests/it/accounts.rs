//! Groups: accounts resolve by the same machinery, and a group call links its user to its account.

use serde_json::json;

use crate::world::World;

#[test]
fn a_group_call_links_its_user_to_its_account() {
    let mut world = World::new("");
    let outcome = world.event("u1 g1");
    let (user, account) = (outcome.user.expect("a user"), outcome.account.expect("an account"));
    let link = outcome.link.expect("a link");
    assert_eq!((link.user_anchor, link.account_anchor), (user.anchor, account.anchor));
    assert_ne!(user.profile, account.profile);
    assert_eq!(world.profiles(), "u1 | g1");
}

#[test]
fn a_group_id_never_makes_colleagues_one_person() {
    let mut world = World::new("");
    world.event("a1 g1");
    let outcome = world.event("a2 g1");
    assert_eq!(world.profiles(), "a1 | g1 | a2");
    assert!(outcome.link.is_some(), "each is linked");
}

#[test]
fn the_traits_of_a_group_are_not_its_members() {
    let mut world = World::new("");
    for user in ["u1", "u2"] {
        world.json(&json!({
            "type": "group", "userId": user, "groupId": "g1",
            "traits": { "email": "office@acme.example", "domain": "d1", "phone": "p1" },
        }));
    }
    assert_eq!(world.profiles(), "u1 | d1 g1 | u2");
}

#[test]
fn accounts_merge_by_their_own_identifiers_and_limits() {
    let mut world = World::new("");
    world.event("u1 g1 d1");
    let outcome = world.event("u1 g2 d1").account.expect("an account");
    assert_eq!(outcome.violations.len(), 1, "one group id for ever: d1 is left out");
    assert_eq!(world.profiles(), "u1 | d1 g1 | g2");
    world.event("u1 d2");
    let merged = world.event("u1 d2 g2").account.expect("an account");
    assert_eq!(merged.merges.len(), 1);
}

#[test]
fn context_group_id_is_not_read() {
    let mut world = World::new("");
    let outcome = world.json(&json!({
        "type": "track", "event": "A", "userId": "u1", "context": { "groupId": "g1" },
    }));
    assert_eq!((outcome.account, outcome.link), (None, None));
}

#[test]
fn a_group_id_on_another_call_names_the_account_and_links_nobody() {
    let mut world = World::new("");
    let track = json!({ "type": "track", "event": "A", "userId": "u1", "groupId": "g1" });
    let outcome = world.json(&track);
    assert!(outcome.account.is_some());
    assert_eq!(outcome.link, None);
}
