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
    /// Whether somebody is known by more than devices: a user id, an address, a type of one's own.
    pub fn is_known(&self) -> bool {
        self.row.members.iter().any(|member| !member.number.is_device())
    }

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
        self.bring_up_to(&mut values, now);
        let mut all: Vec<_> = self.read.definitions().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all.into_iter().filter_map(|one| self.read.shown(one, &values)).collect())
    }

    /// Evaluates what may have changed by then; everything, if rules were published and the profile may not
    /// have been evaluated since.
    pub(super) fn bring_up_to(&self, values: &mut Values<'_>, now: Time) {
        values.is_stale |= self.read.counts().computing.reassessing;
        if values.until().is_some_and(|until| until <= now) {
            let sections: Vec<Section> =
                self.sections.iter().map(|(_, section)| section.clone()).collect();
            self.read.bring_up_to(values, &sections, now);
        }
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

    /// Whether a key is that of a definition in force: then a trait of that name that events set is not
    /// read.
    pub fn is_in_force(&self, key: &str) -> bool {
        let progress = self.definition(key).and_then(|definition| self.progress(definition));
        progress.is_some_and(|progress| progress.live.is_some())
    }

    fn shown<'s>(
        &'s self,
        definition: &'s Definition,
        values: &Values<'_>,
    ) -> Option<ComputedValue<'s>> {
        let row = values.get(definition.number);
        let (value, since) = match row.map(|row| &row.held) {
            Some(Held::In(since)) => ("true".to_owned(), Some(*since)),
            Some(Held::Out(since)) => ("false".to_owned(), Some(*since)),
            Some(Held::Json(json)) if &**json == "null" => return None,
            Some(Held::Json(json)) => (json.to_string(), None),
            Some(Held::Default) | None => (self.default(definition)?, None),
        };
        let is_approximate = row.is_some_and(|row| row.is_approximate);
        Some(ComputedValue { definition, value, since, is_approximate })
    }

    /// What a trait comes to where nothing happened, once every profile was evaluated.
    fn default(&self, definition: &Definition) -> Option<String> {
        let live = self.progress(definition)?.live.as_ref()?;
        let is_known = live.is_announced || self.counts().computing.reassessing;
        if definition.kind != DefinitionKind::ComputedTrait || !is_known {
            return None;
        }
        let plans = self.view.plans.get(self.slot)?;
        let plan = plans.live.get(plans.rank_of(definition.number)?)?;
        Some(plan.default.to_string()).filter(|json| json != "null")
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
                if let Some(Held::In(since)) = values.get(definition.number).map(|row| &row.held) {
                    members.push(Member { profile, since: *since });
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
