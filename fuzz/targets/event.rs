//! A body is taken apart without a panic, every item once, and what is accepted can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use selfsame_collect::{Envelope, Shape};
use selfsame_event::{EventType, EventsHead, SourceNumber};

fuzz_target!(|input: &[u8]| {
    let Some((first, body)) = input.split_first() else { return };
    let shape = match first % 8 {
        0 => Shape::Event(None),
        number @ 1..=6 => Shape::Event(EventType::from_code(number)),
        _ => Shape::Batch,
    };
    let Ok(envelope) = Envelope::read(body.to_vec(), shape) else { return };
    let head = envelope.head(SourceNumber(1));
    let decoded = EventsHead::decode(&head.encode());
    assert_eq!(decoded.as_ref(), Ok(&head));
    let events = envelope.events(true);
    let count = events.accepted.len() + events.direct.len() + events.refused.len();
    assert_eq!(count, envelope.len());
    assert!(count > 0 || shape == Shape::Batch);
    for item in events.accepted.iter().chain(&events.direct) {
        let event = head.event(item).expect("accepted");
        for id in [&event.user_id, &event.anonymous_id].into_iter().flatten() {
            assert!(!id.is_empty());
        }
        let text = std::str::from_utf8(item).expect("checked");
        serde_json::from_str::<&serde_json::value::RawValue>(text).expect("JSON to others too");
    }
    assert!(events.refused.is_sorted_by_key(|refused| refused.index));
});
