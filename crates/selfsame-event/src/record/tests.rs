use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_head_reads_back(
        source: u32,
        implied in 0_u8..7,
        sent in prop::option::of(0_i64..4_000_000_000_000_000),
        context in prop::option::of("\\{\\PC{0,30}\\}"),
        ip in prop::option::of("[0-9.]{1,15}"),
        import in prop::option::of((any::<[u8; 16]>(), any::<u64>())),
        refusals in prop::collection::vec(0_usize..Refusal::ALL.len(), 0..5),
    ) {
        let head = EventsHead {
            source: SourceNumber(source),
            implied: EventType::from_code(implied),
            sent_at: sent.map(Time::from_micros),
            context,
            integrations: None,
            ip,
            import: import.map(|(file, first_line)| ImportOrigin { file, first_line }),
            refusals: refusals.into_iter().map(|index| Refusal::ALL[index]).collect(),
        };
        prop_assert_eq!(EventsHead::decode(&head.encode()), Ok(head));
    }

    #[test]
    fn any_bytes_read_without_a_panic(bytes: Vec<u8>) {
        if let Ok(head) = EventsHead::decode(&bytes) {
            prop_assert_eq!(EventsHead::decode(&head.encode()), Ok(head));
        }
    }
}
