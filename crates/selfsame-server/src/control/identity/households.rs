//! Households: who shares an address and a family name with a profile, or a card, and what says so.

use selfsame_event::{Collection, ProfileId, Raw};
use selfsame_identity::HouseholdBy;
use selfsame_pipeline::{
    Found, Household, HouseholdBudget, HouseholdId, HouseholdMember, ProfileRef, SpaceRead,
    Standing,
};
use serde_json::value::RawValue;

use super::{
    Asked, Control, IdentifierShown, Node, Problem, collection, id_shown, identifier_of, read,
};
use crate::control::shape::shape;

shape! {
    /// The households of a profile, or one household.
    pub(crate) struct IdentityHouseholds {
        /// The profile that was asked for; null where a household was.
        profile_id: Option<String>,
        /// Its identifiers, in the order in which they were mapped.
        identifiers: Vec<IdentifierShown>,
        /// One for each rule of the space; none where it has no rule of households, and none of an account.
        data: Vec<HouseholdShown>,
    }

    /// What a rule says.
    pub(crate) struct HouseholdShown {
        /// `address`: one postal address and one family name. `card`: one hash of a payment card.
        rule: String,
        /// `household`, `alone`: nobody else says the same, `too_many`: more than a household has, so that none is listed; or what the profile lacks: `no_address`, `no_house`, `post_box`, `no_family_name`, `no_card`, `not_a_hash`, or `blocked`.
        state: String,
        /// What that means.
        sentence: String,
        /// The id of the household; null where the profile lacks something.
        id: Option<String>,
        /// Its members, by profile id.
        members: Vec<HouseholdMemberShown>,
        /// How many events the space had before the rule came into force: whoever gave an address or card in these only is not found.
        events_before: u64,
        /// How many sections were looked at in which the address or the card ever came.
        candidates: u64,
    }

    /// A member of a household.
    pub(crate) struct HouseholdMemberShown {
        /// The profile.
        profile_id: String,
        /// Its identifiers, in the order in which they were mapped.
        identifiers: Vec<IdentifierShown>,
        /// When the last of the traits was said: it is a member since then at the latest.
        since: String,
        /// The traits that make it one.
        traits: Vec<TraitSaid>,
    }

    /// What a trait says, and by which event.
    pub(crate) struct TraitSaid {
        /// Its name.
        name: String,
        /// Its value.
        value: Box<RawValue>,
        /// The message id of the event that set it last.
        message_id: String,
        /// When that event happened.
        timestamp: String,
        /// The source that it came by.
        source: String,
    }
}

/// Whose households are wanted.
enum Of {
    Household(HouseholdId),
    Profile(ProfileRef),
}

/// `GET /api/spaces/{id}/identity/households`
pub(crate) async fn households(
    control: Control,
    asked: Asked,
) -> Result<IdentityHouseholds, Problem> {
    let collection = collection(&asked)?;
    let of = asked.get("of").unwrap_or_default().to_owned();
    let space = asked.id().to_owned();
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        let budget = HouseholdBudget::default();
        match wanted(&read, collection, &of)? {
            Of::Household(id) => {
                let household = read.household(id, &budget)?;
                let household = household.ok_or_else(|| Problem::missing("household", &of))?;
                Ok(answer(&read, None, &[household]))
            }
            Of::Profile(wanted) => {
                let found = read.find(collection, &wanted)?;
                let found = found.ok_or_else(|| Problem::missing("profile", &of))?;
                let all = read.households_of(&found, &budget)?;
                Ok(answer(&read, Some(&found), &all))
            }
        }
    };
    control.scan(work).await
}

fn wanted(read: &SpaceRead, collection: Collection, of: &str) -> Result<Of, Problem> {
    if let Some(id) = HouseholdId::parse(of) {
        return Ok(Of::Household(id));
    }
    if let Some(id) = ProfileId::parse(of) {
        return Ok(Of::Profile(ProfileRef::Id(id)));
    }
    let id = identifier_of(read, collection, "of", of)?;
    Ok(Of::Profile(ProfileRef::Identifier { kind: id.kind.into(), value: id.value.into() }))
}

fn answer(
    read: &SpaceRead,
    found: Option<&Found<'_>>,
    all: &[Household<'_>],
) -> IdentityHouseholds {
    IdentityHouseholds {
        profile_id: found.map(|found| found.id().to_string()),
        identifiers: found.map(identifiers).unwrap_or_default(),
        data: all.iter().map(|one| household(read, one)).collect(),
    }
}

fn household(read: &SpaceRead, one: &Household<'_>) -> HouseholdShown {
    let (state, sentence) = match (&one.standing, one.by) {
        (Standing::Members(_), HouseholdBy::Address) => {
            ("household", "These profiles say one postal address and one family name.")
        }
        (Standing::Members(_), HouseholdBy::Card) => {
            ("household", "These profiles say one hash of a payment card.")
        }
        (Standing::Alone, _) => ("alone", "No other profile that can be found says the same."),
        (Standing::TooMany, _) => (
            "too_many",
            "More profiles say the same than a household has: it may be an office, a dormitory or a \
             placeholder. None is listed.",
        ),
        (Standing::Lacks(lack), _) => (lack.word(), lack.sentence()),
    };
    let members = match &one.standing {
        Standing::Members(members) => members.as_slice(),
        _ => &[],
    };
    HouseholdShown {
        rule: one.by.word().to_owned(),
        state: state.to_owned(),
        sentence: sentence.to_owned(),
        id: one.id.map(|id| id.to_string()),
        members: members.iter().map(|one| member(read, one)).collect(),
        events_before: one.events_before,
        candidates: u64::try_from(one.candidates).unwrap_or(u64::MAX),
    }
}

fn member(read: &SpaceRead, one: &HouseholdMember<'_>) -> HouseholdMemberShown {
    let view = one.profile.view();
    let said = one.traits.iter().filter_map(|name| view.trait_of(name));
    let traits = said.map(|said| TraitSaid {
        name: said.key.to_owned(),
        value: json(said.value.map_or("null", Raw::text)),
        message_id: said.stamp.message_id.to_string(),
        timestamp: said.stamp.time.to_string(),
        source: read.source_id(said.stamp.source).to_owned(),
    });
    HouseholdMemberShown {
        profile_id: one.profile.id().to_string(),
        identifiers: identifiers(&one.profile),
        since: one.since.to_string(),
        traits: traits.collect(),
    }
}

/// A value as it came. Half of a surrogate pair may stand in a text somewhere in it, which is no JSON
/// to everybody.
fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn identifiers(found: &Found<'_>) -> Vec<IdentifierShown> {
    found.external_ids().map(|id| id_shown(id.kind, id.value)).collect()
}
