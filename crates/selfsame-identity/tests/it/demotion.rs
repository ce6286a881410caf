//! None, one, many: what an event does to the profiles that its identifiers match. The examples of the
//! published documentation, and what follows from the static order of trust.

use selfsame_identity::Verdict;

use crate::world::World;

/// After `stored` events (separated by commas), an event with these identifiers belongs to the profile
/// `belongs`, `demoted` are left out of it, and then there are the profiles `after`.
fn check(stored: &str, event: &str, belongs: &str, demoted: &str, after: &str) {
    let mut world = World::new("");
    for stored in stored.split(',').filter(|stored| !stored.trim().is_empty()) {
        let outcome = world.user(stored);
        assert!(outcome.violations.is_empty(), "{stored} is stored whole");
    }
    let outcome = world.user(event);
    assert_eq!(world.profile(outcome.component), belongs, "whose event {event} is");
    let left_out: Vec<_> = outcome.violations.iter().map(|violation| violation.key).collect();
    let expected: Vec<_> = demoted
        .split_whitespace()
        .map(|value| {
            let collection = crate::world::collection(value);
            world.hasher.identifier(1, collection, crate::world::kind(value), value)
        })
        .collect();
    assert_eq!(left_out, expected, "demoted from {event}");
    assert_eq!(world.profiles(), after, "profiles after {event}");
}

#[test]
fn nobody_known_is_a_new_profile_with_every_identifier() {
    check("", "u1 e1 a1", "a1 e1 u1", "", "a1 e1 u1");
}

#[test]
fn one_profile_known_takes_what_is_new() {
    check("a1", "u1 a1", "a1 u1", "", "a1 u1");
    check("u1", "u1 e1 p1", "e1 p1 u1", "", "e1 p1 u1");
}

#[test]
fn two_profiles_known_become_the_older() {
    check("a1, e1", "e1 a1", "a1 e1", "", "a1 e1");
    check("e1, a1", "e1 a1", "a1 e1", "", "a1 e1");
    check("a1, e1, p1", "e1 a1 p1", "a1 e1 p1", "", "a1 e1 p1");
}

#[test]
fn the_documented_example_keeps_two_users_with_one_address_apart() {
    check("uabc123 ejane", "uabc456 ejane", "uabc456", "ejane", "ejane uabc123 | uabc456");
}

#[test]
fn a_device_that_was_not_reset_at_logout_does_not_merge_two_users() {
    check("u1 a1", "u2 a1", "u2", "a1", "a1 u1 | u2");
}

#[test]
fn the_sixth_anonymous_id_of_a_week_is_left_out() {
    let stored = "u1 a1, u1 a2, u1 a3, u1 a4, u1 a5";
    let whole = "a1 a2 a3 a4 a5 u1";
    check(stored, "u1 a6", whole, "a6", whole);
}

#[test]
fn the_least_trusted_identifier_of_the_event_goes_not_the_one_over_the_limit() {
    let stored = "u1 a1 e1, u1 e2, u1 e3, u1 e4, u1 e5";
    let whole = "a1 e1 e2 e3 e4 e5 u1";
    check(stored, "a1 e6", "e6", "a1", &format!("{whole} | e6"));
}

#[test]
fn a_shared_device_leaves_the_event_with_its_address() {
    check("u1 a1, u2 e2", "a1 e2", "e2 u2", "a1", "a1 u1 | e2 u2");
}

#[test]
fn demotion_goes_on_and_a_demoted_new_identifier_is_not_attached() {
    check("u1 e1", "u2 e1 a9", "u2", "a9 e1", "e1 u1 | u2");
}

#[test]
fn of_two_values_of_one_type_the_larger_is_left_out() {
    check("", "u1 u2", "u1", "u2", "u1");
    check("u2", "u2 u1", "u1", "u2", "u2 | u1");
}

#[test]
fn an_anonymous_history_is_part_of_the_known_profile_from_the_link_on() {
    let mut world = World::new("");
    let known = world.user("u1 e1");
    let anonymous = world.user("a1");
    assert_ne!(known.profile, anonymous.profile);
    let linked = world.user("u1 a1");
    assert_eq!(linked.profile, known.profile, "the older survives");
    assert_eq!(linked.merges.len(), 1);
    assert_eq!(linked.merges[0].child_profile, anonymous.profile);
    let row = &world.rows.components[&known.component];
    let sections = row.members.iter().filter(|member| member.anchored);
    assert_eq!(sections.map(|member| &*member.value).collect::<Vec<_>>(), ["u1", "a1"]);
    assert_eq!(world.user("a1").profile, known.profile);
}

#[test]
fn verdicts_have_their_published_names() {
    let mut world = World::new("");
    world.user("u1 e1");
    let violation = world.user("u2 e1").violations[0];
    assert_eq!(violation.verdict.name(), "Identifier value limit exceeded");
    for value in ["a1", "a2", "a3", "a4", "a5"] {
        world.user(&format!("u1 {value}"));
    }
    let violation = world.user("u1 a6").violations[0];
    assert_eq!(violation.verdict.name(), "Identifier value time limit exceeded");
    assert_eq!(Verdict::ValueBlocked.name(), "ID value blocked");
    assert_eq!(Verdict::MergeLimit.name(), "Profile merge limit exceeded");
    assert_eq!(Verdict::MappingLimit.name(), "Identifier mapping limit exceeded");
    assert_eq!(Verdict::NoIdentifiers.name(), "No matching identifiers on event");
}

#[test]
fn an_event_with_nothing_but_blocked_values_belongs_to_nobody() {
    let mut world = World::new("");
    let outcome = world.event("a000-0");
    assert!(outcome.user.is_some(), "a000-0 is not zeros and dashes alone");
    let event = serde_json::json!({ "type": "identify", "userId": "000-0" });
    assert_eq!(world.json(&event).user, None);
}

#[test]
fn a_profile_over_a_limit_that_was_tightened_still_takes_its_own_events() {
    let mut world = World::new("");
    world.user("u1 e1");
    world.user("u1 e2");
    let anonymous = world.user("a1");
    world.rules(
        "types:
          - { name: user_id, priority: 1, limit: { count: 1 } }
          - { name: email, priority: 2, limit: { count: 1 } }
          - { name: anonymous_id, priority: 3 }",
    );
    assert!(world.user("u1 e1 e2").violations.is_empty());
    let refused = world.user("u1 e3");
    assert_eq!(refused.violations.len(), 1);
    assert_eq!(world.profile(refused.component), "e1 e2 u1");
    // A merge that brings no address is no violation either, although the profile has too many.
    let merged = world.user("u1 a1");
    assert_eq!(merged.merges.len(), 1);
    assert_ne!(merged.profile, anonymous.profile);
}
