use selfsame_event::Position;

use super::*;
use crate::outcome::{Failure, Outcome};

const ID: ConnectionId = ConnectionId([0xa7; 16]);
const LIVE: Whose = Whose { connection: ID, replay: 0 };
const START: i64 = 1_800_000_000_000_000;

fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

fn time(second: u64) -> Time {
    Time::from_micros(START + i64::try_from(second).expect("small") * 1_000_000)
}

/// Every seventh attempt fails; profiles come in turns of three.
fn row(offset: u64) -> Kept {
    let outcome = match offset % 7 {
        6 => Outcome::Failed { failure: Failure::Refused, status: Some(400), retry_after: None },
        _ => Outcome::Delivered { status: 200 },
    };
    let note = if offset % 7 == 6 { format!("no {offset}") } else { String::new() };
    let (started, action) = (time(offset), None);
    let attempt =
        Attempt { at: at(offset), number: 1, started, took_ms: 40, outcome, note, action };
    let mark = u8::try_from(offset % 3).expect("small");
    Kept { attempt, profile: Some(ProfileMark([mark; 8])) }
}

fn fill(log: &AttemptLog, offsets: std::ops::Range<u64>) {
    for step in offsets.step_by(10) {
        let rows: Vec<_> = (step..step + 10).map(row).collect();
        log.append(LIVE, step, &rows).expect("it is kept");
    }
}

/// The offsets of all that is found, page by page, newest first.
fn found(log: &AttemptLog, query: &AttemptQuery) -> Vec<u64> {
    let (mut all, mut query) = (Vec::new(), query.clone());
    loop {
        let page = log.search(ID, &query).expect("it is read");
        assert!(page.rows.len() <= query.limit);
        all.extend(page.rows.iter().map(|row| row.attempt.at.record.offset));
        let Some(next) = page.next else { return all };
        assert!(query.before.is_none_or(|before| next < before), "it moves");
        query.before = Some(next);
    }
}

fn any() -> AttemptQuery {
    AttemptQuery { limit: 13, ..AttemptQuery::default() }
}

/// A log of small files: a step has about 250 bytes.
fn small(folder: &std::path::Path, bytes: u64) -> AttemptLog {
    let limits = AttemptLimits { bytes, ..AttemptLimits::default() };
    AttemptLog::open(folder.join("attempts"), limits).expect("a folder")
}

#[test]
fn attempts_are_found_by_what_they_are_newest_first_page_by_page() {
    let folder = tempfile::tempdir().expect("a folder");
    for log in [
        small(folder.path(), 80_000),
        AttemptLog::in_memory(AttemptLimits { bytes: 80_000, ..AttemptLimits::default() }),
    ] {
        fill(&log, 0..1_000);
        let check = |query: AttemptQuery, wanted: &dyn Fn(u64) -> bool| {
            let wanted: Vec<u64> = (0..1_000).rev().filter(|offset| wanted(*offset)).collect();
            assert_eq!(found(&log, &query), wanted, "{query:?}");
        };
        check(any(), &|_| true);
        check(AttemptQuery { at: vec![at(7), at(700)], ..any() }, &|one| one == 7 || one == 700);
        let marks = Some(vec![ProfileMark([2; 8]), ProfileMark([9; 8])]);
        check(AttemptQuery { profiles: marks, ..any() }, &|one| one % 3 == 2);
        let failed = AttemptQuery { wanted: Some(Wanted::Failed), ..any() };
        check(failed.clone(), &|one| one % 7 == 6);
        check(AttemptQuery { since: Some(time(900)), ..failed }, &|one| one % 7 == 6 && one >= 900);
        check(AttemptQuery { replay: Some(1), ..any() }, &|_| false);
        check(AttemptQuery { replay: Some(0), ..any() }, &|_| true);
        let one = log.at(at(6)).expect("it is read");
        assert_eq!((one.len(), one[0].0, one[0].1.attempt.note.as_str()), (1, ID, "no 6"));
        assert!(found(&log, &any()).len() > 100, "over many files");
    }
}

#[test]
fn the_oldest_go_at_the_size_and_what_is_left_says_how_far_it_reaches() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = small(folder.path(), 20_000);
    fill(&log, 0..5_000);
    let bytes: u64 = std::fs::read_dir(folder.path().join("attempts").join(ID.to_string()))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").metadata().expect("its length").len())
        .sum();
    assert!((12_000..23_000).contains(&bytes), "{bytes}");
    let page = log.search(ID, &any()).expect("it is read");
    let all = found(&log, &any());
    let oldest = *all.last().expect("some are left");
    assert_eq!((page.is_cut, page.reaches_back_to), (true, Some(time(oldest))));
    assert_eq!(all, (oldest..5_000).rev().collect::<Vec<_>>(), "without a gap");
    let again = small(folder.path(), 20_000);
    assert_eq!(found(&again, &any()), all);
    assert_eq!(again.search(ID, &any()).expect("it is read"), page);
}

#[test]
fn what_is_too_old_goes_and_a_place_is_never_used_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = small(folder.path(), 80_000);
    fill(&log, 0..1_000);
    let age = AttemptLimits::default().age.as_secs();
    log.expire(ID, time(age)).expect("it goes");
    assert_eq!(found(&log, &any()).len(), 1_000, "none is too old");
    log.expire(ID, time(age + 600)).expect("it goes");
    let left = found(&log, &any());
    assert!((400..1_000).contains(&left.len()) && left[0] == 999, "{}", left.len());
    let before = log.search(ID, &any()).expect("it is read").next;
    log.expire(ID, time(age + 1_001)).expect("it goes");
    assert!(found(&log, &any()).is_empty());
    fill(&log, 1_000..1_020);
    let on = AttemptQuery { before, ..any() };
    assert_eq!(
        found(&log, &on),
        Vec::<u64>::new(),
        "a search of before does not find what came since"
    );
    assert_eq!(found(&log, &any()).len(), 20);
}

#[test]
fn a_torn_end_is_cut_off_and_what_is_missing_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = small(folder.path(), 1 << 20);
    fill(&log, 0..30);
    let file = folder.path().join("attempts").join(ID.to_string()).join("00000001.open");
    let whole = std::fs::read(&file).expect("the file");
    for cut in 0..whole.len() {
        std::fs::write(&file, &whole[..cut]).expect("it is written");
        let log = small(folder.path(), 1 << 20);
        let steps: Vec<u64> = [0, 10, 20].into_iter().filter(|step| log.has(ID, *step)).collect();
        let left = found(&log, &any());
        assert_eq!(left.len(), steps.len() * 10, "cut at {cut}");
        for step in [0, 10, 20].into_iter().filter(|step| !log.has(ID, *step)) {
            fill(&log, step..step + 10);
        }
        assert_eq!(found(&log, &any()).len(), 30, "cut at {cut}");
    }
    for flipped in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[flipped] ^= 0x10;
        std::fs::write(&file, &bytes).expect("it is written");
        let log = small(folder.path(), 1 << 20);
        assert!(found(&log, &any()).len() < 30, "flipped at {flipped}");
    }
}

#[test]
fn a_delivered_attempt_takes_few_bytes_and_a_connection_that_is_gone_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = small(folder.path(), 1 << 30);
    let rows: Vec<_> = (0..700).filter(|one| one % 7 != 6).map(row).collect();
    log.append(LIVE, 1, &rows).expect("it is kept");
    let own = folder.path().join("attempts").join(ID.to_string());
    let bytes = std::fs::metadata(own.join("00000001.open")).expect("the file").len();
    assert_eq!(bytes / rows.len() as u64, 22, "{bytes} bytes");
    log.retain(&BTreeSet::from([ID])).expect("nothing goes");
    assert!(own.exists());
    log.retain(&BTreeSet::new()).expect("it goes");
    assert!(!own.exists() && found(&log, &any()).is_empty());
}
