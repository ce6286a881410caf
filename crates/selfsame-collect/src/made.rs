//! Events that the server made itself for a source, of something that came in another form.
//!
//! They are checked, counted and written as those of a request are. Their identity tokens are taken out
//! and prove nothing: whoever sent what they were made of did not sign them.

use std::time::Duration;

use selfsame_event::{EventsHead, Position, RecordKind, Refusal};

use crate::{Collector, Envelope, Intake, IntakeError, Problem, Shape, SourceSettings, Sources};

/// What became of events that the server made. They are durable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Made {
    /// How many count.
    pub accepted: usize,
    /// Why each of the others was set aside, by its place.
    pub refused: Vec<(usize, Refusal)>,
    /// The last record.
    pub last: Option<Position>,
}

/// Why nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotMade {
    /// What is wrong.
    pub problem: Problem,
    /// When it is worth trying again, where that is known.
    pub retry_after: Option<Duration>,
}

impl From<Problem> for NotMade {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None }
    }
}

impl From<IntakeError> for NotMade {
    fn from(error: IntakeError) -> Self {
        let (problem, retry_after) = Problem::of_intake(error);
        Self { problem, retry_after }
    }
}

impl<I: Intake, S: Sources> Collector<I, S> {
    /// Takes events, each as JSON, for a source. Resolves when they are durable.
    pub async fn take_made(
        &self,
        source: SourceSettings,
        events: &[String],
    ) -> Result<Made, NotMade> {
        if events.is_empty() {
            return Ok(Made::default());
        }
        let body = format!("{{\"batch\":[{}]}}", events.join(","));
        let envelope = Envelope::read(body.into_bytes(), Shape::Batch)?;
        if let Some(problem) = envelope.fault() {
            return Err(problem.into());
        }
        let found = envelope.events(false);
        self.meters.received.increment(envelope.len() as u64);
        let head = envelope.head(source.number);
        let refused: Vec<_> = found.refused.iter().map(|one| (one.index, one.refusal)).collect();
        let refused_head = EventsHead {
            refusals: refused.iter().map(|(_, refusal)| *refusal).collect(),
            ..head.clone()
        };
        let accepted = found.accepted.len();
        let refused_items = found.refused.into_iter().map(|one| one.item).collect();
        let (events, rejected) = tokio::join!(
            self.append(RecordKind::Events, Some(&head), found.accepted),
            self.append(RecordKind::Rejected, Some(&refused_head), refused_items),
        );
        let last = [events?, rejected?].into_iter().flatten().max();
        self.meters.accepted.increment(accepted as u64);
        refused.iter().for_each(|(_, refusal)| self.meters.refused(*refusal));
        Ok(Made { accepted, refused, last })
    }
}
