//! Where functions are used, and what they are told there.

use std::collections::BTreeMap;

use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{Change, FunctionPlace, FunctionUse};
use serde_json::Value;

use super::Control;
use super::asked::Asked;
use super::functions::find;
use super::problem::{Code, Problem};
use super::shape::shape;
use super::state::Done;
use crate::function::{SettingError, seal};

shape! {
    /// A function in use.
    pub(crate) struct FunctionUseShown {
        /// The id of the function.
        function: String,
        /// What it is told, but for what is secret.
        settings: BTreeMap<String, Value>,
        /// The names of secret settings that are given.
        secrets: Vec<String>,
        /// Where requests go that it makes events of, with one of the source's write keys in place of KEY; null
        /// where it is used otherwise.
        path: Option<String>,
    }

    /// A function to be used. A secret that is not given stays, where the same function was used before.
    #[serde(deny_unknown_fields)]
    pub(crate) struct FunctionUseAsked {
        /// The id of the function.
        function: String,
        /// What it is told.
        settings: Option<BTreeMap<String, Value>>,
    }
}

fn shown(view: &View, place: &FunctionPlace) -> Result<FunctionUseShown, Problem> {
    let found = view.meta.workspace.function_at(place);
    let (function, used) = found.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("No function is used by the {place}."))
    })?;
    let is_secret =
        |name: &str| function.settings.iter().any(|setting| setting.name == name && setting.secret);
    let plain = used.settings.iter().filter(|(name, _)| !is_secret(name));
    Ok(FunctionUseShown {
        function: used.function.clone(),
        settings: plain.map(|(name, value)| (name.clone(), value.clone())).collect(),
        secrets: used.settings.keys().filter(|name| is_secret(name)).cloned().collect(),
        path: matches!(place, FunctionPlace::Source(_)).then(|| "/fn/KEY".to_owned()),
    })
}

/// The function of a source, if it has one.
pub(super) fn shown_of_source(view: &View, source: &str) -> Option<FunctionUseShown> {
    shown(view, &FunctionPlace::Source(source.to_owned())).ok()
}

async fn set(
    control: &Control,
    place: FunctionPlace,
    asked: FunctionUseAsked,
) -> Result<FunctionUseShown, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let function = find(&view, &asked.function).map_err(|problem| {
        Problem::new(Code::Invalid, problem.message().to_owned()).at("function")
    })?;
    let before = view.meta.workspace.function_at(&place).map(|(_, used)| used);
    let before = before.filter(|before| before.function == asked.function);
    let given = asked.settings.unwrap_or_default();
    let settings = seal(&control.node.vault, &place, &function.settings, given, before);
    let settings = settings.map_err(|error| match (&error, error.name()) {
        (SettingError::Seal(_), _) | (_, None) => {
            Problem::new(Code::Unavailable, "The settings cannot be sealed just now.")
        }
        (_, Some(name)) => Problem::field(format!("settings.{name}"), format!("{error}.")),
    })?;
    let function = Some(FunctionUse { function: asked.function, settings });
    let view = control.change(&Change::UseFunction { at: place.clone(), function }).await?;
    shown(&view, &place)
}

async fn unset(control: &Control, place: FunctionPlace) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let found = shown(&control.view()?, &place)?;
    control.change(&Change::UseFunction { at: place, function: None }).await?;
    Ok(Done::new(&found.function, "not used any more"))
}

fn source(asked: &Asked) -> FunctionPlace {
    FunctionPlace::Source(asked.id().to_owned())
}

/// `GET /api/sources/{id}/function`
pub(crate) async fn of_source(control: Control, asked: Asked) -> Result<FunctionUseShown, Problem> {
    shown(&control.view()?, &source(&asked))
}

/// `PUT /api/sources/{id}/function`
pub(crate) async fn set_of_source(
    control: Control,
    asked: Asked,
    wanted: FunctionUseAsked,
) -> Result<FunctionUseShown, Problem> {
    set(&control, source(&asked), wanted).await
}

/// `DELETE /api/sources/{id}/function`
pub(crate) async fn unset_of_source(control: Control, asked: Asked) -> Result<Done, Problem> {
    unset(&control, source(&asked)).await
}
