//! Alerts: which there are, what is raised, what was, and who is not to be told for a while.

pub(crate) mod channels;

use selfsame_alert::{Condition, Memory, Rule, Told, Turn};
use selfsame_event::Time;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{Alert, Change, DefinitionKind, Workspace};
use serde_json::{Map, Value};

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::state::Done;
use crate::alerts::{self, AlertsFileError};

/// Alerts of a workspace, those by default included.
const ALERTS: usize = 200;
/// The longest silence, in seconds.
const LONGEST_SILENCE: i64 = 30 * 86_400;

shape! {
    /// An alert.
    pub(crate) struct AlertShown {
        /// The id.
        id: String,
        /// The name for people.
        name: String,
        /// The condition: its `kind`, and what that kind is told.
        when: Value,
        /// For how long it has to hold before it is raised, such as `5m`.
        raise_after: String,
        /// For how long it has to be over before it is cleared.
        clear_after: String,
        /// `warning` or `critical`.
        severity: String,
        /// The channels that are told; all where empty.
        channels: Vec<String>,
        /// Whether it is looked at.
        enabled: bool,
        /// `default`, `changed` where it stands in for one by default, or `own`.
        origin: String,
        /// What is raised now.
        raised: Vec<RaisedShown>,
        /// What nobody is told of for a while.
        silences: Vec<SilenceShown>,
    }

    /// What is raised.
    pub(crate) struct RaisedShown {
        /// What it is about: the id of a source, a destination, an audience with its space, or a part of the
        /// server.
        subject: String,
        /// Since when.
        since: String,
        /// Why, as it was when it was looked last.
        message: String,
    }

    /// That nobody is told of an alert for a while.
    pub(crate) struct SilenceShown {
        /// What it is about; null: everything.
        subject: Option<String>,
        /// Until when.
        until: String,
    }

    /// An alert as it is to be. What is not given is as usual.
    #[serde(deny_unknown_fields)]
    pub(crate) struct AlertWanted {
        /// The name for people; the id where it is not given.
        name: Option<String>,
        /// The condition: its `kind`, and what that kind is told.
        when: Value,
        /// For how long it has to hold before it is raised, such as `5m`; at once where it is not given.
        raise_after: Option<String>,
        /// For how long it has to be over before it is cleared; `5m` where it is not given.
        clear_after: Option<String>,
        /// `warning`, also where it is not given, or `critical`.
        severity: Option<String>,
        /// The channels that are told; all where empty or not given.
        channels: Option<Vec<String>>,
        /// Whether it is looked at; yes where it is not given.
        enabled: Option<bool>,
    }

    /// That nobody is to be told for a while.
    #[serde(deny_unknown_fields)]
    pub(crate) struct SilenceWanted {
        /// For how long, such as `2h` or `7d`; at most `30d`.
        length: String,
        /// What about; everything that the alert is about where it is not given.
        subject: Option<String>,
    }

    /// Something that was raised or cleared.
    pub(crate) struct AlertTurn {
        /// Its number.
        number: u64,
        /// When.
        at: String,
        /// The id of the alert.
        alert: String,
        /// What it is about.
        subject: String,
        /// `raised` or `cleared`.
        turned: String,
        /// `warning` or `critical`.
        severity: String,
        /// Why.
        message: String,
        /// What became of telling the channels: `sent`, `waiting`, or why it was given up.
        told: std::collections::BTreeMap<String, String>,
    }
}

pub(super) fn time(seconds: i64) -> String {
    Time::from_micros(seconds.saturating_mul(1_000_000)).to_string()
}

fn shown(memory: &Memory, workspace: &Workspace, id: &str, rule: &Rule) -> AlertShown {
    let is_default = selfsame_alert::defaults().contains_key(id);
    let is_configured = workspace.alerts.iter().any(|alert| alert.id == id);
    let origin = match (is_default, is_configured) {
        (true, false) => "default",
        (true, true) => "changed",
        (false, _) => "own",
    };
    let raised = memory.raised().filter(|(alert, ..)| *alert == id);
    AlertShown {
        id: id.to_owned(),
        name: rule.name.clone(),
        when: serde_json::to_value(&rule.when).unwrap_or(Value::Null),
        raise_after: rule.raise_after.to_string(),
        clear_after: rule.clear_after.to_string(),
        severity: rule.severity.word().to_owned(),
        channels: rule.channels.clone(),
        enabled: rule.enabled,
        origin: origin.to_owned(),
        raised: raised
            .map(|(_, subject, state)| RaisedShown {
                subject: subject.to_owned(),
                since: time(state.raised_at.unwrap_or_default()),
                message: state.sentence.clone(),
            })
            .collect(),
        silences: memory
            .silences(id)
            .map(|(subject, until)| SilenceShown {
                subject: (!subject.is_empty()).then(|| subject.to_owned()),
                until: time(until),
            })
            .collect(),
    }
}

fn show_one(control: &Control, view: &View, id: &str) -> Result<AlertShown, Problem> {
    let workspace = &view.meta.workspace;
    let rules = alerts::rules(workspace);
    let rule = rules.get(id).ok_or_else(|| Problem::missing("alert", id))?;
    Ok(shown(&control.node.alerts.memory(), workspace, id, rule))
}

/// `GET /api/alerts`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<AlertShown>, Problem> {
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    let memory = control.node.alerts.memory();
    let rules = alerts::rules(workspace);
    let all = rules.iter().map(|(id, rule)| shown(&memory, workspace, id, rule));
    Ok(all.collect::<Vec<_>>().into())
}

/// `GET /api/alerts/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<AlertShown, Problem> {
    show_one(&control, &control.view()?, asked.id())
}

/// The rule that is wanted, checked by itself.
fn rule(id: &str, wanted: AlertWanted) -> Result<(Rule, Map<String, Value>), Problem> {
    let AlertWanted { name, when, raise_after, clear_after, severity, channels, enabled } = wanted;
    let name = name.unwrap_or_else(|| id.to_owned());
    check_name(&name)?;
    let mut given = Map::new();
    given.insert("name".to_owned(), name.into());
    given.insert("when".to_owned(), when);
    given.extend(raise_after.map(|text| ("raise_after".to_owned(), text.into())));
    given.extend(clear_after.map(|text| ("clear_after".to_owned(), text.into())));
    given.extend(severity.map(|text| ("severity".to_owned(), text.into())));
    given.extend(channels.map(|all| ("channels".to_owned(), all.into())));
    given.extend(enabled.map(|enabled| ("enabled".to_owned(), enabled.into())));
    let read: Result<Rule, _> = serde_path_to_error::deserialize(Value::Object(given));
    let rule = read.map_err(|error| {
        let (field, why) = (error.path().to_string(), error.inner().to_string());
        let field = if field == "." { "when".to_owned() } else { field };
        let message = format!("`{field}`: {why}.");
        Problem::field(field, message)
    })?;
    rule.check().map_err(|wrong| {
        Problem::field(wrong.field, format!("`{}`: {}.", wrong.field, wrong.reason))
    })?;
    match serde_json::to_value(&rule) {
        Ok(Value::Object(map)) => Ok((rule, map)),
        _ => Err(Problem::new(Code::Internal, "The alert cannot be written.")),
    }
}

/// Whether everything that a rule names is there.
fn check_names(workspace: &Workspace, rule: &Rule) -> Result<(), Problem> {
    let spaces: Vec<&str> = workspace.spaces.iter().map(|one| one.id.as_str()).collect();
    let channels = workspace.alert_channels.iter().map(|one| one.id.clone()).collect();
    let named = |field: &'static str, what, names: &[String], known: Vec<String>| match names
        .iter()
        .find(|name| !known.contains(name))
    {
        Some(name) => {
            Err(Problem::field(field, format!("`{field}`: there is no {what} `{name}`.")))
        }
        None => Ok(()),
    };
    named("channels", "alert channel", &rule.channels, channels)?;
    match &rule.when {
        Condition::SourceSilent { sources, .. }
        | Condition::SourceVolume { sources, .. }
        | Condition::EventsRejected { sources, .. }
        | Condition::EventsRepeated { sources, .. } => {
            let known = workspace.sources.iter().map(|one| one.id.clone()).collect();
            named("when.sources", "source", sources, known)
        }
        Condition::DestinationFailing { destinations }
        | Condition::DestinationPaused { destinations }
        | Condition::DestinationBehind { destinations, .. }
        | Condition::DeadLetters { destinations, .. }
        | Condition::Unaccounted { destinations } => {
            let known = workspace.destinations.iter().map(|one| one.id.clone()).collect();
            named("when.destinations", "destination", destinations, known)
        }
        Condition::AudienceSize { audiences, .. } => {
            let known =
                workspace.definitions.iter().filter(|one| one.kind == DefinitionKind::Audience);
            let known = known.map(|one| format!("{}/{}", one.space, one.id)).collect();
            named("when.audiences", "audience (SPACE/ID)", audiences, known)
        }
        Condition::IdentityHealth { spaces: wanted, alarms } => {
            let known = spaces.into_iter().map(str::to_owned).collect();
            named("when.spaces", "space", wanted, known)?;
            let known =
                ["giant_profile", "shared_identifier", "merges", "violations", "unattached"];
            named("when.alarms", "alarm", alarms, known.map(str::to_owned).to_vec())
        }
        Condition::FoldBehind { .. } | Condition::DiskLow { .. } | Condition::ClockHeld { .. } => {
            Ok(())
        }
    }
}

/// `PUT /api/alerts/{id}`
pub(crate) async fn set(
    control: Control,
    asked: Asked,
    wanted: AlertWanted,
) -> Result<AlertShown, Problem> {
    let id = choose_id(Some(asked.id().to_owned()), "", |_| false)?;
    let (rule, map) = rule(&id, wanted)?;
    let _turn = control.turn().await;
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    check_names(workspace, &rule)?;
    let rules = alerts::rules(workspace);
    if rules.len() >= ALERTS && !rules.contains_key(&id) {
        let message = format!("A workspace has at most {ALERTS} alerts.");
        return Err(Problem::new(Code::Conflict, message));
    }
    drop(view);
    let view = control.change(&Change::SetAlert(Alert { id: id.clone(), rule: map })).await?;
    show_one(&control, &view, &id)
}

/// `DELETE /api/alerts/{id}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let id = asked.id();
    let view = control.view()?;
    let is_default = selfsame_alert::defaults().contains_key(id);
    let is_configured = view.meta.workspace.alerts.iter().any(|alert| alert.id == id);
    drop(view);
    if is_default && !is_configured {
        let message = "It is one by default, which cannot be removed: set it with `enabled` false.";
        return Err(Problem::new(Code::Conflict, message));
    }
    control.change(&Change::RemoveAlert { id: id.to_owned() }).await?;
    Ok(Done::new(id, if is_default { "as by default" } else { "removed" }))
}

fn unkept(error: &AlertsFileError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "a silence could not be kept");
    Problem::new(Code::Unavailable, "It cannot be written to the disk just now.")
}

/// `PUT /api/alerts/{id}/silence`
pub(crate) async fn silence(
    control: Control,
    asked: Asked,
    wanted: SilenceWanted,
) -> Result<AlertShown, Problem> {
    let id = asked.id();
    show_one(&control, &control.view()?, id)?;
    let length = wanted.length.parse::<selfsame_alert::Span>();
    let seconds = length.map_or(0, selfsame_alert::Span::as_seconds);
    if !(1..=LONGEST_SILENCE).contains(&seconds) {
        let message = "`length` is such as 30m, 2h or 7d, and at most 30d.";
        return Err(Problem::field("length", message));
    }
    if wanted.subject.as_ref().is_some_and(|one| one.is_empty() || one.len() > 200) {
        return Err(Problem::field("subject", "`subject` has 1 to 200 bytes."));
    }
    let until = alerts::seconds(&control.node) + seconds;
    let keeping =
        control.node.alerts.keep(|memory| memory.silence(id, wanted.subject.as_deref(), until));
    keeping.await.map_err(|error| unkept(&error))?;
    show_one(&control, &control.view()?, id)
}

/// `DELETE /api/alerts/{id}/silence`
pub(crate) async fn unsilence(control: Control, asked: Asked) -> Result<AlertShown, Problem> {
    let id = asked.id();
    show_one(&control, &control.view()?, id)?;
    let keeping = control.node.alerts.keep(|memory| memory.unsilence(id, asked.get("subject")));
    if !keeping.await.map_err(|error| unkept(&error))? {
        return Err(Problem::new(Code::NotFound, "The alert is not silent."));
    }
    show_one(&control, &control.view()?, id)
}

fn turn(turn: &Turn) -> AlertTurn {
    let told = |told: &Told| match told {
        Told::Waiting => "waiting".to_owned(),
        Told::Sent => "sent".to_owned(),
        Told::Failed(why) => format!("given up: {why}"),
    };
    AlertTurn {
        number: turn.number,
        at: time(turn.at),
        alert: turn.alert.clone(),
        subject: turn.subject.clone(),
        turned: turn.kind.word().to_owned(),
        severity: turn.severity.word().to_owned(),
        message: turn.sentence.clone(),
        told: turn.told.iter().map(|(channel, what)| (channel.clone(), told(what))).collect(),
    }
}

/// `GET /api/alert-history`
pub(crate) async fn history(control: Control, asked: Asked) -> Result<Page<AlertTurn>, Problem> {
    let limit = asked.limit(50, 500)?;
    let memory = control.node.alerts.memory();
    let wanted = asked.get("alert");
    let turns = memory.turns().filter(|one| wanted.is_none_or(|alert| one.alert == alert));
    Ok(turns.take(limit).map(turn).collect::<Vec<_>>().into())
}
