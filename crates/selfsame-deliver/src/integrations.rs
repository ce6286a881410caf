//! What an event's `integrations` say of the connections that it goes to, as Segment has it.
//!
//! | `integrations` | who gets the event |
//! |---|---|
//! | none | everybody |
//! | `{"Tool": false}` | everybody but Tool |
//! | `{"All": false, "Tool": true}` | Tool |
//! | `{"All": false, "Tool": {"option": 1}}` | Tool; what it is given is for mappings to take |
//!
//! Names are those that people see, letter by letter. Only `false` leaves somebody out: anything else that
//! stands at a name, null too, lets the event through.

use selfsame_event::Raw;

/// Whether an event, as JSON, is for a connection that has these names; the first of them that the event
/// names decides.
pub fn allows(event: &[u8], names: &[String]) -> bool {
    // Most events say nothing of it, and their bodies need not be walked.
    if !may_choose(event) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(event) else { return true };
    let Some(said) = Raw::trusted(text).get("integrations") else { return true };
    let of = |name: &str| said.get(name).map(|value| value.bool().unwrap_or(true));
    let all = || ["All", "all"].into_iter().find_map(|name| said.get(name)?.bool());
    names.iter().find_map(|name| of(name)).or_else(all).unwrap_or(true)
}

/// Whether an event may say who gets it.
pub(crate) fn may_choose(event: &[u8]) -> bool {
    std::str::from_utf8(event).is_ok_and(|text| text.contains("\"integrations\":"))
}

#[cfg(test)]
mod tests;
