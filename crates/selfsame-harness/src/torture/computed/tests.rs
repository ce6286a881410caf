use selfsame_event::Time;
use serde_json::json;

use super::*;

/// Calls, as `id audience user in|out`, in the order in which they came, of a user `ada` with 12
/// steps and a user `bob` with 5. What is judged besides: `missing; doubled; foreign`.
fn check(calls: &[&str], expected: &str) {
    let all_is_told = [
        "w walked ada in",
        "f far ada in",
        "l lately ada in",
        "o lately ada out",
        "r rested ada in",
    ];
    let calls = if calls.is_empty() { &all_is_told } else { calls };
    let start = Instant::now();
    let call = |(second, text): (u64, &&str)| {
        let [id, audience, to, state] = text.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{text}")
        };
        Told {
            at: start + Duration::from_secs(second),
            wall: Time::EPOCH,
            message_id: id.to_owned(),
            to: to.to_owned(),
            audience: audience.to_owned(),
            is_in: state == "in",
            since: Time::EPOCH,
            written: Time::EPOCH,
        }
    };
    // Where `kill` stands, the server was killed.
    let mut kills = Vec::new();
    let is_call = |(second, text): &(u64, &&str)| {
        let is_kill = **text == "kill";
        kills.extend(is_kill.then(|| start + Duration::from_secs(*second)));
        !is_kill
    };
    let calls: Vec<_> = (0..).zip(calls).filter(is_call).map(call).collect();
    let steps = [("ada".to_owned(), 12), ("bob".to_owned(), 5)].into();
    let Findings { missing, doubled, foreign, .. } = judge(&calls, &steps, &kills);
    let found = [missing, doubled, foreign].map(|list| list.join(", ")).join("; ");
    assert_eq!(found, expected);
}

const WALKED_AND_FAR: [&str; 3] = ["w walked ada in", "f far ada in", "r rested ada in"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    WALKED_AND_FAR.iter().chain(more).copied().collect()
}

#[test]
fn what_is_as_it_should_be_is_found_so() {
    check(&[], "; ; ");
    check(&with(&["w walked ada in", "l lately bob in", "o lately bob out"]), "; ; ");
}

#[test]
fn a_change_that_nobody_was_told_of_is_found() {
    check(&["w walked ada in", "r rested ada in"], "far of ada; ; ");
    check(&with(&["l lately bob in"]), "the end of lately of bob; ; ");
    check(&with(&["q rested ada out"]), "rested of ada; ; ");
}

#[test]
fn a_change_under_two_ids_and_an_id_of_two_changes_are_found() {
    check(&with(&["v walked ada in"]), "; walked of ada; ");
    check(&with(&["w far ada in"]), "; w says two things; ");
}

/// A killed server may have told it without writing that down, but only right before it was killed.
#[test]
fn a_change_under_two_ids_is_forgiven_where_a_kill_was_between() {
    check(&with(&["kill", "v walked ada in"]), "; ; ");
    check(&with(&["kill", "v walked ada in", "u walked ada in"]), "; walked of ada; ");
    check(
        &["kill", "v walked ada in", "w walked ada in", "f far ada in", "r rested ada in"],
        "; walked of ada; ",
    );
    let others: Vec<_> = (0..UNWRITTEN).map(|number| format!("{number} lately eve out")).collect();
    let calls = WALKED_AND_FAR.into_iter().chain(others.iter().map(String::as_str));
    let calls: Vec<_> = calls.chain(["kill", "v walked ada in"]).collect();
    check(&calls, "; walked of ada; ");
}

#[test]
fn a_change_that_there_was_not_is_found() {
    check(&with(&["b walked bob in"]), "; ; walked of bob");
    check(&with(&["b rested bob in"]), "; ; rested of bob");
    check(&with(&["x far ada out"]), "far of ada; ; far of ada");
}

#[test]
fn values_are_those_of_the_steps() {
    let all = |steps: u64, walked: bool, far: bool, rested: bool| json!({ "steps": steps, "walked": walked, "far": far, "rested": rested, "lately": false });
    assert!(is_right(&all(12, true, true, true), 12));
    assert!(is_right(&json!({ "steps": 9, "lately": false, "hasty": false }), 9));
    assert!(!is_right(&all(11, true, true, true), 12), "a step is missing");
    assert!(!is_right(&all(11, true, true, true), 11), "it was not far");
    assert!(!is_right(&all(12, true, true, false), 12), "they rest");
    assert!(!is_right(&json!({ "steps": 9, "hasty": true }), 9), "nobody is in a haste any more");
}
