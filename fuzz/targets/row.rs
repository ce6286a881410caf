//! Rows of the outbox and of the identity graph are read without a panic, and what is read is
//! written so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use selfsame_identity::{ComponentRow, EvidenceRow, IdentifierRow, Known, LedgerRow, SetKey};
use selfsame_pipeline::decision::Decision;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind % 5 {
        0 => {
            if let Some(decision) = Decision::decode(bytes) {
                let mut again = Vec::new();
                decision.encode(&mut again);
                assert!(bytes.starts_with(&again), "the form of a row is one");
                assert_eq!(Decision::decode(&again), Some(decision));
            }
        }
        1 => {
            if let Ok(row) = IdentifierRow::decode(bytes) {
                assert_eq!(row.encode(), bytes);
            }
        }
        2 => component(bytes),
        3 => {
            if let Ok(row) = EvidenceRow::decode(bytes) {
                assert!(EvidenceRow::decode(&row.encode()) == Ok(row));
            }
        }
        _ => {
            if let Ok(row) = LedgerRow::decode(bytes) {
                assert!(LedgerRow::decode(&row.encode()) == Ok(row));
            }
        }
    }
});

/// A component's row, which is also read in part: the part of what is written says the same.
fn component(bytes: &[u8]) {
    let sets = [0, 5].map(SetKey);
    // The part may be whole where the rest is not.
    sets.into_iter().for_each(|set| drop(Known::read(bytes, set)));
    let Ok(row) = ComponentRow::decode(bytes) else { return };
    let again = row.encode();
    let print = row.prints.first().map(|print| SetKey(u128::from(*print)));
    let birth = SetKey::of(row.birth().map(|member| member.key));
    for set in sets.into_iter().chain(print).chain([birth]) {
        assert_eq!(Known::read(&again, set).ok(), row.known(set));
    }
    assert!(ComponentRow::decode(&again) == Ok(row));
}
