//! Programs of the actions pack: they run elsewhere, and what they ask for is sent as the requests of manifests
//! are, through the one way out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use selfsame_deliver::{Carried, Failure, Job, Outcome};
use selfsame_destinations::{
    Body, Done, Outcome as Meaning, ProgramEnd, ProgramItem, Reply, Request,
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::batch::Together;
use crate::carry::{Answered, Course, Ear, Rehearsal, Went, is_to_be_tried_again};
use crate::config::Line;
use crate::connector::Connector;
use crate::credentials::Held;
use crate::journal::{Kept, changes};
use crate::{digest, meaning};

/// Headers that the client writes itself, or that would have it get what it does not read.
const OWN: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The code of a connection, wherever it runs.
pub trait Program: Send + Sync + fmt::Debug {
    /// Begins a call: with the settings of the connection, and with what is to be done; both JSON.
    fn begin(&self, settings: &Arc<str>, input: String) -> Running;
}

/// A call that was begun.
#[derive(Debug)]
pub struct Running {
    /// What it asks to be sent.
    pub asks: mpsc::Receiver<Ask>,
    /// How it ends: with JSON, or why it was ended.
    pub ends: oneshot::Receiver<Result<String, Stopped>>,
}

/// A request of a call.
#[derive(Debug)]
pub struct Ask {
    /// Its method.
    pub method: String,
    /// Its address.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// Who waits for the answer.
    pub answer: Answering,
}

/// Where the answer to a request goes, or why there is none.
pub struct Answering(Box<dyn FnOnce(Result<Reply, String>) + Send>);

impl Answering {
    /// The answer goes there.
    pub fn new(answering: impl FnOnce(Result<Reply, String>) + Send + 'static) -> Self {
        Self(Box::new(answering))
    }

    /// Gives the answer.
    pub fn give(self, answer: Result<Reply, String>) {
        (self.0)(answer);
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answering").finish_non_exhaustive()
    }
}

/// Why a call was ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It would be again: it used more than a call may.
    Refused(String),
    /// It may go well later.
    Later(String),
    /// Nothing of it was done: it is begun another time, which is no attempt.
    Postponed,
}

/// How a call went: what it came to, and the answer that it got last.
type Ran = (ProgramEnd, Option<Answered>);

impl Connector {
    /// Whether the vendor takes the settings, and what was said; none where nobody can be asked.
    pub async fn check(&self, job: Job<'_>) -> Option<Rehearsal> {
        self.config.manifest.program.as_ref().filter(|program| program.checks)?;
        let mut said = Some(Vec::new());
        let carried = match self.credentials.current(self, job).await {
            Ok(held) => {
                let input = self.config.manifest.program_check(&held.auth)?;
                let mut course = Course::unnoted();
                match self.run(input, &held, &mut course, job, &mut said).await {
                    Ok((end, last)) => {
                        self.went(&end.done(false), last.as_ref(), &held, job).carried
                    }
                    Err(carried) => carried,
                }
            }
            Err(carried) => carried,
        };
        Some(Rehearsal { said: said.unwrap_or_default(), carried })
    }

    /// Carries out an action for an event by the program.
    pub(crate) async fn by_program(
        &self,
        (event, line): (&Value, &Line),
        held: &Held,
        course: &mut Course,
        job: Job<'_>,
        ear: Ear<'_>,
    ) -> Went {
        let quiet = |carried| Went { carried, wants_tokens: false };
        let connection = self.connection(held, job);
        let input = self.config.manifest.program_call(&line.subscription, event, connection);
        let ran = match input {
            Ok(Some(input)) => self.run(input, held, course, job, ear).await,
            Ok(None) => return quiet(meaning::of(&Done::Skipped, None, &held.mask)),
            Err(refusal) => return quiet(meaning::refused(&refusal, None, &held.mask)),
        };
        match ran {
            Ok((end, last)) => self.went(&end.done(self.can_renew(held)), last.as_ref(), held, job),
            Err(carried) => quiet(carried),
        }
    }

    /// Sends a batch by the program.
    pub(crate) async fn batch_by_program(
        &self,
        events: &[Value],
        line: &Line,
        held: &Held,
        may_renew: bool,
        job: Job<'_>,
    ) -> Together {
        let connection = self.connection(held, job);
        let batch = self.config.manifest.program_batch(&line.subscription, events, connection);
        let Ok(batch) = batch else { return Together::Parts };
        let mut outcomes = Together::skipped(events.len());
        for (index, refusal) in &batch.refused {
            outcomes[*index] = meaning::refused(refusal, None, &held.mask);
        }
        let Some(input) = batch.input else { return Together::Ended(outcomes) };
        let weight = u64::try_from(batch.members.len()).unwrap_or(u64::MAX);
        let mut course = Course { weight, ..Course::unnoted() };
        let (end, last) = match self.run(input, held, &mut course, job, &mut None).await {
            Ok(ran) => ran,
            Err(carried) if is_to_be_tried_again(carried.outcome) => {
                return Together::Ended(vec![carried; events.len()]);
            }
            Err(_) => return Together::Parts,
        };
        let all = |done: Done| vec![done; batch.members.len()];
        let dones = match (&end.error, end.items) {
            (Some(error), _) => all(error.done(may_renew)),
            (None, Some(items)) => {
                items.iter().map(|item: &ProgramItem| item.done(may_renew)).collect()
            }
            (None, None) => all(Done::Delivered),
        };
        let is = |done: &Done, wanted: &[Meaning]| matches!(done, Done::Answered { verdict, .. } if wanted.contains(&verdict.outcome));
        if dones.iter().any(|done| is(done, &[Meaning::RefreshAuth])) {
            return Together::Renew;
        }
        // What is said of the batch as a whole may be of one of its events.
        let is_one = end.error.is_some() && batch.members.len() > 1;
        if is_one && dones.iter().any(|done| is(done, &[Meaning::SplitBatch, Meaning::Reject])) {
            return Together::Parts;
        }
        let last = last.as_ref().map(|(reply, after)| (reply, *after));
        for (index, done) in batch.members.into_iter().zip(&dones) {
            outcomes[index] = meaning::of(done, last, &held.mask);
        }
        Together::Ended(outcomes)
    }

    /// Another access token by the program.
    pub(crate) async fn tokens_by_program(
        &self,
        input: String,
        held: &Held,
        job: Job<'_>,
    ) -> Result<ProgramEnd, Carried> {
        let (end, last) = self.run(input, held, &mut Course::unnoted(), job, &mut None).await?;
        match &end.error {
            None => Ok(end),
            Some(error) => {
                let status = error.status.or_else(|| last.map(|(reply, _)| reply.status));
                let failure = match status {
                    Some(429) => Failure::Throttled,
                    Some(500..=599 | 408) => Failure::Server,
                    _ => Failure::Unauthorized,
                };
                let note = format!("access token: {}", held.mask.text(&error.message));
                let outcome = Outcome::Failed { failure, status, retry_after: None };
                Err(Carried { outcome, note: meaning::note(&note) })
            }
        }
    }

    /// Runs a call to its end. The course has answers that it had before; then those that it has now.
    async fn run(
        &self,
        input: String,
        held: &Held,
        course: &mut Course,
        job: Job<'_>,
        ear: Ear<'_>,
    ) -> Result<Ran, Carried> {
        let Some(program) = &self.config.program else {
            let note = "this build of the program has no actions pack".to_owned();
            return Err(Carried { outcome: Outcome::failed(Failure::Bug), note });
        };
        let mut running = program.begin(&self.settings, input);
        let before = std::mem::take(&mut course.kept);
        let mut asked = Asked { before, course, count: 0, last: None, unsure: None, failed: None };
        let ended = loop {
            tokio::select! {
                biased;
                Some(ask) = running.asks.recv() => {
                    self.answer(ask, &mut asked, held, job, ear).await;
                }
                ended = &mut running.ends => break ended,
            }
        };
        let end = match ended {
            Ok(Ok(json)) => serde_json::from_str::<ProgramEnd>(&json).ok(),
            Ok(Err(Stopped::Refused(note))) => return Err(stopped(Failure::Rejected, &note)),
            Ok(Err(Stopped::Later(note))) => {
                return Err(asked.failed.unwrap_or_else(|| stopped(Failure::Server, &note)));
            }
            Ok(Err(Stopped::Postponed)) | Err(_) => {
                return Err(Carried::quiet(Outcome::Postponed));
            }
        };
        let Some(end) = end else {
            return Err(stopped(Failure::Rejected, "the program returned what cannot be read"));
        };
        match asked.failed {
            // Whatever it made of it: what had no answer is sent again.
            Some(failed) if end.error.is_some() => Err(failed),
            _ => Ok((end, asked.last)),
        }
    }

    async fn answer(
        &self,
        ask: Ask,
        asked: &mut Asked<'_>,
        held: &Held,
        job: Job<'_>,
        ear: Ear<'_>,
    ) {
        let place = asked.count;
        asked.count += 1;
        // It goes on, so the answer before was a good one.
        if let Some(good) = asked.unsure.take() {
            if asked.course.is_noted && !asked.before.contains(&good) {
                self.notes.note(job.key, good.clone(), job.clock.wall()).await;
            }
            asked.course.kept.push(good);
        }
        let Some((request, waiting)) = request(ask) else { return };
        let digest = changes(&request.method).then(|| digest::of(&request));
        let known =
            asked.before.iter().find(|one| one.place == place && Some(one.digest) == digest);
        let answered = match known {
            Some(one) => Ok((one.reply.clone(), None)),
            None => self.send(&request, held, asked.course.weight, job, ear).await,
        };
        let told = match answered {
            Ok(answered) => {
                let reply = answered.0.clone();
                let is_good = (200..300).contains(&reply.status);
                let digest = digest.filter(|_| is_good);
                asked.unsure = digest.map(|digest| Kept { place, digest, reply: reply.clone() });
                asked.last = Some(answered);
                Ok(reply)
            }
            Err(carried) => {
                let why = carried.outcome.label().to_owned();
                asked.failed = Some(carried);
                Err(why)
            }
        };
        waiting.give(told);
    }

    /// What the end of an exchange means, and whether the vendor is asked less from now on.
    pub(crate) fn went(
        &self,
        done: &Done,
        last: Option<&Answered>,
        held: &Held,
        job: Job<'_>,
    ) -> Went {
        let last = last.map(|(reply, after): &(Reply, Option<Duration>)| (reply, *after));
        let carried = meaning::of(done, last, &held.mask);
        if let Outcome::Failed { failure: Failure::Throttled, .. } = carried.outcome {
            self.pace.throttled(job.clock.monotonic_micros());
        }
        let wants_tokens = matches!(done,
            Done::Answered { verdict, .. } if verdict.outcome == Meaning::RefreshAuth);
        Went { carried, wants_tokens }
    }
}

/// What a call has asked for.
#[derive(Debug)]
struct Asked<'a> {
    count: usize,
    /// Answers that it had when it was interrupted.
    before: Vec<Kept>,
    /// Those that it has now, of requests that were found good, and where they are noted.
    course: &'a mut Course,
    last: Option<Answered>,
    /// The last good answer, until it is clear that the program found it good too.
    unsure: Option<Kept>,
    /// Why a request had no answer.
    failed: Option<Carried>,
}

fn stopped(failure: Failure, note: &str) -> Carried {
    Carried { outcome: Outcome::failed(failure), note: meaning::note(note) }
}

/// The request as connections send them. The program is told what is wrong with it, and nothing is sent.
fn request(ask: Ask) -> Option<(Request, Answering)> {
    let Ask { method, url, headers, body, answer } = ask;
    match made(method, &url, headers, body) {
        Ok(request) => Some((request, answer)),
        Err(why) => {
            answer.give(Err(why));
            None
        }
    }
}

fn made(
    method: String,
    url: &str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Result<Request, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let text = String::from_utf8(body).map_err(|_| "a body that is no text cannot be sent")?;
    let headers: Vec<(String, String)> = headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .collect();
    let kind = headers.iter().find(|(name, _)| name == "content-type");
    let kind = kind.map(|(_, value)| value.as_str()).unwrap_or_default();
    let body = match text {
        text if text.is_empty() => Body::Empty,
        text if kind.contains("json") => Body::Json(text),
        text if kind.starts_with("application/x-www-form-urlencoded") => Body::Form(text),
        text => Body::Text(text),
    };
    Ok(Request { method, url, headers, body })
}
