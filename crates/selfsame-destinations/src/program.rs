//! What programs of the actions pack are called with, and what they come to.
//!
//! A program does what `request` and `steps` do elsewhere. Mappings, fields and settings are read and
//! checked as they are for any other destination; it is given the payload, and asks for requests.
//!
//! ```text
//! {what, action, payload, event, mapping, auth}        one event
//! {what, action, payloads, members, events, mapping, auth}     several; `members` are the places of the payloads
//! {}  {items: [{status, message}]}  {token: {…}}  {error: {name, message, code, status, after, said}}
//! ```

use selfsame_mapping::Item;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::{Outcome, Verdict};
use crate::exchange::{Connection, Done, Refusal};
use crate::manifest::{Manifest, Subscription};

/// A batch for a program.
#[derive(Debug)]
pub struct ProgramBatch {
    /// What it is called with; nothing where no event is in it.
    pub input: Option<String>,
    /// The places of the events that are in it.
    pub members: Vec<usize>,
    /// Those that are not, and why; others have nothing to send.
    pub refused: Vec<(usize, Refusal)>,
}

/// What a call of a program came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ProgramEnd {
    /// What it threw.
    #[serde(default)]
    pub error: Option<ProgramError>,
    /// What became of each payload, where it says so.
    #[serde(default)]
    pub items: Option<Vec<ProgramItem>>,
    /// What it fetched in place of tokens that had ended.
    #[serde(default)]
    pub token: Option<Map<String, Value>>,
}

/// An error of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ProgramError {
    /// Its name.
    pub name: String,
    /// What it says.
    #[serde(default)]
    pub message: String,
    /// Its code, as the pack has them.
    #[serde(default)]
    pub code: Option<String>,
    /// A status, of an answer or of its own.
    #[serde(default)]
    pub status: Option<u16>,
    /// The `Retry-After` of the answer.
    #[serde(default)]
    pub after: Option<String>,
    /// What the answer said.
    #[serde(default)]
    pub said: Option<String>,
}

/// What became of one payload of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProgramItem {
    /// Its status.
    pub status: u16,
    /// Why, where that is no good one.
    #[serde(default)]
    pub message: String,
}

impl Manifest {
    /// What the program is called with for an event; nothing where there is nothing to send.
    ///
    /// # Errors
    ///
    /// Nothing is sent for it.
    pub fn program_call(
        &self,
        subscription: &Subscription,
        event: &Value,
        connection: Connection<'_>,
    ) -> Result<Option<String>, Refusal> {
        let prepared = self.prepare(subscription, Item::from(event), connection, true)?;
        if prepared.skipped {
            return Ok(None);
        }
        let payload = prepared.scope.get("payload").into_json();
        let rest = format!(r#""payload":{payload},"event":{event}"#);
        Ok(Some(input("perform", subscription, &rest, connection.auth)))
    }

    /// What the program is called with for several events.
    ///
    /// # Errors
    ///
    /// The action sends no batches.
    pub fn program_batch(
        &self,
        subscription: &Subscription,
        events: &[Value],
        connection: Connection<'_>,
    ) -> Result<ProgramBatch, Refusal> {
        let action = self.action(&subscription.action);
        if action.is_none_or(|action| action.batch.is_none()) {
            return Err(Refusal::NoBatch);
        }
        let (mut payloads, mut members, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (index, event) in events.iter().enumerate() {
            match self.prepare(subscription, Item::from(event), connection, false) {
                Ok(prepared) if prepared.skipped => {}
                Ok(prepared) => {
                    payloads.push(prepared.scope.get("payload").into_json());
                    members.push(index);
                }
                Err(refusal) => refused.push((index, refusal)),
            }
        }
        let input = (!payloads.is_empty()).then(|| {
            let (places, events) = (Value::from(members.clone()), Value::from(events));
            let payloads = Value::Array(payloads);
            let rest = format!(r#""payloads":{payloads},"members":{places},"events":{events}"#);
            input("performBatch", subscription, &rest, connection.auth)
        });
        Ok(ProgramBatch { input, members, refused })
    }

    /// What the program is called with to fetch another access token, where it can and there is something to
    /// fetch it with.
    pub fn program_refresh(&self, auth: &Value) -> Option<String> {
        self.program.as_ref().filter(|program| program.refreshes && auth.is_object())?;
        Some(format!(r#"{{"what":"refresh","auth":{}}}"#, known(auth)))
    }

    /// What the program is called with to find out whether settings are good, where it can.
    pub fn program_check(&self, auth: &Value) -> Option<String> {
        self.program.as_ref().filter(|program| program.checks)?;
        Some(format!(r#"{{"what":"check","auth":{}}}"#, known(auth)))
    }
}

fn input(what: &str, subscription: &Subscription, rest: &str, auth: &Value) -> String {
    let mapping = subscription.written.as_deref().unwrap_or("{}");
    let (action, auth) = (Value::from(subscription.action.as_str()), known(auth));
    format!(r#"{{"what":"{what}","action":{action},{rest},"mapping":{mapping},"auth":{auth}}}"#)
}

/// Names of tokens here and in the pack.
const TOKENS: &[(&str, &str)] = &[
    ("access_token", "accessToken"),
    ("refresh_token", "refreshToken"),
    ("refresh_token_url", "refreshTokenUrl"),
    ("client_id", "clientId"),
    ("client_secret", "clientSecret"),
];

/// Tokens by the names of the pack.
fn known(auth: &Value) -> Value {
    let Some(auth) = auth.as_object() else { return Value::Object(Map::new()) };
    let named =
        |name: &str| TOKENS.iter().find(|(ours, _)| *ours == name).map(|(_, theirs)| *theirs);
    auth.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (named(name).unwrap_or(name).to_owned(), value.clone()))
        .collect()
}

impl ProgramEnd {
    /// The tokens that it fetched, by the names that they have here.
    pub fn tokens(self) -> Option<Map<String, Value>> {
        let named = |name: String| {
            let found = TOKENS.iter().find(|(_, theirs)| *theirs == name);
            found.map_or(name, |(ours, _)| (*ours).to_owned())
        };
        let fetched = self.token?.into_iter().filter(|(_, value)| !value.is_null());
        let fetched: Map<_, _> = fetched.map(|(name, value)| (named(name), value)).collect();
        fetched.get("access_token").is_some_and(Value::is_string).then_some(fetched)
    }

    /// What it means for an event that was alone; `renews` says whether other tokens can be fetched.
    pub fn done(&self, renews: bool) -> Done {
        if let Some(error) = &self.error {
            return error.done(renews);
        }
        match self.items.as_deref() {
            Some([item]) => item.done(renews),
            _ => Done::Delivered,
        }
    }
}

impl ProgramError {
    /// What it means. What is no answer and names no status is a fault of the program with this event: it would
    /// come to the same again.
    pub fn done(&self, renews: bool) -> Done {
        let message = match &self.said {
            Some(said) if !said.is_empty() => format!("{}: {said}", self.message),
            _ => self.message.clone(),
        };
        let after = self.after.as_ref().and_then(|after| after.trim().parse().ok());
        answered(self.status.unwrap_or(400), message, after, renews)
    }
}

impl ProgramItem {
    /// What it means for its event.
    pub fn done(&self, renews: bool) -> Done {
        answered(self.status, self.message.clone(), None, renews)
    }
}

fn answered(status: u16, message: String, after_seconds: Option<f64>, renews: bool) -> Done {
    let outcome = match Outcome::of_status(status) {
        Outcome::Ok => return Done::Delivered,
        Outcome::AuthError if status == 401 && renews => Outcome::RefreshAuth,
        outcome => outcome,
    };
    let verdict = Verdict { outcome, after_seconds, message: Some(message), items: None };
    Done::Answered { step: "request".to_owned(), verdict }
}

#[cfg(test)]
mod tests;
