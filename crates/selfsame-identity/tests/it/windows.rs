//! Limits with windows, which slide over event time.

use selfsame_identity::Verdict;

use crate::world::World;

/// A profile with five anonymous ids, one a day.
fn five_days() -> World {
    let mut world = World::new("");
    for value in ["a1", "a2", "a3", "a4", "a5"] {
        assert!(world.user(&format!("u1 {value}")).violations.is_empty());
        world.days(1);
    }
    world
}

fn sixth(world: &mut World) -> Option<Verdict> {
    let outcome = world.user("u1 a6");
    assert_eq!(Some(outcome.component), world.holder("u1"), "the event stays with its user");
    assert_eq!(outcome.mapped.len(), usize::from(outcome.violations.is_empty()));
    outcome.violations.first().map(|violation| violation.verdict)
}

#[test]
fn a_sixth_value_waits_until_the_first_is_a_week_old() {
    let mut world = five_days();
    assert_eq!(sixth(&mut world), Some(Verdict::ValueTimeLimit));
    world.days(1);
    assert_eq!(sixth(&mut world), Some(Verdict::ValueTimeLimit));
    world.days(1);
    assert_eq!(sixth(&mut world), None, "exactly a week after the first");
}

#[test]
fn imported_history_does_not_fall_into_this_week() {
    let mut world = five_days();
    world.days(-700);
    assert_eq!(sixth(&mut world), None);
}

#[test]
fn a_late_event_is_counted_among_what_happened_around_it() {
    let mut world = five_days();
    world.days(-3);
    assert_eq!(sixth(&mut world), Some(Verdict::ValueTimeLimit));
}

#[test]
fn a_merge_counts_what_both_profiles_gained_in_the_window() {
    let mut world = World::new("");
    for event in ["e1 a1", "e1 a2", "e1 a3", "e2 a4", "e2 a5", "e2 a6"] {
        world.user(event);
    }
    let refused = world.user("e1 e2");
    assert_eq!(refused.violations[0].verdict, Verdict::ValueTimeLimit);
    assert!(refused.merges.is_empty());
    world.days(7);
    assert_eq!(world.user("e1 e2").merges.len(), 1, "a week later they are old");
    assert_eq!(world.profiles(), "a1 a2 a3 a4 a5 a6 e1 e2");
}
