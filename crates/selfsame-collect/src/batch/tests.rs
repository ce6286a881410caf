use selfsame_event::{EventType, Kind, Raw, Refusal, SourceNumber};

use super::{Envelope, Shape};
use crate::Problem;

fn batch(text: &str) -> Envelope {
    Envelope::read(text.as_bytes().to_vec(), Shape::Batch).expect("readable")
}

#[test]
fn items_are_slices_of_the_body() {
    let envelope = batch(r#"{"batch":[ {"type":"page","userId":"u"} , 7 ]}"#);
    let events = envelope.events(false);
    let body = envelope.body.as_ptr_range();
    assert_eq!(events.accepted[0], r#"{"type":"page","userId":"u"}"#);
    assert!(body.contains(&events.accepted[0].as_ptr()));
    assert_eq!((events.refused[0].index, events.refused[0].refusal), (1, Refusal::NotObject));
    assert_eq!(events.refused[0].item, "7");
}

#[test]
fn the_last_of_repeated_keys_counts() {
    let envelope = batch(r#"{"batch":[1],"writeKey":"a","batch":[],"writeKey":" b "}"#);
    assert!(envelope.is_empty());
    assert_eq!(envelope.write_key().as_deref(), Some("b"));
}

#[test]
fn a_head_has_what_the_envelope_says() {
    let envelope = batch(r#"{"integrations":{"All":false},"context":null,"batch":[{}]}"#);
    let head = envelope.head(SourceNumber(7));
    assert_eq!((head.source, head.context), (SourceNumber(7), None));
    assert_eq!(head.integrations.as_deref(), Some(r#"{"All":false}"#));
}

#[test]
fn events_that_ask_for_the_address_are_put_apart_only_when_asked() {
    let envelope = batch(
        r#"{"batch":[{"type":"page","userId":"a","context":{"direct":true}},{"type":"page","userId":"b"}]}"#,
    );
    let apart = envelope.events(true);
    assert_eq!((apart.accepted.len(), apart.direct.len()), (1, 1));
    let together = envelope.events(false);
    assert_eq!((together.accepted.len(), together.direct.len()), (2, 0));
}

#[test]
fn shapes_are_told_apart_from_text_that_cannot_be_read() {
    assert_eq!(batch("[]").fault(), Some(Problem::BatchNotObject));
    assert_eq!(batch("{}").fault(), Some(Problem::BatchMissing));
    let unreadable = Envelope::read(b"{".to_vec(), Shape::Batch);
    assert_eq!(unreadable.err(), Some(Problem::JsonInvalid));
}

/// What the fold reads later is what was checked here, for each of the odd texts.
#[test]
fn what_was_accepted_can_be_read_again() {
    for id in [r"u\u0000", r"\ud800", "\u{7f}", r#"\"\\"#, "é\u{2028}"] {
        let text = format!(r#" {{"userId":"{id}","properties":{{"n":1e400}}}} "#);
        let shape = Shape::Event(Some(EventType::Identify));
        let envelope = Envelope::read(text.into_bytes(), shape).expect("readable");
        let events = envelope.events(false);
        let head = envelope.head(SourceNumber(1));
        let event = head.event(&events.accepted[0]).expect("accepted");
        assert!(event.user_id.is_some());
        assert_eq!(event.properties.map(Raw::kind), Some(Kind::Object));
    }
}
