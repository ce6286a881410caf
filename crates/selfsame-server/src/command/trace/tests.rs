use serde_json::json;

use super::*;

#[test]
fn hops_are_indented_and_escaped() {
    let traced = json!({
        "event": {
            "type": "track", "name": "Bought", "message_id": "m1", "received_at": "2026-01-02T00:00:00.000Z",
            "source": "web", "position": "0-3.1", "verdict": "accepted", "sentence": "Folded.",
            "code": null, "profile_id": "use_1",
            "notes": [{ "sentence": "Identifier mapped", "identifier": "email", "value": "a\u{7}@x" }],
        },
        "deliveries": [{
            "destination": "hook", "state": "delivered", "sentence": "The receiver took it.",
            "attempts": [{ "number": 1, "started": "2026-01-02T00:00:01.000Z", "took_ms": 12,
                "outcome": "delivered", "status": 204, "note": "" }],
        }],
        "changes": [
            {
                "definition": "buyers", "change": "entered", "value": true,
                "at": "2026-01-02T00:00:00.000Z", "profile_id": "use_1",
                "calls": [{
                    "type": "track", "position": "0-3.5", "deliveries": [{
                        "destination": "crm", "state": "superseded",
                        "sentence": "A newer change came before it was sent.",
                        "attempts": [{ "number": 0, "started": "2026-01-02T00:00:02.000Z",
                            "took_ms": 0, "outcome": "superseded", "status": null,
                            "note": "0-4.2" }],
                    }],
                }],
            },
            {
                "definition": "bought", "change": "value", "value": 2,
                "at": "2026-01-02T00:00:00.000Z", "profile_id": "use_1", "calls": [],
            },
        ],
    });
    assert_eq!(
        hops(&traced).join("\n"),
        "track \"Bought\"  m1\n\
         \x20 received   2026-01-02T00:00:00.000Z  by source web at 0-3.1\n\
         \x20 decided    accepted: Folded.\n\
         \x20   profile  use_1\n\
         \x20   - Identifier mapped: email a\\u{7}@x\n\
         \x20 to hook  delivered: The receiver took it.\n\
         \x20   1  2026-01-02T00:00:01.000Z  delivered 204 in 12 ms\n\
         \x20 changed    buyers entered at 2026-01-02T00:00:00.000Z\n\
         \x20   track  at 0-3.5\n\
         \x20     to crm  superseded: A newer change came before it was sent.\n\
         \x20       0  2026-01-02T00:00:02.000Z  superseded in 0 ms  0-4.2\n\
         \x20 changed    bought is 2 now at 2026-01-02T00:00:00.000Z"
    );
}
