//! A log whose files someone else may have written: it is refused or it is read, and what is read
//! is what blocks with right checksums hold.
//!
//! The fuzz target `segment` and the test below run the same [`check`]. An input is a byte of
//! flags and either the bytes of a segment or changes to one that a log made:
//!
//! ```text
//! flags  1, 2 where the segment is: alone, first, in the middle, last
//!        4    changes, not bytes      8   put all checksums right afterwards
//!        16   a sealed segment        32  offsets near the largest
//!        64   a regenerable log       128 append, seal and erase afterwards
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use selfsame_event::{Class, Clock, ItemPosition, Position, RecordId, Time};
use selfsame_log::fault::FaultFs;
use selfsame_log::{
    Item, Log, LogConfig, LogRead, NewRecord, OpenError, ReadError, Record, RegenerableLog,
    SegmentLog,
};

#[path = "hostile/edit.rs"]
mod edit;
#[path = "hostile/layout.rs"]
pub(crate) mod layout;

use edit::Taker;

const FOLDER: &str = "/log";
/// How many records each segment made by [`made`] has.
const COUNT: u64 = 8;
/// Longer inputs say nothing new and are slow.
const LONGEST: usize = 16 << 10;
/// No log comes to this offset.
const LIMIT: u64 = 1 << 62;
/// So that three segments end there.
const FAR: u64 = LIMIT - 3 * COUNT;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn wall(&self) -> Time {
        Time::from_micros(1_790_000_000_000_000)
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

/// A segment of a log: as it is appended to, and sealed in several blocks.
static MADE: LazyLock<[Made; 2]> = LazyLock::new(|| [made(false), made(true)]);

struct Made {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

/// A log with so many records in one segment.
fn written(random: u8, count: u64, sealed: bool) -> (FaultFs, SegmentLog) {
    let fs = FaultFs::default();
    let large = LogConfig { segment_bytes: 1 << 20, random: [random; 16], ..small() };
    let log = SegmentLog::open(&large, Arc::new(Still), Arc::new(fs.clone())).expect("open");
    for number in 0..count {
        let long = if sealed && number % 3 == 1 { 33_000 } else { 5 };
        log.append_wait(record(number, long)).expect("append");
    }
    (fs, log)
}

fn made(sealed: bool) -> Made {
    let (fs, log) = written(7, COUNT, sealed);
    if sealed {
        log.erase(&[Position::embedded(3).item(1)]).expect("erase");
        log.seal().expect("seal");
    }
    let mut bytes = fs.bytes(&path(0)).expect("the first segment");
    if !sealed {
        // In a file that held the very blocks that would follow, with another salt.
        let end = bytes.iter().rposition(|byte| *byte != 0).expect("blocks") + 1;
        let (old, _log) = written(9, 2 * COUNT, false);
        let old = old.bytes(&path(0)).expect("the first segment");
        let last = old.iter().rposition(|byte| *byte != 0).expect("blocks") + 64;
        bytes.splice(end.., old[end..last].iter().copied());
        bytes[11] = 1;
        layout::mend(&mut bytes, 0);
    }
    assert_eq!(layout::is_sealed(&bytes), sealed);
    let records: Vec<_> = layout::records(&bytes).into_values().flatten().collect();
    assert!(records == content(&log, usize::MAX).records, "both readers agree");
    Made { bytes, records }
}

fn record(number: u64, long: usize) -> NewRecord {
    let id = RecordId([number.to_le_bytes()[0]; 16]);
    let items = vec![Item::Body(vec![b'a'; long].into()), Item::Body(Bytes::from_static(b"two"))];
    NewRecord { id, kind: 1, head: Bytes::from_static(b"head"), items }
}

fn path(first: u64) -> std::path::PathBuf {
    Path::new(FOLDER).join(format!("{first:020}.seg"))
}

enum Opened {
    Durable(SegmentLog),
    Regenerable(RegenerableLog),
}

impl Opened {
    fn read(&self) -> &dyn LogRead {
        match self {
            Self::Durable(log) => log,
            Self::Regenerable(log) => log,
        }
    }

    fn torn_bytes(&self) -> u64 {
        match self {
            Self::Durable(log) => log.recovery().torn_bytes,
            Self::Regenerable(log) => log.recovery().torn_bytes,
        }
    }
}

fn small() -> LogConfig {
    let config = LogConfig::new(FOLDER, [7; 16]);
    LogConfig { segment_bytes: 1_000, tail_bytes: 100, cache_bytes: 1 << 20, ..config }
}

fn open(fs: &FaultFs, regenerable: bool, floor: u64) -> Result<Opened, OpenError> {
    let (config, clock, fs) = (small(), Arc::new(Still), Arc::new(fs.clone()));
    if regenerable {
        RegenerableLog::open(&config, clock, fs, floor).map(Opened::Regenerable)
    } else {
        SegmentLog::open(&config, clock, fs).map(Opened::Durable)
    }
}

/// What can be read, and the error that ended it.
#[derive(Debug, PartialEq)]
struct Content {
    first: u64,
    end: u64,
    records: Vec<Record>,
    broken: bool,
}

fn content(log: &dyn LogRead, step: usize) -> Content {
    let (first, end) = (log.first(), log.end());
    let (mut next, mut records, mut broken) = (first, Vec::new(), false);
    while next < end && !broken {
        match log.read(next, step) {
            Ok(read) => {
                assert!(!read.is_empty(), "there is a record at {next}");
                next.offset += read.len() as u64;
                records.extend(read);
            }
            Err(error) => {
                assert!(matches!(error, ReadError::Corrupt(_)), "{error:?}");
                broken = true;
            }
        }
    }
    assert!(next <= end, "{next} is behind {end}");
    for (record, offset) in records.iter().zip(first.offset..) {
        assert_eq!(record.position.offset, offset);
    }
    if let Some(last) = records.last() {
        assert_eq!(log.get(last.position).as_ref().ok(), Some(last));
    }
    Content { first: first.offset, end: end.offset, records, broken }
}

/// Runs one input. Panics if the log does what it must not.
pub(crate) fn check(input: &[u8]) {
    let mut input = Taker(input.get(..input.len().min(LONGEST)).unwrap_or_default());
    let Some(flags) = input.byte() else { return };
    let is = |flag: u8| flags & flag != 0;
    let base = if is(32) { FAR } else { 0 };
    let [before, after] = [[0, 0], [0, 2], [1, 1], [2, 0]][usize::from(flags & 3)];
    let mut first = base + before * COUNT;
    let mut bytes = MADE[usize::from(is(16))].bytes.clone();
    if is(4) {
        layout::mend(&mut bytes, first);
        edit::apply(&mut bytes, &mut input);
    } else {
        bytes = input.0.to_vec();
    }
    if is(8) {
        layout::mend(&mut bytes, first);
    } else if before + after == 0 {
        first = layout::u64_at(&bytes, 16).unwrap_or(first);
    }
    let fs = FaultFs::default();
    let mut right = layout::records(&bytes);
    for number in (0..=before + after).filter(|number| *number != before) {
        let other = &MADE[usize::from(number != before + after)];
        let (first, mut bytes) = (base + number * COUNT, other.bytes.clone());
        layout::mend(&mut bytes, first);
        fs.put(&path(first), bytes);
        for (record, offset) in other.records.iter().zip(first..) {
            let record = Record { position: Position::embedded(offset), ..record.clone() };
            right.entry(offset).or_default().push(record);
        }
    }
    fs.put(&path(first), bytes);
    let start = first.min(first.wrapping_sub(before * COUNT));
    fs.put(&Path::new(FOLDER).join("manifest"), layout::manifest(start));
    let floor = start.saturating_add(if is(64) { u64::from(flags >> 4) } else { 0 });
    run(&fs, is(64), floor, is(128), &right);
}

fn run(
    fs: &FaultFs,
    regenerable: bool,
    floor: u64,
    change: bool,
    right: &BTreeMap<u64, Vec<Record>>,
) {
    let log = match open(fs, regenerable, floor) {
        Ok(log) => log,
        Err(error) => {
            let again = open(fs, regenerable, floor).err().expect("refused once, refused again");
            assert_eq!(error.to_string(), again.to_string());
            let known = matches!(error.class(), Class::Corrupt | Class::Conflict | Class::Invalid);
            return assert!(known, "{error:?}");
        }
    };
    let read = content(log.read(), 300);
    for record in &read.records {
        let known = right.get(&record.position.offset).is_some_and(|all| all.contains(record));
        assert!(known, "made up: {record:?}");
    }
    // As after a crash, at once or once what can be sealed is sealed; or closed.
    let image = fs.image(0);
    let again = open(&image, regenerable, floor).expect("opened once, opened again");
    assert_eq!(again.torn_bytes(), 0, "what was cut off is gone");
    assert_eq!(content(again.read(), 300), read);
    // All at once: damage takes the whole answer with it.
    if !read.broken {
        assert_eq!(content(again.read(), usize::MAX), read);
    }
    drop(again);
    let read = if change && read.end < LIMIT { changed(&log, read) } else { read };
    drop(log);
    let again = open(fs, regenerable, floor).expect("opened and closed, opened again");
    assert_eq!(again.torn_bytes(), 0);
    assert_eq!(content(again.read(), 300), read);
}

/// Appends, seals and erases; what is expected to be read then.
fn changed(log: &Opened, mut read: Content) -> Content {
    let item = |offset| ItemPosition { record: Position::embedded(offset), index: 0 };
    let (appended, erased) = match log {
        Opened::Durable(log) => {
            let appended = log.append_wait(record(1, 900)).map(|appended| appended.position);
            // Damage is in the way of sealing and erasing, but not of what comes after.
            log.seal().ok();
            (appended, log.erase(&[item(read.first)]))
        }
        Opened::Regenerable(log) => {
            let appended = log.append_batch(vec![(Still.wall(), record(1, 900))]);
            log.seal().ok();
            log.sync().expect("sync");
            (appended, log.erase(&[item(read.first)]))
        }
    };
    if let Ok(position) = appended {
        assert_eq!(position.offset, read.end);
        read.end += 1;
        if !read.broken {
            read.records.push(log.read().get(position).expect("it was appended"));
        }
    }
    if erased.is_ok()
        && let Some(record) = read.records.first_mut()
    {
        *record = record.without(&[0]);
    }
    assert_eq!(content(log.read(), 300), read);
    read
}
