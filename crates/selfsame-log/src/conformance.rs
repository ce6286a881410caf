//! What every log must do. Each implementation runs all of it, by [`log_conformance!`].
//!
//! A function gets an empty log. These are tests: they panic when the log is wrong.
//!
//! [`log_conformance!`]: crate::log_conformance

use std::time::Duration;

use bytes::Bytes;
use selfsame_event::{Class, Position, RecordId};

use crate::{Appended, Item, Log, NewRecord, ReadError, Record};

/// How long a test waits for what must happen.
const LONG: Duration = Duration::from_secs(20);

/// A record that can be told from all others by its number.
pub fn numbered(number: u64) -> NewRecord {
    let mut id = RecordId::default();
    id.0[..8].copy_from_slice(&number.to_le_bytes());
    let [kind, ..] = number.to_le_bytes();
    let items = (0..number % 4).map(|index| {
        let length = number.wrapping_mul(31).wrapping_add(index * 7) % 90;
        Item::Body(format!("{number}.{index}:").bytes().chain((0..length).map(|_| b'x')).collect())
    });
    NewRecord { id, kind, head: Bytes::from(format!("head {number}")), items: items.collect() }
}

/// Asserts that a record is what was appended with this number, items erased or not.
pub fn assert_numbered(record: &Record, number: u64) {
    let expected = numbered(number);
    assert_eq!(record.id, expected.id, "id of {}", record.position);
    assert_eq!(record.kind, expected.kind);
    assert_eq!(record.head, expected.head);
    assert_eq!(record.items.len(), expected.items.len());
    for (item, expected) in record.items.iter().zip(&expected.items) {
        assert!(item == expected || *item == Item::Erased, "item of {}", record.position);
    }
}

fn fill(log: &dyn Log, count: u64) -> Vec<Appended> {
    let start = log.end();
    let appends: Vec<_> = (0..count).map(|number| log.append(numbered(number))).collect();
    let appended: Vec<_> =
        appends.into_iter().map(|append| append.wait().expect("append")).collect();
    for (appended, offset) in appended.iter().zip(start.offset..) {
        assert_eq!(appended.position, Position { offset, ..start });
    }
    appended
}

/// Offsets start at 0, have no gaps, and read back in order with what was appended.
pub fn offsets_have_no_gaps(log: &dyn Log) {
    assert_eq!((log.first().offset, log.end().offset), (0, 0));
    let appended = fill(log, 100);
    assert_eq!((log.first().offset, log.end().offset), (0, 100));
    let records = log.read(log.first(), usize::MAX).expect("read");
    assert_eq!(records.len(), 100);
    for ((record, appended), number) in records.iter().zip(&appended).zip(0..) {
        assert_eq!(record.position, appended.position);
        assert_eq!(record.time, appended.time);
        assert!(record.items.iter().all(|item| item.body().is_some()));
        assert_numbered(record, number);
    }
    assert!(records.is_sorted_by_key(|record| record.time), "log time never goes back");
}

/// A read begins where it is asked to and stops at the limit, with whole records, at least one.
pub fn reads_are_bounded(log: &dyn Log) {
    fill(log, 60);
    let at = |offset| Position { offset, ..log.first() };
    for from in 0..60 {
        let one = log.read(at(from), 0).expect("read");
        assert_eq!(one.len(), 1, "the smallest answer is one record");
        assert_numbered(&one[0], from);
        let some = log.read(at(from), 500).expect("read");
        let size: usize = some.iter().map(Record::size).sum();
        assert!(size <= 500 || some.len() == 1, "{size} bytes");
        let next = from + some.len() as u64;
        if next < 60 {
            let next = log.get(at(next)).expect("get");
            assert!(size + next.size() > 500, "another would have fitted");
        }
        assert_eq!(log.get(at(from)).expect("get"), one[0]);
    }
}

/// Reading at the end gives nothing; behind it, or in another partition, is an error.
pub fn places_that_are_not_there(log: &dyn Log) {
    fill(log, 3);
    let end = log.end();
    assert_eq!(log.read(end, 100).expect("read"), []);
    assert!(matches!(log.get(end), Err(ReadError::Beyond { .. })));
    assert!(matches!(log.read(end.next(), 100), Err(ReadError::Beyond { .. })));
    let elsewhere = Position { partition: 7_000, offset: 0 };
    let error = log.read(elsewhere, 100).expect_err("there is no such partition");
    assert_eq!(error.class(), Class::Missing);
    assert!(log.get(elsewhere).is_err());
}

/// A follower wakes when there is something to read, and only then.
pub fn followers_wake(log: &dyn Log) {
    let end = log.end();
    assert!(!log.wait_beyond(end, Duration::ZERO));
    let watch = log.subscribe();
    std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            let mut seen = Vec::new();
            let mut next = end;
            while seen.len() < 40 {
                assert!(log.wait_beyond(next, LONG), "nothing came");
                for record in log.read(next, 300).expect("read") {
                    assert_eq!(record.position, next);
                    next = next.next();
                    seen.push(record);
                }
            }
            seen
        });
        for number in 0..40 {
            log.append_wait(numbered(number)).expect("append");
        }
        let seen = follower.join().expect("follower");
        for (record, number) in seen.iter().zip(0..) {
            assert_numbered(record, number);
        }
    });
    assert!(watch.has_changed().expect("the log is there"));
    assert_eq!(*watch.borrow(), end.offset + 40);
}

/// Appends of several threads are each acknowledged once, with positions of their own.
pub fn appends_from_many_threads(log: &dyn Log) {
    const EACH: u64 = 50;
    let mut positions = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                scope.spawn(move || {
                    let numbers = thread * EACH..(thread + 1) * EACH;
                    numbers
                        .map(|n| (log.append_wait(numbered(n)).expect("append").position.offset, n))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("appender")).collect::<Vec<_>>()
    });
    positions.sort_unstable();
    assert!(positions.iter().map(|(offset, _)| *offset).eq(0..4 * EACH));
    let records = log.read(log.first(), usize::MAX).expect("read");
    for (record, (_, number)) in records.iter().zip(&positions) {
        assert_numbered(record, *number);
    }
    for thread in 0..4 {
        let own = positions.iter().map(|(_, n)| *n).filter(|n| n / EACH == thread);
        assert!(own.is_sorted(), "the order of one thread is kept");
    }
}

/// Odd records come back as they were: nothing in them, empty items, erased items, all bytes.
pub fn odd_records(log: &dyn Log) {
    let all_bytes: Bytes = (0..=255_u8).cycle().take(10_000).collect();
    let odd = [
        NewRecord { id: RecordId([0; 16]), kind: 0, head: Bytes::new(), items: vec![] },
        NewRecord {
            id: RecordId([255; 16]),
            kind: 255,
            head: all_bytes.clone(),
            items: vec![Item::Erased, Item::Body(Bytes::new()), Item::Body(all_bytes)],
        },
    ];
    for record in &odd {
        let appended = log.append_wait(record.clone()).expect("append");
        let read = log.get(appended.position).expect("get");
        assert_eq!((read.id, read.kind, &read.head), (record.id, record.kind, &record.head));
        assert_eq!(&*read.items, &*record.items);
        assert_eq!(read.size(), record.size());
    }
}

/// Tests that a log passes the whole suite. The expression makes an empty log, and may make what
/// must outlive it: `log_conformance!(memory, MemoryLog::new(clock()));`
#[macro_export]
macro_rules! log_conformance {
    ($name:ident, $make:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the expression may need what its module has")]
            use super::*;

            $crate::log_conformance!(@tests $make =>
                offsets_have_no_gaps, reads_are_bounded, places_that_are_not_there, followers_wake,
                appends_from_many_threads, odd_records);
        }
    };
    (@tests $make:expr => $($test:ident),*) => {
        $(
            #[test]
            fn $test() {
                let log = $make;
                $crate::conformance::$test(&log);
            }
        )*
    };
}
