use std::collections::BTreeMap;

use proptest::prelude::*;
use selfsame_event::Time;

use super::{Held, ValueRow, Values, first_moment};

/// A row, and the text of its value if it has one.
type Row = (ValueRow<'static>, Option<String>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let time = || (0_i64..1 << 50).prop_map(Time::from_micros);
    let held = prop_oneof![
        Just((Held::Default, None)),
        time().prop_map(|since| (Held::In(since), None)),
        time().prop_map(|since| (Held::Out(since), None)),
        "[a-zé0-9\"]{0,12}".prop_map(|json| (Held::Default, Some(json))),
    ];
    let row = (0_u32..40, held, proptest::option::of(1_i64..1 << 50), any::<bool>());
    let row = row.prop_map(|(number, (held, json), until, is_approximate)| {
        let until = until.map(Time::from_micros);
        (ValueRow { number, held, until, is_approximate }, json)
    });
    prop::collection::vec(row, 0..12)
}

fn of((row, json): &Row) -> ValueRow<'_> {
    json.as_ref().map_or(*row, |json| ValueRow { held: Held::Json(json), ..*row })
}

fn bytes(values: &Values<'_>) -> [Vec<u8>; 2] {
    let mut bytes = [Vec::new(), Vec::new()];
    values.encode(&mut bytes[0]);
    values.encode_moments(&mut bytes[1]);
    bytes
}

/// Values say what was set last of each number, and nothing else.
fn check(values: &Values<'_>, known: &BTreeMap<u32, Row>) -> Result<(), TestCaseError> {
    let kept: Vec<_> = known.values().map(of).filter(ValueRow::is_kept).collect();
    prop_assert_eq!(values.iter().collect::<Vec<_>>(), kept.clone());
    for number in 0..40 {
        let row = kept.iter().find(|row| row.number == number).copied();
        prop_assert_eq!(values.get(number), row);
    }
    let first = kept.iter().filter_map(|row| row.until).min();
    prop_assert_eq!(values.until(), if values.is_stale { Some(Time::EPOCH) } else { first });
    for due in kept.iter().filter_map(|row| row.until).chain([Time::EPOCH]) {
        let all = kept.iter().filter(|row| row.until.is_some_and(|until| until <= due));
        let all: Vec<u32> = all.map(|row| row.number).collect();
        prop_assert_eq!(values.due(due).collect::<Vec<_>>(), all);
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_was_set_last_is_read_again(
        first in rows(), then in rows(), flags in any::<[bool; 2]>(), gone in 0_u32..40,
    ) {
        let mut known = BTreeMap::new();
        let mut values = Values { is_stale: flags[0], ..Values::default() };
        for row in first {
            values.set(&of(&row));
            known.insert(row.0.number, row);
        }
        check(&values, &known)?;
        let [held, moments] = bytes(&values);
        prop_assert!(Values::check(&held) || held.is_empty());
        prop_assert_eq!(first_moment(&moments), values.until());
        let mut values = Values::read(&held, &moments).expect("they were written");
        check(&values, &known)?;
        values.is_stale = flags[1];
        for row in then {
            values.set(&of(&row));
            known.insert(row.0.number, row);
        }
        values.retain_moments(|number| number != gone);
        if let Some((row, _)) = known.get_mut(&gone) {
            (row.until, row.is_approximate) = (None, false);
        }
        check(&values, &known)?;
        let [held, moments] = bytes(&values);
        let again = Values::read(&held, &moments).expect("they were written");
        check(&again, &known)?;
        prop_assert_eq!(bytes(&again), [held, moments]);
        values.retain(|number| number > gone);
        known.retain(|number, _| *number > gone);
        check(&values, &known)?;
        // The same values are the same bytes, however they came to be.
        let mut anew = Values { is_stale: flags[1], ..Values::default() };
        known.values().for_each(|row| anew.set(&of(row)));
        prop_assert_eq!(bytes(&anew), bytes(&values));
    }

    #[test]
    fn bytes_that_are_no_row_are_refused(held in prop::collection::vec(any::<u8>(), 0..60)) {
        if Values::check(&held) {
            let values = Values::decode(&held).expect("they are values");
            prop_assert_eq!(&bytes(&values)[0], &held);
        }
    }
}
