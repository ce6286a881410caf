//! From a request to records and an answer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Body;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use selfsame_event::{Clock, EventType, EventsHead, Position, RecordKind, Refusal, TokenVerdict};
use tokio::time::Instant;

use crate::budget::{Budget, Held};
use crate::metrics::Meters;
use crate::respond::{self, Answer};
use crate::token::{Opener, Wanted};
use crate::{
    CollectConfig, Envelope, Events, Intake, IntakeError, Lookup, Peer, Presented, Problem, Route,
    Scripts, Shape, SourceSettings, Sources, body, cors, credential, network, pixel,
};

/// Answers what SDKs call.
pub struct Collector<I, S> {
    pub(crate) config: CollectConfig,
    pub(crate) sources: S,
    intake: I,
    clock: Arc<dyn Clock>,
    pub(crate) scripts: Scripts,
    budget: Arc<Budget>,
    pub(crate) meters: Meters,
}

impl<I, S> fmt::Debug for Collector<I, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A request that is not taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    problem: Problem,
    retry_after: Option<Duration>,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None }
    }
}

impl From<IntakeError> for Stop {
    fn from(error: IntakeError) -> Self {
        let (problem, retry_after) = Problem::of_intake(error);
        Self { problem, retry_after }
    }
}

/// Who sent a request: a source, by one of its write keys.
#[derive(Debug)]
struct Sender {
    source: SourceSettings,
    key: String,
}

/// What was set aside of a request that is durable.
#[derive(Debug, Default)]
struct Aside {
    /// How many of how many.
    refused: usize,
    total: usize,
    /// The first, with its place.
    first: Option<(usize, Refusal)>,
    /// The codes, for the header.
    codes: String,
    /// Whether the source wants to hear of it as an error.
    strict: bool,
    /// The last record that the request became.
    last: Option<Position>,
}

impl<I: Intake, S: Sources> Collector<I, S> {
    /// A collector. Metrics go to the recorder that is installed by now.
    pub fn new(
        config: CollectConfig,
        sources: S,
        intake: I,
        clock: Arc<dyn Clock>,
        scripts: Scripts,
    ) -> Self {
        let budget = Budget::new(config.in_flight_bytes);
        Self { config, sources, intake, clock, scripts, budget, meters: Meters::new() }
    }

    /// The route of a method and path; `None` for what is not ours.
    pub fn route(&self, method: &Method, path: &str) -> Option<Route> {
        Route::of(method, path)
    }

    /// Bytes of bodies held now.
    pub fn in_flight_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Answers a request that [`Collector::route`] knows.
    pub async fn answer<B>(&self, route: Route, request: Request<B>, peer: Peer) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let (parts, body) = request.into_parts();
        let mut answer = match route {
            Route::Event { kind, client } => {
                self.collect(&parts, body, Shape::Event(Some(kind)), client, peer).await
            }
            Route::Batch { client } => self.collect(&parts, body, Shape::Batch, client, peer).await,
            Route::Telemetry => self.telemetry(&parts, body).await,
            Route::Pixel(kind) => self.pixel(&parts, kind, peer).await,
            Route::Preflight => {
                let mut answer = respond::empty(StatusCode::NO_CONTENT);
                cors::preflight(&self.config, &parts.headers, answer.headers_mut());
                return answer;
            }
            Route::WrongMethod => self.stop(Problem::MethodUnknown.into()),
            Route::Settings(key) => self.settings(&parts, &key, peer),
            Route::Script(key) => self.script(&parts, &key),
            Route::Bundle(name) => self.bundle(&parts, &name),
        };
        cors::open(&self.config, &parts.headers, answer.headers_mut());
        answer
    }

    async fn collect<B>(
        &self,
        parts: &Parts,
        body: B,
        shape: Shape,
        client: bool,
        peer: Peer,
    ) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let started = Instant::now();
        let mut held = self.budget.hold();
        let outcome = match self.envelope(parts, body, shape, &mut held).await {
            Ok((envelope, sender)) => self.store(&envelope, &sender, client, parts, peer).await,
            Err(problem) => Err(problem.into()),
        };
        let answer = match outcome {
            Ok(aside) => respond::positioned(self.taken(&aside), aside.last),
            Err(stop) => self.stop(stop),
        };
        self.meters.in_flight.set(self.budget.used() as f64);
        self.meters.seconds.record(started.elapsed());
        answer
    }

    /// Reads a body and finds whose it is; both in the order in which answers are due.
    async fn envelope<B>(
        &self,
        parts: &Parts,
        body: B,
        shape: Shape,
        held: &mut Held,
    ) -> Result<(Envelope, Sender), Problem>
    where
        B: Body<Data = Bytes>,
    {
        let limit = match shape {
            Shape::Event(_) => self.config.event_bytes,
            Shape::Batch => self.config.batch_bytes,
        };
        let read = body::read(&self.config, &parts.headers, body, limit, held).await;
        let header_key = || credential::of(&parts.headers);
        let envelope = match read.and_then(|body| Envelope::read(body, shape)) {
            Ok(envelope) => envelope,
            Err(problem) => {
                // A body that cannot be read names no key, so the header's decides what comes first.
                if let Some(key) = header_key() {
                    self.authorized(&key, parts)?;
                }
                return Err(problem);
            }
        };
        let key = envelope.write_key().or_else(header_key).ok_or(Problem::KeyMissing)?;
        let source = self.authorized(&key, parts)?;
        match envelope.fault() {
            Some(problem) => Err(problem),
            None => Ok((envelope, Sender { source, key })),
        }
    }

    /// The source of a key, if the request may send to it.
    fn authorized(&self, key: &str, parts: &Parts) -> Result<SourceSettings, Problem> {
        let source = self.source(key)?;
        if source.oauth {
            let token = credential::bearer(&parts.headers).ok_or(Problem::AccessMissing)?;
            self.sources.authorize(source.number, token, self.clock.wall())?;
        }
        Ok(source)
    }

    fn source(&self, key: &str) -> Result<SourceSettings, Problem> {
        match self.sources.by_key(key) {
            Lookup::Active(settings) => Ok(settings),
            Lookup::Revoked => Err(Problem::KeyRevoked),
            Lookup::Unknown => Err(Problem::KeyUnknown),
        }
    }

    /// Makes everything durable: the accepted events, and what is set aside.
    async fn store(
        &self,
        envelope: &Envelope,
        sender: &Sender,
        client: bool,
        parts: &Parts,
        peer: Peer,
    ) -> Result<Aside, Stop> {
        let source = sender.source;
        let client = source.kind.is_client(client);
        let events = envelope.events(!client);
        let total = envelope.len();
        self.meters.received.increment(total as u64);
        let mut head = envelope.head(source.number);
        let address = || network::client_address(&self.config, parts, peer);
        if client {
            head.ip = address();
        }
        let Events { accepted, direct, refused, tokens, direct_tokens } = events;
        let tokens = self.check_tokens(
            envelope,
            sender,
            &head,
            &[(&accepted, tokens), (&direct, direct_tokens)],
        );
        let [tokens, direct_tokens] = tokens;
        let direct_head = (!direct.is_empty()).then(|| EventsHead {
            ip: address(),
            tokens: direct_tokens,
            ..head.clone()
        });
        let count = accepted.len() + direct.len();
        let mut aside = Aside { total, strict: source.strict, ..Aside::default() };
        let mut refused_head = None;
        let head = EventsHead { tokens, ..head };
        if let Some(first) = refused.first() {
            aside.refused = refused.len();
            aside.first = Some((first.index, first.refusal));
            let refusals: Vec<Refusal> = refused.iter().map(|event| event.refusal).collect();
            let codes: BTreeSet<Refusal> = refusals.iter().copied().collect();
            aside.codes = codes.into_iter().map(Refusal::code).collect::<Vec<_>>().join(", ");
            refused_head = Some(EventsHead { refusals, tokens: Vec::new(), ..head.clone() });
        }
        let refused_items = refused.iter().map(|event| event.item.clone()).collect();
        let (events, direct, rejected) = tokio::join!(
            self.append(RecordKind::Events, Some(&head), accepted),
            self.append(RecordKind::Events, direct_head.as_ref(), direct),
            self.append(RecordKind::Rejected, refused_head.as_ref(), refused_items),
        );
        let last = [events?, direct?, rejected?].into_iter().flatten().max();
        // The key of a browser is public, and positions tell how much is sent.
        aside.last = last.filter(|_| source.kind != crate::SourceKind::Browser);
        self.meters.accepted.increment(count as u64);
        refused.iter().for_each(|event| self.meters.refused(event.refusal));
        Ok(aside)
    }

    /// What the tokens of both lists of events were found to be.
    fn check_tokens(
        &self,
        envelope: &Envelope,
        sender: &Sender,
        head: &EventsHead,
        lists: &[(&Vec<Bytes>, Vec<Presented>); 2],
    ) -> [Vec<(u32, TokenVerdict)>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        if lists.iter().all(|(_, presented)| presented.is_empty()) {
            return found;
        }
        let keys = self.sources.token_keys(sender.source.number);
        let now = self.clock.wall();
        let mut opener = Opener::new(&keys);
        for ((items, presented), found) in lists.iter().zip(&mut found) {
            for one in presented {
                let Some(item) = usize::try_from(one.item).ok().and_then(|at| items.get(at)) else {
                    continue;
                };
                let event = head.event(item).ok();
                let subject = event.as_ref().and_then(|event| event.user_id.as_deref());
                // A batch's token is for those of its events that say a user.
                if !one.own && subject.is_none() {
                    continue;
                }
                let wanted = Wanted { audience: &sender.key, subject, now };
                let verdict = match envelope.token(one) {
                    Some(token) => opener.check(&token, &wanted),
                    None => TokenVerdict::Malformed,
                };
                self.meters.token(verdict);
                found.push((one.item, verdict));
            }
        }
        found
    }

    pub(crate) async fn append(
        &self,
        kind: RecordKind,
        head: Option<&EventsHead>,
        items: Vec<Bytes>,
    ) -> Result<Option<Position>, IntakeError> {
        match head {
            Some(head) if !items.is_empty() => {
                let receipt = self.intake.append(kind, head.encode(), items).await?;
                Ok(Some(receipt.position))
            }
            _ => Ok(None),
        }
    }

    /// The answer to a request whose events are durable. An SDK repeats a whole request on any
    /// other status than 200, or drops it, so what was set aside is named in a header.
    fn taken(&self, aside: &Aside) -> Answer {
        self.meters.requests.increment(1);
        let (code, message) = match aside.first {
            None if aside.total > 0 => return respond::success(),
            None => (EMPTY_BATCH, "The batch has no events.".to_owned()),
            Some((_, refusal)) if aside.total == 1 => {
                (refusal.code(), refusal.sentence().to_owned())
            }
            Some((index, refusal)) => {
                let Aside { refused, total, .. } = aside;
                let sentence = refusal.sentence();
                let counts = format!("{refused} of {total} events were set aside; the first, ");
                (refusal.code(), format!("{counts}number {index} from 0: {sentence}"))
            }
        };
        let mut answer = if aside.strict {
            respond::failure(StatusCode::BAD_REQUEST, code, &message)
        } else {
            respond::success()
        };
        let codes = if aside.codes.is_empty() { code } else { &aside.codes };
        respond::rejected(&mut answer, codes);
        answer
    }

    pub(crate) fn stop(&self, stop: Stop) -> Answer {
        self.meters.problem(stop.problem);
        let usual = Duration::from_secs(self.config.retry_after_seconds.into());
        respond::problem(stop.problem, stop.retry_after.unwrap_or(usual))
    }

    /// An image is answered with an image whatever happens; a header says what did.
    async fn pixel(&self, parts: &Parts, kind: Option<EventType>, peer: Peer) -> Answer {
        let query = pixel::read(parts.uri.query().unwrap_or(""));
        let mut answer = respond::pixel();
        match self.pixel_event(parts, query, kind, peer).await {
            Ok(aside) => {
                self.meters.requests.increment(1);
                if aside.first.is_some() {
                    respond::rejected(&mut answer, &aside.codes);
                }
                answer = respond::positioned(answer, aside.last);
            }
            Err(stop) => {
                self.meters.problem(stop.problem);
                respond::rejected(&mut answer, stop.problem.code());
            }
        }
        answer
    }

    async fn pixel_event(
        &self,
        parts: &Parts,
        query: pixel::Query,
        kind: Option<EventType>,
        peer: Peer,
    ) -> Result<Aside, Stop> {
        if query.body.len() > self.config.event_bytes {
            return Err(Problem::BodyTooLarge.into());
        }
        let shape = Shape::Event(kind);
        // An image cannot be sent again, so what cannot be read is set aside as text.
        let envelope = Envelope::read(query.body.clone(), shape)
            .or_else(|_| Envelope::read(pixel::quote(&query.body), shape))?;
        let key = envelope.write_key().or(query.write_key).ok_or(Problem::KeyMissing)?;
        let sender = Sender { source: self.authorized(&key, parts)?, key };
        self.store(&envelope, &sender, true, parts, peer).await
    }

    /// An SDK's counters of its own health: nobody reads them here.
    async fn telemetry<B>(&self, parts: &Parts, body: B) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let mut held = self.budget.hold();
        let limit = self.config.batch_bytes;
        self.meters.telemetry.increment(1);
        match body::read(&self.config, &parts.headers, body, limit, &mut held).await {
            Ok(_) => respond::success(),
            Err(problem) => self.stop(problem.into()),
        }
    }
}

const EMPTY_BATCH: &str = "empty_batch";
