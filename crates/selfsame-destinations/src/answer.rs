//! What the answer to a request means.

use selfsame_mapping::{Expression, Scope, Template};
use serde_json::{Map, Value, json};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers; names in lower case.
    pub headers: Map<String, Value>,
    /// Its body, as it came.
    pub body: String,
}

impl Reply {
    /// An answer as people write it down: 200 and nothing where nothing is said. None where the status is no
    /// number.
    pub fn from_json(value: Option<&Value>) -> Option<Self> {
        let part = |name: &str| value.and_then(|value| value.get(name));
        let headers = part("headers").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
        let body = match part("body") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let status = part("status").map_or(Some(200), Value::as_u64)?;
        Some(Self { status: u16::try_from(status).ok()?, headers, body })
    }

    /// As expressions see it: a body that is JSON is what it says.
    pub(crate) fn shown(&self) -> Value {
        let body = serde_json::from_str(&self.body);
        let body: Value = body.unwrap_or_else(|_| Value::String(self.body.clone()));
        json!({ "status": self.status, "headers": self.headers, "body": body })
    }
}

/// What is done about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The request has done what it should.
    Ok,
    /// The same request may succeed later.
    Retry,
    /// The event is refused; another try would be refused too.
    Reject,
    /// The connection is refused, whatever the event.
    AuthError,
    /// The access token has ended: fetch another one and try again.
    RefreshAuth,
    /// Each event of the batch has an outcome of its own.
    PerItem,
    /// The batch is too large or has a bad event in it: try its halves.
    SplitBatch,
    /// Too much, too fast.
    Throttle,
}

impl Outcome {
    /// The outcome that a word of manifests is for; any other word refuses.
    pub fn of_word(word: &str) -> Self {
        match word {
            "ok" => Self::Ok,
            "retry" => Self::Retry,
            "auth_error" => Self::AuthError,
            "refresh_auth" => Self::RefreshAuth,
            "per_item" => Self::PerItem,
            "split_batch" => Self::SplitBatch,
            "throttle" => Self::Throttle,
            _ => Self::Reject,
        }
    }

    /// The word of manifests for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Reject => "reject",
            Self::AuthError => "auth_error",
            Self::RefreshAuth => "refresh_auth",
            Self::PerItem => "per_item",
            Self::SplitBatch => "split_batch",
            Self::Throttle => "throttle",
        }
    }

    /// What a status means where a manifest says nothing about it.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Ok,
            401 | 403 => Self::AuthError,
            413 => Self::SplitBatch,
            429 => Self::Throttle,
            408 | 423 | 425 | 500 | 502..=599 => Self::Retry,
            _ => Self::Reject,
        }
    }
}

/// What one answer means.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What is done about it.
    pub outcome: Outcome,
    /// How many seconds are waited before another try, where the answer says so.
    pub after_seconds: Option<f64>,
    /// What people are told.
    pub message: Option<String>,
    /// For [`Outcome::PerItem`]: an outcome for each event of the batch.
    pub items: Option<Value>,
}

/// A row of the table of answers.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) when: Expression,
    pub(crate) outcome: Outcome,
    pub(crate) after: Option<Expression>,
    pub(crate) items: Option<Expression>,
    pub(crate) message: Option<Template>,
}

/// What an answer means: the first row that holds, or what its status means. A step that says which
/// answers are good has said so before.
pub(crate) fn verdict(
    table: &[Response],
    ok: Option<&Expression>,
    reply: &Reply,
    scope: &Scope<'_>,
) -> Verdict {
    let plain = |outcome| {
        let after = reply.headers.get("retry-after").and_then(Value::as_str);
        let after_seconds = after.and_then(|seconds| seconds.trim().parse().ok());
        Verdict { outcome, after_seconds, message: None, items: None }
    };
    let good = ok.map(|ok| ok.holds(scope));
    if good == Some(true) {
        return plain(Outcome::Ok);
    }
    if let Some(row) = table.iter().find(|row| row.when.holds(scope)) {
        let after = row.after.as_ref().and_then(|after| after.evaluate(scope).as_f64());
        let Verdict { after_seconds, .. } = plain(row.outcome);
        return Verdict {
            outcome: row.outcome,
            after_seconds: after.or(after_seconds),
            message: row.message.as_ref().and_then(|message| message.text(scope)),
            items: row.items.as_ref().and_then(|items| items.value(scope)),
        };
    }
    match Outcome::of_status(reply.status) {
        // The step did not find it good.
        Outcome::Ok if good == Some(false) => plain(Outcome::Reject),
        outcome => plain(outcome),
    }
}
