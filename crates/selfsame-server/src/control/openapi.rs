//! The published document, made from the route table.

use serde_json::{Map, Value, json};

use super::Control;
use super::asked::Asked;
use super::imports::KEY_HEADER;
use super::permission::Permission;
use super::problem::{Code, Problem};
use super::shape::Shapes;
use super::table::{ROUTES, Route, Takes};
use super::tail::RESUME;

/// Whether and what each parameter of a query says.
pub(super) const PARAMETERS: &[(&str, &str)] = &[
    ("limit", "At most so many elements."),
    ("next", "The cursor that the page before ended with."),
    ("day", "A day in UTC, such as 2026-11-24; the newest with entries where it is not given."),
    (
        "kind",
        "Only these: of insights, a code from `counts`; of definitions, audience or computed_trait.",
    ),
    (
        "identifiers",
        "Whether each comes with its identifiers: true or false; false where it is not given.",
    ),
    ("message_id", "The event's message id."),
    ("at", "A time: what the destination was told then; without it, what it is told now."),
    ("alert", "Only of this alert."),
    (
        "all",
        "Whether programs are listed for which there is a native destination: true or false; false where it is not given.",
    ),
    ("subject", "Only the silence about this; all of them where it is not given."),
    ("position", "The event's position, such as 0-17.3."),
    ("before", "Search records before this position, such as 0-17."),
    ("source", "Only events of this source."),
    (
        "type",
        "A type of events, such as track: only these; in an import, for lines that name none.",
    ),
    ("event", "Only events of this name."),
    (
        "profile",
        "Only events of this profile: its id, or, of attempts, also an identifier as type:value.",
    ),
    ("status", "Only attempts that ended so: delivered, failed or withheld."),
    ("since", "Only what began then or later: a time, or how long ago, such as 90m, 2h or 7d."),
    (
        "answers",
        "Whether answers are shown whole, as far as they were read: true or false; false where it is not given.",
    ),
    ("file", "The digest that names the file: 32 hexadecimal digits, chosen by the sender."),
    ("from", "An identifier as type:value, such as user_id:42."),
    ("to", "The other identifier, of the same collection."),
    (
        "of",
        "An identifier of the profile as type:value, or any id that it ever had; for households also the id of one.",
    ),
    ("collection", "users or accounts; users where it is not given."),
    (
        "replay",
        "The number of a replay of the destination. Of attempts, 0 is for those of live events. Of dead letters, those of the replay are shown in place of those of live events.",
    ),
    ("first_line", "The number of the body's first line in the file, from 1."),
    ("who", "Only what this member or token did: a member's id, or `token:` and a token's id."),
    ("operation", "Only this operation, by its id in this document."),
    (
        "live",
        "Whether the numbers of `GET /api/stream` come too: true or false; false where it is not given.",
    ),
];

/// What each header says.
pub(super) const HEADERS: &[(&str, &str)] = &[
    (KEY_HEADER, "A write key of the source that the events come from."),
    (
        RESUME,
        "The position of the last event that came: it goes on behind that, as far as that is near enough.",
    ),
    (
        "host",
        "The server as who asks calls it: the vendor sends back there, if nothing else is named.",
    ),
];

/// Parameters of queries that are numbers, and those that must be given.
const NUMBERS: &[&str] = &["limit", "first_line", "replay"];
const NEEDED: &[&str] = &["file", "first_line", "from", "to", "of"];

/// `GET /api/openapi.json`
pub(crate) async fn show(_: Control, _: Asked) -> Result<Value, Problem> {
    Ok(document())
}

/// The document.
pub(crate) fn document() -> Value {
    let mut shapes = Shapes::new();
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut shapes);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.word()] = operation;
    }
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.word()).collect();
    let mut schemas = Map::new();
    schemas.insert("Error".to_owned(), json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {
                "code": { "type": "string", "enum": codes },
                "message": { "type": "string", "description": "What is wrong." },
                "hint": { "type": "string", "description": "What to do next." },
                "field": { "type": "string", "description": "Which field or parameter it is about." },
                "permission": { "type": "string", "description": "Which permission who asks lacks." },
                "places": {
                    "type": "array",
                    "description": "Of a definition: everything that is wrong with it, each with where that stands.",
                    "items": {
                        "type": "object",
                        "required": ["message"],
                        "properties": {
                            "message": { "type": "string", "description": "What is wrong there." },
                            "line": { "type": "integer", "description": "The line, counted from 1." },
                            "column": { "type": "integer", "description": "The character in the line, counted from 1." },
                            "shown": { "type": "string", "description": "The line, and carets under the place." },
                        },
                    },
                },
            },
        } },
    }));
    schemas.extend(shapes.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Selfsame Control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Configures a workspace and shows what became of its events. Bodies are JSON, at most 1 MiB, but for imports: lines of JSON, at most 8 MiB. Unknown members and parameters are refused.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "selfsame",
                    "description": "Of a member who has signed in; over TLS the cookie is __Host-selfsame. What is no GET needs the header x-selfsame-console: 1 as well.",
                },
            },
            "responses": { "Error": {
                "description": "Why it was not done.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
            } },
            "schemas": schemas,
        },
    })
}

/// The sentence of a name.
fn about(table: &'static [(&str, &str)], name: &str) -> &'static str {
    table.iter().find(|(known, _)| *known == name).map_or("", |(_, about)| about)
}

/// The name of an operation.
pub(super) fn operation_id(route: &Route) -> String {
    let (group, action) = route.operation.split_once("::").unwrap_or(("", route.operation));
    format!("{}_{}", group.trim(), action.trim())
}

fn operation(route: &Route, shapes: &mut Shapes) -> Value {
    let in_path =
        route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(|name| {
        let kind = if NUMBERS.contains(name) { "integer" } else { "string" };
        let mut parameter = json!({ "name": name, "in": "query", "description": about(PARAMETERS, name), "schema": { "type": kind } });
        if NEEDED.contains(name) {
            parameter["required"] = true.into();
        }
        parameter
    }));
    parameters.extend(route.headers.iter().map(|name| {
        let is_needed = *name != RESUME;
        json!({ "name": name, "in": "header", "required": is_needed, "description": about(HEADERS, name), "schema": { "type": "string" } })
    }));
    let (group, _) = route.operation.split_once("::").unwrap_or(("", route.operation));
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [group.trim()],
        "x-permission": route.permission.word(),
    });
    if route.permission == Permission::Open {
        operation["security"] = json!([]);
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let body = match route.takes {
        Takes::Nothing => None,
        Takes::Json(describe) => Some(("application/json", describe(shapes))),
        Takes::Lines => Some(("application/x-ndjson", json!({ "type": "string" }))),
    };
    if let Some((media, schema)) = body {
        operation["requestBody"] =
            json!({ "required": true, "content": { media: { "schema": schema } } });
    }
    let mut content = Map::new();
    content.insert(route.media.to_owned(), json!({ "schema": (route.answer)(shapes) }));
    let mut responses = Map::new();
    responses.insert(
        route.status.to_string(),
        json!({ "description": "It was done.", "content": content }),
    );
    responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Error" }));
    operation["responses"] = responses.into();
    operation
}
