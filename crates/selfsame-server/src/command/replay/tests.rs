use std::collections::BTreeMap;

use super::*;

fn shown(state: &str) -> ReplayShown {
    serde_json::from_value(serde_json::json!({
        "number": 3, "destination": "crm", "from": "2026-11-24T00:00:00.000Z",
        "to": "2026-11-25T00:00:00.000Z", "first": "0-17.0", "end": "0-99.0", "where": null,
        "rate": 100, "begun": "2026-11-26T00:00:00.000Z", "state": state, "percent": 40,
        "accepted": 50, "delivered": 40, "filtered": 1, "dead": 2, "pending": 7,
        "per_second": 12.4, "seconds_left": 125, "last_failure": "server",
    }))
    .expect("a replay")
}

#[test]
fn what_it_does_and_what_can_be_done_is_said() {
    assert_eq!(
        told(&shown("waiting")).join("\n"),
        "replay 3 of crm: waiting, 40 % read, 50 events: 40 delivered, 1 not sent any more, 2 dead, 7 under way\n\
        \x20 waiting, 40 delivered, 7 under way, 12/s, 2 min left, last failure: server\n\
        \x20 -> selfsame destination replays crm shows it, and selfsame destination cancel-replay crm 3 ends it\n\
        \x20 -> selfsame destination dead-letters crm --replay 3"
    );
    assert_eq!(told(&ReplayShown { dead: 0, ..shown("finished") }).len(), 1);
}

#[test]
fn a_dry_run_warns_of_old_values() {
    let by_type = |names: &[(&str, u64)]| -> BTreeMap<String, u64> {
        names.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    let found = |matching, by_type| ReplayFound {
        matching,
        by_type,
        samples: Vec::new(),
        percent: 100,
        next: None,
    };
    assert_eq!(lines(&found(0, by_type(&[]))), ["It would send no event."]);
    assert_eq!(lines(&found(1, by_type(&[("track", 1)]))), ["It would send 1 event (1 track)."]);
    let all = lines(&found(5, by_type(&[("identify", 2), ("track", 3)])));
    assert_eq!(all[0], "It would send 5 events (2 identify, 3 track).");
    assert!(all[1].contains("older values"), "{all:?}");
}
