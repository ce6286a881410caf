//! The store as its users see it.

use selfsame_store::{Batch, Durability, Store, Table};

/// The hash that `verify` compares covers every table: a byte changed in any row of any of them
/// shows, under that table's name and no other.
#[test]
fn one_byte_in_any_table_changes_the_hash() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let mut batch = Batch::default();
    for table in Table::ALL {
        for number in 0..50_u8 {
            batch.put(*table, [number], [number; 9]);
        }
    }
    store.commit(batch, Durability::Synced).expect("commits");
    let before = store.hash().expect("hashes");
    assert_eq!(before, store.hash().expect("hashes"));
    for table in Table::ALL.iter().filter(|table| table.is_state()) {
        let mut value = [7; 9];
        value[3] ^= 1;
        let mut batch = Batch::default();
        batch.put(*table, [7], value);
        store.commit(batch, Durability::Later).expect("commits");
        let after = store.hash().expect("hashes");
        assert_eq!(after.differences(&before), [table.name()]);
        assert_ne!(after.to_string(), before.to_string());
        let mut batch = Batch::default();
        batch.put(*table, [7], [7; 9]);
        store.commit(batch, Durability::Later).expect("commits");
    }
    assert_eq!(store.hash().expect("hashes").to_string(), before.to_string());
}

#[test]
fn what_was_synced_is_there_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let mut batch = Batch::default();
    batch.put(Table::Meta, *b"position", *b"7");
    batch.put(Table::Meta, *b"gone", *b"1");
    store.commit(batch, Durability::Later).expect("commits");
    let mut batch = Batch::default();
    batch.remove(Table::Meta, *b"gone");
    store.commit(batch, Durability::Synced).expect("commits");
    drop(store);
    let store = Store::open(folder.path()).expect("opens");
    assert_eq!(store.get(Table::Meta, b"position").expect("reads").as_deref(), Some(&b"7"[..]));
    assert_eq!(store.get(Table::Meta, b"gone").expect("reads"), None);
}
