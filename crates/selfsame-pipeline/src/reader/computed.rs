//! What definitions came to, as readers see it: a value whose moment has come is evaluated for the answer.

use selfsame_event::{Collection, ProfileId, Time};
use selfsame_profile::Section;
use selfsame_store::RowKey;

use super::{Found, LookupError, SpaceRead};
use crate::computed::{Held, Members, Progress, Ranks, Values, evaluate};
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
    /// What definitions came to by then, by id. What a profile never was in is not there.
    pub fn computed(&self, now: Time) -> Result<Vec<ComputedValue<'s>>, LookupError> {
        if self.collection() != Collection::Users {
            return Ok(Vec::new());
        }
        let key = self.read.in_space(self.id());
        let tables = &self.read.view.tables;
        let written = tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let moments = tables.moments.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let mut values = Values::read(&written, &moments).unwrap_or_default();
        let sections: Vec<Section> =
            self.sections.iter().map(|(_, section)| section.clone()).collect();
        self.read.bring_up_to(&mut values, &sections, now);
        let mut all: Vec<_> = self.read.definitions().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all.into_iter().filter_map(|definition| shown(definition, &values)).collect())
    }
}

fn shown<'s>(definition: &'s Definition, values: &Values<'_>) -> Option<ComputedValue<'s>> {
    let row = values.get(definition.number)?;
    let (value, since) = match &row.held {
        Held::Default => return None,
        Held::In(since) => ("true".to_owned(), Some(*since)),
        Held::Out(since) => ("false".to_owned(), Some(*since)),
        Held::Json(json) if json == "null" => return None,
        Held::Json(json) => (json.to_string(), None),
    };
    Some(ComputedValue { definition, value, since, is_approximate: row.is_approximate })
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

    /// Evaluates what may have changed by then, each at its moment.
    fn bring_up_to(&self, values: &mut Values<'_>, sections: &[Section], now: Time) {
        let Some(plans) = self.view.plans.get(self.slot) else { return };
        while let Some(until) = values.until().filter(|until| *until <= now) {
            let (wanted, at): (Ranks, _) = if values.is_stale {
                values.is_stale = false;
                (Ranks::before(plans.live.len()), now)
            } else {
                let is_due = |at: Option<Time>| at.is_some_and(|at| at <= until);
                let due = values.iter().filter(|row| is_due(row.until));
                (due.filter_map(|row| plans.rank_of(row.number)).collect(), until)
            };
            values.retain(|number| plans.rank_of(number).is_some());
            evaluate(plans, wanted, values, sections, at);
        }
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
                if let Some(Held::In(since)) = values.get(definition.number).map(|row| &row.held) {
                    members.push(Member { profile, since: *since });
                    if members.len() > 2 * most + 1 {
                        members.sort_unstable_by_key(|member| member.profile);
                        members.truncate(most + 1);
                    }
                }
                true
            })?;
        }
        members.sort_unstable_by_key(|member| member.profile);
        let has_more = members.len() > most;
        members.truncate(most);
        let next = members.last().map(|last| last.profile).filter(|_| has_more);
        Ok(MemberPage { members, next })
    }
}
