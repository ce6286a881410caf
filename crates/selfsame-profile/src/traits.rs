//! Traits: each top-level key is one register, and the latest stamp wins it.
//!
//! Objects are replaced whole. A null removes: it stays as a tombstone, is counted in the cap, and so
//! keeps a late older value from coming back. Which keys stay at the cap is decided by a fixed hash of
//! the key, never by arrival. A value that is too large is not set, and the one before stays.
//!
//! ```text
//! stamps: number, each a stamp; ascending, every one used, none twice
//! rows:   to the end, by key: key text, index of the stamp: number, value text (empty: removed)
//! ```

use std::borrow::Cow;

use selfsame_event::{Raw, Time, limits};
use smallvec::SmallVec;

use crate::rank;
use crate::stamp::Stamp;
use selfsame_event::packed::{Reader, Scratch, put_number, put_text};

/// One register.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    key: &'a str,
    stamp: usize,
    /// JSON text; empty where the trait is removed.
    value: &'a str,
}

/// Unpacked traits.
#[derive(Debug, Default)]
pub(crate) struct Table<'a> {
    stamps: SmallVec<[Stamp<'a>; 4]>,
    rows: SmallVec<[Row<'a>; 12]>,
}

/// What became of the traits of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written {
    pub(crate) set: u32,
    pub(crate) older: u32,
    pub(crate) refused: u32,
    pub(crate) displaced: u32,
}

/// A trait and its lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trait<'a> {
    /// The name, a top-level key.
    pub key: &'a str,
    /// The value as the JSON text it came in; `None` where it is removed.
    pub value: Option<Raw<'a>>,
    /// The event that set or removed it.
    pub stamp: Stamp<'a>,
}

impl<'a> Table<'a> {
    /// Reads packed bytes; `None` where they are not in the one form there is.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut table = Self::default();
        if bytes.is_empty() {
            return Some(table);
        }
        for _ in 0..reader.number()? {
            table.stamps.push(Stamp::read(&mut reader)?);
        }
        while reader.left() > 0 {
            let key = reader.text()?;
            let stamp = usize::try_from(reader.number()?).ok()?;
            table.rows.push(Row { key, stamp, value: reader.text()? });
        }
        Some(table)
    }

    /// Reads bytes of a section.
    pub(crate) fn trusted(bytes: &'a [u8]) -> Self {
        Self::read(bytes).expect("the bytes of a section are checked when they are decoded")
    }

    /// Whether bytes are a table, in the one form that it has.
    pub(crate) fn check(bytes: &[u8]) -> bool {
        let Some(table) = Table::read(bytes) else { return false };
        let in_order = table.stamps.is_sorted_by(|a, b| a < b)
            && table.stamps.iter().all(|stamp| stamp.message_id.is_canonical())
            && table.rows.is_sorted_by(|a, b| a.key < b.key)
            && table.rows.iter().all(|row| row.stamp < table.stamps.len());
        in_order && table.packed().as_slice() == bytes
    }

    /// Packs the table, leaving out stamps that no row has any more.
    pub(crate) fn packed(&self) -> Scratch {
        let mut out = Scratch::new();
        if self.rows.is_empty() {
            return out;
        }
        let mut index: SmallVec<[u64; 16]> = SmallVec::from_elem(0, self.stamps.len());
        for row in &self.rows {
            index[row.stamp] = 1;
        }
        put_number(&mut out, index.iter().sum());
        let mut next = 0;
        for (slot, stamp) in index.iter_mut().zip(&self.stamps) {
            if *slot == 1 {
                stamp.write(&mut out);
                *slot = next;
                next += 1;
            }
        }
        for row in &self.rows {
            put_text(&mut out, row.key);
            put_number(&mut out, index[row.stamp]);
            put_text(&mut out, row.value);
        }
        out
    }

    /// Writes the top-level keys of `traits` with that stamp, and drops what is over the cap.
    pub(crate) fn assign(
        &mut self,
        stamp: Stamp<'a>,
        traits: &'a Assigned<'_>,
        cap: usize,
    ) -> Written {
        let mut written = Written::default();
        let stamp_index = match self.stamps.binary_search(&stamp) {
            Ok(index) => index,
            Err(index) => {
                self.stamps.insert(index, stamp);
                self.rows
                    .iter_mut()
                    .filter(|row| row.stamp >= index)
                    .for_each(|row| row.stamp += 1);
                index
            }
        };
        let mut new: SmallVec<[&str; 8]> = SmallVec::new();
        for (key, value) in &traits.0 {
            let row = Row { key: key.as_ref(), stamp: stamp_index, value };
            match self.rows.binary_search_by(|old| old.key.cmp(row.key)) {
                Ok(at) if self.rows[at].stamp > stamp_index => written.older += 1,
                Ok(at) => {
                    self.rows[at] = row;
                    written.set += 1;
                }
                Err(at) => {
                    self.rows.insert(at, row);
                    new.push(row.key);
                    written.set += 1;
                }
            }
        }
        if self.rows.len() > cap {
            let last_kept = last_kept(self.rows.iter().map(|row| row.key), cap);
            self.rows.retain(|row| {
                let kept = cap > 0 && key_rank(row.key) <= last_kept;
                if !kept && new.binary_search(&row.key).is_ok() {
                    written.refused += 1;
                    written.set -= 1;
                } else if !kept {
                    written.displaced += 1;
                }
                kept
            });
        }
        written
    }

    /// Drops tombstones whose stamp is before that time.
    pub(crate) fn drop_tombstones(&mut self, before: Time) -> usize {
        let count = self.rows.len();
        let stamps = &self.stamps;
        self.rows.retain(|row| !row.value.is_empty() || stamps[row.stamp].time >= before);
        count - self.rows.len()
    }

    /// How many registers there are, removed ones too.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The register of a key, though it be removed.
    pub(crate) fn register(&self, key: &str) -> Option<Trait<'a>> {
        let at = self.rows.binary_search_by(|row| row.key.cmp(key)).ok()?;
        self.rows.get(at).map(|row| self.shown(row))
    }

    /// Every register, by key, removed ones too.
    pub(crate) fn registers(&self) -> impl Iterator<Item = Trait<'a>> {
        self.rows.iter().map(|row| self.shown(row))
    }

    fn shown(&self, row: &Row<'a>) -> Trait<'a> {
        Trait {
            key: row.key,
            value: (!row.value.is_empty()).then(|| Raw::trusted(row.value)),
            stamp: self.stamps[row.stamp],
        }
    }
}

/// The traits of an event by key, each key once.
#[derive(Debug)]
pub(crate) struct Assigned<'a>(SmallVec<[(Cow<'a, str>, &'a str); 8]>);

impl<'a> Assigned<'a> {
    pub(crate) fn new(traits: Raw<'a>) -> Self {
        let value = |value: Raw<'a>| if value.is_null() { "" } else { value.text() };
        let mut fields: SmallVec<[_; 8]> =
            traits.fields().map(|(key, raw)| (key, value(raw))).collect();
        // The last of a repeated key counts: it is the first one once the order is turned round.
        fields.reverse();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|later, first| later.0 == first.0);
        Self(fields)
    }

    /// Takes out what is too large for a trait. Returns how many there were.
    pub(crate) fn refuse_large(&mut self) -> u32 {
        let before = self.0.len();
        self.0.retain(|(_, value)| value.len() <= limits::TRAIT_BYTES);
        u32::try_from(before - self.0.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a key stands when there is no room for all: lower ones stay. No two keys stand alike.
pub(crate) fn key_rank(key: &str) -> (u64, &str) {
    (rank::of(key.as_bytes()), key)
}

/// The rank of the last key that stays at a cap.
pub(crate) fn last_kept<'k>(keys: impl Iterator<Item = &'k str>, cap: usize) -> (u64, &'k str) {
    let mut ranks: Vec<_> = keys.map(key_rank).collect();
    let at = cap.saturating_sub(1).min(ranks.len().saturating_sub(1));
    if ranks.is_empty() { (0, "") } else { *ranks.select_nth_unstable(at).1 }
}
