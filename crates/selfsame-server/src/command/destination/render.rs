//! `selfsame destination render`: the exact requests, without sending them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use selfsame_destinations::{
    Action, Catalogue, Connection, Done, Exchange, Manifest, Next, Refusal, Reply,
};
use selfsame_event::{Clock as _, SystemClock, Time};
use serde_json::{Value, json};

use super::super::say;
use super::by_program::{Played, played};
use crate::manifests::Manifests;

/// What would be sent, as JSON: `{destination, action, requests, ends}`.
///
/// A request of several steps depends on the answers to those before: without `--replies`, each is
/// answered with status 200 and nothing.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// The destination, by its id.
    #[arg(long, value_name = "ID")]
    destination: String,
    /// The settings of the connection, as JSON.
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
    /// The event, as JSON; a list of events is one batch.
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// The mapping, as JSON. Default: what the destination proposes.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The action. Default: that of the first preset or action whose trigger holds.
    #[arg(long)]
    action: Option<String>,
    /// What OAuth has left, as JSON: `access_token`.
    #[arg(long, value_name = "FILE")]
    auth: Option<PathBuf>,
    /// The answers, as a JSON list of `{status, headers, body}`.
    #[arg(long, value_name = "FILE")]
    replies: Option<PathBuf>,
    /// The moment it is rendered for. Default: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A folder of manifests, beside those of the program.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Render {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(folder) = &self.folder {
            // What is wrong with any of them is said, where a server would go on without it.
            Catalogue::load(folder)?;
        }
        let manifests = Manifests::of(self.folder.as_deref().unwrap_or_else(|| Path::new("")))?;
        let Some(manifest) = manifests.get(&self.destination) else {
            bail!("{}", manifests.without(&self.destination));
        };
        let settings = manifest.check_settings(read(&self.settings)?);
        let settings = settings.map_err(|faults| anyhow::anyhow!(faults.join("; ")))?;
        let event = read(&self.event)?;
        let (action, mapping) = self.chosen(&manifest, &event)?;
        let subscription = manifest.subscription(&action, mapping.as_ref())?;
        let auth = self.auth.as_deref().map(read).transpose()?.unwrap_or(Value::Null);
        let replies = self.replies.as_deref().map(read).transpose()?.unwrap_or(Value::Null);
        let now = match &self.at {
            Some(text) => Time::parse(text).with_context(|| format!("`{text}` is no time"))?,
            None => SystemClock::default().wall(),
        };
        let audience = Value::Null;
        let connection = Connection {
            settings: &settings,
            auth: &auth,
            audience: &audience,
            now_ms: now.millis(),
        };
        if manifest.action(&action).is_some_and(Action::is_program) {
            let played = played(&manifest, &subscription, &event, connection, &replies)?;
            return shown(&manifest, &action, played);
        }
        let exchange = match event.as_array() {
            Some(events) => manifest.batch_exchange(&subscription, events, connection),
            None => manifest
                .exchange(&subscription, &event, connection)
                .map(|exchange| (exchange, Vec::new())),
        };
        let (requests, ends, left_out) = match exchange {
            Ok((exchange, left_out)) => {
                let (requests, done) = drive(exchange, &replies)?;
                (requests, done, left_out)
            }
            Err(refusal) => (Vec::new(), Done::Refused(refusal), Vec::new()),
        };
        shown(&manifest, &action, Played { requests, ends, left_out })
    }

    /// The action and its mapping; `None` is what its fields propose.
    fn chosen(
        &self,
        manifest: &Manifest,
        event: &Value,
    ) -> anyhow::Result<(String, Option<Value>)> {
        let mapping = self.mapping.as_deref().map(read).transpose()?;
        if let Some(action) = &self.action {
            return Ok((action.clone(), mapping));
        }
        let one = event.as_array().and_then(|events| events.first()).unwrap_or(event);
        match manifest.choose(one) {
            Some((action, proposed)) => Ok((action, Some(mapping.unwrap_or(proposed)))),
            None => {
                let keys: Vec<&str> =
                    manifest.actions().iter().map(|action| action.key.as_str()).collect();
                bail!("no trigger holds for the event; name one of --action {}", keys.join(", "))
            }
        }
    }
}

fn shown(manifest: &Manifest, action: &str, played: Played) -> anyhow::Result<ExitCode> {
    let Played { requests, ends, left_out } = played;
    let shown = json!({
        "destination": manifest.id,
        "action": action,
        "requests": requests,
        "ends": ends_of(&ends),
        "left_out": left_out.iter().map(left).collect::<Vec<_>>(),
    });
    say(&serde_json::to_string_pretty(&shown)?)?;
    let sent = matches!(ends, Done::Delivered | Done::Skipped);
    Ok(if sent { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn read(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

fn drive(mut exchange: Exchange<'_>, replies: &Value) -> anyhow::Result<(Vec<Value>, Done)> {
    let (mut requests, mut reply) = (Vec::new(), None);
    loop {
        match exchange.next(reply.as_ref()) {
            Next::Send(request) => {
                reply = Some(answer(replies.get(requests.len()))?);
                requests.push(request.shown());
            }
            Next::Done(done) => return Ok((requests, done)),
        }
    }
}

pub(super) fn answer(value: Option<&Value>) -> anyhow::Result<Reply> {
    Reply::from_json(value).context("the status of a reply is no number")
}

fn ends_of(done: &Done) -> Value {
    match done {
        Done::Delivered => json!("delivered"),
        Done::Skipped => json!("nothing to send"),
        Done::Refused(refusal) => json!({ "refused": refusal.to_string() }),
        Done::Answered { step, verdict } => json!({
            "answered": step,
            "outcome": verdict.outcome.word(),
            "message": verdict.message,
            "after_seconds": verdict.after_seconds,
        }),
    }
}

fn left((index, refusal): &(usize, Refusal)) -> Value {
    json!({ "event": index, "refused": refusal.to_string() })
}
