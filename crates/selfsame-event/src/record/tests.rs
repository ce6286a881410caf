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
        tokens in prop::collection::btree_map(any::<u32>(), 0_usize..TokenVerdict::ALL.len(), 0..4),
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
            tokens: tokens.into_iter().map(|(item, one)| (item, TokenVerdict::ALL[one])).collect(),
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

/// The bytes of version 2, which begins with a token. Without one, a head is what it always was.
#[test]
fn heads_are_written_as_they_were_pinned() {
    let plain = EventsHead { source: SourceNumber(3), ..EventsHead::default() };
    let version_1 = hex("01 03000000 00 ffffffffffffffff 00000000 00000000 00000000 00");
    assert_eq!(plain.encode(), version_1);
    assert_eq!(EventsHead::decode(&version_1), Ok(plain.clone()));
    let tokens = vec![(0, TokenVerdict::Valid), (7, TokenVerdict::Expired)];
    let signed = EventsHead { tokens, ..plain };
    let version_2 = hex("02 03000000 00 ffffffffffffffff 00000000 00000000 00000000 00 \
                         02000000 00000000 01 07000000 06");
    assert_eq!(signed.encode(), version_2);
    assert_eq!(EventsHead::decode(&version_2), Ok(signed.clone()));
    assert_eq!((signed.token(7), signed.token(1)), (Some(TokenVerdict::Expired), None));
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|digit| !digit.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}
