//! Identifiers that may never share a profile, because somebody said so.
//!
//! A union that would hold both of a pair is a violation like an exceeded limit: the least trusted
//! identifier on the event is demoted, and it is tried again. What is kept about a pair besides is how
//! often an event met it.

use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Since when two identifiers are kept apart, in log time, and who said so.
pub type Said = (Time, Arc<str>);

/// What an identifier is kept apart from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApartRow {
    /// Its type.
    pub number: TypeNumber,
    /// Its value: it may be on no profile. Empty where no event with it was resolved yet.
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
    pub by: Arc<str>,
    /// How many events met it.
    pub times: u64,
    /// The last of them.
    pub last: Option<Stamp>,
}

impl ApartRow {
    /// The rows of pairs that hold before any event is resolved. A key is all that is known of an identifier
    /// until one has it.
    pub fn of_pairs<'p>(
        pairs: impl IntoIterator<Item = (&'p Pair, &'p Said)>,
    ) -> BTreeMap<IdentifierKey, Self> {
        let mut rows = BTreeMap::new();
        let new = || Self { number: TypeNumber(0), value: "".into(), others: Vec::new() };
        for (pair, (since, by)) in pairs {
            let [one, other] = pair.keys();
            for (key, across) in [(one, other), (other, one)] {
                let (since, by) = (*since, by.clone());
                let from = ApartFrom { key: across, since, by, times: 0, last: None };
                rows.entry(key).or_insert_with(new).add(from);
            }
        }
        rows
    }

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

    /// Says since when it is kept apart from another, where nobody said so yet.
    pub fn set_since(&mut self, key: IdentifierKey, since: Time) {
        if let Ok(index) = self.others.binary_search_by_key(&key, |other| other.key)
            && self.others[index].since == Time::default()
        {
            self.others[index].since = since;
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
pub(crate) struct Standing {
    pairs: SmallVec<[(Pair, [Part; 2]); 1]>,
    /// New identifiers that are set apart from another.
    new: SmallVec<[IdentifierKey; 1]>,
}

impl Standing {
    /// Finds them. Where nothing is kept apart, no row is read; else rows of new identifiers, and of
    /// members that say that they have one, but for the part that has most of these.
    pub(crate) fn find<R: Rows>(
        ids: &[Candidate<'_>],
        roots: &[Root],
        rows: &mut R,
    ) -> Result<Self, R::Error> {
        let mut standing = Self::default();
        let is_known = roots.len() == 1 && ids.iter().all(|id| id.root.is_some());
        if is_known || !rows.has_apart() {
            return Ok(standing);
        }
        let mut parts: Vec<(IdentifierKey, Part)> = Vec::new();
        let mut most = (0, None);
        for (root, row) in roots {
            let before = parts.len();
            let apart = row.members.iter().filter(|member| member.is_apart);
            parts.extend(apart.map(|member| (member.key, Part::Profile(*root))));
            most = most.max((parts.len() - before, Some(*root)));
        }
        let mut found = Vec::new();
        for (index, id) in ids.iter().enumerate().filter(|(_, id)| id.root.is_none()) {
            let key = id.claim.key;
            if let Some(row) = named(id, rows)? {
                standing.new.push(key);
                parts.push((key, Part::New(index)));
                found.push((key, Part::New(index), row));
            }
        }
        for (key, part) in &parts {
            if let Part::Profile(root) = part
                && Some(*root) != most.1
                && let Some(row) = rows.apart(*key)?
            {
                found.push((*key, *part, row));
            }
        }
        for (key, part, row) in found {
            for (other, across) in &parts {
                let is_pair = across != &part && row.from(*other).is_some();
                if let Some(pair) = Pair::new(key, *other).filter(|_| is_pair)
                    && !standing.pairs.iter().any(|(known, _)| *known == pair)
                {
                    standing.pairs.push((pair, [part, *across]));
                }
            }
        }
        standing.pairs.sort_by_key(|(pair, _)| *pair);
        Ok(standing)
    }

    /// Whether the identifier is new, and set apart from another.
    pub(crate) fn is_new_and_apart(&self, key: IdentifierKey) -> bool {
        self.new.contains(&key)
    }

    /// The first pair that these would bring together.
    pub(crate) fn breach(&self, kept: &[Candidate<'_>]) -> Option<Pair> {
        let is_there = |part: &Part| match part {
            Part::Profile(root) => kept.iter().any(|id| id.root == Some(*root)),
            Part::New(index) => *index < kept.len(),
        };
        self.pairs.iter().find(|(_, parts)| parts.iter().all(is_there)).map(|(pair, _)| *pair)
    }
}

/// What a new identifier is kept apart from. Its row gets its name, if no event had it before.
fn named<R: Rows>(id: &Candidate<'_>, rows: &mut R) -> Result<Option<ApartRow>, R::Error> {
    let Some(mut row) = rows.apart(id.claim.key)? else { return Ok(None) };
    if row.value.is_empty() {
        (row.number, row.value) = (id.claim.number, id.claim.value.as_ref().into());
        rows.set_apart(id.claim.key, row.clone())?;
    }
    Ok(Some(row))
}

/// Names those that take no part in matching.
pub(crate) fn name<R: Rows>(ids: &[Candidate<'_>], rows: &mut R) -> Result<(), R::Error> {
    if rows.has_apart() {
        for id in ids.iter().filter(|id| id.root.is_none()) {
            named(id, rows)?;
        }
    }
    Ok(())
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
