use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Durability;

impl RowKey for u64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

fn flush(table: &CachedTable<u64, [u8]>, store: &Store) {
    let keys = table.take_dirty();
    let mut batch = Batch::default();
    keys.iter().for_each(|key| table.write_back(key, &mut batch, |_| ()));
    store.commit(batch, Durability::Later).expect("commits");
    table.written(&keys);
}

/// Rows of all sizes, and of none.
fn row() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |length| prop::collection::vec(any::<u8>(), 0..length);
    prop_oneof![4 => bytes(9), 4 => bytes(90), 1 => bytes(3_000)]
}

fn append(table: &CachedTable<u64, [u8]>, key: u64, bytes: &[u8]) {
    let mut new = Vec::new();
    let changed = table.update(key, |row| {
        new.extend_from_slice(row.unwrap_or_default());
        new.extend_from_slice(bytes);
        (Some(new.as_slice()), ())
    });
    changed.expect("updates");
}

#[derive(Debug, Clone)]
enum Step {
    Put(u64, Vec<u8>),
    Append(u64, Vec<u8>),
    Release(u64),
    Flush,
    Shrink,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u64..40, row()).prop_map(|(key, row)| Step::Put(key, row)),
        (0_u64..40, row()).prop_map(|(key, row)| Step::Append(key, row)),
        (0_u64..40).prop_map(Step::Release),
        Just(Step::Flush),
        Just(Step::Shrink),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// However rows are written back and leave memory, a reader sees what was last written.
    #[test]
    fn a_small_cache_behaves_like_a_map(steps in steps(), filtered: bool) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let table = CachedTable::<u64, [u8]>::new(store.clone(), Table::Sections, 200);
        let table = if filtered { table.with_filter().expect("reads") } else { table };
        let mut model = BTreeMap::<u64, Vec<u8>>::new();
        for step in steps {
            match step {
                Step::Put(key, row) => {
                    table.put(key, &row);
                    model.insert(key, row);
                }
                Step::Append(key, row) => {
                    append(&table, key, &row);
                    model.entry(key).or_default().extend(row);
                }
                // Released rows come back at once, as when they move to another owner.
                Step::Release(key) => {
                    let row = table.release(&key).expect("releases");
                    prop_assert_eq!(row.as_ref(), model.get(&key));
                    if let Some(row) = row {
                        table.put(key, &row);
                    }
                }
                Step::Flush => flush(&table, &store),
                Step::Shrink => (0..4).for_each(|_| table.shrink()),
            }
        }
        for key in 0..40 {
            prop_assert_eq!(table.read(&key, <[u8]>::to_vec).expect("reads"), model.get(&key).cloned());
        }
        let mut scanned = BTreeMap::new();
        table.scan(&[], |key, row| {
            scanned.insert(u64::from_bytes(key).expect("a key"), row.to_vec());
            true
        }).expect("scans");
        prop_assert_eq!(&scanned, &model);
        flush(&table, &store);
        drop(table);
        let again = CachedTable::<u64, [u8]>::new(store, Table::Sections, 200);
        let again = if filtered { again.with_filter().expect("reads") } else { again };
        for (key, row) in model {
            let expected = Some(row);
            prop_assert_eq!(again.get(&key).expect("gets"), expected);
        }
    }
}

#[derive(Debug, Clone)]
enum Exact {
    Put(u64, Vec<u8>),
    Append(u64, Vec<u8>),
    Remove(u64),
    Scan(u64),
    Freeze,
    Write,
    Shrink,
}

fn exact_steps() -> impl Strategy<Value = Vec<Exact>> {
    let step = prop_oneof![
        (0_u64..12, row()).prop_map(|(key, row)| Exact::Put(key, row)),
        (0_u64..12, row()).prop_map(|(key, row)| Exact::Append(key, row)),
        (0_u64..12).prop_map(Exact::Remove),
        (0_u64..12).prop_map(Exact::Remove),
        (0_u64..12).prop_map(Exact::Scan),
        Just(Exact::Freeze),
        Just(Exact::Write),
        Just(Exact::Shrink),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What is written after a freeze is the table as it was then, whatever changed meanwhile.
    #[test]
    fn a_frozen_table_is_written_as_it_was(steps in exact_steps()) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let table = CachedTable::<u64, [u8]>::new(store.clone(), Table::Sections, 100);
        let mut model = BTreeMap::<u64, Vec<u8>>::new();
        let mut frozen = None;
        for step in steps {
            match step {
                Exact::Put(key, row) => {
                    table.put(key, &row);
                    model.insert(key, row);
                }
                Exact::Append(key, row) => {
                    append(&table, key, &row);
                    model.entry(key).or_default().extend(row);
                }
                Exact::Remove(key) => {
                    table.remove(key);
                    model.remove(&key);
                }
                Exact::Scan(first) => {
                    prop_assert_eq!(table.read(&first, <[u8]>::to_vec).expect("reads"), model.get(&first).cloned());
                    let mut all = BTreeMap::new();
                    table.scan(&[], |key, row| {
                        all.insert(u64::from_bytes(key).expect("a key"), row.to_vec());
                        true
                    }).expect("scans");
                    prop_assert_eq!(&all, &model);
                    let prefixes = [first, 3, 7].map(|key| key.to_bytes());
                    let mut some = BTreeMap::new();
                    table.scan_prefixes(&prefixes.into(), |key, row| {
                        some.insert(u64::from_bytes(key).expect("a key"), row.to_vec());
                        true
                    }).expect("scans");
                    all.retain(|key, _| [first, 3, 7].contains(key));
                    prop_assert_eq!(some, all);
                }
                Exact::Freeze if frozen.is_none() => frozen = Some((table.freeze(), model.clone())),
                Exact::Freeze => {}
                Exact::Write => {
                    let Some((keys, then)) = frozen.take() else { continue };
                    let mut batch = Batch::default();
                    keys.iter().for_each(|key| table.write_frozen(key, &mut batch));
                    store.commit(batch, Durability::Later).expect("commits");
                    table.written(&keys);
                    let mut stored = BTreeMap::new();
                    store.scan(Table::Sections, &[], ScanOrder::Forwards, |key, row| {
                        stored.insert(u64::from_bytes(key).expect("a key"), row.to_vec());
                        true
                    }).expect("scans");
                    prop_assert_eq!(stored, then);
                }
                Exact::Shrink => (0..4).for_each(|_| table.shrink()),
            }
        }
        for key in 0..12 {
            prop_assert_eq!(table.get(&key).expect("gets"), model.get(&key).cloned());
        }
    }
}

#[test]
fn clean_rows_leave_and_dirty_ones_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let table = CachedTable::<u64, [u8]>::new(store.clone(), Table::Sections, 1_000);
    (0..100).for_each(|key| table.put(key, &[7; 20]));
    (0..1_000).for_each(|_| table.shrink());
    assert_eq!(table.memory().1, 100, "nothing that the store lacks may leave");
    flush(&table, &store);
    (0..1_000).for_each(|_| table.shrink());
    assert!(table.memory().1 <= 1_000 / 20, "{:?}", table.memory());
    assert_eq!(table.get(&7).expect("gets").as_deref(), Some([7; 20].as_slice()));
}
