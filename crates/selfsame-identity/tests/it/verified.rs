//! What a public key can and cannot do to people who are known to be who they are. `v` stands for the
//! victim: the user id `u1`, the e-mail address `e1`, the browser `a1`. The attacker has `a9`.

use selfsame_identity::{Outcome, PlanError, Verdict};

use crate::world::{Proof, World};

const NOTHING: Proof = Proof::Nothing { required: false };
const REQUIRED: Proof = Proof::Nothing { required: true };
const TOKEN: Proof = Proof::Token { required: false };
const SECRET: Proof = Proof::Secret;

/// The victim has signed in once, by a token, and the back office knows the address.
fn world() -> World {
    let mut world = World::new("");
    world.proven(TOKEN, "u1 a1");
    world.proven(SECRET, "u1 e1");
    assert_eq!(world.profiles(), "a1 e1 u1");
    world
}

/// The values that an event lost because nothing proved them.
fn doubted(world: &World, outcome: &Outcome) -> String {
    let violations = outcome.user.iter().flat_map(|user| &user.violations);
    let mut values: Vec<&str> = violations
        .chain(&outcome.left_out)
        .filter(|one| one.verdict == Verdict::Unverified)
        .map(|one| {
            let members = world.rows.components.values().flat_map(|row| &row.members);
            members
                .clone()
                .find(|member| member.key == one.key)
                .map_or("?", |member| &*member.value)
        })
        .collect();
    values.sort_unstable();
    values.join(" ")
}

#[test]
fn an_unproven_claim_of_a_person_joins_nothing_and_the_event_is_the_devices() {
    for proof in [NOTHING, REQUIRED] {
        let mut world = world();
        for attack in ["u1 a9", "e1 a9", "u1 e1 a9"] {
            let outcome = world.proven(proof, attack);
            let user = outcome.user.as_ref().expect("the attacker's own");
            assert_eq!(world.profile(user.component), "a9", "{attack}");
            assert_eq!(
                doubted(&world, &outcome),
                attack.replace(" a9", "").split(' ').rev().collect::<Vec<_>>().join(" ")
            );
        }
        assert_eq!(world.profiles(), "a1 e1 u1 | a9");
    }
}

#[test]
fn without_a_device_such_an_event_is_nobodys_and_says_so() {
    let mut world = world();
    for attack in ["u1", "e1", "u1 e1"] {
        let outcome = world.proven(NOTHING, attack);
        assert_eq!(outcome.user, None, "{attack}");
        assert_eq!(outcome.left_out.len(), attack.split(' ').count());
    }
    // Again: what was seen before is not believed for that.
    assert_eq!(world.proven(NOTHING, "u1").user, None);
}

#[test]
fn a_known_device_speaks_for_its_person_without_a_token() {
    let mut world = world();
    for event in ["u1 a1", "a1", "e1 a1", "u1 e1 a1", "a1 p1"] {
        for proof in [NOTHING, REQUIRED] {
            let outcome = world.proven(proof, event);
            assert_eq!(doubted(&world, &outcome), "", "{event}");
        }
    }
    assert_eq!(world.profiles(), "a1 e1 p1 u1");
}

#[test]
fn an_alias_merges_no_person_into_the_attacker_nor_the_attacker_into_a_person() {
    let mut world = world();
    world.proven(TOKEN, "u9 a9");
    for attack in ["u9 xu1", "u1 xu9", "u1 xa9", "u9 a9 xu1", "u1 a9 xu9"] {
        for proof in [NOTHING, REQUIRED, TOKEN] {
            // A token is for the one who asked for it.
            if proof != TOKEN || attack.starts_with("u9") {
                world.proven(proof, attack);
            }
        }
        assert_eq!(world.profiles(), "a1 e1 u1 | a9 u9", "{attack}");
    }
}

#[test]
fn a_token_proves_its_own_user_and_nothing_else_on_the_event() {
    // Even where a profile may have two user ids.
    let two = "{types: [{name: user_id, priority: 1, limit: {count: 9}}, {name: email, priority: 2}, \
                {name: anonymous_id, priority: 3}]}";
    let mut world = World::new(two);
    world.proven(TOKEN, "u1 a1");
    world.proven(SECRET, "u1 e1");
    for attack in ["u9 a9 e1", "u9 a9 u1", "u9 a9 xu1"] {
        let outcome = world.proven(TOKEN, attack);
        assert_eq!(world.profile(outcome.user.expect("somebody").component), "a9 u9", "{attack}");
    }
    assert_eq!(world.profiles(), "a1 e1 u1 | a9 u9");
    // Nor does a token for one of two people who share a device make them one.
    world.proven(TOKEN, "u9 a1");
    assert_eq!(world.profiles(), "a1 e1 u1 | a9 u9");
}

#[test]
fn what_was_anonymous_joins_when_a_token_comes() {
    let mut world = world();
    world.proven(NOTHING, "a2");
    world.proven(NOTHING, "a2 p2");
    assert_eq!(world.profiles(), "a1 e1 u1 | a2 p2");
    world.proven(TOKEN, "u1 a2");
    assert_eq!(world.profiles(), "a1 a2 e1 p2 u1");
}

#[test]
fn nobody_is_guarded_before_a_verified_claim_and_a_device_alone_is_nobody() {
    let mut world = World::new("");
    world.proven(NOTHING, "u1 a1");
    world.proven(NOTHING, "u1 a2");
    world.proven(SECRET, "a3");
    world.proven(NOTHING, "u3 a3");
    assert_eq!(world.profiles(), "a1 a2 u1 | a3 u3");
    world.proven(SECRET, "u1");
    let outcome = world.proven(NOTHING, "u1 a9");
    assert_eq!(doubted(&world, &outcome), "u1");
}

#[test]
fn where_proof_is_required_a_claim_made_in_advance_gains_nothing() {
    // Without it the attacker is known, having been part of the profile from before.
    let mut world = World::new("");
    world.proven(NOTHING, "u1 a9");
    world.proven(TOKEN, "u1 a1");
    assert_eq!(
        world.profile(world.rows.components.keys().next().copied().expect("one")),
        "a1 a9 u1"
    );
    assert!(world.proven(NOTHING, "a9").user.is_some());
    // With it neither the user id nor, after an address was taken in advance, the device counts.
    let mut world = World::new("");
    world.proven(REQUIRED, "u1 a9");
    world.proven(REQUIRED, "e1 a9");
    world.proven(TOKEN, "u1 a1");
    assert_eq!(world.profiles(), "a9 e1 | a1 u1");
    world.proven(SECRET, "u1 e1");
    assert_eq!(world.profiles(), "a1 a9 e1 u1");
    for attack in ["a9", "u1 a9", "a9 p9"] {
        let outcome = world.proven(REQUIRED, attack);
        let held = outcome.user.map(|user| world.profile(user.component));
        assert_ne!(held.as_deref(), Some("a1 a9 e1 u1"), "{attack}");
    }
    // Until it comes with a token.
    world.proven(Proof::Token { required: true }, "u1 a9");
    assert!(world.proven(REQUIRED, "u1 a9").user.is_some_and(|user| user.violations.is_empty()));
}

#[test]
fn two_known_devices_of_two_people_do_not_make_them_one() {
    let mut world = world();
    world.proven(SECRET, "e2 a2");
    assert_eq!(world.profiles(), "a1 e1 u1 | a2 e2");
    let outcome = world.proven(NOTHING, "a1 a2");
    assert_eq!(doubted(&world, &outcome), "a2");
    assert_eq!(world.profiles(), "a1 e1 u1 | a2 e2");
    // A sender with a secret may.
    world.proven(SECRET, "a1 a2");
    assert_eq!(world.profiles(), "a1 a2 e1 e2 u1");
}

#[test]
fn an_account_is_no_person() {
    let mut world = world();
    world.proven(SECRET, "u1 g1");
    let outcome = world.proven(NOTHING, "u1 a9 g9");
    assert_eq!(world.profile(outcome.user.expect("the attacker").component), "a9");
    let linked = outcome.link.expect("the attacker's own link");
    let attacker = world.hasher.identifier(1, crate::world::collection("a"), "anonymous_id", "a9");
    assert_eq!(linked.user_anchor, attacker);
    assert_eq!(world.proven(NOTHING, "u1 g9").link, None);
}

#[test]
fn an_alias_bomb_stops_at_the_caps_and_reaches_no_person() {
    let mut world = World::new("caps: { merges: 5, mappings: 10 }");
    world.proven(TOKEN, "u1 a1");
    for n in 0..50 {
        world.proven(NOTHING, &format!("ubomb{n} xu1"));
        world.proven(NOTHING, &format!("u1 xabomb{n}"));
        world.proven(NOTHING, &format!("a9 ebomb{n}"));
    }
    let victim = world.holder("u1").expect("the victim");
    assert_eq!(world.profile(victim), "a1 u1");
    let attacker = world.holder("a9").expect("the attacker");
    assert!(world.profile(attacker).split(' ').count() <= 10);
}

#[test]
fn an_event_says_what_it_verified_once() {
    let mut world = World::new("");
    let count = |outcome: Outcome| outcome.user.expect("somebody").verified.len();
    assert_eq!(count(world.proven(NOTHING, "u1 a1")), 0);
    assert_eq!(count(world.proven(TOKEN, "u1 a1 e1")), 2);
    assert_eq!(count(world.proven(TOKEN, "u1 a1 e1")), 0);
    assert_eq!(count(world.proven(SECRET, "u1 a1 e1")), 1);
    assert_eq!(count(world.proven(SECRET, "u1 a1 e1")), 0);
}

#[test]
fn who_is_verified_is_not_set_apart_nor_is_what_is_connected_to_them() {
    let mut world = world();
    assert!(matches!(world.plan(&[("u1", "e1")], &[]), Err(PlanError::Verified)));
    // The attacker's device came with the victim's name.
    world.proven(NOTHING, "u1 a9");
    world.proven(NOTHING, "e9 a9");
    assert!(matches!(world.plan(&[("e9", "a9")], &[]), Err(PlanError::Verified)));
    // Nobody is verified here, but an identifier was left out for lack of proof.
    world.proven(REQUIRED, "u8 e8 a8");
    assert!(matches!(world.plan(&[("e8", "a8")], &[]), Err(PlanError::Verified)));
    world.proven(NOTHING, "e7 a7");
    assert!(world.plan(&[("e7", "a7")], &[]).is_ok(), "strangers are");
}
