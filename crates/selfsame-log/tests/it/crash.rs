//! Power cuts: at every sync, before and after, many images of what may be left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use selfsame_event::{ItemPosition, Position, Time};
use selfsame_log::conformance::{assert_numbered, numbered};
use selfsame_log::fault::{FaultFs, Snapshot};
use selfsame_log::{Item, Log, LogRead, Record};

use crate::{all, contains, open, open_regenerable, segments};

const IMAGES: usize = 20_000;

/// What was promised, as it goes.
#[derive(Default)]
struct Promises {
    acknowledged: Arc<AtomicU64>,
    erasing: Arc<AtomicU64>,
    erased: Arc<AtomicU64>,
    trimming: Arc<AtomicU64>,
}

/// Appends, erases, trims and reopens; all of it recorded. Returns what was erased, in order.
fn live(fs: &FaultFs, promises: &Promises) -> Vec<ItemPosition> {
    let mut erasures = Vec::new();
    let mut log = open(fs).expect("open");
    for round in 0..170_u64 {
        let first = log.end().offset;
        let appends: Vec<_> =
            (first..=first + round % 4).map(|number| log.append(numbered(number))).collect();
        for append in appends {
            let appended = append.wait().expect("append");
            promises.acknowledged.store(appended.position.offset + 1, Ordering::SeqCst);
        }
        if round % 3 == 2 {
            // So that segments begin in the files of sealed ones.
            log.seal().expect("seal");
        }
        let end = log.end().offset;
        if round % 16 == 9 {
            // A record with three items, old or new.
            let offset = ((end - 4).max(log.first().offset) - (round % 3) * 4) / 4 * 4 + 3;
            let item = Position::embedded(offset.min(end - 1)).item(1);
            erasures.push(item);
            promises.erasing.store(erasures.len() as u64, Ordering::SeqCst);
            log.erase(&[item]).expect("erase");
            promises.erased.store(erasures.len() as u64, Ordering::SeqCst);
        }
        if round % 40 == 39 {
            promises.trimming.store(end - 60, Ordering::SeqCst);
            log.trim_to(Position::embedded(end - 60)).expect("trim");
        }
        if round % 50 == 49 {
            drop(log);
            log = open(fs).expect("open again");
        }
    }
    erasures
}

fn check_record(record: &Record, started: &[ItemPosition], done: &[ItemPosition]) {
    assert_numbered(record, record.position.offset);
    for (item, index) in record.items.iter().zip(0..) {
        let position = record.position.item(index);
        let is_erased = *item == Item::Erased;
        assert!(!is_erased || started.contains(&position), "{position} was never erased");
        assert!(is_erased || !done.contains(&position), "{position} is back");
    }
}

/// Counts the images in which a segment lies in a file that was used before.
fn count_reused(fs: &FaultFs, count: &AtomicU64) {
    let is_reused = |path| fs.bytes(path).is_some_and(|bytes| bytes.get(11) == Some(&1));
    if segments(fs).iter().any(|path| is_reused(path)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn check_image(fs: &FaultFs, promised: &[u64], seed: u64, erasures: &[ItemPosition]) {
    let [acknowledged, erasing, erased, trimming] = promised[..] else { panic!("four") };
    let log = open(fs).expect("a crash never makes a log that is refused");
    let records = all(&log);
    let (first, end) = (log.first().offset, log.end().offset);
    assert!(first <= trimming, "more was trimmed than was asked for");
    assert!(end >= acknowledged, "{acknowledged} were acknowledged, {end} are there");
    assert!(records.iter().map(|record| record.position.offset).eq(first..end), "no holes");
    assert!(records.is_sorted_by_key(|record| record.time));
    let erasing = usize::try_from(erasing).expect("small");
    let erased = usize::try_from(erased).expect("small");
    for record in &records {
        check_record(record, &erasures[..erasing], &erasures[..erased]);
    }
    if seed.is_multiple_of(16) {
        for item in &erasures[..erased] {
            let body = format!("{}.{}:", item.record.offset, item.index);
            assert!(!contains(fs, &body), "{item} is still in a file");
        }
        // It goes on from there, and what it then acknowledges survives the next crash.
        assert_eq!(log.append_wait(numbered(end)).expect("append").position.offset, end);
        let log = open(&fs.image(seed % 3)).expect("open after the second crash");
        assert_eq!(all(&log)[..records.len()], records);
        assert_numbered(&log.get(Position::embedded(end)).expect("get"), end);
    }
}

/// Runs a check on so many images, evenly spread over the snapshots, on two threads.
fn each_image(snapshots: &[Snapshot], check: impl Fn(&Snapshot, u64) + Sync) -> usize {
    let uncertain = snapshots.iter().filter(|snapshot| snapshot.is_uncertain()).count();
    let each = IMAGES.div_ceil(uncertain) as u64;
    let checked = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (check, checked) = (&check, &checked);
            scope.spawn(move || {
                for (index, snapshot) in snapshots.iter().enumerate().skip(half).step_by(2) {
                    let seeds = if snapshot.is_uncertain() { each } else { 1 };
                    for seed in 0..seeds {
                        // Seeds differ between snapshots, but 0 and 1 mean something.
                        let seed = if seed < 2 { seed } else { seed + index as u64 * 1_000 };
                        let run = || check(snapshot, seed);
                        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
                        assert!(run.is_ok(), "in snapshot {index}, seed {seed}");
                        checked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    usize::try_from(checked.into_inner()).expect("small")
}

#[test]
fn a_durable_log_survives_power_cuts() {
    let fs = FaultFs::default();
    let promises = Promises::default();
    let Promises { acknowledged, erasing, erased, trimming } = &promises;
    fs.record([acknowledged, erasing, erased, trimming].map(Arc::clone).to_vec());
    let erasures = live(&fs, &promises);
    let snapshots = fs.take_snapshots();
    assert!(acknowledged.load(Ordering::SeqCst) > 400 && trimming.load(Ordering::SeqCst) > 100);
    let reused = AtomicU64::new(0);
    let checked = each_image(&snapshots, |snapshot, seed| {
        let fs = snapshot.image(seed);
        count_reused(&fs, &reused);
        check_image(&fs, &snapshot.promised, seed, &erasures);
    });
    assert!(checked >= IMAGES, "{checked} images of {} snapshots", snapshots.len());
    let reused = reused.into_inner();
    assert!(reused > 4_000, "{reused} images have a segment in a file that was used before");
}

fn time(number: u64) -> Time {
    Time::from_micros(i64::try_from(number * 1_000).expect("small"))
}

/// Appends without a sync, syncs now and then, cuts and writes again, trims and reopens.
fn live_regenerable(fs: &FaultFs, floor: &AtomicU64, trimming: &AtomicU64) {
    let mut log = open_regenerable(fs, 0).expect("open");
    for round in 0..240_u64 {
        let first = log.end().offset;
        let batch = (first..=first + round % 4).map(|number| (time(number), numbered(number)));
        log.append_batch(batch.collect()).expect("append");
        if round % 5 == 4 {
            let synced = log.sync().expect("sync");
            floor.store(synced.offset, Ordering::SeqCst);
        }
        if round % 3 == 1 {
            log.seal().expect("seal");
        }
        if round % 22 == 21 {
            let to = log.end().offset - (round % 20);
            let lower = floor.load(Ordering::SeqCst).min(to);
            floor.store(lower, Ordering::SeqCst);
            log.truncate_to(to).expect("truncate");
            assert_eq!(log.end().offset, to);
        }
        if round % 60 == 59 {
            trimming.store(log.end().offset - 60, Ordering::SeqCst);
            log.trim_to(Position::embedded(log.end().offset - 60)).expect("trim");
        }
        if round % 70 == 69 {
            drop(log);
            log = open_regenerable(fs, floor.load(Ordering::SeqCst)).expect("open again");
        }
    }
}

#[test]
fn a_regenerable_log_keeps_what_was_synced() {
    let fs = FaultFs::default();
    let floor = Arc::new(AtomicU64::new(0));
    let trimming = Arc::new(AtomicU64::new(0));
    fs.record(vec![Arc::clone(&floor), Arc::clone(&trimming)]);
    live_regenerable(&fs, &floor, &trimming);
    let snapshots = fs.take_snapshots();
    let check = |records: &[Record]| {
        for record in records {
            let number = record.position.offset;
            assert_eq!(record.time, time(number));
            check_record(record, &[], &[]);
        }
    };
    let reused = AtomicU64::new(0);
    let checked = each_image(&snapshots, |snapshot, seed| {
        let [floor, trimming] = snapshot.promised[..] else { panic!("two") };
        let fs = snapshot.image(seed);
        count_reused(&fs, &reused);
        let log = open_regenerable(&fs, floor).expect("a crash never makes a log that is refused");
        let (first, end) = (log.first().offset, log.end().offset);
        let records = all(&log);
        assert!(first <= trimming && end >= floor, "{first} {end} {floor}");
        assert!(records.iter().map(|record| record.position.offset).eq(first..end), "no holes");
        check(&records);
        if seed.is_multiple_of(16) {
            log.append_batch(vec![(time(end), numbered(end))]).expect("append");
            log.sync().expect("sync");
            let log = open_regenerable(&fs.image(seed % 3), end + 1).expect("open again");
            check(&all(&log));
            assert_eq!(log.end().offset, end + 1);
        }
    });
    assert!(checked >= IMAGES, "{checked} images of {} snapshots", snapshots.len());
    let reused = reused.into_inner();
    assert!(reused > 4_000, "{reused} images have a segment in a file that was used before");
}
