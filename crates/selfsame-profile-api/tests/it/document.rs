//! The published document, and answers held against it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::world::{World, ask, send};

async fn document(world: &World) -> Value {
    let answer = ask(world.router(), "GET", "/openapi/profile.json", "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn the_document_is_the_one_that_is_checked_in() {
    let text = serde_json::to_string_pretty(&document(&World::new()).await).expect("JSON");
    expect_file!["../../../../openapi/profile.json"].assert_eq(&format!("{text}\n"));
}

#[tokio::test]
async fn the_document_needs_a_token() {
    for token in [None, Some("Bearer wrong")] {
        let mut request = Request::get("/openapi/profile.json");
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let request = request.body(Body::empty()).expect("a request");
        let answer = send(World::new().router(), request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = ask(World::new().router(), "POST", "/openapi/profile.json", "").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// Compares a value with a schema, as far as the document uses it. What no schema names is wrong.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).expect("it is there");
        return check(document, schema, value, place);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| check(document, one, value, place).is_ok());
        return if fits { Ok(()) } else { Err(format!("{place}: {value} is none of {any:?}")) };
    }
    // The empty schema: anything.
    if schema.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(());
    }
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("integer") => value.is_u64(),
        _ => false,
    };
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    };
    if !fits {
        return Err(format!("{place}: {value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{place}: {value} is none of {words:?}"));
    }
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], element, &format!("{place}[{index}]"))?;
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        value.get(name).ok_or_else(|| format!("{place}.{name} is missing"))?;
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        match schema["properties"].get(name).or_else(|| schema.get("additionalProperties")) {
            Some(schema) => check(document, schema, member, &place)?,
            None => return Err(format!("{place} is not in the document")),
        }
    }
    Ok(())
}

fn world() -> World {
    let mut world = World::new();
    world.send(&[
        r#"{"type":"page","name":"Home","anonymousId":"a","messageId":"m1","timestamp":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"identify","userId":"u","traits":{"email":"a@x.y","n":1,"deep":{"a":[null]}}}"#,
        r#"{"type":"group","userId":"u","groupId":"g","traits":{"plan":"gold"}}"#,
    ]);
    world.send(&[
        r#"{"type":"track","event":"E","anonymousId":"a","userId":"u","properties":{"n":1}}"#,
    ]);
    world
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let world = world();
    let document = document(&world).await;
    let (user, account) = ("user_id:u", "group_id:g");
    let mut seen = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let name = operation["operationId"].as_str().expect("a name");
            if name == "document" {
                continue;
            }
            let answers = match name {
                "batch" => vec![
                    world
                        .post("/users/profiles/batch", r#"{"ids":["user_id:u","user_id:x"]}"#)
                        .await,
                ],
                "search" => vec![
                    world.get("/users/search?identifier=u").await,
                    world.get("/users/search?trait=email&value=a@x.y&limit=1").await,
                ],
                _ => {
                    let mut answers = Vec::new();
                    for (collection, id) in [("users", user), ("accounts", account)] {
                        let path = path
                            .replace("/v1/spaces/{space}/collections", "")
                            .replace("{collection}", collection)
                            .replace("{id}", id);
                        for query in ["", "?at=2027-01-01", "?verbose=true&limit=1"] {
                            answers.push(world.get(&format!("{path}{query}")).await);
                        }
                    }
                    answers
                }
            };
            assert_eq!(method == "post", name == "batch");
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            for answer in answers {
                assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
                let checked = check(&document, schema, &answer.json(), name);
                assert_eq!(checked, Ok(()), "{}", answer.text);
                assert!(answer.headers.contains_key("x-selfsame-position"), "{name}");
            }
            seen.insert(name.to_owned());
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
    let error = world.get("/users/profiles/user_id:nobody").await;
    let schema = json!({ "$ref": "#/components/schemas/Error" });
    assert_eq!(check(&document, &schema, &error.json(), "error"), Ok(()));
    let trimmed = json!({ "data": [null], "cursor": { "url": "", "has_more": false, "next": "", "limit": 1 }, "history_from": { "position": "0-1" } });
    let schema = json!({ "$ref": "#/components/schemas/EventsPage" });
    assert_eq!(check(&document, &schema, &trimmed, "trimmed"), Ok(()));
    let odd = json!({ "data": [], "cursor": trimmed["cursor"], "odd": 1 });
    assert!(check(&document, &schema, &odd, "odd").is_err());
}
