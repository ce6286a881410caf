//! Spaces: identity rules and indexed traits.

use selfsame_identity::{RuleError, RuleSet, Rules, TypeNumbers};
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{Change, Space};

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::hint::Hinted;
use super::identity::hint;
use super::problem::{Code, Problem};
use super::shape::{Page, shape};

/// How many traits of a space may be indexed.
const INDEXED: usize = 100;

shape! {
    /// An identity graph of its own, with its rules and profiles.
    pub(crate) struct SpaceShown {
        /// The id, as it is in URLs.
        id: String,
        /// The name for people.
        name: String,
        /// How identifiers are found and matched.
        rules: RuleSet,
        /// The traits that searches find.
        indexed_traits: Vec<String>,
        /// Events folded into profiles.
        events: u64,
        /// Profiles that are not merged into another one.
        profiles: u64,
        /// Merges made.
        merges: u64,
        /// Events that identified nobody.
        unattached: u64,
    }

    /// A space to be made.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewSpace {
        /// The id; made from the name where it is not given.
        id: Option<String>,
        /// The name for people.
        name: String,
        /// The rules; the usual ones where they are not given.
        rules: Option<RuleSet>,
        /// The traits that searches find.
        indexed_traits: Option<Vec<String>>,
    }

    /// What is to change; what is not given stays.
    #[serde(deny_unknown_fields)]
    pub(crate) struct SpaceChange {
        /// The name for people.
        name: Option<String>,
        /// The rules, all of them.
        rules: Option<RuleSet>,
        /// The traits that searches find, all of them.
        indexed_traits: Option<Vec<String>>,
    }

    /// The traits that searches find.
    #[serde(deny_unknown_fields)]
    pub(crate) struct IndexedTraits {
        /// Their names.
        traits: Vec<String>,
    }
}

fn shown(view: &View, space: &Space) -> SpaceShown {
    let slot = usize::try_from(space.number).unwrap_or(usize::MAX);
    let counts = view.meta.spaces.get(slot).cloned().unwrap_or_default();
    SpaceShown {
        id: space.id.clone(),
        name: space.name.clone(),
        rules: space.rules.clone(),
        indexed_traits: space.indexed_traits.clone(),
        events: counts.events,
        profiles: counts.profiles,
        merges: counts.merges,
        unattached: counts.unattached,
    }
}

pub(super) fn find<'v>(view: &'v View, id: &str) -> Result<&'v Space, Problem> {
    view.meta.workspace.space(id).ok_or_else(|| Problem::missing("space", id))
}

/// `GET /api/spaces`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<SpaceShown>, Problem> {
    let view = control.view()?;
    let spaces = view.meta.workspace.spaces.iter().map(|space| shown(&view, space));
    Ok(spaces.collect::<Vec<_>>().into())
}

/// `GET /api/spaces/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<SpaceShown, Problem> {
    let view = control.view()?;
    Ok(shown(&view, find(&view, asked.id())?))
}

/// `POST /api/spaces`
pub(crate) async fn create(
    control: Control,
    _: Asked,
    new: NewSpace,
) -> Result<SpaceShown, Problem> {
    check_name(&new.name)?;
    let _turn = control.turn().await;
    let view = control.view()?;
    let id = choose_id(new.id, &new.name, |id| view.meta.workspace.space(id).is_some())?;
    let space = Space {
        number: 0,
        id,
        name: new.name,
        rules: new.rules.unwrap_or_default(),
        indexed_traits: new.indexed_traits.unwrap_or_default(),
    };
    set(&control, space).await
}

/// `PATCH /api/spaces/{id}`
pub(crate) async fn update(
    control: Control,
    asked: Asked,
    change: SpaceChange,
) -> Result<Hinted<SpaceShown>, Problem> {
    let _turn = control.turn().await;
    let mut space = find(&control.view()?, asked.id())?.clone();
    if let Some(name) = change.name {
        check_name(&name)?;
        space.name = name;
    }
    let rules = change.rules.unwrap_or_else(|| space.rules.clone());
    let hint = hint(&space.id, &space.rules, &rules);
    space.rules = rules;
    space.indexed_traits = change.indexed_traits.unwrap_or(space.indexed_traits);
    Ok(Hinted { answer: set(&control, space).await?, hint })
}

/// `GET /api/spaces/{id}/rules`
pub(crate) async fn rules(control: Control, asked: Asked) -> Result<RuleSet, Problem> {
    Ok(find(&control.view()?, asked.id())?.rules.clone())
}

/// `PUT /api/spaces/{id}/rules`
pub(crate) async fn set_rules(
    control: Control,
    asked: Asked,
    rules: RuleSet,
) -> Result<Hinted<RuleSet>, Problem> {
    let change = SpaceChange { name: None, rules: Some(rules), indexed_traits: None };
    let Hinted { answer, hint } = update(control, asked, change).await?;
    Ok(Hinted { answer: answer.rules, hint })
}

/// `GET /api/spaces/{id}/indexed-traits`
pub(crate) async fn indexed(control: Control, asked: Asked) -> Result<IndexedTraits, Problem> {
    Ok(IndexedTraits { traits: find(&control.view()?, asked.id())?.indexed_traits.clone() })
}

/// `PUT /api/spaces/{id}/indexed-traits`
pub(crate) async fn set_indexed(
    control: Control,
    asked: Asked,
    wanted: IndexedTraits,
) -> Result<IndexedTraits, Problem> {
    let change = SpaceChange { name: None, rules: None, indexed_traits: Some(wanted.traits) };
    let space = update(control, asked, change).await?.answer;
    Ok(IndexedTraits { traits: space.indexed_traits })
}

async fn set(control: &Control, space: Space) -> Result<SpaceShown, Problem> {
    check_rules_of(&control.view()?, &space, &space.rules)?;
    check_traits(&space.indexed_traits)?;
    let Space { id, name, rules, indexed_traits, .. } = space;
    let change = Change::SetSpace { id: id.clone(), name, rules, indexed_traits };
    let view = control.change(&change).await?;
    Ok(shown(&view, find(&view, &id)?))
}

fn check_traits(traits: &[String]) -> Result<(), Problem> {
    if traits.len() > INDEXED {
        return Err(Problem::field("traits", format!("At most {INDEXED} traits are indexed.")));
    }
    for (index, name) in traits.iter().enumerate() {
        let fits = (1..=512).contains(&name.len());
        if !fits || traits[..index].contains(name) {
            let message =
                format!("`traits[{index}]` is empty, longer than 512 bytes, or there twice.");
            return Err(Problem::field(format!("traits[{index}]"), message));
        }
    }
    Ok(())
}

/// Checks rules of a space. New types get numbers behind those that the space has given before.
pub(super) fn check_rules_of(view: &View, space: &Space, rules: &RuleSet) -> Result<(), Problem> {
    let known = view.meta.workspace.space(&space.id);
    let slot = known.and_then(|one| usize::try_from(one.number).ok());
    let counts = slot.and_then(|slot| view.meta.spaces.get(slot));
    check_rules(rules, counts.map(|counts| counts.numbers.clone()).unwrap_or_default())
}

/// Checks rules; the error says which type it is about.
fn check_rules(set: &RuleSet, mut numbers: TypeNumbers) -> Result<(), Problem> {
    let Err(error) = Rules::compile(set, &mut numbers) else { return Ok(()) };
    let mut message = error.to_string();
    if let Some(cause) = std::error::Error::source(&error) {
        message = format!("{message}: {cause}");
    }
    let named = match &error {
        RuleError::Name { name }
        | RuleError::NameTwice { name }
        | RuleError::Collection { name, .. }
        | RuleError::Key { name }
        | RuleError::KeyTwice { name, .. }
        | RuleError::PriorityZero { name }
        | RuleError::PriorityTwice { name, .. }
        | RuleError::LimitZero { name }
        | RuleError::Regex { name, .. } => Some(name),
        _ => None,
    };
    let index = named.and_then(|name| set.types.iter().rposition(|rule| rule.name == *name));
    let field = match index {
        Some(index) => format!("types[{index}]"),
        None if error == RuleError::Card => "households.card".to_owned(),
        None => "rules".to_owned(),
    };
    Err(Problem::new(Code::RulesInvalid, message).at(field))
}
