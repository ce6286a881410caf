use proptest::prelude::*;
use selfsame_event::Time;

use super::{Held, ValueRow, Values};

fn held() -> impl Strategy<Value = Held> {
    let time = || (0_i64..1 << 50).prop_map(Time::from_micros);
    prop_oneof![
        Just(Held::Default),
        time().prop_map(Held::In),
        time().prop_map(Held::Out),
        "[a-z0-9\"]{0,12}".prop_map(|json| Held::Json(json.into())),
    ]
}

fn rows() -> impl Strategy<Value = Vec<ValueRow>> {
    let row = (0_u32..40, held(), proptest::option::of(0_i64..1 << 50), any::<bool>());
    let row = row.prop_map(|(number, held, until, is_approximate)| {
        let until = until.map(Time::from_micros);
        ValueRow { number, held, until, is_approximate }
    });
    prop::collection::vec(row, 0..12)
}

proptest! {
    #[test]
    fn what_was_set_last_is_read_again(rows in rows(), is_stale in any::<bool>()) {
        let mut values = Values { is_stale, ..Values::default() };
        rows.iter().for_each(|row| values.set(row.clone()));
        let bytes = values.encode();
        let read = if bytes.is_empty() { Some(Values::default()) } else { Values::decode(&bytes) };
        let read = read.and_then(|read| read.with_moments(&values.encode_moments()));
        prop_assert_eq!(read, Some(values.clone()));
        for number in 0..40 {
            let last = rows.iter().rev().find(|row| row.number == number);
            let is_kept =
                |row: &&ValueRow| row.held != Held::Default || row.until.is_some() || row.is_approximate;
            let kept = last.filter(is_kept);
            prop_assert_eq!(values.get(number), kept);
        }
    }

    #[test]
    fn bytes_that_are_no_row_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Some(values) = Values::decode(&bytes) {
            prop_assert_eq!(Values::decode(&values.encode()), Some(values));
        }
        if let Some(values) = Values::default().with_moments(&bytes) {
            prop_assert_eq!(Values::default().with_moments(&values.encode_moments()), Some(values));
        }
    }
}
