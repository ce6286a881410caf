use proptest::prelude::*;
use selfsame_event::Position;

use super::*;
use crate::replay::ReplayWish;

fn position() -> impl Strategy<Value = ItemPosition> {
    any::<(u32, u64, u32)>()
        .prop_map(|(partition, offset, index)| Position { partition, offset }.item(index))
}

fn time() -> impl Strategy<Value = Time> {
    (1..Time::MAX.micros()).prop_map(Time::from_micros)
}

fn effect() -> impl Strategy<Value = Effect> {
    let subject = any::<Option<u32>>();
    (position(), any::<[u8; 16]>(), any::<[u8; 20]>(), any::<u8>(), subject, time()).prop_map(
        |(at, id, profile, kind, subject, log_time)| Effect {
            at,
            id,
            profile: ProfileId::from_bytes(profile),
            kind: EffectKind(kind),
            subject,
            log_time,
        },
    )
}

fn share() -> impl Strategy<Value = Share> {
    any::<u64>().prop_map(Share::from_bits)
}

fn aside() -> impl Strategy<Value = Aside> {
    (effect(), any::<u32>(), prop::option::of(time()), time(), share()).prop_map(
        |(effect, attempts, first_attempt, due, share)| Aside {
            effect,
            attempts,
            first_attempt,
            due,
            share,
        },
    )
}

fn status() -> impl Strategy<Value = Option<u16>> {
    prop::option::of(1_u16..)
}

fn dead() -> impl Strategy<Value = DeadLetter> {
    let failure = prop::sample::select(Failure::ALL);
    (effect(), any::<u32>(), time(), time(), failure, status(), share()).prop_map(
        |(effect, attempts, first_attempt, died, failure, status, share)| DeadLetter {
            effect,
            attempts,
            first_attempt,
            died,
            failure,
            status,
            share,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        (200_u16..300).prop_map(|status| Outcome::Delivered { status }),
        (prop::sample::select(Failure::ALL), status()).prop_map(|(failure, status)| {
            Outcome::Failed { failure, status, retry_after: None }
        }),
        prop::sample::select(Withheld::ALL).prop_map(Outcome::Withheld),
        Just(Outcome::Postponed),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let action = prop::option::of(0_u8..64);
    (position(), any::<u32>(), time(), any::<u32>(), outcome(), "\\PC{0,20}", action).prop_map(
        |(at, number, started, took_ms, outcome, note, action)| Attempt {
            at,
            number,
            started,
            took_ms,
            outcome,
            note,
            action,
        },
    )
}

fn topic() -> impl Strategy<Value = Topic> {
    any::<(u8, u32)>()
        .prop_map(|(kind, subject)| Topic { kind: EffectKind(kind), subject: Some(subject) })
}

fn tell() -> impl Strategy<Value = Tell> {
    any::<(u8, u32, [u8; 16], u64)>().prop_map(|(kind, subject, to, value)| Tell {
        key: TellKey { kind: EffectKind(kind), subject, to },
        value,
    })
}

fn range() -> impl Strategy<Value = DeadRange> {
    let places = (position(), position(), position());
    let reason = prop::sample::select(&[Beyond::Age, Beyond::Bytes][..]);
    (
        places,
        reason,
        time(),
        any::<(u64, bool, bool, u64)>(),
        prop::collection::vec(position(), 0..3),
        prop::collection::btree_set(topic(), 0..3),
    )
        .prop_map(|((from, to, at), reason, since, numbers, ended, derived)| {
            let (events, again, gone, filter) = numbers;
            DeadRange {
                from,
                to,
                at,
                reason,
                since,
                events,
                is_resending: again,
                is_partly_gone: gone,
                filter: Filter::from_bits(filter).with_derived(derived),
                ended,
            }
        })
}

fn paused() -> impl Strategy<Value = Option<Pause>> {
    prop::sample::select(&[None, Some(Pause::Gone), Some(Pause::Behind), Some(Pause::Denied)][..])
}

fn counts() -> impl Strategy<Value = Counts> {
    let reasons =
        proptest::collection::vec((prop::sample::select(Withheld::ALL), 0..u64::MAX / 64), 0..5);
    (any::<[u64; 6]>(), reasons).prop_map(|(counts, by_reason)| {
        let [looked, delivered, filtered, withheld, superseded, extra] = counts;
        let mut reasons = Reasons::default();
        by_reason.into_iter().for_each(|(reason, units)| reasons.note(reason, units));
        Counts { looked, delivered, filtered, withheld, superseded, extra, reasons }
    })
}

fn replay() -> impl Strategy<Value = Replay> {
    let asked = (position(), position(), (time(), time(), time()), "\\PC{0,20}");
    (asked, any::<([u8; 16], u32, bool)>(), prop::option::of(1_u32..)).prop_map(
        |((from, to, (since, until, begun), matching), rest, rate)| {
            let (connection, number, is_cancelled) = rest;
            let matching = matching.into();
            let wish = ReplayWish { from, to, since, until, matching, rate };
            let connection = ConnectionId(connection);
            Replay { connection, number, wish, begun, is_cancelled }
        },
    )
}

fn entry() -> impl Strategy<Value = Entry> {
    use prop::collection::vec;
    let step = (
        (position(), counts(), paused(), vec(aside(), 0..4)),
        vec(position(), 0..4),
        vec(position(), 0..4),
        vec(dead(), 0..4),
        vec(attempt(), 0..4),
        (vec(range(), 0..3), vec(position(), 0..3), vec(tell(), 0..3)),
    );
    let snapshot = (
        (any::<(u32, bool, u64)>(), paused()),
        position(),
        counts(),
        vec(aside(), 0..4),
        vec(dead(), 0..4),
        (vec(range(), 0..3), vec(tell(), 0..3)),
    );
    prop_oneof![
        Just(Entry::Removed),
        replay().prop_map(Entry::Replay),
        (position(), any::<u64>())
            .prop_map(|(at, effects)| Entry::Started(FeedEnd { at, effects })),
        step.prop_map(|((cursor, counts, paused, aside), ended, resent, dead, attempts, rest)| {
            let (ranges, dropped, told) = rest;
            Entry::Step(Step {
                cursor,
                counts,
                paused,
                aside,
                ended,
                resent,
                dead,
                attempts,
                ranges,
                dropped,
                told,
            })
        }),
        snapshot.prop_map(|(head, cursor, counts, aside, dead, (ranges, told))| {
            let ((part, last, started), paused) = head;
            Entry::Snapshot(SnapshotPart {
                part,
                last,
                started,
                cursor,
                counts,
                paused,
                aside,
                dead,
                ranges,
                told,
            })
        }),
    ]
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written(connection: [u8; 16], entry in entry()) {
        let record = Record { connection: ConnectionId(connection), entry };
        prop_assert_eq!(Record::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn a_cut_record_is_refused(entry in entry(), cut: prop::sample::Index) {
        let bytes = Record { connection: ConnectionId([1; 16]), entry }.encode();
        prop_assert_eq!(Record::decode(&bytes[..cut.index(bytes.len())]), Err(WireError));
    }

    #[test]
    fn any_bytes_read_or_fail_without_panic(kind in 0_u8..7, bytes: Vec<u8>) {
        for version in [1, 2, 3, 4, 5] {
            let record = [&[version, kind][..], &[0; 16], &bytes].concat();
            if let Ok(read) = Record::decode(&record) {
                prop_assert_eq!(Record::decode(&read.encode()), Ok(read));
            }
        }
    }
}

#[test]
fn a_newer_version_is_refused() {
    let mut bytes =
        Record { connection: ConnectionId([1; 16]), entry: Entry::Removed }.encode().to_vec();
    bytes[0] = 6;
    assert_eq!(Record::decode(&bytes), Err(WireError));
}

/// What delivery costs when nothing fails: one step for 50 effects of a busy day.
#[test]
fn a_delivered_effect_takes_few_bytes() {
    let at = |index: u64| Position::embedded(5_000_000_000 + index).item(0);
    let attempts = (0..50).map(|index| Attempt {
        at: at(index),
        number: 1,
        started: Time::from_micros(
            1_800_000_000_000_000 + i64::try_from(index * 900).expect("few"),
        ),
        took_ms: 40,
        outcome: Outcome::Delivered { status: 200 },
        note: String::new(),
        action: None,
    });
    let (looked, delivered) = (4_000_000_050, 4_000_000_050);
    let counts = Counts { looked, delivered, ..Counts::default() };
    let step = Step { cursor: at(50), counts, attempts: attempts.collect(), ..Step::default() };
    let length =
        Record { connection: ConnectionId([1; 16]), entry: Entry::Step(step) }.encode().len();
    assert_eq!(length, 609, "{} bytes an effect", length / 50);
}

/// Bytes that a program wrote which knew no ranges, of `Step` and `Snapshot`.
#[test]
fn the_first_version_is_read() {
    let step = [
        &[1, 2][..],
        &[1; 16],
        // cursor 0-5.0, counts, paused, three lists of nothing, no dead letters, no attempts
        &[0, 5, 0, 4, 3, 1, 0, 1, 0, 0, 0, 0, 0],
    ];
    let record = Record::decode(&step.concat()).expect("a step of version 1");
    let counts = Counts { looked: 4, delivered: 3, filtered: 1, ..Counts::default() };
    let cursor = Position::embedded(5).item(0);
    let wanted = Step { cursor, counts, paused: Some(Pause::Gone), ..Step::default() };
    assert_eq!(record.entry, Entry::Step(wanted));
    // part 0, the last, started 7, cursor, counts, not paused, nothing aside, nothing dead
    let snapshot = [&[1, 3][..], &[1; 16], &[0, 1, 7, 0, 5, 0, 4, 3, 1, 0, 0, 0, 0]];
    let record = Record::decode(&snapshot.concat()).expect("a snapshot of version 1");
    let wanted = SnapshotPart { last: true, started: 7, cursor, counts, ..Default::default() };
    assert_eq!(record.entry, Entry::Snapshot(wanted));
}

/// Bytes that a program wrote which knew no subjects: a step with a dead range and an effect aside.
#[test]
fn the_second_version_is_read() {
    let (position, time) = ([0, 5, 0], [2]);
    let effect = [&position[..], &[7; 16], &[8; 20], &[2], &time].concat();
    let aside = [&effect[..], &[1], &[4], &[6]].concat();
    let range =
        [&position[..], &[0, 9, 0], &position, &[1], &time, &[3], &[0], &[4], &[0]].concat();
    let step = [
        &[2, 2][..],
        &[1; 16],
        &[0, 9, 0],
        // counts, paused, one aside
        &[5, 1, 0, 0, 2, 1],
        &aside,
        // nothing ended, resent, dead, attempted; one range, none dropped
        &[0, 0, 0, 0, 1],
        &range,
        &[0],
    ];
    let record = Record::decode(&step.concat()).expect("a step of version 2");
    let Entry::Step(step) = record.entry else { panic!("a step") };
    assert_eq!(step.counts, Counts { looked: 5, delivered: 1, ..Counts::default() });
    assert_eq!((step.aside[0].effect.subject, step.aside[0].attempts), (None, 1));
    assert_eq!((step.ranges[0].events, &step.ranges[0].filter), (3, &Filter::from_bits(4)));
    assert!(step.told.is_empty());
}

/// Bytes that a program wrote which knew no actions: a step with an effect aside, a dead letter and an
/// attempt.
#[test]
fn the_third_version_is_read() {
    let (position, time) = ([0, 5, 0], [2]);
    let effect = [&position[..], &[7; 16], &[8; 20], &[2], &time, &[0]].concat();
    let step = [
        &[3, 2][..],
        &[1; 16],
        &[0, 9, 0],
        // counts with what was superseded, paused, one aside
        &[5, 1, 1, 0, 1, 0, 1],
        &effect,
        &[1, 4, 6],
        // nothing ended or resent, one dead: refused with 400
        &[0, 0, 1],
        &effect,
        &[1, 4, 6, 1, 0x90, 3],
        // one attempt: offset, partition, index, number, started, took, delivered with 200, no note
        &[1, 10, 0, 0, 1, 2, 3, 0, 0xc8, 1, 0],
        // no ranges, none dropped, nothing told
        &[0, 0, 0],
    ];
    let record = Record::decode(&step.concat()).expect("a step of version 3");
    let Entry::Step(step) = record.entry else { panic!("a step") };
    assert_eq!((step.counts.superseded, step.counts.extra), (1, 0));
    assert_eq!((step.aside[0].share, step.dead[0].share), (Share::WHOLE, Share::WHOLE));
    assert_eq!((step.dead[0].status, step.attempts[0].action), (Some(400), None));
}

/// Bytes that a program wrote which did not count by reasons: a step that says its counts only.
#[test]
fn the_fourth_version_is_read() {
    // cursor; looked, delivered, filtered, withheld, superseded, extra; not paused; eight lists of nothing
    let step = [&[4, 2][..], &[1; 16], &[0, 9, 0], &[5, 1, 3, 2, 1, 1], &[0], &[0; 8]];
    let record = Record::decode(&step.concat()).expect("a step of version 4");
    let counts = Counts {
        looked: 5,
        delivered: 1,
        filtered: 3,
        withheld: 2,
        superseded: 1,
        extra: 1,
        ..Counts::default()
    };
    let wanted = Step { cursor: Position::embedded(9).item(0), counts, ..Step::default() };
    assert_eq!(record.entry, Entry::Step(wanted));
}
