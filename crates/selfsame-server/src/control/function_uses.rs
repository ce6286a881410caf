//! Where functions are used, and what they are told there.

use std::collections::BTreeMap;

use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{Change, FunctionPlace, FunctionUse};
use serde_json::Value;

use super::asked::Asked;
use super::functions::find;
use super::problem::{Code, Problem};
use super::shape::shape;
use super::state::Done;
use super::{Control, destinations};
use crate::function::{FUNCTION, SettingError, seal};

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
    shown_at(view, &FunctionPlace::Source(source.to_owned()))
}

/// The function at a place, if there is one.
pub(super) fn shown_at(view: &View, place: &FunctionPlace) -> Option<FunctionUseShown> {
    shown(view, place).ok()
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

/// What a function does for a destination.
enum Role {
    /// It is what the destination does.
    Own,
    /// It stands in front of it.
    Insert,
}

/// A place of a destination, if a function can be there.
fn destination(control: &Control, asked: &Asked, role: &Role) -> Result<FunctionPlace, Problem> {
    let view = control.view()?;
    let found = destinations::find(&view, asked.id())?;
    match role {
        Role::Own if found.kind == FUNCTION => Ok(FunctionPlace::Destination(found.id.clone())),
        Role::Own => {
            let message = format!(
                "The destination is of the kind `{}`; make one of the kind `{FUNCTION}`, or use an insert function.",
                found.kind
            );
            Err(Problem::new(Code::Conflict, message))
        }
        Role::Insert => Ok(FunctionPlace::Insert(found.id.clone())),
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $show:ident, $set:ident, $unset:ident: |$control:ident, $asked:ident| $place:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) async fn $show($control: Control, $asked: Asked) -> Result<FunctionUseShown, Problem> {
            let place = $place;
            shown(&$control.view()?, &place)
        }

        /// The same with PUT.
        pub(crate) async fn $set(
            $control: Control,
            $asked: Asked,
            wanted: FunctionUseAsked,
        ) -> Result<FunctionUseShown, Problem> {
            let place = $place;
            set(&$control, place, wanted).await
        }

        /// The same with DELETE.
        pub(crate) async fn $unset($control: Control, $asked: Asked) -> Result<Done, Problem> {
            let place = $place;
            unset(&$control, place).await
        }
    )+};
}

operations! {
    /// `GET /api/sources/{id}/function`
    of_source, set_of_source, unset_of_source:
        |control, asked| FunctionPlace::Source(asked.id().to_owned());
    /// `GET /api/destinations/{id}/function`
    of_destination, set_of_destination, unset_of_destination:
        |control, asked| destination(&control, &asked, &Role::Own)?;
    /// `GET /api/destinations/{id}/insert-function`
    inserted, set_inserted, unset_inserted:
        |control, asked| destination(&control, &asked, &Role::Insert)?;
}
