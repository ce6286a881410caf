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
    });
    assert_eq!(
        hops(&traced).join("\n"),
        "track \"Bought\"  m1\n\
         \x20 received   2026-01-02T00:00:00.000Z  by source web at 0-3.1\n\
         \x20 decided    accepted: Folded.\n\
         \x20   profile  use_1\n\
         \x20   - Identifier mapped: email a\\u{7}@x\n\
         \x20 to hook  delivered: The receiver took it.\n\
         \x20   1  2026-01-02T00:00:01.000Z  delivered 204 in 12 ms"
    );
}
