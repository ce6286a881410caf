//! What one of a million profiles may cost.

use selfsame_event::{Event, Position, Raw, RecordId, Shared, SourceNumber, Time};
use selfsame_profile::{FoldEvent, Role, Rules, Section};

const CALLS: [&str; 2] = [
    r#"{"type":"track","event":"Order Completed","anonymousId":"a"}"#,
    r#"{"type":"identify","userId":"u","traits":{"email":"ada@example.com","plan":"pro","name":"Ada Lovelace"}}"#,
];

/// So many events of a browser, one of them an identify with three traits.
fn section(count: u64) -> Section {
    let events =
        CALLS.map(|text| Event::read(Raw::trusted(text), &Shared::default()).expect("an event"));
    let mut section = Section::default();
    for n in 0..count {
        let millis = 1_700_000_000_000 + i64::try_from(n * n).expect("few") * 6_123_457;
        let happened_at = Time::from_millis(millis);
        let message_id = format!("ajs-next-{millis}-{n:08x}-1a2b-4c3d-8e4f-{n:012x}");
        let record =
            RecordId(u128::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060).to_le_bytes());
        section.fold(
            &FoldEvent {
                event: &events[usize::from(n == 3)],
                message_id: &message_id,
                record,
                item: 0,
                position: Position::embedded(10_000_000 + n * 93_001),
                source: SourceNumber(3),
                happened_at,
                received_at: happened_at,
                link: None,
            },
            Role::User,
            &Rules::default(),
        );
    }
    section
}

/// What the section takes packed, as it is kept.
fn packed(section: &Section) -> usize {
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    bytes.len()
}

#[test]
fn a_profile_of_three_traits_and_ten_events_takes_400_bytes() {
    let ten = section(10);
    assert_eq!(ten.traits().count(), 3);
    assert!(packed(&ten) <= 400, "{}", packed(&ten));
}

#[test]
fn an_entry_of_a_timeline_takes_13_bytes() {
    let size = |count| packed(&section(count));
    let each = (size(250) - size(10)) / 240;
    assert!(each <= 13, "{each}");
    assert!(size(256) < 500, "a full chunk leaves");
}

#[test]
fn one_event_takes_little() {
    assert!(packed(&section(1)) <= 100, "{}", packed(&section(1)));
}
