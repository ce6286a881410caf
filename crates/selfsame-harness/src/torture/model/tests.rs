use std::collections::BTreeSet;

use super::{Findings, Model};

/// Two users; user 0 has tracks 0, 1 and 2 and identify 3, of which 2 is not acknowledged.
fn model() -> Model {
    let mut model = Model::new(0x5E);
    let (user, other) = (model.add_user(), model.add_user());
    for is_track in [true, true, true, false] {
        model.add_event(user, is_track);
    }
    model.add_event(other, true);
    assert_eq!(model.acknowledge(&[0, 1, 3, 4]), 4);
    assert_eq!(model.acknowledge(&[0, 1]), 0, "acknowledged twice counts once");
    assert_eq!((model.sent(), model.acknowledged(), model.users()), (5, 4, 2));
    model
}

fn judge(lists: &[&[u64]], is_final: bool) -> Findings {
    let model = model();
    let ids = |list: &&[u64]| list.iter().map(|event| model.message_id(*event)).collect();
    let lists: Vec<Vec<String>> = lists.iter().map(ids).collect();
    let expected = model.expected();
    assert_eq!(expected[&0], BTreeSet::from([0, 1]));
    model.judge(0, &expected[&0], &lists, is_final)
}

#[test]
fn one_profile_under_all_ids_is_clean_with_or_without_what_was_never_acknowledged() {
    assert!(judge(&[&[1, 0], &[0, 1], &[1, 0]], true).is_clean());
    assert!(judge(&[&[2, 1, 0, 3], &[0, 1, 2, 3]], true).is_clean());
}

#[test]
fn profiles_that_are_not_merged_yet_add_up_and_are_split_in_the_end() {
    assert!(judge(&[&[1], &[0], &[]], false).is_clean());
    assert_eq!(judge(&[&[1], &[0]], true).split, ["t5e-u0"]);
}

#[test]
fn a_loss_is_found() {
    assert_eq!(judge(&[&[0, 2]], false).lost, ["t5e-1"]);
    assert_eq!(judge(&[], false).lost, ["t5e-0", "t5e-1"]);
}

#[test]
fn a_double_is_found_in_one_profile_and_across_two() {
    assert_eq!(judge(&[&[0, 1, 1], &[0, 1, 1]], true).doubled, ["t5e-1"]);
    assert_eq!(judge(&[&[0, 1], &[1]], false).doubled, ["t5e-1"]);
    assert_eq!(judge(&[&[0, 1, 2, 2]], false).doubled, ["t5e-2"], "acknowledged or not");
}

#[test]
fn an_event_of_another_user_or_of_nobody_is_found() {
    assert_eq!(judge(&[&[0, 1, 4]], true).foreign, ["t5e-4"]);
    assert_eq!(judge(&[&[0, 1, 77]], true).foreign, ["t5e-77"]);
}

#[test]
fn links_are_kept_by_browser() {
    let mut model = model();
    model.link(1, 1);
    assert!(model.is_linked(1, 1) && !model.is_linked(1, 0) && !model.is_linked(0, 1));
}
