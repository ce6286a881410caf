//! The traits of a profile: what events set, and what definitions come to.
//!
//! Under the key of a definition in force there is its value or nothing, never what an event set.

use selfsame_event::{Raw, Time};
use selfsame_pipeline::workspace::DefinitionKind;
use selfsame_pipeline::{ComputedValue, Found, JsonObject, SpaceRead};
use selfsame_profile::{ProfileView, Trait};

use crate::problem::Problem;

/// Where a trait is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Custom,
    ComputedTrait,
    Audience,
}

impl Class {
    /// Reads the word on the wire.
    pub(crate) fn parse(word: &str) -> Result<Self, Problem> {
        match word {
            "custom" => Ok(Self::Custom),
            "computed_trait" => Ok(Self::ComputedTrait),
            "audience" => Ok(Self::Audience),
            _ => Err(Problem::invalid("`class` is one of custom, computed_trait and audience.")),
        }
    }

    /// Whether definitions make its values.
    pub(crate) fn is_computed(self) -> bool {
        self != Self::Custom
    }

    fn of(kind: DefinitionKind) -> Self {
        match kind {
            DefinitionKind::ComputedTrait => Self::ComputedTrait,
            DefinitionKind::Audience => Self::Audience,
        }
    }
}

/// A trait, wherever it is from.
#[derive(Debug)]
pub(crate) enum AnyTrait<'a> {
    /// An event set it.
    Custom(Trait<'a>),
    /// A definition came to it.
    Computed(ComputedValue<'a>),
}

impl AnyTrait<'_> {
    /// Its key.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Custom(one) => one.key,
            Self::Computed(one) => &one.definition.id,
        }
    }

    /// Where it is from.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Custom(_) => Class::Custom,
            Self::Computed(one) => Class::of(one.definition.kind),
        }
    }

    fn json(&self) -> &str {
        match self {
            Self::Custom(one) => one.value.map_or("null", Raw::text),
            Self::Computed(one) => &one.value,
        }
    }
}

/// All traits of a profile as of now, by key.
pub(crate) fn all<'a>(
    found: &'a Found<'_>,
    view: &'a ProfileView<'_>,
    now: Time,
) -> Result<Vec<AnyTrait<'a>>, Problem> {
    let read = found.space();
    let mut all: Vec<_> = found.computed(now)?.into_iter().map(AnyTrait::Computed).collect();
    let computed = all.len();
    let collection = found.collection();
    all.extend(custom(view).filter(|one| !read.is_in_force(collection, one.key())));
    if computed > 0 {
        all.sort_by(|a, b| a.key().cmp(b.key()));
    }
    Ok(all)
}

/// The traits that events set, by key.
pub(crate) fn custom<'a>(view: &'a ProfileView<'_>) -> impl Iterator<Item = AnyTrait<'a>> {
    view.traits().copied().map(AnyTrait::Custom)
}

/// Traits by key; with `verbose`, each with where it is from and since when.
pub(crate) fn show<'t>(
    read: &SpaceRead,
    traits: impl IntoIterator<Item = &'t AnyTrait<'t>>,
    verbose: bool,
) -> String {
    let mut out = JsonObject::default();
    for one in traits {
        let value = one.json();
        if !verbose {
            out.raw(one.key(), value);
            continue;
        }
        let mut entry = JsonObject::default();
        entry.raw("value", value);
        match one {
            AnyTrait::Custom(one) => {
                entry
                    .text("source_id", read.source_id(one.stamp.source))
                    .text("updated_at", &one.stamp.time.to_string());
            }
            AnyTrait::Computed(one) => {
                let since = one.since.map(|since| since.to_string());
                entry.text("class", one.definition.kind.word());
                entry.text_if("updated_at", since.as_deref());
                if one.is_approximate {
                    entry.raw("approximate", "true");
                }
            }
        }
        out.raw(one.key(), &entry.finish());
    }
    out.finish()
}
