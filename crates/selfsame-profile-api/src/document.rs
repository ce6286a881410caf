//! The published document: the operations of the route table, and the schemas of their answers.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::api::ProfileApi;
use crate::params::LIMIT_MAX;
use crate::problem::{ERRORS, Problem, json as answer};
use crate::schema::schemas;
use crate::table::{ROUTES, Route, Verb};

/// What each parameter of a query is.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("at", "date-time", "As it was at this time, such as 2026-11-24T12:00:00Z."),
    (
        "class",
        "string",
        "Only traits of this class: custom, audience or computed_trait. The last two are not there with `at`.",
    ),
    ("end", "date-time", "Only events up to this time."),
    ("exclude", "string", "No events of these names, with commas between them."),
    ("identifier", "string", "The value of an identifier of any type."),
    (
        "include",
        "string",
        "Only these: names of events, keys of traits or types of identifiers, with commas between them.",
    ),
    ("limit", "integer", "At most so many elements."),
    ("next", "string", "The cursor that the page before ended with."),
    ("sort", "string", "`desc`, the newest first, or `asc`."),
    ("start", "date-time", "Only events from this time on."),
    ("trait", "string", "The key of a trait."),
    (
        "value",
        "string",
        "The value of that trait: as JSON where it is a number, a boolean or null; else text.",
    ),
    ("verbose", "boolean", "Each trait with its source and time."),
    (
        "wait_for",
        "string",
        "A position, as `X-Selfsame-Position` has it: the answer waits up to 5 seconds until that record shows.",
    ),
];

/// `GET /openapi/profile.json`
pub(crate) async fn show(
    State(api): State<ProfileApi>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    api.admit(&parts, None)?;
    Ok(answer(document().to_string()))
}

/// The document.
fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let verb = match route.verb {
            Verb::Get => "get",
            Verb::Post => "post",
        };
        path[verb] = operation(route);
    }
    let mut schemas = schemas();
    let codes: Vec<_> = ERRORS.iter().map(|error| error.code).collect();
    schemas.insert(
        "Error".to_owned(),
        json!({
            "type": "object",
            "required": ["error"],
            "properties": { "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": { "type": "string", "enum": distinct(&codes) },
                    "message": { "type": "string", "description": "What is wrong." },
                },
            } },
        }),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Selfsame Profile API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reads profiles. Values of traits and properties are the text that they came as.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "basic": [] }, { "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic", "description": "The token is the user name; no password." },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
            "headers": {
                "Request-Id": { "description": "Names the request.", "schema": { "type": "string" } },
                "X-Selfsame-Position": { "description": "The last record that shows in the answer.", "schema": { "type": "string" } },
            },
            "responses": { "Error": {
                "description": "Why there is no answer.",
                "headers": { "Request-Id": { "$ref": "#/components/headers/Request-Id" } },
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
            } },
            "schemas": schemas,
        },
    })
}

fn distinct<'c>(codes: &[&'c str]) -> Vec<&'c str> {
    let mut found: Vec<&str> = Vec::new();
    for code in codes {
        if !found.contains(code) {
            found.push(code);
        }
    }
    found
}

fn operation(route: &Route) -> Value {
    let in_path =
        route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path.map(path_parameter).collect();
    parameters.extend(route.query.iter().map(|name| query_parameter(name)));
    let mut headers = json!({ "Request-Id": { "$ref": "#/components/headers/Request-Id" } });
    if route.query.contains(&"wait_for") {
        headers["X-Selfsame-Position"] =
            json!({ "$ref": "#/components/headers/X-Selfsame-Position" });
    }
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary,
        "responses": {
            "200": {
                "description": "The answer.",
                "headers": headers,
                "content": { "application/json": { "schema": reference(route.answer) } },
            },
            "default": { "$ref": "#/components/responses/Error" },
        },
    });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.body {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(body) } },
        });
    }
    operation
}

/// A schema of that name.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn path_parameter(name: &str) -> Value {
    let (about, schema) = match name {
        "space" => ("The id of a space.", json!({ "type": "string" })),
        "collection" => {
            ("Whose profiles.", json!({ "type": "string", "enum": ["users", "accounts"] }))
        }
        _ => (
            "An identifier as type:value, such as user_id:42, or any id that the profile ever had.",
            json!({ "type": "string" }),
        ),
    };
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
}

fn query_parameter(name: &str) -> Value {
    let known = PARAMETERS.iter().find(|(known, ..)| *known == name);
    let (_, kind, about) = known.copied().unwrap_or((name, "string", ""));
    let schema = match kind {
        "date-time" => json!({ "type": "string", "format": "date-time" }),
        "integer" => json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX }),
        kind => json!({ "type": kind }),
    };
    json!({ "name": name, "in": "query", "description": about, "schema": schema })
}

#[cfg(test)]
mod tests;
