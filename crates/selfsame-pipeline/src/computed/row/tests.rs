use std::borrow::Cow;

use proptest::prelude::*;
use selfsame_event::Time;

use super::{Held, ValueRow, Values, first_moment};

fn held() -> impl Strategy<Value = Held<'static>> {
    let time = || (0_i64..1 << 50).prop_map(Time::from_micros);
    prop_oneof![
        Just(Held::Default),
        time().prop_map(Held::In),
        time().prop_map(Held::Out),
        "[a-z0-9\"]{0,12}".prop_map(|json| Held::Json(Cow::Owned(json))),
    ]
}

fn rows() -> impl Strategy<Value = Vec<ValueRow<'static>>> {
    let row = (0_u32..40, held(), proptest::option::of(0_i64..1 << 50), any::<bool>());
    let row = row.prop_map(|(number, held, until, is_approximate)| {
        let until = until.map(Time::from_micros);
        ValueRow { number, held, until, is_approximate }
    });
    prop::collection::vec(row, 0..12)
}

fn bytes(values: &Values<'_>) -> [Vec<u8>; 2] {
    let mut bytes = [Vec::new(), Vec::new()];
    values.encode(&mut bytes[0]);
    values.encode_moments(&mut bytes[1]);
    bytes
}

proptest! {
    #[test]
    fn what_was_set_last_is_read_again(rows in rows(), is_stale in any::<bool>()) {
        let mut values = Values { is_stale, ..Values::default() };
        rows.iter().for_each(|row| values.set(row.clone()));
        let [held, moments] = bytes(&values);
        prop_assert_eq!(Values::read(&held, &moments), Some(values.clone()));
        prop_assert_eq!(first_moment(&moments), values.until());
        for number in 0..40 {
            let last = rows.iter().rev().find(|row| row.number == number);
            let kept = last.filter(|row| row.held != Held::Default || row.has_moment());
            prop_assert_eq!(values.get(number), kept);
        }
    }

    #[test]
    fn bytes_that_are_no_row_are_refused(
        held in prop::collection::vec(any::<u8>(), 0..60),
        moments in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        if let Some(values) = Values::read(&held, &moments) {
            let again = bytes(&values);
            prop_assert_eq!(Values::read(&again[0], &again[1]), Some(values.clone()));
        }
    }
}
