//! Mends a body that could not be read as it came, or says what is wrong with it.
//!
//! What it can mend is a byte order mark and half of a surrogate pair. Of the grammar it checks the
//! inside of strings only; its bounds are those of the pass that reads the body.

use selfsame_event::{Bounds, code_unit};

use crate::Problem;

/// Checks the bounds and, in place, turns a byte order mark into spaces and every `\uD800` to
/// `\uDFFF` without its partner into `\ufffd`, so that nothing later has to know of them.
pub(crate) fn prepare(body: &mut [u8], bounds: Bounds) -> Result<(), Problem> {
    if let Some(mark) = body.get_mut(..3)
        && mark == b"\xef\xbb\xbf"
    {
        mark.fill(b' ');
    }
    let (mut at, mut depth, mut values) = (0, 0_u32, 0_usize);
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => at = string(body, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > bounds.depth {
                    return Err(Problem::JsonDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        at += 1;
    }
    if values > bounds.values { Err(Problem::JsonWide) } else { Ok(()) }
}

/// The index of the quote that ends the string whose content starts at `at`. Checks what is in it.
fn string(body: &mut [u8], mut at: usize) -> Result<usize, Problem> {
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => return Ok(at),
            b'\\' => at = escape(body, at)?,
            0..b' ' => return Err(Problem::JsonInvalid),
            _ => at += 1,
        }
    }
    Ok(at)
}

/// Passes over the escape at `at`, and over the partner that a half of a pair may have.
fn escape(body: &mut [u8], at: usize) -> Result<usize, Problem> {
    match body.get(at + 1) {
        Some(b'u') => {}
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(at + 2),
        _ => return Err(Problem::JsonInvalid),
    }
    let unit = code_unit(body, at).ok_or(Problem::JsonInvalid)?;
    if !(0xd800..0xe000).contains(&unit) {
        return Ok(at + 6);
    }
    let partner = code_unit(body, at + 6);
    if unit < 0xdc00 && partner.is_some_and(|unit| (0xdc00..0xe000).contains(&unit)) {
        return Ok(at + 12);
    }
    body[at + 2..at + 6].copy_from_slice(b"fffd");
    Ok(at + 6)
}

#[cfg(test)]
mod tests;
