use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_event::{RecordId, Time};
use selfsame_expr::query::{Period, Step};
use selfsame_expr::{Decimal, Value};

use super::{State, add_one};
use crate::calendar::Calendar;
use crate::datum::{pack, put_length};
use crate::elements::Room;
use crate::plan::{Form, From, Keep, Source, Stream};
use crate::total::Kind;
use crate::when::When;

const MINUTE: i64 = 60_000_000;

fn stream(keep: Keep) -> Stream {
    let source =
        Source { from: From::Properties, steps: vec![Step::Key("p".into())], form: Form::Each };
    Stream {
        name: "Bought".into(),
        predicates: Vec::new(),
        exclude: Vec::new(),
        columns: vec![source],
        needs: None,
        keep,
    }
}

fn keeps() -> impl Strategy<Value = Keep> {
    let kind = prop_oneof![
        Just(Kind::Count),
        Just(Kind::Sum),
        Just(Kind::Last),
        Just(Kind::Counts(200)),
        Just(Kind::Seen(200)),
    ];
    let horizon = 1..200_i64;
    prop_oneof![
        kind.clone().prop_map(|kind| Keep::Total { kind, horizon: None }),
        (kind.clone(), 0..30_i64).prop_map(|(kind, gap)| Keep::Runs { kind, gap: gap * MINUTE }),
        kind.clone().prop_map(|kind| {
            let calendar = Calendar::new(Period::Day, None).expect("a calendar");
            Keep::Periods { kind, calendar }
        }),
        (1..20_usize, horizon.clone()).prop_map(|(events, minutes)| Keep::Elements {
            room: Room { events, bytes: events * 30 },
            horizon: Some(minutes * MINUTE),
        }),
        (kind, horizon).prop_map(|(kind, minutes)| Keep::Slots { kind, horizon: minutes * MINUTE }),
    ]
}

/// A column with one value, a number or a text.
fn body(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    put_length(&mut out, 1);
    match value % 3 {
        0 => pack(&mut out, &Value::Text(format!("value {value}").into())),
        _ => pack(&mut out, &Value::Number(Decimal::parse(&value.to_string()).expect("a number"))),
    };
    out
}

proptest! {
    /// What an event that is added to the bytes makes of them is what it makes of what they say.
    #[test]
    fn bytes_grow_as_what_they_say_does(
        keep in keeps(), events in vec((-3..40_i64, 0..9_i64, 0..4_i64), 1..60),
    ) {
        let stream = stream(keep);
        let (mut at, mut now) = (1_790_000_000_000_000, Time::EPOCH);
        let mut bytes = Vec::new();
        State::new(&stream.keep).put(&stream, &mut bytes);
        for (number, (minutes, value, micros)) in (0_u8..).zip(events) {
            at += minutes * MINUTE + micros;
            now = now.max(Time::from_micros(at));
            let when = When::new(Time::from_micros(at), RecordId([number; 16]), 0);
            let body = body(value);
            let mut next = Vec::new();
            let is_added = add_one(&bytes, &stream, (when, &body), now, &mut next);
            let mut state = State::read(&stream, &bytes).expect("a state");
            state.fold(&stream, when, &body, now);
            let mut expected = Vec::new();
            state.put(&stream, &mut expected);
            if is_added {
                prop_assert_eq!(&next, &expected);
            }
            let again = State::read(&stream, &expected);
            prop_assert_eq!(again.as_ref(), Some(&state));
            let mut plain = Vec::new();
            state.put_plain(&stream, &mut plain);
            prop_assert_eq!(State::read_plain(&stream, &plain), again);
            bytes = expected;
        }
    }
}
