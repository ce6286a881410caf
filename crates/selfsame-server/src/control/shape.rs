//! What requests and answers look like: the types that serde reads and writes, and their schemas.
//!
//! [`shape!`] makes both from one definition, so the published document cannot differ from what the
//! server takes and gives.

use std::collections::BTreeMap;

use selfsame_event::Collection;
use selfsame_identity::{MOST_PEOPLE, RuleSet};
use selfsame_pipeline::workspace::{
    Announce, BrowserSdk, DedupeScope, DefinitionKind, FunctionKind, Role, SettingKind, SourceKind,
    Strategy, TokenAlgorithm,
};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The schemas that have names, by name.
pub(crate) type Shapes = BTreeMap<&'static str, Value>;

/// A type with a JSON schema.
pub(crate) trait Shape {
    /// Whether a member of this type may be left out.
    const OPTIONAL: bool = false;

    /// The schema. One with a name is put among `all`, and referred to.
    fn schema(all: &mut Shapes) -> Value;
}

/// Defines types of requests and answers together with their schemas. Every member has a sentence.
macro_rules! shape {
    ($(
        $(#[doc = $doc:literal])+
        $(#[serde($($outer:tt)+)])?
        pub(crate) struct $name:ident {
            $($(#[doc = $about:literal])+ $(#[serde($($inner:tt)+)])? $field:ident: $type:ty,)*
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        $(#[serde($($outer)+)])?
        pub(crate) struct $name {
            $($(#[doc = $about])+ $(#[serde($($inner)+)])? pub(crate) $field: $type,)*
        }

        impl $crate::control::shape::Shape for $name {
            fn schema(all: &mut $crate::control::shape::Shapes) -> serde_json::Value {
                use $crate::control::shape::object;
                if !all.contains_key(stringify!($name)) {
                    all.insert(stringify!($name), serde_json::Value::Null);
                    let fields = vec![$((
                        stringify!($field).trim_start_matches("r#"),
                        concat!($($about),+).trim(),
                        <$type as $crate::control::shape::Shape>::schema(all),
                        <$type as $crate::control::shape::Shape>::OPTIONAL,
                    ),)*];
                    let closed: &[&str] = &[$(stringify!($($outer)+))?];
                    let doc = concat!($($doc),+).trim();
                    all.insert(stringify!($name), object(doc, fields, !closed.is_empty()));
                }
                serde_json::json!({ "$ref": concat!("#/components/schemas/", stringify!($name)) })
            }
        }
    )+};
}
pub(crate) use shape;

/// The schema of an object: its members with their sentences, schemas, and whether they may be
/// left out.
pub(crate) fn object(doc: &str, fields: Vec<(&str, &str, Value, bool)>, closed: bool) -> Value {
    let required: Vec<&str> =
        fields.iter().filter(|(.., optional)| !optional).map(|(name, ..)| *name).collect();
    let mut properties = serde_json::Map::new();
    for (name, about, mut schema, _) in fields {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), about.into());
        }
        properties.insert(name.to_owned(), schema);
    }
    let mut schema = json!({ "type": "object", "description": doc, "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if closed {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

macro_rules! plain {
    ($($type:ty => $schema:tt,)+) => {$(
        impl Shape for $type {
            fn schema(_: &mut Shapes) -> Value {
                json!($schema)
            }
        }
    )+};
}

plain! {
    String => { "type": "string" },
    bool => { "type": "boolean" },
    u16 => { "type": "integer", "minimum": 0 },
    u32 => { "type": "integer", "minimum": 0 },
    u64 => { "type": "integer", "minimum": 0 },
    f64 => { "type": "number" },
    Value => {},
    Box<RawValue> => {},
    DedupeScope => { "type": "string", "enum": ["source", "workspace"] },
    TokenAlgorithm => { "type": "string", "enum": ["HS256", "ES256"] },
    Collection => { "type": "string", "enum": ["users", "accounts"] },
    DefinitionKind => { "type": "string", "enum": ["audience", "computed_trait"] },
    Announce => { "type": "string", "enum": ["both", "track", "identify"] },
    Strategy => { "type": "string", "enum": ["first", "last", "all"] },
    FunctionKind => { "type": "string", "enum": ["source", "insert", "destination"] },
    SettingKind => { "type": "string", "enum": ["text", "boolean", "array", "map"] },
    Role => { "type": "string", "enum": ["owner", "admin", "editor", "analyst", "viewer", "privacy_officer"] },
    SourceKind => { "type": "string", "enum": ["any", "browser", "mobile", "server"] },
    BrowserSdk => { "type": "string", "enum": ["official", "selfsame"] },
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn schema(all: &mut Shapes) -> Value {
        match T::schema(all) {
            Value::Object(schema) if schema.is_empty() => Value::Object(schema),
            schema => json!({ "anyOf": [schema, { "type": "null" }] }),
        }
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn schema(all: &mut Shapes) -> Value {
        json!({ "type": "object", "additionalProperties": T::schema(all) })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(all: &mut Shapes) -> Value {
        json!({ "type": "array", "items": T::schema(all) })
    }
}

/// Some elements of a list, and what to ask for next.
#[derive(Debug, Serialize, serde::Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) next: Option<String>,
}

impl<T> From<Vec<T>> for Page<T> {
    fn from(data: Vec<T>) -> Self {
        Self { data, next: None }
    }
}

impl<T: Shape> Shape for Page<T> {
    fn schema(all: &mut Shapes) -> Value {
        let fields = vec![
            ("data", "The elements.", Vec::<T>::schema(all), false),
            (
                "next",
                "The cursor of what comes next; null at the end.",
                Option::<String>::schema(all),
                true,
            ),
        ];
        object("A page of a list.", fields, false)
    }
}

/// Rules are defined by the identity crate; this says what can be written in them.
impl Shape for RuleSet {
    fn schema(all: &mut Shapes) -> Value {
        if !all.contains_key("IdentityRules") {
            let names = json!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string" } }] });
            let blocked = json!({
                "type": "object", "additionalProperties": false,
                "description": "Values that never identify.",
                "properties": {
                    "exact": { "type": "array", "items": { "type": "string" } },
                    "regex": { "type": "array", "items": { "type": "string" } },
                },
            });
            let limit = json!({
                "type": "object", "additionalProperties": false, "required": ["count"],
                "description": "How many values one profile may have, within a window.",
                "properties": {
                    "count": { "type": "integer", "minimum": 1 },
                    "window": { "type": "string", "enum": ["ever", "daily", "weekly", "monthly", "annually"] },
                },
            });
            let rule = json!({
                "type": "object", "additionalProperties": false, "required": ["name", "priority"],
                "description": "The rule of one type of identifier.",
                "properties": {
                    "name": { "type": "string" },
                    "collection": { "type": "string", "enum": ["users", "accounts"] },
                    "priority": { "type": "integer", "minimum": 1 },
                    "limit": limit,
                    "key": { "type": ["string", "null"] },
                    "fold_case": { "type": ["boolean", "null"] },
                    "blocked": blocked,
                },
            });
            all.insert("IdentityRules", json!({
                "type": "object", "additionalProperties": false,
                "description": "Which identifiers count, how far each is trusted, and what never identifies.",
                "properties": {
                    "types": { "type": "array", "items": rule },
                    "blocked": blocked,
                    "options": {
                        "type": "object", "additionalProperties": false,
                        "properties": {
                            "properties_email": names,
                            "custom_ids_in_properties": names,
                            "alias": { "type": "boolean" },
                        },
                    },
                    "caps": {
                        "type": "object", "additionalProperties": false,
                        "properties": {
                            "merges": { "type": "integer", "minimum": 0 },
                            "mappings": { "type": "integer", "minimum": 1 },
                        },
                    },
                    "households": {
                        "type": "object", "additionalProperties": false,
                        "description": "Who is one household. Left out where nobody is.",
                        "properties": {
                            "address": { "type": "boolean" },
                            "card": { "type": ["string", "null"] },
                        },
                    },
                    "strategy": {
                        "type": "string", "enum": ["merge", "isolate", "link"],
                        "description": "What an event does that names two known people.",
                    },
                    "shared_devices": {
                        "type": "object", "additionalProperties": false, "required": ["people"],
                        "description": "From how many people on a device no longer identifies.",
                        "properties": {
                            "people": { "type": "integer", "minimum": 2, "maximum": MOST_PEOPLE },
                        },
                    },
                },
            }));
        }
        json!({ "$ref": "#/components/schemas/IdentityRules" })
    }
}
