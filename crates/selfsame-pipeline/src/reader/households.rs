//! The households of profiles, as the traits of now say them.
//!
//! The index names sections in which an address or a card came at some time. Each is read as the
//! profile that it is part of now, and counts if that profile's traits still say so. So a household
//! follows merges, undo, moves and changed rules without anything being written.
//!
//! **Invariants**:
//! - every member says the same key by the rule of the answer, at the time when it was read;
//! - an answer that is not of everything says so: too many, or events from before the rule.

use std::collections::BTreeSet;

use selfsame_event::{Collection, IdentifierKey, Time};
use selfsame_identity::{HouseholdBy, HouseholdKey, Lack};
use selfsame_profile::ProfileView;
use selfsame_store::RowKey;

use super::{Found, LookupError, SpaceRead};
use crate::household::HouseholdId;
use crate::key::TraitIndexKey;

/// How much one answer reads and shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdBudget {
    /// How many entries of the index are followed.
    pub candidates: usize,
    /// How many members a household has at most. What more profiles have in common is a dormitory, an
    /// office or a placeholder, and no household.
    pub members: usize,
}

impl Default for HouseholdBudget {
    fn default() -> Self {
        Self { candidates: 1_000, members: 20 }
    }
}

/// What a rule says of a profile or an id.
#[derive(Debug)]
pub struct Household<'s> {
    /// The rule.
    pub by: HouseholdBy,
    /// The id; none where what the profile says makes none.
    pub id: Option<HouseholdId>,
    /// Who is in it.
    pub standing: Standing<'s>,
    /// How many events were folded before the rule came into force: what they say is not found.
    pub events_before: u64,
    /// How many entries of the index were followed.
    pub candidates: usize,
}

/// Who is in a household.
#[derive(Debug)]
pub enum Standing<'s> {
    /// These two or more, by profile id.
    Members(Vec<HouseholdMember<'s>>),
    /// Nobody else says the same.
    Alone,
    /// More than a household has.
    TooMany,
    /// The profile does not say what it takes.
    Lacks(Lack),
}

/// A member of a household.
#[derive(Debug)]
pub struct HouseholdMember<'s> {
    /// The profile.
    pub profile: Found<'s>,
    /// The traits that make it one.
    pub traits: Vec<String>,
    /// Event time of the last event that set one of them: since then at the latest.
    pub since: Time,
}

/// The households of a profile, one for each rule in force. They are two where both rules give one:
/// who is in one of them is not therefore in the other.
pub type Households<'s> = Vec<Household<'s>>;

/// Where members were looked for.
struct Search<'s> {
    by: Option<HouseholdBy>,
    members: Vec<HouseholdMember<'s>>,
    is_too_many: bool,
    candidates: usize,
}

impl SpaceRead {
    /// The households of a profile.
    pub fn households_of(
        &self,
        found: &Found<'_>,
        budget: &HouseholdBudget,
    ) -> Result<Households<'_>, LookupError> {
        let mut all = Vec::new();
        if found.collection != Collection::Users {
            return Ok(all);
        }
        let view = found.view();
        for by in self.compiled.rules.households().rules() {
            let id = match self.household_key(&view, by) {
                Ok(key) => self.household_id(&key),
                Err(lack) => {
                    all.push(self.told(by, None, Standing::Lacks(lack), 0));
                    continue;
                }
            };
            // The profile itself counts whether or not it is in the index.
            let own = found.row.members.first().map(|member| member.key);
            let search = self.search_household(id, own, budget)?;
            all.push(self.told(
                by,
                Some(id),
                standing(search.members, search.is_too_many),
                search.candidates,
            ));
        }
        Ok(all)
    }

    /// The household of an id; none where no profile is in it.
    pub fn household(
        &self,
        id: HouseholdId,
        budget: &HouseholdBudget,
    ) -> Result<Option<Household<'_>>, LookupError> {
        let search = self.search_household(id, None, budget)?;
        let Some(by) = search.by else { return Ok(None) };
        let standing = standing(search.members, search.is_too_many);
        Ok(Some(self.told(by, Some(id), standing, search.candidates)))
    }

    fn told<'s>(
        &self,
        by: HouseholdBy,
        id: Option<HouseholdId>,
        standing: Standing<'s>,
        candidates: usize,
    ) -> Household<'s> {
        Household { by, id, standing, candidates, events_before: self.counts().events_before(by) }
    }

    fn search_household(
        &self,
        id: HouseholdId,
        own: Option<IdentifierKey>,
        budget: &HouseholdBudget,
    ) -> Result<Search<'_>, LookupError> {
        let (mut anchors, mut is_cut) = (BTreeSet::from_iter(own), false);
        self.view.tables.trait_index.scan(&id.prefix(self.space().number), |key, _| {
            anchors.extend(TraitIndexKey::from_bytes(key).map(|key| key.anchor));
            is_cut = anchors.len() > budget.candidates;
            !is_cut
        })?;
        let mut search =
            Search { by: None, members: Vec::new(), is_too_many: false, candidates: anchors.len() };
        let mut seen = BTreeSet::new();
        for anchor in anchors {
            let Some(found) = self.find_key(Collection::Users, anchor)? else { continue };
            if !seen.insert(found.component) {
                continue;
            }
            // Whoever became part of this profile since it was read is no member of its own.
            search.members.retain(|member| !found.has_any_of(&member.profile));
            if let Some((by, member)) = self.member(found, id) {
                search.by = Some(by);
                search.members.push(member);
                search.is_too_many = is_cut || search.members.len() > budget.members;
            }
            if search.is_too_many {
                search.members.clear();
                break;
            }
        }
        search.members.sort_by_key(|member| member.profile.id);
        Ok(search)
    }

    /// The profile as a member of the household of that id, if it is one.
    fn member<'s>(
        &self,
        found: Found<'s>,
        id: HouseholdId,
    ) -> Option<(HouseholdBy, HouseholdMember<'s>)> {
        let view = found.view();
        let mut rules = self.compiled.rules.households().rules();
        let (by, key) = rules.find_map(|by| {
            let key = self.household_key(&view, by).ok()?;
            (self.household_id(&key) == id).then_some((by, key))
        })?;
        let traits: Vec<String> = key.traits.iter().map(|name| (*name).to_owned()).collect();
        let said = traits.iter().filter_map(|name| view.trait_of(name));
        let since = said.map(|one| one.stamp.time).max()?;
        drop(view);
        Some((by, HouseholdMember { profile: found, traits, since }))
    }

    fn household_key(
        &self,
        view: &ProfileView<'_>,
        by: HouseholdBy,
    ) -> Result<HouseholdKey<'_>, Lack> {
        let get = |name: &str| view.trait_of(name).and_then(|one| one.value);
        self.compiled.rules.households().key(by, &get)
    }

    fn household_id(&self, key: &HouseholdKey<'_>) -> HouseholdId {
        HouseholdId::of(&self.view.hasher, self.space().number, key)
    }
}

impl Found<'_> {
    fn has_any_of(&self, other: &Found<'_>) -> bool {
        other.row.members.iter().any(|member| self.holds(member.key))
    }
}

fn standing(members: Vec<HouseholdMember<'_>>, is_too_many: bool) -> Standing<'_> {
    match members.len() {
        _ if is_too_many => Standing::TooMany,
        0 | 1 => Standing::Alone,
        _ => Standing::Members(members),
    }
}
