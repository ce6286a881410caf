use proptest::prelude::*;

use super::*;

fn notes() -> impl Strategy<Value = Vec<Note>> {
    let note = (0..NoteKind::ALL.len(), "\\PC{0,20}", "\\PC{0,40}");
    let note = note
        .prop_map(|(kind, identifier, value)| Note::new(NoteKind::ALL[kind], &identifier, &value));
    prop::collection::vec(note, 0..5)
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let first = (any::<u64>(), any::<u32>())
        .prop_map(|(offset, index)| Position::embedded(offset).item(index));
    let accepted = (
        any::<u32>(),
        any::<[u8; 16]>(),
        any::<[u8; 20]>(),
        prop::option::of(any::<[u8; 20]>()),
        notes(),
    );
    prop_oneof![
        accepted.prop_map(|(space, anchor, profile, account, notes)| Verdict::Accepted(Accepted {
            space,
            anchor: IdentifierKey(anchor),
            profile: ProfileId::from_bytes(profile),
            account: account.map(ProfileId::from_bytes),
            notes,
        })),
        first.clone().prop_map(|first| Verdict::Duplicate { first }),
        first.prop_map(|first| Verdict::Changed { first }),
        (0..Refusal::ALL.len()).prop_map(|index| Verdict::Refused(Refusal::ALL[index])),
        (any::<u32>(), notes()).prop_map(|(space, notes)| Verdict::Unattached { space, notes }),
        Just(Verdict::Skipped),
        Just(Verdict::Erased),
    ]
}

proptest! {
    #[test]
    fn a_decision_reads_back(kind in 0_u8..7, verdict in verdicts()) {
        let decision = Decision { kind: EventType::from_code(kind), verdict };
        let mut bytes = Vec::new();
        decision.encode(&mut bytes);
        prop_assert_eq!(Decision::decode(&bytes), Some(decision));
    }

    #[test]
    fn any_bytes_read_without_a_panic(bytes: Vec<u8>) {
        if let Some(decision) = Decision::decode(&bytes) {
            let mut again = Vec::new();
            decision.encode(&mut again);
            prop_assert!(bytes.starts_with(&again));
        }
    }
}

#[test]
fn the_limit_of_a_note_is_the_one_behind_it() {
    let limits = Window::ALL.map(|window| Limit { count: 3, window });
    for limit in limits {
        assert_eq!(Note::limit("email", limit).met(), Some(("email", limit)));
    }
    let about = |kind| Note::new(kind, "anonymous_id", "phone");
    let notes = [
        about(NoteKind::IdentifierMapped),
        about(NoteKind::ValueLimit),
        Note::limit("user_id", limits[0]),
        about(NoteKind::CannotLink),
    ];
    let limit_of = |kind| with_limit(&notes, |note| note.kind == kind).map(|(_, limit)| limit);
    assert_eq!(limit_of(NoteKind::ValueLimit), Some(Some(("user_id", limits[0]))));
    assert_eq!(limit_of(NoteKind::CannotLink), Some(None));
    assert_eq!(limit_of(NoteKind::MergeLimit), None);
    assert_eq!(Note::new(NoteKind::LimitMet, "email", "some").met(), None);
}

#[test]
fn a_plain_event_takes_less_than_64_bytes() {
    let accepted = Accepted {
        space: 0,
        anchor: IdentifierKey([1; 16]),
        profile: ProfileId::from_bytes([2; 20]),
        account: None,
        notes: vec![],
    };
    let mut bytes = Vec::new();
    Decision { kind: Some(EventType::Track), verdict: Verdict::Accepted(accepted) }
        .encode(&mut bytes);
    assert!(bytes.len() < 64, "{}", bytes.len());
}
