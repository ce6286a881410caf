//! What a program of the actions pack would send, with answers that are given.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use selfsame_connector::{Program, Running, Stopped};
use selfsame_destinations::{Connection, Done, Manifest, ProgramEnd, Refusal, Subscription};
use selfsame_event::SystemClock;
use serde_json::{Map, Value, json};

use super::render::answer;
use crate::client::block_on;
use crate::pack::workers::here;
use crate::pack::{NONE, pack};

/// Requests, how they ended, and which events of a batch are not in them.
pub(super) struct Played {
    pub(super) requests: Vec<Value>,
    pub(super) ends: Done,
    pub(super) left_out: Vec<(usize, Refusal)>,
}

/// Runs the program of a manifest, and answers what it asks for in order.
pub(super) fn played(
    manifest: &Manifest,
    subscription: &Subscription,
    event: &Value,
    connection: Connection<'_>,
    replies: &Value,
) -> anyhow::Result<Played> {
    let name = &manifest.program.as_ref().context("the manifest has no program")?.name;
    let Some(pack) = pack() else { bail!(NONE) };
    let programs = here(Arc::new(SystemClock::default()))?;
    let program = programs.program("render", pack.code(name)?);
    let (input, left_out) = match event.as_array() {
        None => (manifest.program_call(subscription, event, connection), Vec::new()),
        Some(events) => match manifest.program_batch(subscription, events, connection) {
            Ok(batch) => (Ok(batch.input), batch.refused),
            Err(refusal) => (Err(refusal), Vec::new()),
        },
    };
    let (requests, ends) = match input {
        Ok(Some(input)) => {
            let settings = connection.settings.to_string().into();
            block_on(run(&*program, &settings, input, replies))?
        }
        Ok(None) => (Vec::new(), Done::Skipped),
        Err(refusal) => (Vec::new(), Done::Refused(refusal)),
    };
    Ok(Played { requests, ends, left_out })
}

async fn run(
    program: &dyn Program,
    settings: &Arc<str>,
    input: String,
    replies: &Value,
) -> anyhow::Result<(Vec<Value>, Done)> {
    let Running { mut asks, mut ends } = program.begin(settings, input);
    let mut requests: Vec<Value> = Vec::new();
    let ended = loop {
        tokio::select! {
            biased;
            Some(ask) = asks.recv() => {
                let reply = answer(replies.get(requests.len()))?;
                let headers = ask.headers.iter().map(|(name, value)| (name.clone(), json!(value)));
                let mut shown = json!({ "method": ask.method, "url": ask.url });
                shown["headers"] = Value::Object(headers.collect::<Map<_, _>>());
                let body = String::from_utf8_lossy(&ask.body);
                match serde_json::from_str::<Value>(&body) {
                    Ok(json) => shown["json"] = json,
                    Err(_) if body.is_empty() => {}
                    Err(_) => shown["text"] = json!(body),
                }
                requests.push(shown);
                ask.answer.give(Ok(reply));
            }
            ended = &mut ends => break ended.context("the program was given up")?,
        }
    };
    let end: ProgramEnd = match ended {
        Ok(json) => serde_json::from_str(&json)?,
        Err(Stopped::Refused(why) | Stopped::Later(why)) => bail!(why),
        Err(Stopped::Postponed) => bail!("the program was not begun"),
    };
    Ok((requests, end.done(false)))
}
