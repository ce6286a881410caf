//! Takes members out of the text of an object, and leaves every other byte as it is.

use std::ops::Range;

/// The text without the members whose values stand at these places, which are in order and apart.
///
/// Invariant: of a valid text, what is left is valid.
pub(crate) fn without(text: &[u8], values: &[Range<usize>]) -> Vec<u8> {
    let mut left = text.to_vec();
    // From the end, so that the places before stay what they are.
    for value in values.iter().rev() {
        let member = member(&left, value);
        left.drain(member);
    }
    left
}

/// A value with its key, and with the comma behind it or, where it is the last one, before it.
fn member(text: &[u8], value: &Range<usize>) -> Range<usize> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    let behind = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| is_space(byte)).count()
    };
    let before = |at: usize| {
        let rest = text.get(..at).unwrap_or_default();
        at - rest.iter().rev().take_while(|byte| is_space(byte)).count()
    };
    // Before the value: its colon, then the key's closing quote. The key has no quote in it.
    let closing = before(before(value.start).saturating_sub(1)).saturating_sub(1);
    let key = text.get(..closing).and_then(|rest| rest.iter().rposition(|byte| *byte == b'"'));
    let start = key.unwrap_or(value.start);
    let next = behind(value.end);
    if text.get(next) == Some(&b',') {
        return start..next + 1;
    }
    let previous = before(start);
    match previous.checked_sub(1).and_then(|at| text.get(at)) {
        Some(b',') => previous - 1..value.end,
        _ => start..value.end,
    }
}

#[cfg(test)]
mod tests;
