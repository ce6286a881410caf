use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use proptest::prelude::*;

use super::*;
use crate::{Batch, Durability, ScanOrder, Store, Table};

/// A row that can be added to.
#[derive(Debug)]
struct Letters(Vec<u8>);

impl Letters {
    /// Of what has ten bytes or more.
    fn of(row: &[u8]) -> Option<Self> {
        (row.len() >= 10).then(|| Self(row.to_vec()))
    }
}

impl Apart for Letters {
    fn put_together(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn bytes(&self) -> usize {
        self.0.len() * 9
    }
}

type Letterbox = CachedTable<u64, Either<Letters>>;

fn together(row: Shown<'_, Letters>) -> Vec<u8> {
    Either::<Letters>::copy(row)
}

/// Adds bytes to a row; to what has an odd length already, in its place where it is apart.
fn append(table: &Letterbox, key: u64, bytes: &[u8]) {
    let mut new = Vec::new();
    let changed = table.change(key, Letters::of, |row| {
        let becomes = match row {
            _ if bytes.is_empty() => Becomes::Same,
            Changing::Apart(letters) if letters.0.len() % 2 == 1 => {
                letters.0.extend_from_slice(bytes);
                Becomes::Changed
            }
            Changing::Apart(letters) => {
                letters.put_together(&mut new);
                new.extend_from_slice(bytes);
                Becomes::Row(&new)
            }
            Changing::Together(row) => {
                new.extend_from_slice(row);
                new.extend_from_slice(bytes);
                Becomes::Row(&new)
            }
            Changing::New => Becomes::Row(bytes),
        };
        (becomes, ())
    });
    changed.expect("changes");
}

fn flush(table: &Letterbox, store: &Store) {
    let keys = table.take_dirty();
    let mut batch = Batch::default();
    keys.iter().for_each(|key| table.write_back(key, &mut batch, |_| ()));
    store.commit(batch, Durability::Later).expect("commits");
    table.written(&keys);
}

#[derive(Debug, Clone)]
enum Step {
    Put(u64, Vec<u8>),
    Append(u64, Vec<u8>),
    Release(u64),
    View(Vec<u64>),
    Flush,
    Shrink,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = || prop::collection::vec(any::<u8>(), 0..24);
    let step = prop_oneof![
        (0_u64..20, row()).prop_map(|(key, row)| Step::Put(key, row)),
        (0_u64..20, row()).prop_map(|(key, row)| Step::Append(key, row)),
        (0_u64..20, row()).prop_map(|(key, row)| Step::Append(key, row)),
        (0_u64..20, row()).prop_map(|(key, row)| Step::Append(key, row)),
        (0_u64..20).prop_map(Step::Release),
        prop::collection::vec(0_u64..20, 0..5).prop_map(Step::View),
        Just(Step::Flush),
        Just(Step::Shrink),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whether rows are apart shows nowhere, and all memory that they took is given back.
    #[test]
    fn rows_that_are_apart_are_rows(steps in steps()) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let table = Letterbox::new(store.clone(), Table::Sections, 400);
        let mut model = BTreeMap::<u64, Vec<u8>>::new();
        for step in steps {
            match step {
                Step::Put(key, row) => {
                    table.put(key, Shown::Together(&row));
                    model.insert(key, row);
                }
                Step::Append(key, row) => {
                    append(&table, key, &row);
                    if model.contains_key(&key) || !row.is_empty() {
                        model.entry(key).or_default().extend(row);
                    }
                }
                Step::Release(key) => {
                    let row = table.release(&key).expect("releases");
                    prop_assert_eq!(row.as_ref(), model.get(&key));
                    if let Some(row) = row {
                        table.put(key, Shown::Together(&row));
                    }
                }
                Step::View(keys) => {
                    let rows = |rows: &[Shown<'_, Letters>]| Vec::from_iter(rows.iter().map(|row| together(*row)));
                    let expected: Vec<_> = keys.iter().filter_map(|key| model.get(key).cloned()).collect();
                    prop_assert_eq!(table.view_all(&keys, rows).expect("views"), expected);
                }
                Step::Flush => {
                    flush(&table, &store);
                    let mut stored = BTreeMap::new();
                    store.scan(Table::Sections, &[], ScanOrder::Forwards, |key, row| {
                        stored.insert(u64::from_bytes(key).expect("a key"), row.to_vec());
                        true
                    }).expect("scans");
                    prop_assert_eq!(&stored, &model);
                }
                Step::Shrink => (0..4).for_each(|_| table.shrink()),
            }
            for key in 0..20 {
                prop_assert_eq!(table.read(&key, together).expect("reads"), model.get(&key).cloned());
            }
        }
        // All leave, and nothing is counted any more.
        flush(&table, &store);
        (0..20).for_each(|key| drop(table.release(&key)));
        let counted = (table.used.load(Ordering::Relaxed), table.apart.load(Ordering::Relaxed));
        prop_assert_eq!(counted, (0, 0));
    }
}

#[test]
fn what_is_apart_is_put_together_where_it_is_too_much() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let table = Letterbox::new(store, Table::Sections, 40_000);
    for key in 0..100 {
        append(&table, key, &[7; 21]);
        append(&table, key, &[8]);
    }
    assert_eq!(table.apart.load(Ordering::Relaxed), 100 * 22 * 9, "all of them are apart");
    let is_apart = |key| table.read(&key, |row| matches!(row, Shown::Apart(_))).expect("reads");
    assert_eq!(is_apart(3), Some(true));
    for key in 100..300 {
        append(&table, key, &[7; 21]);
        append(&table, key, &[8]);
        table.shrink();
    }
    let apart = table.apart.load(Ordering::Relaxed);
    assert!(apart <= 20_000 + 22 * 9, "{apart} bytes are apart of 20,000");
    assert_eq!(table.memory().1, 300, "no row left");
    for key in 0..300 {
        let expected = [&[7; 21][..], &[8]].concat();
        assert_eq!(table.read(&key, together).expect("reads"), Some(expected));
    }
}
