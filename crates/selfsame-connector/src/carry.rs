//! One exchange carried out: requests sent, answers told, until it ends.

use std::time::Duration;

use selfsame_deliver::{Carried, Failure, Job, Outcome};
use selfsame_destinations::{Done, Exchange, Next, Reply, Request};
use serde_json::{Value, json};

use crate::config::Line;
use crate::connector::Connector;
use crate::credentials::Held;
use crate::journal::{Kept, changes};
use crate::{digest, meaning, metrics, wire};

/// The longest that an answer is waited for, whatever a manifest says.
const MOST_SECONDS: u64 = 120;

/// A request with its answer, as somebody may be shown them.
#[derive(Debug, Clone)]
pub struct Said {
    /// What was sent.
    pub request: Value,
    /// What was answered, or why there was no answer.
    pub answer: Value,
}

/// What an event came to that was sent once, to see.
#[derive(Debug)]
pub struct Rehearsal {
    /// The requests and answers, without secrets.
    pub said: Vec<Said>,
    /// How it ended.
    pub carried: Carried,
}

/// An answer, and how long it asks to wait.
pub(crate) type Answered = (Reply, Option<Duration>);

/// Keeps every request with its answer, where somebody wants to see them.
pub(crate) type Ear<'h> = &'h mut Option<Vec<Said>>;

/// An exchange on its way.
#[derive(Debug)]
pub(crate) struct Course {
    /// Whether its answers are noted, under the key of its job.
    pub(crate) is_noted: bool,
    /// For how many requests each of its requests counts where a vendor counts events.
    pub(crate) weight: u64,
    /// Whether the answer to its last request is noted too.
    pub(crate) is_last_noted: bool,
    pub(crate) kept: Vec<Kept>,
}

impl Course {
    /// One that goes on with these answers, and whose answers are noted.
    pub(crate) fn noted(kept: Vec<Kept>) -> Self {
        Self { is_noted: true, weight: 1, is_last_noted: false, kept }
    }

    /// One of which nothing is noted.
    pub(crate) fn unnoted() -> Self {
        Self { is_noted: false, ..Self::noted(Vec::new()) }
    }
}

/// How an exchange went.
pub(crate) struct Went {
    pub(crate) carried: Carried,
    /// Whether other tokens may mend it.
    pub(crate) wants_tokens: bool,
}

impl Connector {
    /// Sends an event through one of its mappings, whatever its trigger says, and shows what was said.
    /// None where there is no such mapping in use.
    pub async fn rehearse(&self, event: &Value, number: u8, job: Job<'_>) -> Option<Rehearsal> {
        let line = self.line(number)?;
        let mut said = Some(Vec::new());
        let carried = self.carry(event, line, job, &mut said).await;
        Some(Rehearsal { said: said.unwrap_or_default(), carried })
    }

    /// The numbers of the mappings whose triggers hold for an event.
    pub fn wants(&self, event: &Value) -> Vec<u8> {
        self.wanted_by(event).actions().collect()
    }

    /// Carries out an action for an event.
    pub(crate) async fn carry(
        &self,
        event: &Value,
        line: &Line,
        job: Job<'_>,
        ear: Ear<'_>,
    ) -> Carried {
        let Ok(_place) = self.exchanges.acquire().await else {
            return Carried::quiet(Outcome::Postponed);
        };
        let mut course = Course::noted(self.notes.begin(job.key));
        let mut has_renewed = false;
        let mut held = self.credentials.current(self, job).await;
        let carried = loop {
            let tokens = match held {
                Ok(tokens) => tokens,
                Err(carried) => break carried,
            };
            let went = self.exchange((event, line), &tokens, &mut course, job, ear).await;
            let may_mend = went.wants_tokens && !has_renewed;
            if !may_mend || !self.can_renew(&tokens) {
                break went.carried;
            }
            has_renewed = true;
            held = self.credentials.renew(&tokens, self, job).await;
        };
        self.notes.end(job.key, !is_to_be_tried_again(carried.outcome), job.clock.wall());
        carried
    }

    async fn exchange(
        &self,
        (event, line): (&Value, &Line),
        held: &Held,
        course: &mut Course,
        job: Job<'_>,
        ear: Ear<'_>,
    ) -> Went {
        if line.is_program {
            return self.by_program((event, line), held, course, job, ear).await;
        }
        let connection = self.connection(held, job);
        let exchange = self.config.manifest.exchange(&line.subscription, event, connection);
        let mut exchange = match exchange {
            Ok(exchange) => exchange,
            Err(refusal) => {
                let carried = meaning::refused(&refusal, None, &held.mask);
                return Went { carried, wants_tokens: false };
            }
        };
        match self.drive(&mut exchange, held, course, job, ear).await {
            Ok((done, last)) => self.went(&done, last.as_ref(), held, job),
            Err(carried) => Went { carried, wants_tokens: false },
        }
    }

    /// Asks an exchange for requests and tells it the answers. The course has answers that it had before; then
    /// those that it has now and were found good.
    pub(crate) async fn drive(
        &self,
        exchange: &mut Exchange<'_>,
        held: &Held,
        course: &mut Course,
        job: Job<'_>,
        ear: Ear<'_>,
    ) -> Result<(Done, Option<Answered>), Carried> {
        let before = std::mem::take(&mut course.kept);
        let (mut last, mut unsure): (Option<Answered>, Option<Box<Request>>) = (None, None);
        for place in 0.. {
            let next = exchange.next(last.as_ref().map(|(reply, _)| reply));
            let is_good = match &next {
                // It goes on, so the answer before was a good one.
                Next::Send(_) => true,
                Next::Done(done) => course.is_last_noted && *done == Done::Delivered,
            };
            // Most exchanges end with their first answer, and nothing is made of it.
            if let Some(request) = unsure.take().filter(|_| is_good)
                && let Some((reply, _)) = &last
            {
                let digest = digest::of(&request);
                let good = Kept { place: place - 1, digest, reply: reply.clone() };
                if course.is_noted && !before.contains(&good) {
                    self.notes.note(job.key, good.clone(), job.clock.wall()).await;
                }
                course.kept.push(good);
            }
            let request = match next {
                Next::Send(request) => request,
                Next::Done(done) => return Ok((done, last)),
            };
            let may_be_known = changes(&request.method);
            let mut known = before.iter().filter(|one| may_be_known && one.place == place);
            let answered = match known.find(|one| one.digest == digest::of(&request)) {
                Some(one) => (one.reply.clone(), None),
                None => self.send(&request, held, course.weight, job, ear).await?,
            };
            unsure = may_be_known.then_some(request);
            last = Some(answered);
        }
        Ok((Done::Skipped, last))
    }

    /// Sends a request, within what the vendor allows.
    pub(crate) async fn send(
        &self,
        request: &Request,
        held: &Held,
        weight: u64,
        job: Job<'_>,
        ear: Ear<'_>,
    ) -> Result<Answered, Carried> {
        let limits = &self.config.manifest.limits;
        let seconds = limits.timeout_seconds.map(|most| most.clamp(1, MOST_SECONDS));
        let timeout = seconds.map_or(job.timeout, Duration::from_secs);
        let failed = |failure| Carried::quiet(Outcome::failed(failure));
        let (method, outgoing) =
            wire::outgoing(request, job.outbound, timeout, job.allow_loopback).map_err(failed)?;
        let bytes = outgoing.body.len();
        if limits.max_body_bytes.is_some_and(|most| bytes as u64 > most) {
            let note = format!("a body of {bytes} bytes is larger than what it takes");
            return Err(Carried { outcome: Outcome::failed(Failure::Unmapped), note });
        }
        if !self.spend(weight, job.clock.wall()).await {
            return Err(Carried::quiet(Outcome::Postponed));
        }
        let wait = self.pace.place(job.clock.monotonic_micros());
        if !wait.is_zero() {
            ::metrics::counter!(metrics::PACED).increment(1);
            tokio::time::sleep(wait).await;
        }
        let answer = job.outbound.send(method, outgoing, job.clock.wall()).await;
        let label = match &answer {
            Ok(answer) => Outcome::of_status(answer.status, None).label(),
            Err(failure) => failure.label(),
        };
        ::metrics::counter!(metrics::REQUESTS, "outcome" => label).increment(1);
        if let Some(heard) = ear {
            heard.push(said(request, &answer, held));
        }
        let answer = answer.map_err(failed)?;
        Ok((wire::reply(&answer), answer.retry_after))
    }
}

pub(crate) fn is_to_be_tried_again(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed { failure, .. } => {
            !matches!(failure, Failure::Rejected | Failure::Unmapped)
        }
        Outcome::Postponed => true,
        Outcome::Delivered { .. } | Outcome::Withheld(_) => false,
    }
}

/// A request and its answer without secrets.
fn said(
    request: &Request,
    answer: &Result<selfsame_deliver::Answer, Failure>,
    held: &Held,
) -> Said {
    let answer = match answer {
        Ok(answer) => {
            let reply = wire::reply(answer);
            let body = serde_json::from_str(&reply.body).unwrap_or(Value::String(reply.body));
            json!({ "status": reply.status, "body": held.mask.value(&body) })
        }
        Err(failure) => json!({ "failure": failure.label() }),
    };
    Said { request: held.mask.shown(request), answer }
}
