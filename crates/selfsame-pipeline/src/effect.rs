//! What changed for a profile though no event says so: items of the outbox behind the decisions of their
//! record.
//!
//! ```text
//! effect   8 u8, what u8, space u32, profile 20, definition u32, at i64, cause u32 (item, or all ones)
//!          [value length u32 + JSON]
//! what     1 entered, 2 exited, 3 value, 4 announced; 128 more where no destination was told of the definition
//! ```
//!
//! Of what no destination is told, nothing is delivered: it is there for whoever folds again, and for readers.

use selfsame_event::{ProfileId, Time};

/// The first byte: no decision has it.
const EFFECT: u8 = 8;
/// Of what no destination is told.
const UNTOLD: u8 = 128;

/// A change of a computed trait or of a membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The number of the space.
    pub space: u32,
    /// Whose it is.
    pub profile: ProfileId,
    /// The number of the definition.
    pub definition: u32,
    /// When it became so: the log time of the event, or the moment that came.
    pub at: Time,
    /// The number of the event in its record that caused it, if one did.
    pub cause: Option<u32>,
    /// Whether some destination was told of the definition just then.
    pub is_told: bool,
    /// What changed.
    pub what: What,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The profile is in the audience now.
    Entered,
    /// It is not any more.
    Exited,
    /// The trait has another value, as JSON.
    Value(Box<str>),
    /// It came to that before, as JSON, and is said again for a destination that was connected since.
    Announced(Box<str>),
}

impl Effect {
    /// Appends the item's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let what = match self.what {
            What::Entered => 1,
            What::Exited => 2,
            What::Value(_) => 3,
            What::Announced(_) => 4,
        };
        let untold = if self.is_told { 0 } else { UNTOLD };
        out.extend_from_slice(&[EFFECT, what | untold]);
        out.extend_from_slice(&self.space.to_le_bytes());
        out.extend_from_slice(&self.profile.to_bytes());
        out.extend_from_slice(&self.definition.to_le_bytes());
        out.extend_from_slice(&self.at.micros().to_le_bytes());
        out.extend_from_slice(&self.cause.unwrap_or(u32::MAX).to_le_bytes());
        if let What::Value(json) | What::Announced(json) = &self.what {
            out.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(json.as_bytes());
        }
    }

    /// Whether an item of the outbox is an effect, and no decision.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.first() == Some(&EFFECT)
    }

    /// Reads an item; nothing where it is a decision, or no item at all.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let [EFFECT, word] = take(rest)? else { return None };
        let (is_told, what) = (word & UNTOLD == 0, word & !UNTOLD);
        let space = u32::from_le_bytes(take(rest)?);
        let profile = ProfileId::from_bytes(take(rest)?);
        let definition = u32::from_le_bytes(take(rest)?);
        let at = Time::from_micros(i64::from_le_bytes(take(rest)?));
        let cause = u32::from_le_bytes(take(rest)?);
        let what = match what {
            1 => What::Entered,
            2 => What::Exited,
            3 | 4 => {
                let length = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
                let (json, behind) = rest.split_at_checked(length)?;
                *rest = behind;
                let json = std::str::from_utf8(json).ok()?.into();
                if what == 3 { What::Value(json) } else { What::Announced(json) }
            }
            _ => return None,
        };
        let cause = (cause != u32::MAX).then_some(cause);
        rest.is_empty().then_some(Self { space, profile, definition, at, cause, is_told, what })
    }

    /// How many places an item of the outbox takes among the deliveries of its record: what is told is a track and
    /// an identify call; a decision takes one.
    pub fn places(bytes: &[u8]) -> u32 {
        match bytes {
            [EFFECT, what, ..] if what & UNTOLD == 0 => 2,
            [EFFECT, ..] => 0,
            _ => 1,
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

#[cfg(test)]
mod tests;
