//! Identifiers that may never share a profile, because somebody said so.
//!
//! A union that would hold both of a pair is a violation like an exceeded limit: the least trusted
//! identifier on the event is demoted, and it is tried again. What is kept about a pair besides is how
//! often an event met it.

use std::collections::BTreeMap;

use selfsame_event::{IdentifierKey, Time};
use smallvec::SmallVec;

use crate::decide::{Candidate, Root};
use crate::number::TypeNumber;
use crate::row::{ComponentId, Rows, Stamp};

/// Two identifiers, the smaller key first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair(IdentifierKey, IdentifierKey);

impl Pair {
    /// The pair of two identifiers, in whatever order; none if they are one.
    pub fn new(one: IdentifierKey, other: IdentifierKey) -> Option<Self> {
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Some(Self(one, other)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Self(other, one)),
        }
    }

    /// Both.
    pub fn keys(self) -> [IdentifierKey; 2] {
        [self.0, self.1]
    }
}

/// What an identifier is kept apart from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApartRow {
    /// Its type.
    pub number: TypeNumber,
    /// Its value: it may be on no profile.
    pub value: Box<str>,
    /// The others, by key. Never empty.
    pub others: Vec<ApartFrom>,
}

/// One that an identifier is kept apart from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApartFrom {
    /// The other identifier.
    pub key: IdentifierKey,
    /// When that was said, in log time.
    pub since: Time,
    /// Who said it, in their own words.
    pub by: Box<str>,
    /// How many events met it.
    pub times: u64,
    /// The last of them.
    pub last: Option<Stamp>,
}

impl ApartRow {
    /// What it says of another identifier.
    pub fn from(&self, key: IdentifierKey) -> Option<&ApartFrom> {
        let index = self.others.binary_search_by_key(&key, |other| other.key).ok()?;
        self.others.get(index)
    }

    /// Adds another identifier, unless it is there.
    pub(crate) fn add(&mut self, from: ApartFrom) {
        if let Err(index) = self.others.binary_search_by_key(&from.key, |other| other.key) {
            self.others.insert(index, from);
        }
    }

    pub(crate) fn remove(&mut self, key: IdentifierKey) {
        self.others.retain(|other| other.key != key);
    }

    fn meet(&mut self, key: IdentifierKey, stamp: Stamp) {
        if let Ok(index) = self.others.binary_search_by_key(&key, |other| other.key) {
            self.others[index].times += 1;
            self.others[index].last = Some(stamp);
        }
    }
}

/// Where an identifier of a union comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Profile(ComponentId),
    /// It is new: the place of a candidate.
    New(usize),
}

/// The pairs that joining everything on an event would bring together.
#[derive(Debug, Default)]
pub(crate) struct Standing(SmallVec<[(Pair, [Part; 2]); 1]>);

impl Standing {
    /// Finds them. Where nothing is kept apart, no row is read.
    pub(crate) fn find<R: Rows>(
        ids: &[Candidate<'_>],
        roots: &[Root],
        rows: &mut R,
    ) -> Result<Self, R::Error> {
        let is_known = roots.len() == 1 && ids.iter().all(|id| id.root.is_some());
        if is_known || !rows.has_apart() {
            return Ok(Self::default());
        }
        let members = roots.iter().flat_map(|(root, row)| {
            row.members.iter().map(|member| (member.key, Part::Profile(*root)))
        });
        let new = ids.iter().enumerate().filter(|(_, id)| id.root.is_none());
        let new = new.map(|(index, id)| (id.claim.key, Part::New(index)));
        let parts: BTreeMap<IdentifierKey, Part> = members.chain(new).collect();
        let mut standing = SmallVec::new();
        for (key, part) in &parts {
            let Some(row) = rows.apart(*key)? else { continue };
            for other in row.others.iter().filter(|other| other.key > *key) {
                let Some(across) = parts.get(&other.key).filter(|across| *across != part) else {
                    continue;
                };
                standing.push((Pair(*key, other.key), [*part, *across]));
            }
        }
        Ok(Self(standing))
    }

    /// The first pair that these would bring together.
    pub(crate) fn breach(&self, kept: &[Candidate<'_>]) -> Option<Pair> {
        let is_there = |part: &Part| match part {
            Part::Profile(root) => kept.iter().any(|id| id.root == Some(*root)),
            Part::New(index) => *index < kept.len(),
        };
        self.0.iter().find(|(_, parts)| parts.iter().all(is_there)).map(|(pair, _)| *pair)
    }
}

/// Counts an event that met pairs.
pub(crate) fn meet<R: Rows>(pairs: &[Pair], stamp: Stamp, rows: &mut R) -> Result<(), R::Error> {
    for pair in pairs {
        let [one, other] = pair.keys();
        for (key, across) in [(one, other), (other, one)] {
            if let Some(mut row) = rows.apart(key)? {
                row.meet(across, stamp);
                rows.set_apart(key, row)?;
            }
        }
    }
    Ok(())
}
