//! What an event is sent as: now, or by what a destination was told when it was sent.
//!
//! The event is in the log, and so is every record that told the destination otherwise. Secrets are those that it
//! has now, and are not shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_connector::Connector;
use selfsame_deliver::{Call, Effect, webhook};
use selfsame_event::{Position, Time};
use selfsame_log::LogRead as _;
use selfsame_pipeline::workspace::{Change, Destination, FunctionPlace, Tool};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::Control;
use super::super::asked::{Asked, item, moment};
use super::super::destinations::{deliverer, find};
use super::super::problem::{Code, Problem};
use super::super::shape::shape;
use crate::destination::{connection_id, is_for};
use crate::function::FUNCTION;

shape! {
    /// The requests that an event is delivered by.
    pub(crate) struct RequestsShown {
        /// The requests, in order. None where there is nothing to send.
        requests: Vec<RequestShown>,
        /// Mappings that want the event and can send nothing of it.
        refused: Vec<RefusedShown>,
        /// Since when one of the catalogue is set up so; null of a webhook.
        set_up: Option<String>,
    }

    /// A request, without secrets and what is different each time: timestamps and signatures of webhooks.
    pub(crate) struct RequestShown {
        /// The mapping of one of the catalogue.
        mapping: Option<String>,
        /// The method.
        method: String,
        /// Where it goes.
        url: String,
        /// Its headers.
        headers: BTreeMap<String, String>,
        /// Its body; null where it has none.
        body: Box<RawValue>,
        /// Whether more may follow, which depend on the answer.
        has_more: bool,
    }

    /// A mapping that can send nothing.
    pub(crate) struct RefusedShown {
        /// The mapping.
        mapping: String,
        /// Why.
        why: String,
    }
}

/// `GET /api/destinations/{id}/attempts/{position}/requests`
pub(crate) async fn requests(control: Control, asked: Asked) -> Result<RequestsShown, Problem> {
    let text = asked.part("position");
    let at = item(text).ok_or_else(|| Problem::missing("event at", text))?;
    let now = control.node.clock.wall();
    let when = asked.get("at").map(|text| moment("at", text, now)).transpose()?;
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    if destination.kind == FUNCTION {
        let message =
            "What a function sends is the function's to say: `selfsame function test` runs it.";
        return Err(Problem::new(Code::Conflict, message));
    }
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let rendered = handle.render(connection_id(&destination.id), at).await?;
    let (effect, calls) = rendered.ok_or_else(|| Problem::missing("event at", &at.to_string()))?;
    match &destination.tool {
        // It is sent the same at any time.
        None => hook(destination, &effect, calls),
        Some(tool) => {
            let (told, since) = told_at(&control, destination, tool, when).await?;
            through(&control, (destination, &told, since), when.unwrap_or(now), (&effect, &calls))
        }
    }
}

fn hook(
    destination: &Destination,
    effect: &Effect,
    calls: Vec<Call>,
) -> Result<RequestsShown, Problem> {
    let id = connection_id(&destination.id);
    let calls = calls.into_iter().filter(|call| is_for(destination, &[], effect, call));
    let one = |call: Call| {
        let key = match &call.tells {
            Some(telling) => webhook::key_to(&effect.id, id, &telling.to),
            None => webhook::key(&effect.id, id),
        };
        let headers = [("content-type", "application/json".to_owned()), ("webhook-id", key)];
        Ok(RequestShown {
            mapping: None,
            method: "POST".to_owned(),
            url: destination.url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: raw(String::from_utf8_lossy(&call.body).into_owned())?,
            has_more: false,
        })
    };
    let requests = calls.map(one).collect::<Result<_, Problem>>()?;
    Ok(RequestsShown { requests, refused: Vec::new(), set_up: None })
}

fn raw(json: String) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(json).map_err(|_| Problem::new(Code::Internal, "A body is not JSON."))
}

/// What a destination was told at a time, and since when; as it is now where no time is asked for.
async fn told_at(
    control: &Control,
    destination: &Destination,
    tool: &Tool,
    when: Option<Time>,
) -> Result<(Tool, Time), Problem> {
    let newest = tool.versions.last().copied();
    let version = when.map_or(newest, |when| tool.version_at(when)).ok_or_else(|| {
        let message = "How the destination was set up then is not remembered.";
        Problem::new(Code::NotFound, message)
    })?;
    let since = Time::from_micros(version.at);
    if Some(version) == newest {
        return Ok((tool.clone(), since));
    }
    let (id, offset) = (destination.id.clone(), version.offset);
    let earlier = control.scan(move |node| {
        let record = node.log.get(Position::embedded(offset)).map_err(|error| match error {
            selfsame_log::ReadError::Trimmed { .. } => {
                let message =
                    "The record that set the destination up so is not in the log any more.";
                Problem::new(Code::NotFound, message)
            }
            error => error.into(),
        })?;
        match serde_json::from_slice(&record.head) {
            Ok(Change::SetDestination(Destination { id: of, tool: Some(tool), .. }))
                if of == id =>
            {
                Ok(tool)
            }
            _ => Err(Problem::new(Code::Internal, "The record of the setup is another one.")),
        }
    });
    let Tool { settings, mappings, .. } = earlier.await?;
    Ok((Tool { settings, mappings, ..tool.clone() }, since))
}

fn through(
    control: &Control,
    (destination, told, since): (&Destination, &Tool, Time),
    now: Time,
    (effect, calls): (&Effect, &[Call]),
) -> Result<RequestsShown, Problem> {
    let node = &control.node;
    let is_current = destination.tool.as_ref() == Some(told);
    let connector: Arc<Connector> = match is_current {
        true => node.connectors.connector(destination, told, &node.vault)?,
        false => Arc::new(node.connectors.as_told(destination, told, &node.vault)?),
    };
    if node.functions.is_used(&FunctionPlace::Insert(destination.id.clone())) {
        let message = "A function in front of the destination changes what it gets: `selfsame function test` \
            shows what it makes of an event.";
        return Err(Problem::new(Code::Conflict, message));
    }
    let mut shown = RequestsShown {
        requests: Vec::new(),
        refused: Vec::new(),
        set_up: Some(since.to_string()),
    };
    for call in calls.iter().filter(|call| is_for(destination, connector.called(), effect, call)) {
        let event: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        for number in connector.wants(&event) {
            let Some(rendered) = connector.render(&event, number, now) else { continue };
            let named = told.mappings.iter().find(|one| one.number == number);
            let mapping = named.map(|one| one.name.clone()).unwrap_or_default();
            if let Some(why) = rendered.refused {
                shown.refused.push(RefusedShown { mapping: mapping.clone(), why });
            }
            if let Some(request) = rendered.request {
                shown.requests.push(of_tool(mapping, &request, rendered.has_more)?);
            }
        }
    }
    Ok(shown)
}

fn of_tool(mapping: String, request: &Value, has_more: bool) -> Result<RequestShown, Problem> {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let headers = request["headers"].as_object().into_iter().flatten();
    let headers: BTreeMap<String, String> = headers
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let body = ["json", "form", "text"].into_iter().find_map(|name| request.get(name));
    Ok(RequestShown {
        mapping: Some(mapping),
        method: text("method"),
        url: text("url"),
        headers,
        body: raw(body.unwrap_or(&Value::Null).to_string())?,
        has_more,
    })
}
