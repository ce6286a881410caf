//! Who is one household: users whose traits say one postal address and one family name, or one hash
//! of a payment card.
//!
//! ```text
//! address  { street, postalCode, country }, or a text   --one spelling-->  place  } household
//! lastName, or what `name` says of it                   --one spelling-->  name   }
//! card     a trait that the rules name                  ------------------------->  household
//! ```
//!
//! A household follows from what profiles say now. Nothing is stored of it but where to look
//! ([`Households::places`]), so it is never stale and never has to be undone, and it merges nobody.
//!
//! **Invariant**: a key depends on the traits and the rules alone. It changes only with the spelling
//! (`spelling.rs`), which is part of the logic that decides.

mod spelling;

use std::borrow::Cow;

use selfsame_event::Raw;
use smallvec::SmallVec;

use crate::blocklist::Blocklist;
use crate::compile::{RuleError, fold};
use crate::rule::{Blocked, RuleSet};

/// The trait with the postal address.
const ADDRESS: &str = "address";
/// The traits with the family name, the first that has a value counts.
const LAST_NAME: [&str; 2] = ["lastName", "last_name"];
/// The trait whose value ends, or begins before a comma, with the family name.
const NAME: &str = "name";

/// By which rule profiles are one household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HouseholdBy {
    /// One postal address and one family name.
    Address,
    /// One hash of a payment card.
    Card,
}

/// What the members of a household have in common. Two profiles are one household by a rule where
/// these are equal.
#[derive(Clone, PartialEq, Eq)]
pub struct HouseholdKey<'r> {
    /// By which rule.
    pub by: HouseholdBy,
    /// The address or the card, in the one spelling that is compared.
    pub place: String,
    /// The family name, in the one spelling that is compared; empty for a card.
    pub name: String,
    /// The traits that say so.
    pub traits: SmallVec<[&'r str; 2]>,
}

/// Values are personal data: `Debug` shows the rule only.
impl std::fmt::Debug for HouseholdKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HouseholdKey({:?}, …)", self.by)
    }
}

/// Why a profile is of no household by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// It has no trait with an address.
    NoAddress,
    /// What the trait says is not enough to find one house.
    NoHouse,
    /// It says a post box, or an office where post is kept.
    PostBox,
    /// It has no family name.
    NoFamilyName,
    /// The rules of the space block one of the values.
    Blocked,
    /// It has no trait with a card.
    NoCard,
    /// What the trait says is not the hash of a card.
    NotAHash,
}

/// What traits say, as it came.
type Said<'t> = SmallVec<[Cow<'t, str>; 4]>;

/// Who is one household, by the rules of a space.
#[derive(Debug, Clone, Default)]
pub struct Households {
    address: bool,
    card: Option<Box<str>>,
    blocked: Blocklist,
}

impl HouseholdBy {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Card => "card",
        }
    }
}

impl Lack {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::NoHouse => "no_house",
            Self::PostBox => "post_box",
            Self::NoFamilyName => "no_family_name",
            Self::Blocked => "blocked",
            Self::NoCard => "no_card",
            Self::NotAHash => "not_a_hash",
        }
    }

    /// The sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoAddress => "The profile has no trait `address`.",
            Self::NoHouse => {
                "The address does not name one house: it needs a street with a house number, and a \
                 postal code."
            }
            Self::PostBox => "The address is a post box, or an office where post is kept.",
            Self::NoFamilyName => {
                "The profile has no family name: no `lastName`, and no `name` of two words."
            }
            Self::Blocked => "The rules of the space block one of the values.",
            Self::NoCard => "The profile has no trait with the hash of a card.",
            Self::NotAHash => {
                "The trait is not the hash of a card: that is a text of 16 to 256 characters without \
                 spaces, at least 8 of them different, not a number, and not the hash of nothing."
            }
        }
    }
}

impl Households {
    /// Checks the rules and makes them quick.
    pub(crate) fn compile(set: &RuleSet) -> Result<Self, RuleError> {
        let rules = &set.households;
        if rules.is_off() {
            return Ok(Self::default());
        }
        let card = rules.card.as_deref();
        if card.is_some_and(|name| !(1..=512).contains(&name.len())) {
            return Err(RuleError::Card);
        }
        let folded = |value: &str| fold(Cow::Borrowed(value)).into_owned();
        let lists = [&set.blocked, &Blocked::default()];
        let blocked = Blocklist::compile(lists, folded).map_err(RuleError::Blocked)?;
        Ok(Self { address: rules.address, card: card.map(Into::into), blocked })
    }

    /// Whether nobody is one.
    pub fn is_off(&self) -> bool {
        !self.address && self.card.is_none()
    }

    /// The rules by which profiles are one.
    pub fn rules(&self) -> impl Iterator<Item = HouseholdBy> {
        let address = self.address.then_some(HouseholdBy::Address);
        let card = self.card.as_ref().map(|_| HouseholdBy::Card);
        address.into_iter().chain(card)
    }

    /// The addresses and cards that some traits say, each as it is compared: under these they are to
    /// be found. Which values are blocked makes no difference, because that may change.
    pub fn places(&self, traits: Raw<'_>) -> impl Iterator<Item = (HouseholdBy, String)> {
        let place = move |by| Some((by, self.place(by, &|name: &str| traits.get(name)).ok()?.0));
        self.rules().filter_map(place)
    }

    /// Which household a profile with these traits is of, by a rule.
    pub fn key<'r, 't>(
        &'r self,
        by: HouseholdBy,
        get: &impl Fn(&str) -> Option<Raw<'t>>,
    ) -> Result<HouseholdKey<'r>, Lack> {
        let (place, mut values) = self.place(by, get)?;
        let mut key = HouseholdKey { by, place, name: String::new(), traits: SmallVec::new() };
        match by {
            HouseholdBy::Card => key.traits.extend(self.card.as_deref()),
            HouseholdBy::Address => {
                let family = family_name(get).ok_or(Lack::NoFamilyName)?;
                key.name = family.spelled;
                key.traits.extend([ADDRESS, family.from]);
                values.extend(family.said);
            }
        }
        if values.iter().any(|value| self.blocks(value)) { Err(Lack::Blocked) } else { Ok(key) }
    }

    fn blocks(&self, value: &str) -> bool {
        let value = value.trim();
        let folded = fold(Cow::Borrowed(value));
        !value.is_empty() && (self.blocked.contains(value) || self.blocked.contains(&folded))
    }

    /// An address or a card as it is compared, and what was said.
    fn place<'t>(
        &self,
        by: HouseholdBy,
        get: &impl Fn(&str) -> Option<Raw<'t>>,
    ) -> Result<(String, Said<'t>), Lack> {
        let given = |name: &str| get(name).filter(|value| !value.is_null());
        match by {
            HouseholdBy::Address => address(given(ADDRESS).ok_or(Lack::NoAddress)?),
            HouseholdBy::Card => {
                let value = self.card.as_deref().and_then(given).ok_or(Lack::NoCard)?;
                let said = value.string().ok_or(Lack::NotAHash)?;
                let card = spelling::hash(&said).ok_or(Lack::NotAHash)?;
                Ok((card, Said::from_iter([said])))
            }
        }
    }
}

/// An address as it is compared, and what was said. Of an object the city and state are left out:
/// the postal code says them, in one spelling.
fn address(value: Raw<'_>) -> Result<(String, Said<'_>), Lack> {
    let mut said = Said::new();
    if let Some(text) = value.string() {
        let place = spelling::whole_address(&text)?;
        said.push(text);
        return Ok((place, said));
    }
    let part = |names: &[&str]| {
        let given = names.iter().find_map(|name| value.get(name).filter(|part| !part.is_null()))?;
        let is_digits = given.text().bytes().all(|byte| byte.is_ascii_digit());
        if is_digits { Some(Cow::Borrowed(given.text())) } else { given.string() }
    };
    let street = part(&["street"]).ok_or(Lack::NoHouse)?;
    let code = part(&["postalCode", "postal_code"]).unwrap_or_default();
    let country = part(&["country"]).unwrap_or_default();
    let spelled = spelling::street(&street)?;
    let code_spelled = spelling::postal_code(&code).ok_or(Lack::NoHouse)?;
    let country = spelling::country(&country).ok_or(Lack::NoHouse)?;
    said.extend([street, code]);
    Ok((format!("{spelled}\n{code_spelled}\n{country}"), said))
}

/// A family name, as a profile says it.
struct FamilyName<'t> {
    /// As it is compared.
    spelled: String,
    /// The trait that says it.
    from: &'static str,
    /// What the trait says, and the part of it that is the name.
    said: [Cow<'t, str>; 2],
}

fn family_name<'t>(get: &impl Fn(&str) -> Option<Raw<'t>>) -> Option<FamilyName<'t>> {
    let text = |name: &str| get(name).and_then(Raw::string).filter(|text| !text.trim().is_empty());
    if let Some((from, said)) = LAST_NAME.iter().find_map(|name| Some((*name, text(name)?))) {
        let spelled = spelling::family_name(&said)?;
        return Some(FamilyName { spelled, from, said: [said, Cow::default()] });
    }
    let said = text(NAME)?;
    let family = spelling::family_of(&said)?.to_owned();
    let spelled = spelling::family_name(&family)?;
    Some(FamilyName { spelled, from: NAME, said: [said, family.into()] })
}

#[cfg(test)]
mod tests;
