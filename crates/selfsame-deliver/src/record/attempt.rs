//! Attempts as the ledger has them: each tells of place and time by the difference to the one before.

use selfsame_event::{Position, Time};

use super::{Attempt, read_status};
use crate::outcome::{Failure, Outcome, Withheld};
use crate::wire::{Reader, WireError, Writer};

const DELIVERED: u8 = 0;
const POSTPONED: u8 = 103;
/// Most bytes of an answer in the ledger: the rest is with the attempts that are kept to be searched.
const NOTE_BYTES: usize = 1_024;
/// Added to the code of an outcome that is of an action.
const OF_ACTION: u8 = 128;

pub(crate) fn write_attempt(out: &mut Writer, attempt: &Attempt, before: (u64, i64)) -> (u64, i64) {
    let now = (attempt.at.record.offset, attempt.started.micros());
    out.int(now.0.wrapping_sub(before.0).cast_signed());
    out.uint(u64::from(attempt.at.record.partition));
    out.uint(u64::from(attempt.at.index));
    out.uint(u64::from(attempt.number));
    out.int(now.1 - before.1);
    out.uint(u64::from(attempt.took_ms));
    let (code, status) = match attempt.outcome {
        Outcome::Delivered { status } => (DELIVERED, Some(status)),
        Outcome::Failed { failure, status, .. } => (failure as u8, status),
        Outcome::Withheld(reason) => (reason as u8, None),
        Outcome::Postponed => (POSTPONED, None),
    };
    let of_action = attempt.action.map_or(0, |_| OF_ACTION);
    out.byte(code | of_action);
    out.uint(u64::from(status.unwrap_or(0)));
    let end = attempt.note.floor_char_boundary(NOTE_BYTES);
    out.bytes(attempt.note.get(..end).unwrap_or_default().as_bytes());
    if let Some(action) = attempt.action {
        out.byte(action);
    }
    now
}

pub(crate) fn read_attempt(
    from: &mut Reader<'_>,
    before: &mut (u64, i64),
) -> Result<Attempt, WireError> {
    let offset = before.0.wrapping_add(from.int()?.cast_unsigned());
    let position = Position { partition: from.u32()?, offset };
    let (at, number) = (position.item(from.u32()?), from.u32()?);
    let micros = before.1.checked_add(from.int()?).ok_or(WireError)?;
    *before = (offset, micros);
    let took_ms = from.u32()?;
    let (code, status) = (from.byte()?, read_status(from)?);
    let of_action = code & OF_ACTION;
    let code = code & !OF_ACTION;
    let outcome = match code {
        DELIVERED => Outcome::Delivered { status: status.unwrap_or(0) },
        POSTPONED => Outcome::Postponed,
        code => match Withheld::from_code(code) {
            Some(reason) => Outcome::Withheld(reason),
            None => {
                let failure = Failure::from_code(code).ok_or(WireError)?;
                Outcome::Failed { failure, status, retry_after: None }
            }
        },
    };
    let note = std::str::from_utf8(from.bytes()?).map_err(|_| WireError)?.to_owned();
    let action = if of_action == 0 { None } else { Some(from.byte()?) };
    Ok(Attempt { at, number, started: Time::from_micros(micros), took_ms, outcome, note, action })
}
