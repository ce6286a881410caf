use serde_json::json;

use super::*;

fn answer(change: impl FnOnce(&mut Value)) -> Value {
    let mut answer = json!({
        "space": "dev",
        "received": {
            "received": 16, "accepted": 10, "duplicates": 3, "changed": 0, "rejected": 2, "unattached": 1,
            "calls": 2, "adds_up": true,
        },
        "destinations": [{
            "destination": "crm", "offered": 12, "before": 4, "actions": 3, "replayed": 5, "accepted": 16,
            "delivered": 9, "filtered": 4, "filtered_by": { "type": 3, "superseded": 1 }, "pending": 2, "dead": 1,
            "adds_up": true,
        }],
        "adds_up": true,
    });
    change(&mut answer);
    answer
}

#[test]
fn sums_that_are_right_are_taken() {
    let look = judge(&answer(|_| {})).expect("it adds up");
    assert_eq!(
        look,
        Look { destinations: 1, accepted: 10, offered: 12, pending: 2, is_whole: true }
    );
    let look = judge(&answer(|all| all["destinations"][0]["offered"] = json!(13)));
    assert!(!look.expect("it adds up").is_whole, "an event is folded that it does not know of yet");
}

#[test]
fn a_sum_that_is_wrong_is_found_whatever_the_server_says_of_it() {
    for term in ["accepted", "delivered", "filtered", "pending", "dead"] {
        let broken = answer(|all| all["destinations"][0][term] = json!(7));
        let error = judge(&broken).expect_err(term).to_string();
        assert!(error.contains("the accounting is broken") && error.contains("\"crm\""), "{error}");
    }
    for term in ["received", "accepted", "duplicates", "rejected", "unattached"] {
        assert!(judge(&answer(|all| all["received"][term] = json!(99))).is_err(), "{term}");
    }
    let reasons = answer(|all| all["destinations"][0]["filtered_by"] = json!({ "type": 3 }));
    assert!(judge(&reasons).is_err());
}
