use std::time::Duration;

use selfsame_destinations::Reply;
use serde_json::{Map, json};

use super::*;

const NOW: i64 = 1_800_000_000_000_000;

fn at(seconds: i64) -> Time {
    Time::from_micros(NOW + seconds * 1_000_000)
}

fn kept(place: usize, bytes: usize) -> Kept {
    let headers: Map<_, _> = [("x-id".to_owned(), json!("7"))].into_iter().collect();
    Kept { place, digest: [7; 32], reply: Reply { status: 201, headers, body: "x".repeat(bytes) } }
}

fn journal() -> (Arc<Journal>, Arc<MemoryLedger>) {
    let ledger = Arc::<MemoryLedger>::default();
    (again(&ledger, at(0)), ledger)
}

fn again(ledger: &Arc<MemoryLedger>, now: Time) -> Arc<Journal> {
    Arc::new(Journal::open(Arc::<MemoryLedger>::clone(ledger), now).expect("it is read"))
}

#[tokio::test]
async fn an_exchange_goes_on_until_it_has_ended() {
    let (journal, ledger) = journal();
    let notes = journal.of("sales");
    notes.note("a", kept(0, 1), at(0)).await;
    notes.note("a", kept(2, 1), at(1)).await;
    notes.end("a", false, at(2));
    assert_eq!(notes.begin("a"), [kept(0, 1), kept(2, 1)]);
    assert!(notes.begin("b").is_empty() && journal.of("other").begin("a").is_empty());
    // The next process has it too, whether or not it ended just before.
    notes.end("a", true, at(3));
    assert_eq!(again(&ledger, at(4)).of("sales").begin("a").len(), 2);
    // What comes again behind its end is another exchange.
    assert!(notes.begin("a").is_empty());
    assert!(again(&ledger, at(5)).of("sales").begin("a").is_empty());
}

#[tokio::test]
async fn what_ended_is_forgotten_once_the_ledger_knows() {
    let (journal, ledger) = journal();
    let notes = journal.of("sales");
    notes.note("a", kept(0, 1), at(0)).await;
    notes.end("a", true, at(1));
    notes.end("b", true, at(60));
    assert_eq!(again(&ledger, at(60)).of("sales").begin("a").len(), 1);
    notes.end("b", true, at(61));
    assert!(again(&ledger, at(61)).of("sales").begin("a").is_empty());
}

#[tokio::test]
async fn nothing_is_kept_for_ever() {
    let (journal, ledger) = journal();
    journal.of("sales").note("a", kept(0, 1), at(0)).await;
    let days = |days: i64| at(days * 24 * 3_600);
    assert_eq!(again(&ledger, days(3)).of("sales").begin("a").len(), 1);
    assert!(again(&ledger, days(5)).of("sales").begin("a").is_empty());
    journal.forget("sales");
    assert!(journal.of("sales").begin("a").is_empty());
}

#[tokio::test]
async fn it_is_bounded_and_gives_up_what_ended_and_then_the_oldest() {
    let (journal, _) = journal();
    let notes = journal.of("sales");
    let large = |number: i64| format!("large {number}");
    notes.note("interrupted", kept(0, 1), at(0)).await;
    for number in 0..100 {
        notes.note(&large(number), kept(0, 64 * 1024), at(number)).await;
        notes.end(&large(number), true, at(0));
    }
    assert_eq!(notes.begin("interrupted").len(), 1);
    for number in 100..200 {
        notes.note(&large(number), kept(0, 64 * 1024), at(number)).await;
    }
    assert!(notes.begin("interrupted").is_empty() && notes.begin(&large(120)).is_empty());
    assert_eq!(notes.begin(&large(199)).len(), 1);
    notes.note("too large", kept(0, MOST_BYTES + 1), at(0)).await;
    assert!(notes.begin("too large").is_empty());
}

#[tokio::test]
async fn its_log_is_written_anew_and_says_the_same() {
    let (journal, ledger) = journal();
    let notes = journal.of("sales");
    notes.note("stays", kept(0, 1), at(0)).await;
    let day = Day { now: at(0), fixed: None, most: 1_000 };
    assert!(notes.spend(day, 1).await);
    for number in 0..3_000 {
        let key = number.to_string();
        notes.note(&key, kept(0, 10), at(number * 100)).await;
        notes.end(&key, true, at(number * 100));
    }
    assert!(ledger.records().len() < 2_500, "{}", ledger.records().len());
    let next = again(&ledger, at(1)).of("sales");
    assert_eq!(next.begin("stays").len(), 1);
    assert_eq!(next.spent(day), 101);
}

#[tokio::test]
async fn a_day_ends_with_the_vendors_midnight_or_after_24_hours() {
    let (journal, _) = journal();
    let notes = journal.of("sales");
    let rolling = |now: Time| Day { now, fixed: None, most: 3 };
    let hour = |hour: i64| at(hour * 3_600);
    assert!(notes.spend(rolling(hour(0)), 1).await && notes.spend(rolling(hour(5)), 2).await);
    assert!(!notes.spend(rolling(hour(23)), 1).await);
    let free = notes.free_at(rolling(hour(23))).expect("it is used up");
    assert!((hour(24)..=hour(25)).contains(&free), "{free}");
    assert!(!notes.spend(rolling(hour(24)), 1).await, "the quarter has its end within 24 hours");
    assert!(notes.spend(rolling(free), 1).await && !notes.spend(rolling(free), 1).await);

    let other = journal.of("other");
    let fixed = |now: Time, from: Time| {
        let until = from.plus_micros(i64::try_from(Duration::from_hours(24).as_micros()).unwrap());
        Day { now, fixed: Some((from, until)), most: 3 }
    };
    let midnight = Time::from_micros(NOW - NOW % (86_400 * 1_000_000));
    let next = midnight.plus_micros(86_400 * 1_000_000);
    assert!(other.spend(fixed(hour(0), midnight), 3).await);
    assert!(!other.spend(fixed(hour(1), midnight), 1).await);
    assert_eq!(other.free_at(fixed(hour(1), midnight)), Some(next));
    assert_eq!(other.spent(fixed(next, next)), 0);
    assert!(other.spend(fixed(next, next), 1).await);
}

#[test]
fn records_are_read_as_they_were_written_and_newer_ones_refused() {
    let key = "msg_1 \"quoted\"".to_owned();
    let of = || "sales".to_owned();
    for record in [
        Record::Begin,
        Record::Kept { of: of(), key: key.clone(), at: at(0), kept: kept(3, 5) },
        Record::Forgotten { of: of(), keys: vec![key, "b".to_owned()] },
        Record::Spent { of: of(), slot: 2_000_000, requests: 9 },
    ] {
        assert_eq!(Record::read(&record.write()), Some(record));
    }
    for bad in [r#"{"version": 2, "begin": true}"#, "{}", "", r#"{"version": 1}"#] {
        assert_eq!(Record::read(bad.as_bytes()), None, "{bad}");
    }
    let newer = vec![Bytes::from_static(br#"{"version": 2, "begin": true}"#)];
    let opened = Journal::open(Arc::new(MemoryLedger::with(newer)), at(0));
    assert!(matches!(opened, Err(JournalError::Unread(0))));
}

/// A log of the first version, as it stands in folders.
#[tokio::test]
async fn the_first_version_is_read() {
    let text = include_str!("../../../../fixtures/exchanges/v1.jsonl");
    let records = text.lines().map(|line| Bytes::from(line.to_owned())).collect();
    let journal = again(&Arc::new(MemoryLedger::with(records)), at(0));
    let notes = journal.of("sales");
    assert_eq!(notes.begin("msg_a"), [Kept { digest: [10; 32], ..kept(1, 4) }]);
    assert!(notes.begin("msg_b").is_empty());
    let day = Day { now: at(0), fixed: None, most: 1_000 };
    assert_eq!(notes.spent(day), 40);
}
