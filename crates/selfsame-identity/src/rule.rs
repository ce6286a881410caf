//! The rules of a space as its owner writes them: which identifiers count, how far each is trusted,
//! how many of each one profile may have, which values never identify.
//!
//! Plain data, read from JSON or YAML; [`crate::Rules::compile`] checks it. An unknown key is an
//! error, so that a misspelled limit is not a missing limit.

use selfsame_event::Collection;
use serde::{Deserialize, Serialize};

/// All rules of one space. The default is what a new space starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSet {
    /// The types of identifiers. A type that is not listed does not identify.
    pub types: Vec<TypeRule>,
    /// Values that never identify, of whatever type.
    pub blocked: Blocked,
    /// Where else identifiers are looked for.
    pub options: Options,
    /// How large a profile's graph may grow.
    pub caps: Caps,
    /// Who is one household. Left out where nobody is.
    #[serde(skip_serializing_if = "HouseholdRules::is_off")]
    pub households: HouseholdRules,
    /// What an event does that names two known people.
    #[serde(skip_serializing_if = "Strategy::is_default")]
    pub strategy: Strategy,
    /// Which devices no longer identify. Without it: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_devices: Option<SharedDevices>,
}

/// Which devices no longer identify, because too many people use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedDevices {
    /// Those that came on events of so many people, at least 2.
    pub people: u32,
}

/// What an event does that names two known people: profiles that hold more than devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// It makes them one, within the limits.
    #[default]
    Merge,
    /// It never makes them one.
    Isolate,
    /// It never makes them one, and a device is the last person's who came with it.
    Link,
}

/// The rule of one type of identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeRule {
    /// The name, in lower case: `email`, `ios.idfa`, `phone`.
    pub name: String,
    /// Whose identifier it is.
    #[serde(default = "users", with = "collection_name")]
    pub collection: Collection,
    /// How far it is trusted: 1 most. No two types of a collection have the same.
    pub priority: u16,
    /// How many values of it one profile may have.
    #[serde(default)]
    pub limit: Limit,
    /// The trait or property that carries a custom identifier, in camel or snake case (both are
    /// found). Without it, the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether values that differ in the case of ASCII letters or in outer white space are one. Without
    /// it: yes for `email`, no for every other type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold_case: Option<bool>,
    /// Values of this type that never identify.
    #[serde(default, skip_serializing_if = "Blocked::is_empty")]
    pub blocked: Blocked,
}

/// How many values of a type one profile may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// So many, at least 1.
    pub count: u32,
    /// Within this window.
    #[serde(default)]
    pub window: Window,
}

/// The window of a limit. Windows slide over event time: "weekly" is any 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// For as long as the profile lives.
    #[default]
    Ever,
    /// 1 day.
    Daily,
    /// 7 days.
    Weekly,
    /// 30 days.
    Monthly,
    /// 365 days.
    Annually,
}

/// Values that never identify.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blocked {
    /// Whole values.
    pub exact: Vec<String>,
    /// Regular expressions; a value that contains a match is blocked, so anchor them.
    pub regex: Vec<String>,
}

/// Where else identifiers are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Events whose `properties.email` is the sender's own e-mail address. Elsewhere it is often the
    /// address of somebody invited, and would merge the two.
    pub properties_email: EventNames,
    /// Events whose properties carry the sender's own custom identifiers.
    pub custom_ids_in_properties: EventNames,
    /// Whether an `alias` call links its `previousId`.
    pub alias: bool,
}

/// A choice of events: none, all, or these names. Page and screen calls are the events
/// `Page Viewed` and `Screen Viewed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventNames {
    /// `false`: no event. `true`: every event.
    All(bool),
    /// The events of these names.
    These(Vec<String>),
}

/// How large a profile's graph may grow. Beyond a cap the event still belongs to its profile, and
/// what was refused is a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Merges that one profile consists of.
    pub merges: u32,
    /// Identifiers mapped to one profile. Merging may join more; nothing more is mapped then.
    pub mappings: u32,
}

/// Who is one household. Its members stay profiles of their own: nothing is merged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HouseholdRules {
    /// Whether users with one postal address and one family name are.
    pub address: bool,
    /// The trait with a hash of a payment card, of which users with the same one are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

/// The types that have paths of their own in the wire format, in the order of their numbers.
pub const BUILT_IN: [(Collection, &str); 11] = [
    (Collection::Users, "user_id"),
    (Collection::Users, "email"),
    (Collection::Users, "android.id"),
    (Collection::Users, "android.idfa"),
    (Collection::Users, "android.push_token"),
    (Collection::Users, "anonymous_id"),
    (Collection::Users, "ga_client_id"),
    (Collection::Accounts, "group_id"),
    (Collection::Users, "ios.id"),
    (Collection::Users, "ios.idfa"),
    (Collection::Users, "ios.push_token"),
];

/// `user_id` first with one value for ever, `email` second, the others in the order of their names,
/// five values each.
impl Default for RuleSet {
    fn default() -> Self {
        let types = BUILT_IN.into_iter().zip(1_u16..).map(|((collection, name), priority)| {
            let count = if name == "user_id" { 1 } else { Limit::default().count };
            let limit = Limit { count, window: Window::Ever };
            TypeRule { collection, limit, ..TypeRule::new(name, priority) }
        });
        Self {
            types: types.collect(),
            blocked: Blocked {
                exact: ["-1", "null", "anonymous"].map(String::from).to_vec(),
                regex: vec![ZEROS_AND_DASHES.to_owned()],
            },
            options: Options::default(),
            caps: Caps::default(),
            households: HouseholdRules::default(),
            strategy: Strategy::default(),
            shared_devices: None,
        }
    }
}

/// The one regular expression that every new space has.
pub(crate) const ZEROS_AND_DASHES: &str = "^[0-]*$";

impl TypeRule {
    /// A rule for a type of the users collection, everything else as it is by default.
    pub fn new(name: impl Into<String>, priority: u16) -> Self {
        Self {
            name: name.into(),
            collection: Collection::Users,
            priority,
            limit: Limit::default(),
            key: None,
            fold_case: None,
            blocked: Blocked::default(),
        }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self { count: 5, window: Window::Ever }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            properties_email: EventNames::All(false),
            custom_ids_in_properties: EventNames::All(false),
            alias: true,
        }
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self { merges: 100, mappings: 1_000 }
    }
}

impl Strategy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Blocked {
    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.regex.is_empty()
    }
}

impl HouseholdRules {
    /// Whether nobody is.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

impl Window {
    /// Its length in microseconds; none for [`Window::Ever`].
    pub const fn micros(self) -> Option<i64> {
        const DAY: i64 = 24 * 60 * 60 * 1_000_000;
        match self {
            Self::Ever => None,
            Self::Daily => Some(DAY),
            Self::Weekly => Some(7 * DAY),
            Self::Monthly => Some(30 * DAY),
            Self::Annually => Some(365 * DAY),
        }
    }

    /// Every window.
    pub const ALL: [Self; 5] =
        [Self::Ever, Self::Daily, Self::Weekly, Self::Monthly, Self::Annually];

    /// The word that rules use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ever => "ever",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Annually => "annually",
        }
    }
}

impl EventNames {
    /// Whether the choice contains an event of that name.
    pub(crate) fn contains(&self, name: Option<&str>) -> bool {
        match self {
            Self::All(all) => *all,
            Self::These(names) => name.is_some_and(|name| names.iter().any(|one| one == name)),
        }
    }
}

fn users() -> Collection {
    Collection::Users
}

mod collection_name {
    use selfsame_event::Collection;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(it: &Collection, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(it.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Collection, D::Error> {
        let name = String::deserialize(from)?;
        Collection::from_name(&name).ok_or_else(|| {
            de::Error::custom(format!("collection {name:?} is neither `users` nor `accounts`"))
        })
    }
}

#[cfg(test)]
mod tests;
