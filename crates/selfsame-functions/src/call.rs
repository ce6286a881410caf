//! What a function is called with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Code, Fetch};

/// A function of one connection: what shares a sandbox.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Whose it is: the same text for the calls that may find what earlier ones left.
    pub connection: Arc<str>,
    /// The code.
    pub code: Code,
    /// Its settings, as a JSON object. Other settings, another sandbox.
    pub settings: Arc<str>,
}

impl Instance {
    /// Whether calls of both may share a sandbox.
    pub(crate) fn shares(&self, other: &Self) -> bool {
        self.connection == other.connection
            && self.settings == other.settings
            && self.code.is_same(&other.code)
    }
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Of which function.
    pub instance: Instance,
    /// With what.
    pub input: Input,
    /// Whether to measure the memory, which takes time.
    pub measure: bool,
    /// What sends its requests, where that is not what sends those of all.
    pub fetch: Option<Arc<dyn Fetch>>,
}

/// What a function is called with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Input {
    /// A source function, with a request.
    Request {
        /// An absolute address.
        url: String,
        /// Its headers.
        headers: Vec<(String, String)>,
        /// Its body, as text.
        body: String,
    },
    /// An insert or destination function, with one event, as JSON; a program, with a value.
    Event(String),
    /// With several, each as JSON: for its `onBatch`.
    Batch(Vec<String>),
}

/// The way in which the prelude calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// `onRequest`; events come back.
    Request,
    /// The handler of an event; nothing comes back.
    Deliver,
    /// `onBatch`; a status for each event comes back.
    DeliverBatch,
    /// The handler of an event; the event comes back.
    Change,
    /// `onBatch`; the events come back.
    ChangeBatch,
    /// `onCall`; a value comes back.
    Program,
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Deliver => "deliver",
            Self::DeliverBatch => "deliverBatch",
            Self::Change => "change",
            Self::ChangeBatch => "changeBatch",
            Self::Program => "program",
        }
    }
}

impl Input {
    /// How many events there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Request { .. } | Self::Event(_) => 1,
            Self::Batch(events) => events.len(),
        }
    }

    /// As the prelude takes it.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Request { url, headers, body } => {
                serde_json::json!({ "url": url, "headers": headers, "body": body }).to_string()
            }
            Self::Event(event) => event.clone(),
            Self::Batch(events) => format!("[{}]", events.join(",")),
        }
    }
}
