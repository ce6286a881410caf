//! Rows that are bytes, and apart while they are hot: what changes often is changed in its place then. The bytes
//! are put together where a row is written, moves to another owner, or was not used for long.
//!
//! Invariant: whether a row is apart shows nowhere but in time and memory. Only for fuzzy tables: a freeze would
//! have to keep a copy of each row that changes.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::home::{Home, Moved};
use super::row::{Row, RowKey};
use super::shard::Shard;
use super::slabs::{Seat, Slabs};
use super::{CachedTable, POISONED, hash_of};
use crate::StoreError;

/// A row that was taken apart.
pub trait Apart: Debug + Send + Sync + 'static {
    /// Adds the bytes of the row.
    fn put_together(&self, out: &mut Vec<u8>);
    /// About how many bytes of memory it takes.
    fn bytes(&self) -> usize;
}

/// The kind of rows that are bytes, or apart.
#[derive(Debug)]
pub struct Either<A>(PhantomData<fn() -> A>);

/// A row of this kind as it is shown.
#[derive(Debug)]
pub enum Shown<'a, A> {
    /// As bytes.
    Together(&'a [u8]),
    /// Apart.
    Apart(&'a A),
}

/// A row of this kind as it is to be changed.
#[derive(Debug)]
pub enum Changing<'a, A> {
    /// There is none.
    New,
    /// Bytes, which are replaced.
    Together(&'a [u8]),
    /// It is changed where it is.
    Apart(&'a mut A),
}

/// What a row becomes.
#[derive(Debug, Clone, Copy)]
pub enum Becomes<'n> {
    /// What it was.
    Same,
    /// What was made of it where it is.
    Changed,
    /// These bytes.
    Row(&'n [u8]),
}

impl<A> Clone for Shown<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Shown<'_, A> {}

impl<A: Apart> Row for Either<A> {
    type Ref<'a> = Shown<'a, A>;
    type Owned = Vec<u8>;
    type Home = Mixed<A>;

    fn encode(row: Shown<'_, A>, out: &mut Vec<u8>) {
        match row {
            Shown::Together(bytes) => out.extend_from_slice(bytes),
            Shown::Apart(apart) => apart.put_together(out),
        }
    }

    fn decode<T>(bytes: &[u8], read: impl FnOnce(Shown<'_, A>) -> T) -> Option<T> {
        Some(read(Shown::Together(bytes)))
    }

    fn copy(row: Shown<'_, A>) -> Vec<u8> {
        let mut bytes = Vec::new();
        Self::encode(row, &mut bytes);
        bytes
    }

    fn lend(copy: &Vec<u8>) -> Shown<'_, A> {
        Shown::Together(copy)
    }
}

/// Bytes in slabs, and what is apart beside them.
#[derive(Debug)]
pub struct Mixed<A> {
    slabs: Slabs,
    /// Bytes of what is apart.
    apart: usize,
    kind: PhantomData<fn() -> A>,
}

/// What an entry holds of its row.
#[derive(Debug)]
pub enum MixedSeat<A> {
    /// Where its bytes are.
    Together(Seat),
    /// The row.
    Apart(Box<A>),
}

impl<A> Default for Mixed<A> {
    fn default() -> Self {
        Self { slabs: Slabs::default(), apart: 0, kind: PhantomData }
    }
}

impl<A: Apart> Home<Either<A>> for Mixed<A> {
    type Seat = MixedSeat<A>;

    fn add(&mut self, row: Shown<'_, A>, owner: u32) -> MixedSeat<A> {
        MixedSeat::Together(match row {
            Shown::Together(bytes) => self.slabs.add(bytes, owner),
            Shown::Apart(_) => self.slabs.add(&Either::<A>::copy(row), owner),
        })
    }

    fn row<'a>(&'a self, seat: &'a MixedSeat<A>) -> Shown<'a, A> {
        match seat {
            MixedSeat::Together(seat) => Shown::Together(self.slabs.row(seat)),
            MixedSeat::Apart(apart) => Shown::Apart(apart),
        }
    }

    fn set(&mut self, seat: &mut MixedSeat<A>, row: Shown<'_, A>, owner: u32) -> Option<Moved> {
        match (seat, row) {
            (MixedSeat::Together(seat), Shown::Together(bytes)) => {
                self.slabs.set(seat, bytes, owner)
            }
            (seat, row) => {
                let moved = self.remove(seat);
                *seat = self.add(row, owner);
                moved
            }
        }
    }

    fn remove(&mut self, seat: &MixedSeat<A>) -> Option<Moved> {
        match seat {
            MixedSeat::Together(seat) => self.slabs.remove(seat),
            MixedSeat::Apart(apart) => {
                self.apart -= apart.bytes();
                None
            }
        }
    }

    fn follow(seat: &mut MixedSeat<A>, moved: Moved) {
        if let MixedSeat::Together(seat) = seat {
            <Slabs as Home<[u8]>>::follow(seat, moved);
        }
    }

    fn used(&self) -> usize {
        self.slabs.used() + self.apart
    }

    fn bytes(&self) -> usize {
        self.slabs.bytes() + self.apart
    }

    fn put_together(&mut self, seat: &mut MixedSeat<A>, owner: u32) -> bool {
        let MixedSeat::Apart(apart) = seat else { return false };
        let mut bytes = Vec::with_capacity(apart.bytes());
        apart.put_together(&mut bytes);
        self.apart -= apart.bytes();
        *seat = MixedSeat::Together(self.slabs.add(&bytes, owner));
        true
    }

    fn apart(&self) -> usize {
        self.apart
    }
}

impl<A: Apart> Mixed<A> {
    /// Takes a row apart as that. Another row may have moved for it.
    pub(super) fn take_apart(&mut self, seat: &mut MixedSeat<A>, apart: A) -> Option<Moved> {
        let moved = self.remove(seat);
        self.apart += apart.bytes();
        *seat = MixedSeat::Apart(Box::new(apart));
        moved
    }

    /// Changes a row, if it is apart.
    pub(super) fn change<T>(
        &mut self,
        seat: &mut MixedSeat<A>,
        change: impl FnOnce(&mut A) -> T,
    ) -> Option<T> {
        let MixedSeat::Apart(apart) = seat else { return None };
        self.apart -= apart.bytes();
        let answer = change(apart);
        self.apart += apart.bytes();
        Some(answer)
    }
}

impl<K: RowKey, A: Apart> CachedTable<K, Either<A>> {
    /// Changes a row where it is, or makes one where there is none. `take_apart` is shown one that is together,
    /// and answers how it is apart, if it is to be.
    pub fn change<'n, T>(
        &self,
        key: K,
        take_apart: impl FnOnce(&[u8]) -> Option<A>,
        change: impl FnOnce(Changing<'_, A>) -> (Becomes<'n>, T),
    ) -> Result<T, StoreError> {
        let hash = hash_of(&key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        let place = self.find_or_load(&mut shard, hash, &key)?;
        if let Some(place) = place {
            if let Shown::Together(row) = shard.row(place)
                && let Some(apart) = take_apart(row)
            {
                self.counted(&mut shard, |shard| shard.take_apart(place, apart));
            }
            if let Shown::Apart(_) = shard.row(place) {
                return Ok(self.change_apart(&mut shard, place, key, change));
            }
        }
        let row = match place.map(|place| shard.row(place)) {
            Some(Shown::Together(row)) => Changing::Together(row),
            Some(Shown::Apart(_)) | None => Changing::New,
        };
        let (becomes, answer) = change(row);
        debug_assert!(
            !matches!(becomes, Becomes::Changed),
            "only what is apart changes in its place"
        );
        if let Becomes::Row(row) = becomes {
            self.set(shard, place, hash, key, Shown::Together(row));
        }
        Ok(answer)
    }

    fn change_apart<'n, T>(
        &self,
        shard: &mut Shard<K, Either<A>>,
        place: u32,
        key: K,
        change: impl FnOnce(Changing<'_, A>) -> (Becomes<'n>, T),
    ) -> T {
        let changed = self.counted(shard, |shard| {
            shard.change_apart(place, |apart| change(Changing::Apart(apart)))
        });
        let (becomes, answer) = changed.expect("the row is apart");
        match becomes {
            Becomes::Same => return answer,
            Becomes::Changed => {}
            Becomes::Row(row) => {
                self.counted(shard, |shard| shard.set(place, Shown::Together(row)));
            }
        }
        let dirty = self.dirty_now();
        let was = std::mem::replace(shard.status(place), dirty);
        debug_assert!(!self.is_frozen(was), "the table is a fuzzy one");
        if was != dirty {
            self.dirty.write().expect(POISONED).push(key);
        }
        answer
    }
}

#[cfg(test)]
mod tests;
