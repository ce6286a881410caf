//! Finding profiles by an identifier of whatever type, or by the value of a trait.
//!
//! A declared trait has an index; any other is found by a scan that stops after a number of rows and
//! says where to go on. Both give sections, by anchor. A hit counts when the value that the *profile*
//! has comes from that very section, so no profile is found twice, on whatever page.

use std::collections::BTreeSet;

use selfsame_event::{Collection, IdentifierKey, Raw};
use selfsame_identity::TypeNumber;
use selfsame_store::{RowKey, StoreError, Table};

use super::{Found, LookupError, ProfileRef, SpaceRead};
use crate::key::{InSpace, TraitIndexKey};
use crate::row;
use crate::search::{text_digest, trait_digest};

/// How much one search does before it says where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchBudget {
    /// How many entries of the index it keeps and confirms.
    pub candidates: usize,
    /// About how many sections it looks at.
    pub sections: usize,
    /// In how many parts of the 256 it looks at them.
    pub parts: usize,
    /// Up to how many profiles all sections are looked at in one go.
    pub small_space: u64,
}

impl Default for SearchBudget {
    fn default() -> Self {
        Self { candidates: 2_000, sections: 50_000, parts: 16, small_space: 20_000 }
    }
}

/// Which profiles are wanted.
#[derive(Debug, Clone, Copy)]
pub struct TraitQuery<'q> {
    /// The trait's name.
    pub name: &'q str,
    /// Its value: what a string says, or the text of any other value.
    pub value: &'q str,
    /// Only what comes behind this.
    pub behind: Option<IdentifierKey>,
    /// How many at most.
    pub limit: usize,
    /// How much to do.
    pub budget: SearchBudget,
}

/// Profiles that were found.
#[derive(Debug)]
pub struct Matches<'s> {
    /// The profiles. No order is promised.
    pub found: Vec<Found<'s>>,
    /// Where to go on; none where everything was looked at.
    pub next: Option<IdentifierKey>,
    /// How many rows were looked at.
    pub examined: usize,
}

impl TraitQuery<'_> {
    fn matches(&self, value: Raw<'_>) -> bool {
        match value.string() {
            Some(text) => text == self.value,
            None => value.text() == self.value,
        }
    }

    /// The first part that has something ahead.
    fn first_part(&self) -> Option<u8> {
        match self.behind {
            None => Some(0),
            Some(behind) if behind == end_of(behind.0[0]) => behind.0[0].checked_add(1),
            Some(behind) => Some(behind.0[0]),
        }
    }

    fn is_ahead(&self, anchor: IdentifierKey) -> bool {
        self.behind.is_none_or(|behind| anchor > behind)
    }
}

/// The last key of a part.
fn end_of(part: u8) -> IdentifierKey {
    let mut end = [u8::MAX; 16];
    end[0] = part;
    IdentifierKey(end)
}

impl SpaceRead {
    /// The profiles of a collection that hold an identifier of that value, of whatever type.
    pub fn search_identifier(
        &self,
        collection: Collection,
        value: &str,
    ) -> Result<Vec<Found<'_>>, LookupError> {
        let mut found: Vec<Found<'_>> = Vec::new();
        let types = (0..=u16::MAX).map_while(|number| self.type_name(TypeNumber(number)));
        for (_, kind) in types.filter(|(of, _)| *of == collection) {
            let wanted = ProfileRef::Identifier { kind: kind.to_owned(), value: value.to_owned() };
            let Some(one) = self.find(collection, &wanted)? else { continue };
            if !found.iter().any(|known| known.component == one.component) {
                found.push(one);
            }
        }
        Ok(found)
    }

    /// The profiles of a collection whose trait has that value.
    pub fn search_trait(
        &self,
        collection: Collection,
        query: &TraitQuery<'_>,
    ) -> Result<Matches<'_>, LookupError> {
        // A trait that was declared after events came is not in the index with its older values.
        let is_indexed = self.view.meta.spaces[self.slot].indexes_all_of(query.name);
        if is_indexed { self.by_index(collection, query) } else { self.by_scan(collection, query) }
    }

    fn by_index(
        &self,
        collection: Collection,
        query: &TraitQuery<'_>,
    ) -> Result<Matches<'_>, LookupError> {
        let hasher = &self.view.hasher;
        let mut values = vec![text_digest(hasher, query.name, query.value)];
        if let Some(value) = Raw::check(query.value.as_bytes()) {
            values.push(trait_digest(hasher, query.name, value));
        }
        let (mut anchors, mut is_cut) = (BTreeSet::new(), false);
        for value in values {
            let prefix = TraitIndexKey::prefix(self.space().number, value);
            self.view.tables.trait_index.scan(&prefix, |key, _| {
                let anchor = TraitIndexKey::from_bytes(key).map(|key| key.anchor);
                anchors.extend(anchor.filter(|anchor| query.is_ahead(*anchor)));
                if anchors.len() > query.budget.candidates {
                    anchors.pop_last();
                    is_cut = true;
                }
                true
            })?;
        }
        let end = anchors.last().copied().filter(|_| is_cut);
        let mut matches = Matches { found: Vec::new(), next: end, examined: 0 };
        self.confirm(collection, query, anchors, &mut matches)?;
        Ok(matches)
    }

    /// Confirms hits in order until there are enough. Says whether there is room for more.
    fn confirm<'s>(
        &'s self,
        collection: Collection,
        query: &TraitQuery<'_>,
        anchors: BTreeSet<IdentifierKey>,
        matches: &mut Matches<'s>,
    ) -> Result<bool, LookupError> {
        let mut last = None;
        for anchor in anchors {
            if matches.found.len() >= query.limit {
                matches.next = last;
                return Ok(false);
            }
            matches.examined += 1;
            last = Some(anchor);
            let Some(found) = self.find_key(collection, anchor)? else { continue };
            if found.has_from(anchor, query) {
                matches.found.push(found);
            }
        }
        Ok(true)
    }

    fn by_scan(
        &self,
        collection: Collection,
        query: &TraitQuery<'_>,
    ) -> Result<Matches<'_>, LookupError> {
        let mut matches = Matches { found: Vec::new(), next: None, examined: 0 };
        let space = self.space().number.to_be_bytes();
        if self.counts().profiles <= query.budget.small_space {
            let (hits, rows) = self.hits(&space, query)?;
            self.confirm(collection, query, hits, &mut matches)?;
            matches.examined += rows;
            return Ok(matches);
        }
        // Keys are hashes, so their first byte divides the sections into parts of one size.
        let Some(start) = query.first_part() else { return Ok(matches) };
        for (part, done) in (start..=u8::MAX).zip(1..) {
            let (hits, rows) = self.hits(&[&space[..], &[part]].concat(), query)?;
            matches.examined += rows;
            // Enough were found in the parts before: there may be more from here on.
            if matches.found.len() >= query.limit && !hits.is_empty() {
                matches.next = part.checked_sub(1).map(end_of);
                return Ok(matches);
            }
            if !self.confirm(collection, query, hits, &mut matches)? {
                return Ok(matches);
            }
            let budget = query.budget;
            let is_enough = done >= budget.parts || matches.examined >= budget.sections;
            if is_enough && part < u8::MAX {
                matches.next = Some(end_of(part));
                return Ok(matches);
            }
        }
        Ok(matches)
    }

    /// The anchors of sections under a prefix in which the trait has the value, and how many rows
    /// there were.
    fn hits(
        &self,
        prefix: &[u8],
        query: &TraitQuery<'_>,
    ) -> Result<(BTreeSet<IdentifierKey>, usize), LookupError> {
        let (mut hits, mut rows, mut is_damaged) = (BTreeSet::new(), 0, false);
        for partition in &self.view.tables.partitions {
            partition.sections.scan(prefix, |key, row| {
                let Some(InSpace { key: anchor, .. }) = InSpace::<IdentifierKey>::from_bytes(key)
                else {
                    is_damaged = true;
                    return false;
                };
                rows += 1;
                if query.is_ahead(anchor) {
                    let section = row::section(row);
                    let value = section
                        .traits()
                        .find(|one| one.key == query.name)
                        .and_then(|one| one.value);
                    hits.extend(value.filter(|value| query.matches(*value)).map(|_| anchor));
                }
                true
            })?;
        }
        if is_damaged {
            return Err(StoreError::Row { table: Table::Sections.name() }.into());
        }
        Ok((hits, rows))
    }
}

impl Found<'_> {
    /// Whether the profile's trait has the wanted value, and has it from that section.
    fn has_from(&self, anchor: IdentifierKey, query: &TraitQuery<'_>) -> bool {
        let view = self.view();
        let Some(current) = view.trait_of(query.name) else { return false };
        let section = self.sections.iter().find(|(key, _)| *key == anchor);
        let own =
            section.and_then(|(_, section)| section.traits().find(|one| one.key == query.name));
        let is_current = own.is_some_and(|own| own.stamp == current.stamp);
        is_current && current.value.is_some_and(|value| query.matches(value))
    }
}
