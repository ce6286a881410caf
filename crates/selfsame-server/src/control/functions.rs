//! Functions: their code, their versions, and what their last calls came to.

use std::collections::BTreeSet;

use selfsame_event::Position;
use selfsame_functions::CODE_BYTES;
use selfsame_log::LogRead as _;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{
    Change, Function, FunctionKind, FunctionSetting, FunctionVersion, SettingKind,
};

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::state::Done;
use crate::function::{self, Called};

/// Functions of a workspace.
const FUNCTIONS: usize = 100;
/// Settings of a function.
const SETTINGS: usize = 50;

shape! {
    /// A function: JavaScript that makes, changes or delivers events.
    pub(crate) struct FunctionShown {
        /// The id.
        id: String,
        /// The name for people.
        name: String,
        /// Where it stands: source, insert or destination.
        kind: FunctionKind,
        /// Its code.
        code: String,
        /// What has to be told to it wherever it is used.
        settings: Vec<FunctionSettingShown>,
        /// The number of this version.
        version: u32,
        /// Where it is used.
        used_by: Vec<String>,
    }

    /// A setting of a function.
    #[serde(deny_unknown_fields)]
    pub(crate) struct FunctionSettingShown {
        /// Its name in `settings`.
        name: String,
        /// What it is; a text where it is not given.
        kind: Option<SettingKind>,
        /// For people.
        description: Option<String>,
        /// Whether it has to be given.
        required: Option<bool>,
        /// Whether it is sealed, and never shown. Only a text can be.
        secret: Option<bool>,
    }

    /// A function to be made.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewFunction {
        /// The id; made from the name where it is not given.
        id: Option<String>,
        /// The name for people.
        name: String,
        /// Where it stands: source, insert or destination.
        kind: FunctionKind,
        /// Its code.
        code: String,
        /// What has to be told to it wherever it is used.
        settings: Option<Vec<FunctionSettingShown>>,
    }

    /// What is to change; what is not given stays. Other code or other settings make another version.
    #[serde(deny_unknown_fields)]
    pub(crate) struct FunctionChange {
        /// The name for people.
        name: Option<String>,
        /// Its code.
        code: Option<String>,
        /// What has to be told to it wherever it is used.
        settings: Option<Vec<FunctionSettingShown>>,
    }

    /// A version of a function.
    pub(crate) struct FunctionVersionShown {
        /// Its number.
        version: u32,
        /// When it was made.
        at: String,
        /// The record that made it.
        position: String,
        /// Whether it is the one that runs.
        is_current: bool,
    }

    /// A version of a function, with its code.
    pub(crate) struct FunctionCode {
        /// Its number.
        version: u32,
        /// Its code.
        code: String,
        /// What had to be told to it.
        settings: Vec<FunctionSettingShown>,
    }

    /// A way back to an earlier version, which becomes the newest.
    #[serde(deny_unknown_fields)]
    pub(crate) struct FunctionRollBack {
        /// The number of that version.
        version: u32,
    }

    /// A call of a function.
    pub(crate) struct FunctionCalled {
        /// When it began.
        at: String,
        /// Where the function was used.
        place: String,
        /// Which version it was.
        version: u32,
        /// `done`, or the word of why it failed.
        outcome: String,
        /// Why it failed; null where it did not.
        message: Option<String>,
        /// What it printed.
        lines: Vec<FunctionLine>,
        /// Whether it printed more than is kept.
        lines_cut: bool,
        /// Requests that it made.
        requests: u32,
        /// Processor time, in microseconds.
        cpu_micros: u64,
        /// Time, in microseconds.
        wall_micros: u64,
    }

    /// A line that a function printed.
    pub(crate) struct FunctionLine {
        /// debug, info, warn or error.
        level: String,
        /// What.
        text: String,
    }
}

impl From<&FunctionSetting> for FunctionSettingShown {
    fn from(setting: &FunctionSetting) -> Self {
        Self {
            name: setting.name.clone(),
            kind: Some(setting.kind),
            description: Some(setting.description.clone()),
            required: Some(setting.required),
            secret: Some(setting.secret),
        }
    }
}

fn shown(view: &View, function: &Function) -> FunctionShown {
    let uses = view.meta.workspace.function_uses.iter();
    let uses = uses.filter(|(_, used)| used.function == function.id);
    FunctionShown {
        id: function.id.clone(),
        name: function.name.clone(),
        kind: function.kind,
        code: function.code.clone(),
        settings: function.settings.iter().map(Into::into).collect(),
        version: function.version,
        used_by: uses.map(|(place, _)| place.to_string()).collect(),
    }
}

pub(super) fn find<'v>(view: &'v View, id: &str) -> Result<&'v Function, Problem> {
    view.meta.workspace.function(id).ok_or_else(|| Problem::missing("function", id))
}

/// The settings of a function, checked.
fn settings(asked: Vec<FunctionSettingShown>) -> Result<Vec<FunctionSetting>, Problem> {
    let wrong = |index: usize, text: &str| {
        Problem::field(format!("settings[{index}]"), format!("`settings[{index}]`: {text}."))
    };
    if asked.len() > SETTINGS {
        let message = format!("A function has at most {SETTINGS} settings.");
        return Err(Problem::field("settings", message));
    }
    let (mut names, mut settings) = (BTreeSet::new(), Vec::new());
    for (index, one) in asked.into_iter().enumerate() {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
        let fits = (1..=64).contains(&one.name.len()) && one.name.bytes().all(is_name);
        if !fits || one.name == "__proto__" {
            return Err(wrong(index, "a name has 1 to 64 letters, digits, `_` and `$`"));
        }
        let (kind, secret) = (one.kind.unwrap_or_default(), one.secret.unwrap_or(false));
        if secret && kind != SettingKind::Text {
            return Err(wrong(index, "only a text can be secret"));
        }
        if !names.insert(one.name.clone()) {
            return Err(wrong(index, "there is one of that name"));
        }
        let description = one.description.unwrap_or_default();
        let required = one.required.unwrap_or(false);
        settings.push(FunctionSetting { name: one.name, kind, description, required, secret });
    }
    Ok(settings)
}

/// Checks code by running its top level, on a thread that may take its time.
async fn check(kind: FunctionKind, code: &str) -> Result<(), Problem> {
    if code.len() > CODE_BYTES {
        let message = format!("`code` has at most {CODE_BYTES} bytes.");
        return Err(Problem::field("code", message));
    }
    let (kind, code) = (function::kind(kind), code.to_owned());
    let checking = tokio::task::spawn_blocking(move || function::check(kind, &code)).await;
    let stopped = |_| Problem::new(Code::Internal, "The code could not be checked.");
    let checked = checking.map_err(stopped)?;
    checked.map_err(|why| Problem::new(Code::FunctionInvalid, format!("{why}.")).at("code"))
}

/// `GET /api/functions`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<FunctionShown>, Problem> {
    let view = control.view()?;
    let functions = view.meta.workspace.functions.iter().map(|function| shown(&view, function));
    Ok(functions.collect::<Vec<_>>().into())
}

/// `GET /api/functions/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<FunctionShown, Problem> {
    let view = control.view()?;
    Ok(shown(&view, find(&view, asked.id())?))
}

/// `POST /api/functions`
pub(crate) async fn create(
    control: Control,
    _: Asked,
    new: NewFunction,
) -> Result<FunctionShown, Problem> {
    check_name(&new.name)?;
    check(new.kind, &new.code).await?;
    let settings = settings(new.settings.unwrap_or_default())?;
    let _turn = control.turn().await;
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    if workspace.functions.len() >= FUNCTIONS {
        let message = format!("A workspace has at most {FUNCTIONS} functions.");
        return Err(Problem::new(Code::Conflict, message));
    }
    let id = choose_id(new.id, &new.name, |id| workspace.function(id).is_some())?;
    let (name, kind, code) = (new.name, new.kind, new.code);
    let (version, versions) = (0, Vec::new());
    set(&control, Function { id, name, kind, code, settings, version, versions }).await
}

/// `PATCH /api/functions/{id}`
pub(crate) async fn update(
    control: Control,
    asked: Asked,
    change: FunctionChange,
) -> Result<FunctionShown, Problem> {
    if let Some(code) = &change.code {
        let kind = find(&control.view()?, asked.id())?.kind;
        check(kind, code).await?;
    }
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut function = find(&view, asked.id())?.clone();
    if let Some(name) = change.name {
        check_name(&name)?;
        function.name = name;
    }
    function.code = change.code.unwrap_or(function.code);
    if let Some(asked) = change.settings {
        function.settings = settings(asked)?;
    }
    set(&control, function).await
}

async fn set(control: &Control, mut function: Function) -> Result<FunctionShown, Problem> {
    // The fold numbers versions; what it knows is not written again with every one.
    function.versions = Vec::new();
    let id = function.id.clone();
    let view = control.change(&Change::SetFunction(function)).await?;
    Ok(shown(&view, find(&view, &id)?))
}

/// `DELETE /api/functions/{id}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let id = asked.id();
    control.change(&Change::RemoveFunction { id: id.to_owned() }).await?;
    Ok(Done::new(id, "removed"))
}

/// `GET /api/functions/{id}/versions`
pub(crate) async fn versions(
    control: Control,
    asked: Asked,
) -> Result<Page<FunctionVersionShown>, Problem> {
    let view = control.view()?;
    let function = find(&view, asked.id())?;
    let shown = |one: &FunctionVersion| FunctionVersionShown {
        version: one.version,
        at: selfsame_event::Time::from_micros(one.at).to_string(),
        position: Position::embedded(one.offset).to_string(),
        is_current: one.version == function.version,
    };
    Ok(function.versions.iter().rev().map(shown).collect::<Vec<_>>().into())
}

/// A version, as its record has it.
async fn version(control: &Control, id: &str, version: u32) -> Result<Function, Problem> {
    let view = control.view()?;
    let function = find(&view, id)?;
    let found = function.versions.iter().find(|one| one.version == version);
    let found = found.ok_or_else(|| Problem::missing("version", &version.to_string()))?;
    if found.version == function.version {
        return Ok(function.clone());
    }
    let position = Position::embedded(found.offset);
    control
        .scan(move |node| {
            let gone = || {
                let message = "The log no longer has the record of that version.";
                Problem::new(Code::NotFound, message)
            };
            let record = node.log.get(position).map_err(|error| match error {
                selfsame_log::ReadError::Trimmed { .. } => gone(),
                error => error.into(),
            })?;
            match serde_json::from_slice(&record.head) {
                Ok(Change::SetFunction(function)) => Ok(function),
                _ => Err(gone()),
            }
        })
        .await
}

fn number(asked: &Asked) -> Result<u32, Problem> {
    let text = asked.part("version");
    text.parse().map_err(|_| Problem::missing("version", text))
}

/// `GET /api/functions/{id}/versions/{version}`
pub(crate) async fn show_version(control: Control, asked: Asked) -> Result<FunctionCode, Problem> {
    let number = number(&asked)?;
    let found = version(&control, asked.id(), number).await?;
    let settings = found.settings.iter().map(Into::into).collect();
    Ok(FunctionCode { version: number, code: found.code, settings })
}

/// `POST /api/functions/{id}/roll-back`
pub(crate) async fn roll_back(
    control: Control,
    asked: Asked,
    back: FunctionRollBack,
) -> Result<FunctionShown, Problem> {
    let earlier = version(&control, asked.id(), back.version).await?;
    let _turn = control.turn().await;
    let view = control.view()?;
    let function = find(&view, asked.id())?.clone();
    let (code, settings) = (earlier.code, earlier.settings);
    set(&control, Function { code, settings, ..function }).await
}

/// `GET /api/functions/{id}/logs`
pub(crate) async fn logs(control: Control, asked: Asked) -> Result<Page<FunctionCalled>, Problem> {
    let view = control.view()?;
    let id = &find(&view, asked.id())?.id;
    let mut calls = control.node.functions.calls(id);
    calls.truncate(asked.limit(100, 100)?);
    Ok(calls.into_iter().map(called).collect::<Vec<_>>().into())
}

fn called(call: Called) -> FunctionCalled {
    let line = |line: selfsame_functions::Line| FunctionLine {
        level: line.level.word().to_owned(),
        text: line.text,
    };
    FunctionCalled {
        at: call.at.to_string(),
        place: call.place,
        version: call.version,
        outcome: call.outcome,
        message: call.message,
        lines: call.lines.into_iter().map(line).collect(),
        lines_cut: call.lines_cut,
        requests: u32::try_from(call.requests).unwrap_or(u32::MAX),
        cpu_micros: call.cpu_micros,
        wall_micros: call.wall_micros,
    }
}
