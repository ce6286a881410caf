//! The JSON Schema of manifests, for editors, made from the tables that check them.

use serde_json::{Map, Value, json};

use crate::format::{FORMAT, MANIFEST};
use crate::shape::{Named, Shape};

/// The schema, as the file `destinations/manifest.schema.json` has it.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let mut whole = object(&MANIFEST, &mut definitions);
    if let Value::Object(map) = &mut whole {
        map.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert(
            "title".to_owned(),
            json!(format!("Selfsame destination manifest, format {FORMAT}")),
        );
        map.insert("$defs".to_owned(), Value::Object(definitions));
    }
    whole
}

fn of(shape: Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::Trigger => json!({ "type": "string" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Count => json!({ "type": "integer", "minimum": 0 }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Literal | Shape::Rendered | Shape::Mapping => json!(true),
        Shape::Expression => expression(),
        Shape::Condition => json!({ "anyOf": [{ "type": "boolean" }, expression()] }),
        Shape::List(inner) => json!({ "type": "array", "items": of(*inner, definitions) }),
        Shape::Map(inner) => {
            json!({ "type": "object", "additionalProperties": of(*inner, definitions) })
        }
        Shape::Object(named) => {
            let name = named.name.trim_start_matches("an ").trim_start_matches("a ");
            let name = name.replace(' ', "_");
            if !definitions.contains_key(&name) {
                // Before its keys: an object may hold others of its kind.
                definitions.insert(name.clone(), Value::Null);
                let made = object(named, definitions);
                definitions.insert(name.clone(), made);
            }
            json!({ "$ref": format!("#/$defs/{name}") })
        }
    }
}

fn expression() -> Value {
    json!({ "type": "string", "pattern": "^=" })
}

fn object(named: &Named, definitions: &mut Map<String, Value>) -> Value {
    let (mut properties, mut needed) = (Map::new(), Vec::new());
    for key in named.keys {
        let mut shape = of(key.shape, definitions);
        match &mut shape {
            Value::Object(map) => {
                map.insert("description".to_owned(), json!(key.says));
            }
            _ => shape = json!({ "description": key.says }),
        }
        properties.insert(key.name.to_owned(), shape);
        if key.needed {
            needed.push(key.name);
        }
    }
    let mut made = Map::new();
    made.insert("description".to_owned(), json!(named.says));
    made.insert("type".to_owned(), json!("object"));
    made.insert("properties".to_owned(), Value::Object(properties));
    made.insert("additionalProperties".to_owned(), json!(false));
    if !needed.is_empty() {
        made.insert("required".to_owned(), json!(needed));
    }
    if !named.one_of.is_empty() {
        let alone = named.one_of.iter().map(|name| json!({ "required": [name] }));
        made.insert("oneOf".to_owned(), alone.collect());
    }
    Value::Object(made)
}
