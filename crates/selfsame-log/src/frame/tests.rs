use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..40).prop_map(|bytes| Item::Body(bytes.into())),
        1 => Just(Item::Erased),
    ]
}

prop_compose! {
    fn record()(
        id in any::<[u8; 16]>(),
        time in any::<i64>(),
        kind in any::<u8>(),
        head in vec(any::<u8>(), 0..40),
        items in vec(item(), 0..6),
        offset in any::<u64>(),
    ) -> Record {
        Record {
            position: Position::embedded(offset),
            id: RecordId(id),
            time: Time::from_micros(time),
            kind,
            head: head.into(),
            items: items.into(),
        }
    }
}

fn encoded(record: &Record) -> Bytes {
    let mut out = Vec::new();
    encode(record.into(), &mut out);
    out.into()
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(records in vec(record(), 1..4)) {
        let mut out = Vec::new();
        for record in &records {
            encode(record.into(), &mut out);
        }
        let mut payload = Bytes::from(out);
        for record in &records {
            let frame = take(&mut payload).expect("a frame");
            prop_assert_eq!(frame.len(), record.size());
            prop_assert_eq!(time(&frame), Ok(record.time));
            let decoded = decode(frame, record.position);
            prop_assert_eq!(decoded.as_ref(), Ok(record));
        }
        prop_assert!(payload.is_empty());
    }

    #[test]
    fn a_frame_that_is_cut_or_longer_is_refused(record in record(), cut in 0_usize..200) {
        let whole = encoded(&record);
        let cut = cut % whole.len();
        prop_assert_eq!(decode(whole.slice(..cut), record.position), Err(FrameError));
        let longer = Bytes::from([&whole[..], &[0]].concat());
        prop_assert_eq!(decode(longer, record.position), Err(FrameError));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..120)) {
        let mut bytes = Bytes::from(bytes);
        if let Ok(record) = decode(bytes.clone(), Position::default()) {
            prop_assert_eq!(record.size(), bytes.len());
        }
        while take(&mut bytes).is_ok() {}
    }

    #[test]
    fn a_changed_byte_never_makes_it_panic(record in record(), at in any::<usize>(), to in any::<u8>()) {
        let mut bytes = encoded(&record).to_vec();
        let at = at % bytes.len();
        bytes[at] = to;
        prop_assert!(decode(bytes.into(), record.position).map_or(true, |r| r.items.len() < 100));
    }
}
