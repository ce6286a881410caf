//! What an undo sets apart where it is done by publishing the rules in force: see [`crate::apart`].
//!
//! Nothing is planned: the whole log is resolved again, with these pairs apart from the first record on.

use std::collections::BTreeSet;

use selfsame_event::{Collection, Identifier, IdentifierKey};
use selfsame_identity::{Change, Pair, WholeRows as _};

use super::{UndoError, UndoWish, Wanted};
use crate::graph::Graph;
use crate::identity::PAIRS;
use crate::reader::SpaceRead;
use crate::row::{self, Owner};

impl SpaceRead {
    /// The pairs of a wish, and by name. Those that leave a profile are set apart from everything else on it.
    pub fn undo_ahead(
        &self,
        &Wanted { collection, wish, by }: &Wanted<'_>,
    ) -> Result<(Change, Vec<(Identifier, Identifier)>), UndoError> {
        let mut graph = Graph {
            tables: &self.view.tables,
            space: self.space().number,
            has_apart: self.counts().apart > 0,
        };
        let mut change = Change { by: by.into(), ..Change::default() };
        match wish {
            UndoWish::Split { chosen, from } => {
                change.apart = self.all_from(collection, chosen, from)?;
            }
            // The rules see to it.
            UndoWish::WithinRules(of) => self.seen(self.key_of(collection, of)?, of, &mut graph)?,
            UndoWish::Apart(one, other) => {
                for id in [one, other] {
                    self.seen(self.key_of(collection, id)?, id, &mut graph)?;
                }
                self.add_pair(collection, wish, &mut change, &mut graph)?;
            }
            UndoWish::Unmerge(_) | UndoWish::Lift(..) => {
                self.add_pair(collection, wish, &mut change, &mut graph)?;
            }
        }
        let count = change.apart.len() + change.lift.len();
        if count > PAIRS {
            return Err(UndoError::TooMany(count));
        }
        let mut named = Vec::new();
        for pair in change.apart.iter().chain(&change.lift) {
            let [one, other] = pair.keys();
            if let (Some(one), Some(other)) = (self.name_of(one)?, self.name_of(other)?) {
                named.push((one, other));
            }
        }
        Ok((change, named))
    }

    /// Each of those that leave, with each of those that stay.
    fn all_from(
        &self,
        collection: Collection,
        chosen: &[Identifier],
        from: &Identifier,
    ) -> Result<BTreeSet<Pair>, UndoError> {
        let chosen = self.leaving(collection, chosen, from)?;
        let found = self.find_key(collection, self.key_of(collection, from)?)?;
        let found = found.ok_or_else(|| UndoError::Unseen(from.clone()))?;
        let all = found.external_ids().map(|id| id.key);
        let stay: Vec<IdentifierKey> = all.filter(|key| !chosen.contains(key)).collect();
        let count = chosen.len() * stay.len();
        if count > PAIRS {
            return Err(UndoError::TooMany(count));
        }
        let pairs = chosen.iter().flat_map(|one| stay.iter().map(move |other| (*one, *other)));
        Ok(pairs.filter_map(|(one, other)| Pair::new(one, other)).collect())
    }

    /// Refuses an identifier that no event had: it is a mistake, and would take a whole publication to do
    /// nothing.
    fn seen(
        &self,
        key: IdentifierKey,
        id: &Identifier,
        graph: &mut Graph<'_>,
    ) -> Result<(), UndoError> {
        let is_mapped =
            self.view.tables.identifiers.read(&self.in_space(key), Owner::row)?.is_some();
        let is_seen = is_mapped || !graph.sightings(&BTreeSet::from([key]), 1)?.is_empty();
        is_seen.then_some(()).ok_or_else(|| UndoError::Unseen(id.clone()))
    }

    /// An identifier as its profile has it, or what it is set apart from.
    fn name_of(&self, key: IdentifierKey) -> Result<Option<Identifier>, UndoError> {
        if let Some(owner) = self.view.tables.identifiers.read(&self.in_space(key), Owner::row)? {
            let (_, _, row) = self.root(owner.component)?;
            let member = row.members.iter().find(|member| member.key == key);
            let named = member.and_then(|member| Some((self.type_name(member.number)?.1, member)));
            return Ok(named.map(|(kind, member)| Identifier::new(kind, &*member.value)));
        }
        let row = self.view.tables.apart.read(&self.in_space(key), row::apart)?.flatten();
        let row = row.filter(|row| !row.value.is_empty());
        let named = row.and_then(|row| Some((self.type_name(row.number)?.1.to_owned(), row.value)));
        Ok(named.map(|(kind, value)| Identifier::new(kind, &*value)))
    }
}
