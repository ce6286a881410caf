use super::*;

fn an_id(kind: &str, value: &str) -> Value {
    json!({ "type": kind, "value": value })
}

#[test]
fn a_proposal_says_what_is_too_much_what_links_it_and_what_would_be_done() {
    let (ada, bob) = (an_id("user_id", "ada\u{7}"), an_id("user_id", "bob"));
    let event = json!({
        "position": "0-3.1", "message_id": "m1", "type": "track", "name": "Bought",
        "timestamp": "2026-01-02T00:00:00.000Z", "source": "web",
    });
    let found = json!({
        "data": [{
            "profile_id": "use_1", "identifiers": [ada, bob], "identifier_count": 12,
            "excess": [
                { "type": "user_id", "limit": 1, "window": "weekly", "count": 2, "over": [bob] },
                { "type": "email", "limit": null, "count": 1, "over": [an_id("email", "n/a")] },
            ],
            "links": [
                { "one": ada, "other": bob, "links": [
                    { "from": ada, "to": bob, "effect": "merged", "event": event },
                ] },
                { "one": ada, "other": an_id("email", "n/a"), "links": null },
            ],
            "pairs": [{ "one": ada, "other": bob }], "pair_count": 1,
            "profiles": 2, "nowhere": 1, "others": 0, "uncertain": 3, "partial": false, "large": false,
            "problem": null, "command": "selfsame identity split --within-rules user_id:ada --space dev",
        }],
        "components_read": 40, "next": "77",
    });
    assert_eq!(
        lines(&found).join("\n"),
        "use_1  user_id:ada\\u{7}  user_id:bob  … and 10 more\n\
         \x20 2 values of user_id; the limit is 1 (weekly): user_id:bob too many\n\
         \x20 blocked now: email:n/a\n\
         \x20 user_id:ada\\u{7} and user_id:bob are linked by\n\
         \x20   user_id:ada\\u{7} merged with user_id:bob  2026-01-02T00:00:00.000Z  track \"Bought\"  from web at 0-3.1  m1\n\
         \x20 user_id:ada\\u{7} and email:n/a are linked by\n\
         \x20   events that are not at hand any more\n\
         \x20 to be set apart: user_id:ada\\u{7} and user_id:bob\n\
         \x20 it would be 2 profiles; 1 of its identifiers would be on none; 3 sets of identifiers may have been joined by a later event that is not kept\n\
         \x20 selfsame identity split --within-rules user_id:ada --space dev\n\
         1 profile has more than the rules in force let it; 40 components were looked at\n\
         not everything was looked at: go on with --next 77"
    );
}

#[test]
fn nothing_too_much_says_how_much_was_looked_at() {
    let found = json!({ "data": [], "components_read": 9, "next": null });
    let said = "no profile has more than the rules in force let it; 9 components were looked at";
    assert_eq!(lines(&found), [said]);
}
