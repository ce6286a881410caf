//! An event in the query of an image: `data` in base 64, or one parameter per field.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::credential;

/// Most levels that the dots of a name make.
const DEPTH: usize = 16;

/// What a query says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// `writeKey`, outside of `data`.
    pub(crate) write_key: Option<String>,
    /// The event as JSON; for `data` whatever it decodes to, or its text if that is no base 64.
    pub(crate) body: Vec<u8>,
}

/// Reads a query. Values of plain parameters are strings; a dot in a name makes an object.
pub(crate) fn read(query: &str) -> Query {
    let mut event = Map::new();
    let mut data = None;
    let mut write_key = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name);
        match name.as_ref() {
            // A plus is a letter of base 64; whoever means a space writes %20.
            "data" => data = Some(percent_decode_str(value).decode_utf8_lossy().into_owned()),
            "writeKey" => write_key = Some(decode(value).into_owned()),
            _ => put(&mut event, &name, decode(value).into_owned()),
        }
    }
    let body = match data {
        None => Value::Object(event).to_string().into_bytes(),
        Some(text) => {
            credential::decode(&text.replace(' ', "+")).unwrap_or_else(|| text.into_bytes())
        }
    };
    Query { write_key: write_key.filter(|key| !key.is_empty()), body }
}

/// Bytes that are no JSON as a JSON text, so that they can be set aside and read.
pub(crate) fn quote(bytes: &[u8]) -> Vec<u8> {
    Value::String(String::from_utf8_lossy(bytes).into_owned()).to_string().into_bytes()
}

fn decode(text: &str) -> Cow<'_, str> {
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// Puts a value at the end of a dotted path. Where two parameters contradict, the later one counts.
fn put(event: &mut Map<String, Value>, path: &str, value: String) {
    let mut object = event;
    let mut names: Vec<&str> = path.splitn(DEPTH, '.').collect();
    let Some(last) = names.pop() else { return };
    for name in names {
        let inner = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        let Value::Object(inner) = inner else { return };
        object = inner;
    }
    object.insert(last.to_owned(), Value::String(value));
}

#[cfg(test)]
mod tests;
