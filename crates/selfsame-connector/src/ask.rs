//! Requests that are for no event: the choices of a field, and the list that an audience is at the tool.

use selfsame_deliver::{Carried, Failure, Job, Outcome};
use selfsame_destinations::{
    Connection, Done, Exchange, Manifest, Outcome as Meaning, Reply, Verdict,
};
use serde_json::Value;

use crate::carry::{Answered, Course};
use crate::connector::Connector;
use crate::meaning;

/// One of the values that a field may have, as the tool says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What people call it.
    pub label: String,
    /// The value.
    pub value: Value,
}

/// Most choices that are taken of an answer.
const MOST_CHOICES: usize = 1_000;
/// The longest id that a tool may give a list.
const MOST_ID_BYTES: usize = 512;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum Question<'q> {
    Choices { field: &'q str, event: &'q Value },
    FindAudience,
    MakeAudience,
}

impl Question<'_> {
    fn exchange<'e>(
        &'e self,
        manifest: &'e Manifest,
        connection: Connection<'e>,
    ) -> Option<Exchange<'e>> {
        match self {
            Self::Choices { field, event } => manifest.choices_exchange(field, *event, connection),
            Self::FindAudience => manifest.audience_exchange(false, connection),
            Self::MakeAudience => manifest.audience_exchange(true, connection),
        }
    }
}

/// How a question ended, and the answer to its last request.
type Told = (Done, Option<Answered>);

impl Connector {
    /// The fields whose choices the tool can be asked for.
    pub fn dynamic_fields(&self) -> impl Iterator<Item = &str> {
        self.config.manifest.dynamic_fields()
    }

    /// Asks the tool for the choices of a field. `event` has what is known of the mapping so far.
    ///
    /// # Errors
    ///
    /// There is no answer, or none that has choices in it.
    pub async fn choices(
        &self,
        field: &str,
        event: &Value,
        job: Job<'_>,
    ) -> Result<Vec<Choice>, Carried> {
        let question = Question::Choices { field, event };
        let mut course = Course::unnoted();
        let reply = match self.ask(question, &Value::Null, &mut course, job).await? {
            Some((Done::Delivered, Some((reply, _)))) => reply,
            Some((done, last)) => return Err(self.other(&done, last.as_ref())),
            None => return Err(unmapped("the tool is not asked for choices of this field")),
        };
        let Some(Value::Array(all)) = self.config.manifest.choices(field, &reply) else {
            return Err(unmapped("the answer has no choices in it"));
        };
        Ok(all.iter().filter_map(choice).take(MOST_CHOICES).collect())
    }

    /// The id of the list that an audience is at the tool: looked for first, where the manifest says how, then made.
    /// An answer is noted under the key of the job, so that a process that ends before the id is kept makes no
    /// second list.
    ///
    /// # Errors
    ///
    /// There is no list, and none can be made.
    pub async fn list_of(&self, audience: &Value, job: Job<'_>) -> Result<String, Carried> {
        let manifest = &*self.config.manifest;
        let id_in = |last: Option<&Answered>| {
            let (reply, _) = last?;
            let connection = Connection {
                settings: &self.config.settings,
                auth: &Value::Null,
                audience,
                now_ms: job.clock.wall().millis(),
            };
            id_text(manifest.audience_id(reply, connection)?)
        };
        let mut course = Course::unnoted();
        match self.ask(Question::FindAudience, audience, &mut course, job).await? {
            Some((Done::Delivered, last)) => {
                if let Some(id) = id_in(last.as_ref()) {
                    return Ok(id);
                }
            }
            // It says that there is none.
            Some((
                Done::Answered { verdict: Verdict { outcome: Meaning::Reject, .. }, .. }
                | Done::Refused(_)
                | Done::Skipped,
                _,
            ))
            | None => {}
            Some((done, last)) => return Err(self.other(&done, last.as_ref())),
        }
        let mut course = Course { is_last_noted: true, ..Course::noted(self.notes.begin(job.key)) };
        match self.ask(Question::MakeAudience, audience, &mut course, job).await? {
            Some((Done::Delivered, last)) => id_in(last.as_ref())
                .ok_or_else(|| unmapped("the answer does not say what the list is called")),
            Some((done, last)) => Err(self.other(&done, last.as_ref())),
            None => Err(unmapped("there is no list of that name, and the manifest makes none")),
        }
    }

    /// The id of a list is kept: it is not made again.
    pub fn list_is_kept(&self, job: Job<'_>) {
        self.notes.end(job.key, true, job.clock.wall());
    }

    /// Asks, with other tokens where those that there are have ended. None where the manifest does not ask so.
    async fn ask(
        &self,
        question: Question<'_>,
        audience: &Value,
        course: &mut Course,
        job: Job<'_>,
    ) -> Result<Option<Told>, Carried> {
        let manifest = &*self.config.manifest;
        let mut held = self.credentials.current(self, job).await?;
        let mut has_renewed = false;
        loop {
            let connection = Connection { audience, ..self.connection(&held, job) };
            let Some(mut exchange) = question.exchange(manifest, connection) else {
                return Ok(None);
            };
            let told = self.drive(&mut exchange, &held, course, job, &mut None).await?;
            let wants_tokens = matches!(&told.0,
                Done::Answered { verdict, .. } if verdict.outcome == Meaning::RefreshAuth);
            let may_mend = wants_tokens && !has_renewed;
            if !may_mend || !self.can_renew(&held) {
                return Ok(Some(told));
            }
            has_renewed = true;
            held = self.credentials.renew(&held, self, job).await?;
        }
    }

    fn other(&self, done: &Done, last: Option<&Answered>) -> Carried {
        let last: Option<(&Reply, _)> = last.map(|(reply, after)| (reply, *after));
        meaning::of(done, last, &self.mask)
    }
}

fn unmapped(why: &str) -> Carried {
    Carried { outcome: Outcome::failed(Failure::Unmapped), note: why.to_owned() }
}

fn choice(one: &Value) -> Option<Choice> {
    let value = one.get("value").filter(|value| !value.is_null())?.clone();
    let label = match one.get("label") {
        Some(Value::String(label)) => meaning::note(label),
        _ => meaning::note(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
    };
    Some(Choice { label, value })
}

fn id_text(id: Value) -> Option<String> {
    let text = match id {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty() && text.len() <= MOST_ID_BYTES)
}
