//! The schemas of answers, as [`crate::show`] and [`crate::routes`] write them.

use serde_json::{Map, Value, json};

use crate::document::reference;

/// Members of an object: name, whether it is always there, schema.
type Members<'m> = &'m [(&'m str, bool, Value)];

fn object(about: &str, members: Members<'_>) -> Value {
    let required: Vec<_> =
        members.iter().filter(|(_, always, _)| *always).map(|(name, ..)| *name).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, _, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut schema = json!({ "type": "object", "description": about, "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn count(about: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": about })
}

fn said(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

fn list(element: &Value) -> Value {
    json!({ "type": "array", "items": element })
}

fn missing_events() -> Value {
    count("With `at`: how many events of that past the log no longer has.")
}

/// Every schema, by name.
pub(crate) fn schemas() -> Named {
    let mut all = Named::new();
    parts(&mut all);
    merges(&mut all);
    events(&mut all);
    answers(&mut all);
    of_many(&mut all);
    all
}

type Named = Map<String, Value>;

fn parts(all: &mut Named) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add("Document", json!({ "type": "object", "description": "An OpenAPI document." }));
    add(
        "Cursor",
        object(
            "Where a page ends.",
            &[
                ("url", true, said(text(), "The resource, without parameters.")),
                ("has_more", true, json!({ "type": "boolean" })),
                (
                    "next",
                    true,
                    said(text(), "What `next` is to be for the next page; empty at the end."),
                ),
                ("limit", true, count("How many elements a page has at most.")),
            ],
        ),
    );
    add(
        "ExternalId",
        object(
            "An identifier of a profile.",
            &[
                ("source_id", true, text()),
                ("collection", true, one_of(&["users", "accounts"])),
                ("id", true, said(text(), "The value.")),
                ("type", true, text()),
                ("created_at", true, time()),
                ("encoding", true, one_of(&["none"])),
                ("first_message_id", false, said(text(), "The event that it was first in.")),
            ],
        ),
    );
    add(
        "Metadata",
        object(
            "The first and the last event; empty where there is none.",
            &[
                ("created_at", false, time()),
                ("updated_at", false, time()),
                ("expires_at", false, json!({ "type": "null" })),
                ("first_message_id", false, text()),
                ("first_source_id", false, text()),
                ("last_message_id", false, text()),
                ("last_source_id", false, text()),
            ],
        ),
    );
    add(
        "Link",
        object(
            "A profile at the other end of a group call, or a household: an account whose one identifier is a `household_id`.",
            &[
                ("to_collection", true, one_of(&["users", "accounts"])),
                ("external_ids", true, list(&reference("ExternalId"))),
            ],
        ),
    );
}

fn merges(all: &mut Named) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let merged = object(
        "An identifier that the event had.",
        &[("type", true, text()), ("id", true, text())],
    );
    add(
        "Merge",
        object(
            "A merge that was made, or refused.",
            &[
                ("merged", true, json!({ "type": "boolean" })),
                ("into", true, said(text(), "The id of the profile that stayed.")),
                ("from", true, said(text(), "The id of the other one.")),
                ("refused_by", false, said(text(), "Why it was refused.")),
                ("timestamp", true, time()),
                ("received_at", true, time()),
                ("event", true, said(text(), "The position of the event.")),
                ("source_id", true, text()),
                ("external_ids", true, list(&merged)),
            ],
        ),
    );
    add(
        "Traits",
        json!({
            "type": "object", "additionalProperties": {},
            "description": "Values by key; with `verbose` each is an object: `value`, and of a custom trait `source_id` and `updated_at`, of a computed trait or an audience `class`, `approximate` where a cap took part, and `updated_at` where it is known: since when the profile is in the audience, or is out of it again.",
        }),
    );
}

fn events(all: &mut Named) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let free = || json!({ "type": "object", "additionalProperties": {} });
    let id = object(
        "An identifier of the event that the profile holds.",
        &[
            ("collection", true, one_of(&["users", "accounts"])),
            ("type", true, text()),
            ("id", true, text()),
            ("encoding", true, one_of(&["none"])),
        ],
    );
    let related = object(
        "The ids of the profiles that it is about.",
        &[("users", false, text()), ("accounts", false, text())],
    );
    add(
        "Event",
        object(
            "An event of a profile.",
            &[
                ("external_ids", true, list(&id)),
                ("context", true, free()),
                ("type", true, one_of(&["identify", "track", "page", "screen", "group", "alias"])),
                ("message_id", true, text()),
                ("source_id", true, text()),
                ("timestamp", true, time()),
                ("properties", true, free()),
                ("traits", false, free()),
                (
                    "event",
                    false,
                    said(text(), "The name of a track, `Page Viewed` or `Screen Viewed`."),
                ),
                ("related", true, related),
            ],
        ),
    );
    add(
        "HistoryFrom",
        object(
            "Where the log begins: what was received before is not shown any more, though it still counts. Only there once records were removed.",
            &[
                ("position", true, said(text(), "The first record that there is.")),
                ("received_at", false, said(time(), "When it was received.")),
            ],
        ),
    );
    add(
        "EventsPage",
        object(
            "A page of a timeline.",
            &[
                ("data", true, list(&json!({ "anyOf": [reference("Event"), { "type": "null" }] }))),
                ("cursor", true, reference("Cursor")),
                ("history_from", false, reference("HistoryFrom")),
            ],
        ),
    );
}

fn answers(all: &mut Named) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add(
        "TraitsPage",
        object(
            "A page of traits.",
            &[
                ("traits", true, reference("Traits")),
                ("cursor", true, reference("Cursor")),
                ("missing_events", false, missing_events()),
            ],
        ),
    );
    add(
        "ExternalIdsPage",
        object(
            "A page of identifiers.",
            &[
                ("data", true, list(&reference("ExternalId"))),
                ("cursor", true, reference("Cursor")),
            ],
        ),
    );
    add(
        "MetadataAnswer",
        object("The first and the last event.", &[("metadata", true, reference("Metadata"))]),
    );
    add("Links", object("Linked profiles.", &[("data", true, list(&reference("Link")))]));
    add("Merges", object("Merges, the newest last.", &[("data", true, list(&reference("Merge")))]));
    add(
        "Profile",
        object(
            "A profile.",
            &[
                ("id", true, text()),
                ("collection", true, one_of(&["users", "accounts"])),
                ("traits", true, reference("Traits")),
                ("external_ids", true, list(&reference("ExternalId"))),
                ("metadata", true, reference("Metadata")),
                ("links", true, list(&reference("Link"))),
                ("merges", true, list(&reference("Merge"))),
                ("events", true, count("How many events it has had.")),
                ("missing_events", false, missing_events()),
            ],
        ),
    );
}

fn of_many(all: &mut Named) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let mut asked = object(
        "Which profiles, and which of their traits.",
        &[
            ("ids", true, said(list(&text()), "Up to 100: type:value, or ids of profiles.")),
            ("include", false, said(list(&text()), "Only these traits; all where it is empty.")),
        ],
    );
    asked["additionalProperties"] = false.into();
    add("BatchRequest", asked);
    let one = object(
        "A profile that was asked for.",
        &[
            ("requested", true, said(text(), "How it was asked for.")),
            (
                "id",
                true,
                json!({ "type": ["string", "null"], "description": "Null where there is none." }),
            ),
            ("traits", false, reference("Traits")),
        ],
    );
    add("BatchAnswer", object("Profiles, in the order asked for.", &[("data", true, list(&one))]));
    let one = object(
        "A profile that was found.",
        &[("id", true, text()), ("external_ids", true, list(&reference("ExternalId")))],
    );
    add(
        "SearchPage",
        object(
            "Profiles that were found.",
            &[
                ("data", true, list(&one)),
                (
                    "complete",
                    true,
                    json!({ "type": "boolean", "description": "Whether there are no more." }),
                ),
                ("cursor", true, reference("Cursor")),
            ],
        ),
    );
}
