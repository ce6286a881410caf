//! What definitions came to, as readers see it: a value whose moment has come is evaluated for the answer.

use std::collections::BTreeMap;

use selfsame_audience::Evaluated;
use selfsame_event::{Collection, ProfileId, Time};
use selfsame_profile::Outline;
use selfsame_store::RowKey;

use super::{Found, LookupError, SpaceRead};
use crate::computed::{
    Held, Members, Progress, Values, bring_up_to, first_moment, outlines, traits_of,
};
use crate::key::InSpace;
use crate::workspace::{Definition, DefinitionKind};

/// What a definition came to for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedValue<'s> {
    /// The definition.
    pub definition: &'s Definition,
    /// Its value, as JSON.
    pub value: String,
    /// Of an audience: since when the profile is in it, or is out of it again.
    pub since: Option<Time>,
    /// Whether a cap had a part in it.
    pub is_approximate: bool,
}

/// Profiles that are in an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// They, by id.
    pub members: Vec<Member>,
    /// Where to go on, if there are more.
    pub next: Option<ProfileId>,
}

/// A profile that is in an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub profile: ProfileId,
    /// Since when.
    pub since: Time,
}

impl<'s> Found<'s> {
    /// Whether somebody is known by more than devices: a user id, an address, a type of one's own.
    pub fn is_known(&self) -> bool {
        self.row.members.iter().any(|member| !member.number.is_device())
    }

    /// What definitions came to by then, by id. What a profile never was in is not there.
    pub fn computed(&self, now: Time) -> Result<Vec<ComputedValue<'s>>, LookupError> {
        let key = self.read.in_space(self.id());
        let tables = &self.read.view.tables;
        let written = tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let moments = tables.moments.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let mut values = Values::read(&written, &moments).unwrap_or_default();
        let plans = self.read.view.plans.get(self.read.slot);
        let sections = outlines(self.sections.iter().map(|(_, section)| section));
        let traits = match (self.collection(), plans) {
            (Collection::Users, Some(plans)) => {
                self.bring_up_to(&mut values, &sections, now);
                traits_of(plans, &values, &sections, now)
            }
            (Collection::Users, None) => BTreeMap::new(),
            (Collection::Accounts, _) => {
                self.bring_account_up_to(&mut values, first_moment(&moments), now)?;
                BTreeMap::new()
            }
        };
        let is_of_it = |one: &&Definition| one.collection == self.collection();
        let mut all: Vec<_> = self.read.definitions().filter(is_of_it).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        let all = all.into_iter().filter_map(|one| match one.collection {
            Collection::Users => shown(one, &values, &traits),
            Collection::Accounts => self.read.shown_of_account(one, &values),
        });
        Ok(all.collect())
    }

    /// Evaluates what may have changed by then; everything, if rules were published and the profile may not
    /// have been evaluated since.
    pub(super) fn bring_up_to(&self, values: &mut Values<'_>, sections: &[Outline<'_>], now: Time) {
        let Some(plans) = self.read.view.plans.get(self.read.slot) else { return };
        values.is_stale |= self.read.counts().computing.reassessing;
        values.kinds = self.row.kinds();
        bring_up_to(plans, values, sections, now);
    }
}

impl SpaceRead {
    /// The definitions of the space, in the order in which they were made.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.view.meta.workspace.definitions_of(&self.space().id)
    }

    /// The definition of that id.
    pub fn definition(&self, id: &str) -> Option<&Definition> {
        self.view.meta.workspace.definition(&self.space().id, id)
    }

    /// The versions of a definition that there are.
    pub fn progress(&self, definition: &Definition) -> Option<&Progress> {
        self.counts().computing.definitions.get(&definition.number)
    }

    /// Who is in an audience, in numbers.
    pub fn member_counts(&self, definition: &Definition) -> Members {
        self.counts().members.get(&definition.number).cloned().unwrap_or_default()
    }

    /// Whether the space guards its people: then what is said of somebody known needs a proof.
    pub fn is_guarded(&self) -> bool {
        self.view.meta.workspace.guards(&self.space().id)
    }

    /// Whether a key is that of a definition of a collection that is in force: then a trait of that name that events set is not
    /// read.
    pub fn is_in_force(&self, collection: Collection, key: &str) -> bool {
        let definition = self.definition(key).filter(|one| one.collection == collection);
        let progress = definition.and_then(|definition| self.progress(definition));
        progress.is_some_and(|progress| progress.live.is_some())
    }

    /// All profiles that are in an audience, by id. For one that is read to its end, pages cost more.
    pub fn all_members(&self, definition: &Definition) -> Result<Vec<Member>, LookupError> {
        Ok(self.members(definition, None, usize::MAX / 4)?.members)
    }

    /// The profiles that are in an audience, by id, behind one.
    pub fn members(
        &self,
        definition: &Definition,
        after: Option<ProfileId>,
        most: usize,
    ) -> Result<MemberPage, LookupError> {
        let mut members = Vec::new();
        if definition.kind == DefinitionKind::Audience {
            let space = self.space().number.to_be_bytes();
            // What comes behind the page leaves it again, so that one page is all that is held.
            self.view.tables.computed.scan(&space, |key, row| {
                let Some(InSpace { key: profile, .. }) = InSpace::<ProfileId>::from_bytes(key)
                else {
                    return true;
                };
                if after.is_some_and(|after| profile <= after) {
                    return true;
                }
                let values = Values::decode(row).unwrap_or_default();
                let row = values.get(definition.number);
                if let Some(Held::In(since)) = row.map(|row| row.held) {
                    members.push(Member { profile, since });
                    if members.len() > 2 * most + 1 {
                        members.sort_unstable_by_key(|member| member.profile);
                        members.dedup_by_key(|member| member.profile);
                        members.truncate(most + 1);
                    }
                }
                true
            })?;
        }
        // A row that was written while it was looked for may have been there twice.
        members.sort_unstable_by_key(|member| member.profile);
        members.dedup_by_key(|member| member.profile);
        let has_more = members.len() > most;
        members.truncate(most);
        let next = members.last().map(|last| last.profile).filter(|_| has_more);
        Ok(MemberPage { members, next })
    }
}

/// What a definition comes to, if it comes to anything.
fn shown<'s>(
    definition: &'s Definition,
    values: &Values<'_>,
    traits: &BTreeMap<u32, Evaluated>,
) -> Option<ComputedValue<'s>> {
    if definition.kind == DefinitionKind::ComputedTrait {
        let Evaluated { value, is_approximate, .. } = traits.get(&definition.number)?;
        let (value, is_approximate) = (value.json(), *is_approximate);
        let shown = ComputedValue { definition, value, since: None, is_approximate };
        return Some(shown).filter(|shown| shown.value != "null");
    }
    let row = values.get(definition.number)?;
    let (value, since) = match row.held {
        Held::In(since) => ("true".to_owned(), Some(since)),
        Held::Out(since) => ("false".to_owned(), Some(since)),
        Held::Json(_) | Held::Default => return None,
    };
    Some(ComputedValue { definition, value, since, is_approximate: row.is_approximate })
}
