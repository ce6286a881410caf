use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use selfsame_event::{Clock, Time};

use super::{Audit, DAY, Entry, Wanted};
use crate::folder::Folder;

/// A clock that stands where it is put.
#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn wall(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

fn entry(who: &str, operation: &str) -> Entry {
    Entry {
        who: who.to_owned(),
        operation: operation.to_owned(),
        target: "/api/x".to_owned(),
        address: Some("127.0.0.1".to_owned()),
        status: 200,
        code: None,
    }
}

#[tokio::test]
async fn entries_are_found_newest_first_page_by_page_and_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Folder::open_or_create(&folder.path().join("data")).expect("a data folder");
    let set = Arc::new(SetClock::default());
    let clock: Arc<dyn Clock> = Arc::<SetClock>::clone(&set);
    let audit = Audit::open(&folder, &clock).expect("a log");
    for number in 0..7 {
        set.0.store(DAY * number, Ordering::Relaxed);
        let who = if number % 2 == 0 { "mem_1" } else { "token:first" };
        audit.write(&entry(who, &format!("op_{number}"))).await.expect("written");
    }
    drop(audit);
    let audit = Audit::open(&folder, &clock).expect("a log");
    let find = |wanted: Wanted| {
        let found = audit.find(&wanted).expect("read");
        let names: Vec<_> = found.entries.into_iter().map(|(_, entry)| entry.operation).collect();
        (names, found.next)
    };
    let (page, next) = find(Wanted { limit: 3, ..Wanted::default() });
    assert_eq!(page, ["op_6", "op_5", "op_4"]);
    let (page, next) = find(Wanted { limit: 3, before: next, ..Wanted::default() });
    assert_eq!(page, ["op_3", "op_2", "op_1"]);
    let (page, next) = find(Wanted { limit: 3, before: next, ..Wanted::default() });
    assert_eq!((page, next), (vec!["op_0".to_owned()], None));
    let token = Some("token:first".to_owned());
    let (page, _) = find(Wanted { limit: 9, who: token, ..Wanted::default() });
    assert_eq!(page, ["op_5", "op_3", "op_1"]);
    let operation = Some("op_2".to_owned());
    let (page, _) = find(Wanted { limit: 9, operation, ..Wanted::default() });
    assert_eq!(page, ["op_2"]);
    let since = Some(Time::from_micros(DAY * 5));
    let (page, next) = find(Wanted { limit: 9, since, ..Wanted::default() });
    assert_eq!((page, next), (vec!["op_6".to_owned(), "op_5".to_owned()], None));
}

#[tokio::test]
async fn what_is_too_old_goes_in_whole_files_and_the_rest_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Folder::open_or_create(&folder.path().join("data")).expect("a data folder");
    let set = Arc::new(SetClock::default());
    let clock: Arc<dyn Clock> = Arc::<SetClock>::clone(&set);
    let audit = Audit::open(&folder, &clock).expect("a log");
    let mut long = entry("mem_1", "op");
    long.target = "x".repeat(8 << 10);
    for number in 0..300 {
        set.0.store(DAY * number, Ordering::Relaxed);
        audit.write(&long).await.expect("written");
    }
    let oldest = || {
        let wanted = Wanted { limit: usize::MAX, ..Wanted::default() };
        let found = audit.find(&wanted).expect("read");
        found.entries.last().map(|(time, _)| time.micros() / DAY)
    };
    audit.trim(Time::from_micros(DAY * 299), 400).expect("trimmed");
    assert_eq!(oldest(), Some(0));
    audit.trim(Time::from_micros(DAY * 299), 100).expect("trimmed");
    let first = oldest().expect("some stay");
    assert!((1..=199).contains(&first), "{first}");
}
