//! Names of the metrics, and the handles that the hot path uses.
//!
//! For every stage the same four: received, accepted, refused, seconds.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use selfsame_event::{Refusal, TokenVerdict};

use crate::Problem;

/// Events in requests with a known key and a readable body.
pub const RECEIVED: &str = "selfsame_collect_received_events_total";
/// Events that were valid and became durable.
pub const ACCEPTED: &str = "selfsame_collect_accepted_events_total";
/// Events that were set aside, by `code`.
pub const REFUSED: &str = "selfsame_collect_refused_events_total";
/// Identity tokens that came with accepted events, by `code`: what they were found to be.
pub const TOKENS: &str = "selfsame_collect_identity_tokens_total";
/// Requests that were not taken, by `class` and `code`.
pub const PROBLEMS: &str = "selfsame_collect_refused_requests_total";
/// Requests whose events became durable.
pub const REQUESTS: &str = "selfsame_collect_accepted_requests_total";
/// Requests with counters of an SDK's own health, dropped.
pub const TELEMETRY: &str = "selfsame_collect_telemetry_requests_total";
/// Seconds from the first look at a request to its answer.
pub const SECONDS: &str = "selfsame_collect_request_seconds";
/// Bytes of bodies held now.
pub const IN_FLIGHT: &str = "selfsame_collect_in_flight_bytes";

/// One handle per time series, so that counting looks nothing up.
pub(crate) struct Meters {
    pub(crate) received: Counter,
    pub(crate) accepted: Counter,
    pub(crate) requests: Counter,
    pub(crate) telemetry: Counter,
    pub(crate) seconds: Histogram,
    pub(crate) in_flight: Gauge,
    refused: Vec<Counter>,
    tokens: Vec<Counter>,
    problems: Vec<Counter>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let refused = |refusal: &Refusal| counter!(REFUSED, "code" => refusal.code());
        let problem = |problem: &Problem| counter!(PROBLEMS, "class" => problem.class().label(), "code" => problem.code());
        let token = |verdict: &TokenVerdict| counter!(TOKENS, "code" => verdict.code());
        Self {
            received: counter!(RECEIVED),
            accepted: counter!(ACCEPTED),
            requests: counter!(REQUESTS),
            telemetry: counter!(TELEMETRY),
            seconds: histogram!(SECONDS),
            in_flight: gauge!(IN_FLIGHT),
            refused: Refusal::ALL.iter().map(refused).collect(),
            tokens: TokenVerdict::ALL.iter().map(token).collect(),
            problems: Problem::ALL.iter().map(problem).collect(),
        }
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        let at = Refusal::ALL.iter().position(|known| *known == refusal);
        if let Some(counter) = at.and_then(|at| self.refused.get(at)) {
            counter.increment(1);
        }
    }

    pub(crate) fn token(&self, verdict: TokenVerdict) {
        let at = TokenVerdict::ALL.iter().position(|known| *known == verdict);
        if let Some(counter) = at.and_then(|at| self.tokens.get(at)) {
            counter.increment(1);
        }
    }

    pub(crate) fn problem(&self, problem: Problem) {
        if let Some(counter) = self.problems.get(problem as usize) {
            counter.increment(1);
        }
    }
}
