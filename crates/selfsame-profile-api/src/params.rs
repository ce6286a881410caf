//! Percent-encoding and parameters. Anything malformed is an error, never a guess.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use selfsame_event::{Position, ProfileId, Time};
use selfsame_pipeline::ProfileRef;

use crate::problem::Problem;

/// The most that one page may hold.
pub(crate) const LIMIT_MAX: usize = 10_000;

/// A part of a path, decoded once. A `+` is a plus.
pub(crate) fn decode(part: &str) -> Result<String, Problem> {
    let bytes = part.as_bytes();
    let is_escape = |at: usize| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && !is_escape(at)) {
        return Err(Problem::invalid("A percent sign is not followed by two hexadecimal digits."));
    }
    let text = percent_decode_str(part).decode_utf8();
    Ok(text.map_err(|_| Problem::invalid("A percent-encoded part is not UTF-8."))?.into_owned())
}

/// What a profile is asked for by: `type:value`, split at the first colon, or `use_…`.
pub(crate) fn profile_ref(id: &str) -> Result<ProfileRef, Problem> {
    match id.split_once(':') {
        Some((kind, value)) if !kind.is_empty() && !value.is_empty() => {
            Ok(ProfileRef::Identifier { kind: kind.to_owned(), value: value.to_owned() })
        }
        Some(_) => Err(Problem::invalid("An id has a type and a value: `type:value`.")),
        None => ProfileId::parse(id)
            .map(ProfileRef::Id)
            .ok_or_else(|| Problem::invalid("An id is `type:value`, or the `use_…` of a profile.")),
    }
}

/// The parameters of a query.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query as forms write them: a `+` is a space.
    pub(crate) fn read(query: &str) -> Result<Self, Problem> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(&key.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        Ok(Self(pairs.collect::<Result<_, Problem>>()?))
    }

    /// A parameter that is not empty. Where it is repeated, the last one counts.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| name == key)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A list with commas between its elements. Repeated ones are put together.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(name, _)| name == key);
        let elements = values.flat_map(|(_, value)| value.split(','));
        elements.map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    }

    /// `true` or `false`; the latter where it is missing.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Problem> {
        match self.get(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::invalid(format!("`{key}` must be true or false."))),
        }
    }

    /// How many a page may hold.
    pub(crate) fn limit(&self, default: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = usize::from_str(text).ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| Problem::invalid(format!("`limit` must be from 1 to {LIMIT_MAX}.")))
    }

    /// A time: ISO 8601, or a date.
    pub(crate) fn time(&self, key: &str) -> Result<Option<Time>, Problem> {
        let Some(text) = self.get(key) else { return Ok(None) };
        // The plus of a zone that was not escaped came as a space.
        let time = Time::parse(text).or_else(|| Time::parse(&text.replace(' ', "+")));
        let time = time.ok_or_else(|| Problem::invalid(format!("`{key}` is not a time.")))?;
        Ok(Some(time))
    }

    /// A position, as `X-Selfsame-Position` has it.
    pub(crate) fn position(&self, key: &str) -> Result<Option<Position>, Problem> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let offset = text.strip_prefix("0-").and_then(|offset| offset.parse().ok());
        let offset =
            offset.ok_or_else(|| Problem::invalid(format!("`{key}` is not a position.")))?;
        Ok(Some(Position::embedded(offset)))
    }
}

#[cfg(test)]
mod tests;
