//! Access tokens: fetched when there is none, when they end, and when a receiver says that they have ended;
//! by one for all that wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use selfsame_deliver::{Carried, Failure, Job, Outcome};
use selfsame_destinations::{Request, RequestError};
use serde_json::{Map, Value};

use crate::connector::Connector;
use crate::mask::{HIDDEN, Mask};
use crate::{meaning, metrics, wire};

/// How long before its end a token is fetched anew.
const EARLY: Duration = Duration::from_secs(60);
/// How long a refusal is believed before anybody asks again.
const REFUSED: Duration = Duration::from_secs(10);

/// The tokens of a connection.
#[derive(Debug)]
pub(crate) struct Credentials {
    held: Mutex<Held>,
    /// Whoever has it fetches.
    turn: tokio::sync::Mutex<()>,
}

/// Tokens as they are at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) auth: Arc<Value>,
    /// What to hide of it.
    pub(crate) mask: Arc<Mask>,
    /// How many were fetched before.
    generation: u64,
    /// When it ends, in microseconds of the monotonic clock.
    ends: Option<u64>,
    /// Why there is none, and until when that is believed.
    refused: Option<(Carried, u64)>,
}

impl Credentials {
    pub(crate) fn new(auth: Value, settings: &Mask) -> Self {
        let mask = Arc::new(settings.and_tokens(&auth));
        let auth = Arc::new(auth);
        let held = Held { auth, mask, generation: 0, ends: None, refused: None };
        Self { held: Mutex::new(held), turn: tokio::sync::Mutex::default() }
    }

    pub(crate) fn held(&self) -> Held {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The tokens for requests that are only shown, and what to hide of them: one that is not there yet is hidden
    /// as if it were.
    pub(crate) fn shown(&self) -> (Value, Arc<Mask>) {
        let held = self.held();
        let mut auth = match &*held.auth {
            Value::Object(auth) => auth.clone(),
            _ => Map::new(),
        };
        auth.entry("access_token").or_insert_with(|| Value::String(HIDDEN.to_owned()));
        (Value::Object(auth), held.mask)
    }

    /// Whether these are the tokens that it has now.
    pub(crate) fn has(&self, auth: &Value) -> bool {
        *self.held().auth == *auth
    }

    /// The tokens to send with: fetched first where the manifest has some and there is none, or it ends.
    pub(crate) async fn current(
        &self,
        connector: &Connector,
        job: Job<'_>,
    ) -> Result<Held, Carried> {
        let held = self.held();
        let has_token = held.auth.get("access_token").is_some_and(Value::is_string);
        let now = job.clock.monotonic_micros();
        let is_good = has_token && held.ends.is_none_or(|ends| now < ends);
        if is_good || !connector.can_renew(&held) {
            return Ok(held);
        }
        Box::pin(self.renew(&held, connector, job)).await
    }

    /// Other tokens than these. Many may ask: one fetches, and all get what it got.
    pub(crate) async fn renew(
        &self,
        old: &Held,
        connector: &Connector,
        job: Job<'_>,
    ) -> Result<Held, Carried> {
        let _turn = self.turn.lock().await;
        let held = self.held();
        if held.generation != old.generation {
            return Ok(held);
        }
        if let Some((refused, until)) = &held.refused
            && job.clock.monotonic_micros() < *until
        {
            return Err(refused.clone());
        }
        let fetched = connector.fetch(&held, job).await;
        let label =
            fetched.as_ref().map_or_else(|refused| refused.outcome.label(), |_| "delivered");
        ::metrics::counter!(metrics::TOKENS, "outcome" => label).increment(1);
        let now = job.clock.monotonic_micros();
        let mut inner = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(Fetched { auth, seconds }) => {
                let renewed = auth.get("refresh_token") != held.auth.get("refresh_token");
                let seconds = seconds.map(Duration::from_secs);
                let ends =
                    seconds.map(|held| now + micros(held.saturating_sub(EARLY).max(held / 2)));
                let mask = Arc::new(connector.mask.and_tokens(&auth));
                let generation = held.generation + 1;
                let auth = Arc::new(auth);
                *inner = Held { auth, mask, generation, ends, refused: None };
                if renewed {
                    connector.keep.keep(&inner.auth);
                }
                Ok(inner.clone())
            }
            Err(refused) => {
                inner.refused = Some((refused.clone(), now + micros(REFUSED)));
                Err(refused)
            }
        }
    }
}

pub(crate) struct Fetched {
    pub(crate) auth: Value,
    seconds: Option<u64>,
}

impl Connector {
    /// Whether there is something to fetch another access token with.
    pub(crate) fn can_renew(&self, held: &Held) -> bool {
        let manifest = &self.config.manifest;
        manifest.refresh(&self.config.settings, &held.auth).is_some()
            || manifest.program_refresh(&held.auth).is_some()
    }

    async fn fetch(&self, held: &Held, job: Job<'_>) -> Result<Fetched, Carried> {
        let Some(input) = self.config.manifest.program_refresh(&held.auth) else {
            let request = self.config.manifest.refresh(&self.config.settings, &held.auth);
            return match request {
                Some(request) => fetch(request, held, job).await,
                None => Err(not_given(Failure::Unauthorized, "the manifest fetches none")),
            };
        };
        match self.tokens_by_program(input, held, job).await?.tokens() {
            Some(new) => Ok(fetched(held, &new)),
            None => {
                let note = "access token: the program fetched none".to_owned();
                Err(Carried { outcome: Outcome::failed(Failure::Unauthorized), note })
            }
        }
    }
}

/// The tokens that there were, with those that were fetched. With some there is more to know, such as the address
/// to speak to.
fn fetched(held: &Held, new: &Map<String, Value>) -> Fetched {
    let mut auth = match &*held.auth {
        Value::Object(auth) => auth.clone(),
        _ => Map::new(),
    };
    auth.extend(new.iter().map(|(name, value)| (name.clone(), value.clone())));
    let seconds = new.get("expires_in").and_then(seconds_of);
    Fetched { auth: Value::Object(auth), seconds }
}

fn not_given(failure: Failure, note: &str) -> Carried {
    let note = meaning::note(&format!("access token: {note}"));
    Carried { outcome: Outcome::failed(failure), note }
}

/// Asks for tokens. What else is known of the connection stays.
pub(crate) async fn fetch(
    request: Result<Request, RequestError>,
    held: &Held,
    job: Job<'_>,
) -> Result<Fetched, Carried> {
    let failed = not_given;
    let request = request
        .map_err(|error| failed(Failure::Unauthorized, &held.mask.text(&error.to_string())))?;
    let timeout = job.timeout;
    let outgoing = wire::outgoing(&request, job.outbound, timeout, job.allow_loopback);
    let (method, outgoing) = outgoing.map_err(|failure| failed(failure, ""))?;
    let answer = job.outbound.send(method, outgoing, job.clock.wall()).await;
    let answer = answer.map_err(|failure| failed(failure, "there was no answer"))?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let token = body.get("access_token").filter(|token| token.is_string());
    if let (200..=299, Some(_), Value::Object(new)) = (answer.status, token, &body) {
        return Ok(fetched(held, new));
    }
    let status = Some(answer.status);
    let failure = match answer.status {
        429 => Failure::Throttled,
        500..=599 | 408 => Failure::Server,
        _ => Failure::Unauthorized,
    };
    let words = ["error", "error_description"].map(|name| body.get(name).and_then(Value::as_str));
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let said = if words.is_empty() { "it was refused".to_owned() } else { words.join(": ") };
    let mut refused = failed(failure, &held.mask.text(&said));
    refused.outcome = Outcome::Failed { failure, status, retry_after: answer.retry_after };
    Err(refused)
}

/// Some say it as a text.
fn seconds_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 2)
}
