//! Dead letters by cause: what the receiver said of each, without what differs from letter to letter.

use std::collections::{BTreeMap, HashMap};

use selfsame_event::{ItemPosition, Time};
use sha2::{Digest, Sha256};

use crate::attempts::{AttemptLog, AttemptQuery, AttemptsError, Wanted};
use crate::connection::ConnectionId;
use crate::outcome::Failure;
use crate::record::DeadLetter;

/// Characters of an error that tell causes apart.
const ERROR_LENGTH: usize = 160;
/// Attempts that are looked at together.
const PAGE: usize = 10_000;
/// Letters of a cause that are named.
const SAMPLES: usize = 3;

/// Why letters died.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// Why the last attempt failed.
    pub failure: Failure,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// What the receiver answered, numbers, identifiers and quoted values left out; empty where it
    /// answered nothing, or that is no longer kept.
    pub error: String,
}

impl Cause {
    /// Its name: the same for the same cause for ever.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update([self.failure as u8]);
        hash.update(self.status.unwrap_or(0).to_le_bytes());
        hash.update(self.error.as_bytes());
        hash.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The letters of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfCause {
    /// The cause.
    pub cause: Cause,
    /// How many there are.
    pub count: usize,
    /// When the first of them died.
    pub first_died: Time,
    /// When the last of them died.
    pub last_died: Time,
    /// Some of them, in order of place.
    pub samples: Vec<ItemPosition>,
}

/// Letters with the cause of each.
pub(crate) type Caused = Vec<(DeadLetter, Cause)>;

/// Finds the cause of each letter: what the receiver answered to its last attempt. Reads what is kept of
/// the connection's attempts as far as it has to.
pub(crate) fn caused(
    attempts: &AttemptLog,
    (connection, replay): (ConnectionId, u32),
    letters: &[DeadLetter],
) -> Result<Caused, AttemptsError> {
    let mut missing: HashMap<ItemPosition, Option<String>> =
        letters.iter().map(|letter| (letter.effect.at, None)).collect();
    let mut open = missing.len();
    let first = letters.iter().map(|letter| letter.first_attempt).min();
    let wanted = Some(Wanted::Failed);
    let mut query =
        AttemptQuery { wanted, replay: Some(replay), limit: PAGE, ..AttemptQuery::default() };
    query.since = first;
    while open > 0 {
        let page = attempts.search(connection, &query)?;
        for row in page.rows {
            if let Some(error @ None) = missing.get_mut(&row.attempt.at) {
                *error = Some(normal(&row.attempt.note));
                open -= 1;
            }
        }
        if page.next.is_none() {
            break;
        }
        query.before = page.next;
    }
    let cause = |letter: &DeadLetter| {
        let error = missing.remove(&letter.effect.at).flatten().unwrap_or_default();
        (*letter, Cause { failure: letter.failure, status: letter.status, error })
    };
    Ok(letters.iter().map(cause).collect())
}

/// The causes, the one with most letters first.
pub(crate) fn grouped(caused: Caused) -> Vec<OfCause> {
    let mut causes: BTreeMap<Cause, OfCause> = BTreeMap::new();
    for (letter, cause) in caused {
        let of = causes.entry(cause.clone()).or_insert_with(|| OfCause {
            cause,
            count: 0,
            first_died: letter.died,
            last_died: letter.died,
            samples: Vec::new(),
        });
        of.count += 1;
        of.first_died = of.first_died.min(letter.died);
        of.last_died = of.last_died.max(letter.died);
        if of.samples.len() < SAMPLES {
            of.samples.push(letter.effect.at);
        }
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    causes.sort_by_key(|of| std::cmp::Reverse(of.count));
    causes
}

/// An answer without what differs from event to event: words with a digit or an `@` are `#`, and so are
/// values in quotes that are not the names of members.
fn normal(answer: &str) -> String {
    let mut out = String::new();
    let mut rest = answer;
    while let Some(letter) = rest.chars().next() {
        if out.chars().count() >= ERROR_LENGTH {
            break;
        }
        if letter == '"' {
            let (inner, behind) = quoted(rest);
            let is_name = behind.trim_start().starts_with(':');
            out.push('"');
            out.push_str(&if is_name { inner.to_owned() } else { words(inner) });
            out.push('"');
            rest = behind;
            continue;
        }
        let end = rest.find(['"', ' ']).filter(|end| *end > 0).unwrap_or(rest.len());
        let end = if letter == ' ' { 1 } else { end };
        let (word, behind) = rest.split_at(end);
        if letter != ' ' || !out.ends_with(' ') {
            out.push_str(&words(word));
        }
        rest = behind;
    }
    out.chars().take(ERROR_LENGTH).collect::<String>().trim().to_owned()
}

/// What is between quotes, and what is behind them.
fn quoted(text: &str) -> (&str, &str) {
    let inner = text.get(1..).unwrap_or_default();
    let mut is_escaped = false;
    for (at, letter) in inner.char_indices() {
        match letter {
            '"' if !is_escaped => {
                return (
                    inner.get(..at).unwrap_or_default(),
                    inner.get(at + 1..).unwrap_or_default(),
                );
            }
            _ => is_escaped = letter == '\\' && !is_escaped,
        }
    }
    (inner, "")
}

/// A text whose words that tell one event from another are `#`.
fn words(text: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || "@._-+".contains(letter);
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\0']) {
        if is_part(letter) {
            word.push(letter);
            continue;
        }
        let tells = word.contains('@') || word.chars().any(|letter| letter.is_numeric());
        match tells {
            true => out.push('#'),
            false => out.push_str(&word),
        }
        word.clear();
        if letter != '\0' {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests;
