//! The requests that an event becomes, without sending them.

use selfsame_destinations::{Connection, Done, Next};
use selfsame_event::Time;
use serde_json::Value;

use crate::connector::Connector;

/// What an event becomes by a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The first request, without secrets; none where nothing is sent.
    pub request: Option<Value>,
    /// Why nothing can be sent, if so.
    pub refused: Option<String>,
    /// Whether there may be more requests, which depend on what is answered.
    pub has_more: bool,
}

impl Connector {
    /// What an event becomes at a moment by one of the mappings, whatever its trigger says. None where there is no
    /// such mapping.
    pub fn render(&self, event: &Value, number: u8, now: Time) -> Option<Rendered> {
        let line = self.config.lines.iter().find(|line| line.number == number)?;
        let manifest = &*self.config.manifest;
        let (tokens, mask) = self.credentials.shown();
        let connection = Connection {
            settings: &self.config.settings,
            auth: &tokens,
            audience: &Value::Null,
            now_ms: now.millis(),
        };
        let refused = |why: String| Rendered {
            request: None,
            refused: Some(mask.text(&why)),
            has_more: false,
        };
        if line.is_program {
            let why = "a program of the actions pack makes its requests when they are sent";
            return Some(refused(why.to_owned()));
        }
        let mut exchange = match manifest.exchange(&line.subscription, event, connection) {
            Ok(exchange) => exchange,
            Err(refusal) => return Some(refused(refusal.to_string())),
        };
        let action = manifest.action(&line.subscription.action)?;
        Some(match exchange.next(None) {
            Next::Send(request) => Rendered {
                request: Some(mask.shown(&request)),
                refused: None,
                has_more: !action.is_one_request(),
            },
            Next::Done(Done::Refused(refusal)) => refused(refusal.to_string()),
            Next::Done(_) => Rendered { request: None, refused: None, has_more: false },
        })
    }
}
