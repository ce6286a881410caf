use proptest::prelude::*;

use super::*;
use crate::apart::{ApartFrom, ApartRow};
use crate::people::{MOST_PEOPLE, PeopleRow};
use crate::row::{Anchors, EvidenceRow, Known, SetKey};
use crate::skeleton::{PreviousSeen, Reading};

prop_compose! {
    fn stamp()(
        partition: u32, offset: u64, index: u32, record: [u8; 16], source: u32,
        event_time in 0..=Time::MAX.micros(), log_time in 0..=Time::MAX.micros(),
    ) -> Stamp {
        Stamp {
            position: Position { partition, offset }.item(index),
            record: RecordId(record),
            source: SourceNumber(source),
            event_time: Time::from_micros(event_time),
            log_time: Time::from_micros(log_time),
        }
    }
}

prop_compose! {
    fn member()(
        number in 0_u16..14, rank: u8, standing: [bool; 3], key: [u8; 16], value in ".{0,40}", at in stamp(),
        message_id in prop::option::of(".{0,40}"),
    ) -> Member {
        let [anchored, verified, is_apart] = standing;
        Member {
            number: TypeNumber(number),
            rank,
            anchored,
            verified,
            is_apart,
            key: IdentifierKey(key),
            value: value.into(),
            mapped_at: at.log_time,
            event_time: at.event_time,
            position: at.position,
            source: at.source,
            message_id: message_id.map(Into::into),
        }
    }
}

prop_compose! {
    fn seen()(number: u16, key: [u8; 16], fate in 0..3_u8) -> Seen {
        let fate = [Fate::Kept, Fate::Demoted, Fate::Stopped][usize::from(fate)];
        Seen { number: TypeNumber(number), key: IdentifierKey(key), fate }
    }
}

prop_compose! {
    fn reading()(number: u16, key: [u8; 16], value in ".{0,20}") -> Reading {
        Reading { number: TypeNumber(number), key: IdentifierKey(key), value: value.into() }
    }
}

prop_compose! {
    fn previous()(
        anonymous in prop::option::of(reading()), user in prop::option::of(reading()),
        chosen in prop::option::of(any::<[u8; 16]>()),
    ) -> PreviousSeen {
        PreviousSeen { anonymous, user, chosen: chosen.map(IdentifierKey) }
    }
}

proptest! {
    #[test]
    fn an_identifier_row_is_read_back(
        component: u64, number: u16, anchored: bool, verified: bool, at in 0..=Time::MAX.micros(),
    ) {
        let row = IdentifierRow {
            component: ComponentId(component),
            number: TypeNumber(number),
            anchored,
            verified,
            mapped_at: Time::from_micros(at),
        };
        prop_assert_eq!(IdentifierRow::decode(&row.encode()), Ok(row));
    }

    #[test]
    fn a_component_row_is_read_back_and_no_part_of_it_is_one(
        parent in prop::option::of(any::<u64>()), merges: u32, sets: u32, sets_overflowed: bool,
        prints in prop::collection::vec(any::<u64>(), 0..5),
        mut members in prop::collection::vec(member(), 0..4), is_one_event: bool,
    ) {
        if is_one_event && let Some(first) = members.first().cloned() {
            members.iter_mut().for_each(|member| {
                let Member { number, rank, anchored, verified, is_apart, key, ref value, .. } = *member;
                let value = value.clone();
                *member = Member {
                    number, rank, anchored, verified, is_apart, key, value, ..first.clone()
                };
            });
        }
        let parent = parent.map(ComponentId);
        let prints = prints.into();
        let row = ComponentRow { parent, merges, sets, prints, sets_overflowed, members };
        let bytes = row.encode();
        prop_assert_eq!(ComponentRow::decode(&bytes), Ok(row.clone()));
        let birth = SetKey::of(row.birth().map(|member| member.key));
        let print = row.prints.first().map(|print| SetKey(u128::from(*print)));
        for set in [Some(birth), print, Some(SetKey(5))].into_iter().flatten() {
            prop_assert_eq!(Known::read(&bytes, set).ok(), row.known(set));
        }
        prop_assert_eq!(Anchors::read(&bytes).ok(), row.anchors());
        for length in 0..bytes.len() {
            prop_assert_eq!(ComponentRow::decode(&bytes[..length]), Err(DecodeError));
        }
    }

    #[test]
    fn an_evidence_row_is_read_back(
        first in stamp(), identifiers in prop::collection::vec(seen(), 0..6), is_cut: bool,
        again in prop::collection::vec(stamp(), 0..3), previous in prop::option::of(previous()),
    ) {
        let unmapped = identifiers.iter().filter(|seen| seen.fate != Fate::Kept);
        let unmapped = unmapped.map(|seen| format!("{:?}", seen.key).into()).collect();
        let (identifiers, previous) = (identifiers.into(), previous.map(Box::new));
        let row = EvidenceRow { first, again, is_cut, identifiers, unmapped, previous };
        prop_assert_eq!(EvidenceRow::decode(&row.encode()), Ok(row));
    }

    #[test]
    fn a_row_of_what_is_set_apart_is_read_back(
        number: u16, value in ".{0,20}", by in ".{0,20}", times: u64,
        others in prop::collection::btree_map(any::<[u8; 16]>(), prop::option::of(stamp()), 1..4),
    ) {
        let since = Time::from_micros(1_800_000_000_000_000);
        let others = others.into_iter().map(|(key, last)| ApartFrom {
            key: IdentifierKey(key), since, by: by.as_str().into(), times, last,
        });
        let row = ApartRow {
            number: TypeNumber(number), value: value.into(), others: others.collect(),
        };
        prop_assert_eq!(ApartRow::decode(&row.encode()), Ok(row));
    }

    #[test]
    fn a_row_of_who_came_with_a_device_is_read_back(
        users in prop::collection::btree_set(any::<[u8; 16]>(), 0..40),
    ) {
        let mut row = PeopleRow::default();
        for (count, user) in users.iter().enumerate() {
            prop_assert_eq!(row.add(IdentifierKey(*user)), count < MOST_PEOPLE);
            prop_assert!(!row.add(IdentifierKey(*user)), "once");
        }
        prop_assert_eq!(row.count(), users.len().min(MOST_PEOPLE));
        prop_assert_eq!(PeopleRow::decode(&row.encode()), Ok(row));
    }

    #[test]
    fn a_ledger_row_is_read_back(
        components: [u64; 2], profiles: [[u8; 16]; 2], keys: [[u8; 16]; 2], verdict in 0..12_u8,
        stamp in stamp(), identifiers in prop::collection::vec(seen(), 0..6),
        limit in prop::option::of((any::<u16>(), any::<u32>(), 0..5_usize)),
    ) {
        let [parent, child] = components.map(ComponentId);
        let [parent_by, child_by] = keys.map(IdentifierKey);
        let [parent_profile, child_profile] =
            profiles.map(|key| ProfileId::candidate(stamp.log_time, IdentifierKey(key)));
        let entry = match Verdict::from_code(verdict) {
            None if limit.is_some() => LedgerEntry::Handed(Handed {
                component: parent,
                other: child,
                profile: parent_profile,
                other_profile: child_profile,
                device: parent_by,
                is_gained: keys[1][0] < 128,
            }),
            None => LedgerEntry::Merged(Merge {
                parent, child, parent_profile, child_profile, parent_by, child_by,
            }),
            Some(verdict) => LedgerEntry::Refused(Refused {
                verdict,
                component: parent,
                other: child,
                profile: parent_profile,
                other_profile: child_profile,
                by: child_by,
                limit: limit.map(|(number, count, window)| MetLimit {
                    number: TypeNumber(number),
                    limit: Limit { count, window: Window::ALL[window] },
                }),
            }),
        };
        let row = LedgerRow { entry, stamp, identifiers: identifiers.into() };
        prop_assert_eq!(LedgerRow::decode(&row.encode()), Ok(row));
    }

    /// What can be read is what was written: there is one encoding for each row, or none.
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        for version in [VERSION, 0] {
            if let Some(first) = bytes.first_mut() {
                *first = version;
            }
            let refused = version != VERSION || bytes.is_empty();
            let read = [
                IdentifierRow::decode(&bytes).is_ok(),
                ComponentRow::decode(&bytes).is_ok(),
                EvidenceRow::decode(&bytes).is_ok(),
                ApartRow::decode(&bytes).is_ok(),
                LedgerRow::decode(&bytes).is_ok(),
                PeopleRow::decode(&bytes).is_ok(),
            ];
            prop_assert!(!refused || read == [false; 6]);
        }
    }

    /// Damage to a row that was good reaches deeper into the readers than noise does.
    #[test]
    fn a_damaged_row_never_panics(
        members in prop::collection::vec(member(), 1..4), at: prop::sample::Index, byte: u8,
    ) {
        let row = ComponentRow { members, ..ComponentRow::default() };
        let mut bytes = row.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = ComponentRow::decode(&bytes) {
            prop_assert_eq!(ComponentRow::decode(&read.encode()), Ok(read));
        }
    }
}

#[test]
fn rows_are_small() {
    assert_eq!(IdentifierRow::BYTES, 20);
    let member = Member {
        number: TypeNumber(0),
        rank: 0,
        anchored: true,
        verified: false,
        is_apart: false,
        key: IdentifierKey([9; 16]),
        value: "0b7e6e0a-7f1a-4b3e-9a51-1f0d3c2b4a59".into(),
        mapped_at: Time::from_micros(1_800_000_000_000_000),
        event_time: Time::from_micros(1_800_000_000_000_000),
        position: Position::embedded(1_000_000_000).item(12),
        source: SourceNumber(3),
        message_id: None,
    };
    let row = ComponentRow { members: vec![member], ..ComponentRow::default() };
    assert!(row.encode().len() <= 90, "{}", row.encode().len());
}
