//! What a definition of a computed trait or an audience says: read from text or JSON, and printed in the
//! one way that there is.

use std::fmt;

use selfsame_event::Collection;
use selfsame_expr::query::{
    Condition, Holder, Misuse, References, Scalar, check_condition, check_scalar, condition,
    condition_from_json, scalar, scalar_from_json,
};
use selfsame_expr::{ParseError, Spot};
use selfsame_pipeline::workspace::DefinitionKind;
use serde_json::Value;

/// What a definition says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Audience(Condition),
    Trait(Scalar),
}

/// Something that is wrong with what a definition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// What, as a sentence.
    pub(crate) sentence: String,
    /// Where in the text.
    pub(crate) spot: Option<Spot>,
}

impl Wrong {
    fn parse(error: ParseError) -> Self {
        Self { sentence: error.sentence(), spot: Some(error.spot) }
    }

    fn misuse(wrong: Misuse, text: &str) -> Self {
        Self { spot: Some(Spot::of(text, wrong.place)), sentence: wrong.sentence }
    }
}

/// In one line: where, and the sentence.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Spot { line, column, .. }) = self.spot {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.sentence)
    }
}

/// For a terminal: each with its line, and carets under the place.
pub(crate) fn pointed(wrong: &[Wrong]) -> String {
    let shown = wrong.iter().map(|one| match &one.spot {
        Some(spot) => {
            format!("line {}, column {}:\n{spot}\n{}", spot.line, spot.column, one.sentence)
        }
        None => one.sentence.clone(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

impl Said {
    /// Reads a text, and checks that it has a meaning. What is wrong is all that is.
    pub(crate) fn read(
        (kind, collection): (DefinitionKind, Collection),
        text: &str,
    ) -> Result<Self, Vec<Wrong>> {
        let holder = match collection {
            Collection::Users => Holder::Users,
            Collection::Accounts => Holder::Accounts,
        };
        let parse = |error| vec![Wrong::parse(error)];
        let misused =
            |all: Vec<Misuse>| all.into_iter().map(|one| Wrong::misuse(one, text)).collect();
        match kind {
            DefinitionKind::Audience => {
                let said = condition(text).map_err(parse)?;
                check_condition(&said, holder).map_err::<Vec<_>, _>(misused)?;
                Ok(Self::Audience(said))
            }
            DefinitionKind::ComputedTrait => {
                let said = scalar(text).map_err(parse)?;
                check_scalar(&said, holder).map_err::<Vec<_>, _>(misused)?;
                Ok(Self::Trait(said))
            }
        }
    }

    /// Reads the form for programs. Places are those of the text that it is printed as.
    pub(crate) fn from_json(
        (kind, collection): (DefinitionKind, Collection),
        json: &Value,
    ) -> Result<Self, Vec<Wrong>> {
        let said = match kind {
            DefinitionKind::Audience => condition_from_json(json).map(Self::Audience),
            DefinitionKind::ComputedTrait => scalar_from_json(json).map(Self::Trait),
        };
        let said = said.map_err(|error| vec![Wrong { sentence: error.to_string(), spot: None }])?;
        Self::read((kind, collection), &said.to_string())
    }

    /// The form for programs.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Audience(condition) => condition.to_json(),
            Self::Trait(scalar) => scalar.to_json(),
        }
    }

    /// Whether it, which is of a collection, reads the definition of that id, which is of another or the same.
    pub(crate) fn reads(&self, own: Collection, id: &str, of: Collection) -> bool {
        let all = match self {
            Self::Audience(condition) => References::of_condition(condition),
            Self::Trait(scalar) => References::of_scalar(scalar),
        };
        (own == of && all.own.contains(id)) || (of == Collection::Users && all.users.contains(id))
    }
}

/// The one way in which it is printed.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audience(condition) => condition.fmt(f),
            Self::Trait(scalar) => scalar.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
