//! A request, taken apart: what the path, the query and the body say.

use axum::body::Bytes;
use selfsame_event::{ItemPosition, Position, Time};
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};
use crate::access::Caller;

/// What a request asked.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) caller: Caller,
}

impl Asked {
    /// A parameter of the path; the route table says which there are.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The id in the path.
    pub(crate) fn id(&self) -> &str {
        self.part("id")
    }

    /// A parameter of the query.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header; the route table says which there are.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// How many elements a page may have.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| {
            Problem::field("limit", format!("`limit` is a number from 1 to {most}."))
        })
    }

    /// The place of an event, such as `0-17.3`.
    pub(crate) fn item(&self, name: &'static str) -> Result<Option<ItemPosition>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        item(text).map(Some).ok_or_else(|| {
            Problem::field(name, format!("`{name}` is the position of an event, such as 0-17.3."))
        })
    }

    /// The body, as that type. The error says which field is wrong.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        let read: Result<T, _> = serde_path_to_error::deserialize(&mut json);
        match read {
            Ok(body) => match json.end() {
                Ok(()) => Ok(body),
                Err(_) => Err(Problem::new(Code::NotJson, "There is more than one JSON value.")),
            },
            Err(error) => Err(pointed(&error)),
        }
    }
}

/// What was wrong with a body, and where.
fn pointed(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let (path, inner) = (error.path().to_string(), error.inner());
    if inner.is_syntax() || inner.is_eof() {
        return Problem::new(Code::NotJson, format!("The body is not JSON: {inner}."));
    }
    let text = inner.to_string();
    let sentence = match text.rsplit_once(" at line ") {
        Some((sentence, _)) => sentence,
        None => &text,
    };
    let named = ["missing field `", "unknown field `"]
        .into_iter()
        .find_map(|start| sentence.strip_prefix(start)?.split_once('`').map(|(name, _)| name));
    let field = match (path.as_str(), named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => {
            return Problem::new(Code::Invalid, format!("The body is wrong: {sentence}."));
        }
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    let message = format!("`{field}`: {sentence}.");
    Problem::field(field, message)
}

/// Reads a position of a record, such as `0-17`.
pub(crate) fn position(text: &str) -> Option<Position> {
    let (partition, offset) = text.split_once('-')?;
    Some(Position { partition: partition.parse().ok()?, offset: offset.parse().ok()? })
}

/// Reads a position of an event, such as `0-17.3`.
pub(crate) fn item(text: &str) -> Option<ItemPosition> {
    let (record, index) = text.split_once('.')?;
    Some(position(record)?.item(index.parse().ok()?))
}

/// Reads a time, or how long before now it was.
pub(crate) fn moment(field: &'static str, text: &str, now: Time) -> Result<Time, Problem> {
    let wrong = || {
        let message = format!(
            "`{field}` is a time such as 2026-11-24T10:00:00Z, or how long ago, such as 90m, 2h or 7d."
        );
        Problem::field(field, message)
    };
    ago(text, now).or_else(|| Time::parse(text)).ok_or_else(wrong)
}

fn ago(text: &str, now: Time) -> Option<Time> {
    let seconds = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u32 = text.get(..text.len() - 1)?.parse().ok()?;
    let micros = i64::from(count).checked_mul(seconds)?.checked_mul(1_000_000)?;
    Some(now.plus_micros(-micros))
}

/// Checks a name for people.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    let blank = name.trim().is_empty();
    let wrong =
        || Problem::field("name", "`name` has 1 to 100 characters, none a control character.");
    if fits && !blank { Ok(()) } else { Err(wrong()) }
}

/// The id that was asked for, or one made from the name; `is_taken` says which are in use.
pub(crate) fn choose_id(
    asked: Option<String>,
    name: &str,
    is_taken: impl Fn(&str) -> bool,
) -> Result<String, Problem> {
    if let Some(id) = asked {
        let fits = (1..=64).contains(&id.len())
            && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
            && !id.starts_with(['-', '_']);
        if !fits {
            let message = "`id` has 1 to 64 of the characters a-z, 0-9, `_` and `-`, and begins with a letter or digit.";
            return Err(Problem::field("id", message));
        }
        if is_taken(&id) {
            return Err(Problem::new(Code::Taken, format!("`{id}` is taken.")).at("id"));
        }
        return Ok(id);
    }
    let mut id = String::new();
    for letter in name.chars().flat_map(char::to_lowercase).take(40) {
        match letter {
            'a'..='z' | '0'..='9' => id.push(letter),
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    let id = match id.trim_end_matches('-') {
        "" => "unnamed",
        id => id,
    };
    if !is_taken(id) {
        return Ok(id.to_owned());
    }
    let numbered = (2..10_000).map(|number| format!("{id}-{number}")).find(|id| !is_taken(id));
    numbered.ok_or_else(|| Problem::new(Code::Taken, "Too many have this name.").at("name"))
}

#[cfg(test)]
mod tests;
