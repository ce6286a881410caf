//! What a call came to.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::Method;
use crate::{Fault, FaultKind};

/// What a call came to, and what it used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What it returned, or why it did not.
    pub result: Result<Returned, Fault>,
    /// What it wrote to the console.
    pub lines: Vec<Line>,
    /// Whether there were more lines than are kept.
    pub lines_cut: bool,
    /// The requests that it made.
    pub requests: Vec<Request>,
    /// Processor time.
    pub cpu: Duration,
    /// Time.
    pub wall: Duration,
    /// The heap behind the call, where that was asked for.
    pub memory_bytes: Option<u64>,
}

/// What a function returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returned {
    /// A destination function took the event.
    Done,
    /// A source function made events.
    Emitted(Emitted),
    /// An insert function lets this event pass.
    Event(String),
    /// What became of each event of a batch, in order.
    Batch(Vec<Item>),
    /// What a program returned, as JSON.
    Value(String),
}

/// What a source function made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Emitted {
    /// Events, each as JSON.
    pub events: Vec<String>,
    /// Objects of `Segment.set`, which have no place.
    pub objects: u64,
}

/// What became of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// Taken.
    Done,
    /// It passes, as this.
    Event(String),
    /// Not taken.
    Failed(Fault),
}

/// A line of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How it was written.
    pub level: Level,
    /// What.
    pub text: String,
}

/// How a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// `console.debug`
    Debug,
    /// `console.log` and `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

impl Level {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        match word {
            "debug" => Self::Debug,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => Self::Info,
        }
    }
}

/// A request that a function made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// What was answered; none where nothing was, or not yet.
    pub status: Option<u16>,
}

/// Reads what the prelude hands over at the end of a call.
pub(crate) fn returned(method: Method, json: &str, count: usize) -> Result<Returned, Fault> {
    let unusable = |text: &str| Fault::new(FaultKind::Returned, text);
    let mut value: Value =
        serde_json::from_str(json).map_err(|_| unusable("the result is no JSON"))?;
    match method {
        Method::Program => Ok(Returned::Value(json.to_owned())),
        Method::Request => {
            let events = value["events"].as_array().map_or(&[][..], Vec::as_slice);
            let events = events.iter().filter_map(|event| event.as_str().map(str::to_owned));
            let objects = value["objects"].as_u64().unwrap_or(0);
            Ok(Returned::Emitted(Emitted { events: events.collect(), objects }))
        }
        Method::Change => changed(value["value"].take()).map(Returned::Event),
        Method::Deliver => match value["batch"].take() {
            Value::Null => Ok(Returned::Done),
            batch => match statuses(&batch, count)?.pop() {
                Some(Item::Failed(fault)) => Err(fault),
                _ => Ok(Returned::Done),
            },
        },
        Method::DeliverBatch => match value["batch"].take() {
            Value::Null => Ok(Returned::Batch(vec![Item::Done; count])),
            batch => statuses(&batch, count).map(Returned::Batch),
        },
        Method::ChangeBatch => {
            let Value::Array(list) = value["batch"].take() else {
                return Err(unusable("`onBatch` of an insert function returns a list of events"));
            };
            check_length(list.len(), count)?;
            let item = |value| changed(value).map_or_else(Item::Failed, Item::Event);
            Ok(Returned::Batch(list.into_iter().map(item).collect()))
        }
    }
}

/// What an insert function returned for one event.
fn changed(value: Value) -> Result<String, Fault> {
    match value {
        Value::Null => Err(Fault::new(FaultKind::Dropped, "the function returned nothing")),
        Value::Object(event) if event.get("type").is_some_and(Value::is_string) => {
            Ok(Value::Object(event).to_string())
        }
        Value::Object(given) if given.contains_key("status") => match status(&given.into()) {
            Item::Failed(fault) => Err(fault),
            _ => Err(Fault::new(FaultKind::Returned, "it returned a status and no event")),
        },
        _ => {
            let text = "an insert function returns the event, with its `type`, or nothing";
            Err(Fault::new(FaultKind::Returned, text))
        }
    }
}

fn check_length(length: usize, count: usize) -> Result<(), Fault> {
    if length == count {
        return Ok(());
    }
    let text = format!("`onBatch` was given {count} events and returned {length} results");
    Err(Fault::new(FaultKind::Returned, text))
}

/// What `onBatch` of a destination function says of each event.
fn statuses(batch: &Value, count: usize) -> Result<Vec<Item>, Fault> {
    let list = batch.as_array().map_or(&[][..], Vec::as_slice);
    check_length(list.len(), count)?;
    Ok(list.iter().map(status).collect())
}

fn status(item: &Value) -> Item {
    let message = ["message", "errormessage"].iter().find_map(|key| item[*key].as_str());
    let message = message.unwrap_or("`onBatch` gave no message").to_owned();
    let failed = |kind: FaultKind, name: String| {
        Item::Failed(Fault { kind, name, message: message.clone(), stack: String::new() })
    };
    match item["status"].as_u64() {
        Some(200..=299) => Item::Done,
        Some(status @ (408 | 429 | 500..=599)) => {
            failed(FaultKind::Retry, format!("status {status}"))
        }
        Some(status) => failed(FaultKind::Failed, format!("status {status}")),
        None => {
            let text = "each result of `onBatch` has a `status`, a number";
            Item::Failed(Fault::new(FaultKind::Returned, text))
        }
    }
}

impl Report {
    /// Of a call that found nothing that runs it.
    pub fn unstarted() -> Self {
        let text = "the process of functions is not there";
        Self::failed(Fault::new(FaultKind::Busy, text))
    }

    /// Of a call that was not begun.
    pub(crate) fn failed(fault: Fault) -> Self {
        Self {
            result: Err(fault),
            lines: Vec::new(),
            lines_cut: false,
            requests: Vec::new(),
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
            memory_bytes: None,
        }
    }
}
