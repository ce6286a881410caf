//! Health, readiness and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{counter, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use selfsame_deliver::{ConnectionStatus, Pause};
use selfsame_log::LogRead;

use crate::measures;
use crate::node::Node;
use crate::tokens::Tokens;

/// What these routes need.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) node: Arc<Node>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) tokens: Tokens,
    /// Whether only this machine can reach the metrics; else they need a token.
    pub(crate) is_local: bool,
}

/// `/healthz` and `/readyz`.
pub(crate) fn router(health: Health) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(health)
}

/// `/metrics`.
pub(crate) fn metrics_router(health: Health) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(health)
}

async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(health): State<Health>) -> Response {
    match health.node.failure() {
        None => (StatusCode::OK, "ready\n").into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped\n").into_response(),
    }
}

async fn scrape(State(health): State<Health>, headers: HeaderMap) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
    if !health.is_local && token.is_none_or(|token| health.tokens.of(token).is_none()) {
        return (StatusCode::UNAUTHORIZED, "a bearer token is needed\n").into_response();
    }
    observe(&health.node);
    health.metrics.render().into_response()
}

/// Sets the gauges that are read, not counted.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats; these are shown, not added up")]
fn observe(node: &Node) {
    let log = node.log.stats();
    gauge!(measures::LOG_END).set(log.end as f64);
    gauge!(measures::LOG_DISK).set((log.disk_bytes + log.spare_bytes) as f64);
    gauge!(measures::LOG_SYNC).set(log.last_sync_micros as f64 / 1e6);
    gauge!(measures::LOG_HELD).set(log.held_micros as f64 / 1e6);
    let folded = node.shared.folded().offset;
    gauge!(measures::ENGINE_FOLDED).set(folded as f64);
    gauge!(measures::ENGINE_LAG).set(log.end.saturating_sub(folded) as f64);
    gauge!(measures::OUTBOX_END).set(node.outbox.end().offset as f64);
    let Some(view) = node.view() else { return };
    for (space, counts) in view.meta.workspace.spaces.iter().zip(&view.meta.spaces) {
        let label = [("space", space.id.clone())];
        counter!(measures::ENGINE_EVENTS, &label).absolute(counts.events);
        gauge!(measures::ENGINE_PROFILES, &label).set(counts.profiles as f64);
        counter!(measures::ENGINE_MERGES, &label).absolute(counts.merges);
        counter!(measures::ENGINE_UNATTACHED, &label).absolute(counts.unattached);
        for (why, count) in &counts.violations {
            let kind = crate::control::insights::words(*why).0;
            let labels = [("space", space.id.clone()), ("kind", kind)];
            counter!(measures::ENGINE_VIOLATIONS, &labels).absolute(*count);
        }
    }
    for (source, counts) in view.meta.workspace.sources.iter().zip(&view.meta.sources) {
        let label = [("source", source.id.clone())];
        counter!(measures::ENGINE_DUPLICATES, &label).absolute(counts.duplicates);
        counter!(measures::ENGINE_CHANGED, &label).absolute(counts.changed);
        let rejected: u64 = counts.rejected.values().sum();
        counter!(measures::ENGINE_REJECTED, &label).absolute(rejected);
    }
    for (part, (bytes, _)) in view.tables.memory() {
        gauge!(measures::MEMORY, "part" => part).set(bytes as f64);
    }
    gauge!(measures::MEMORY, "part" => "dedupe").set(view.dedupe.memory_bytes as f64);
    gauge!(measures::DEDUPE_DISK).set(view.dedupe.disk_bytes as f64);
    let shrunk = view.dedupe.window_shrunk_to.map_or(0.0, |window| window.as_secs_f64());
    gauge!(measures::DEDUPE_SHRUNK).set(shrunk);
    for (space, handle) in node.deliverers() {
        for status in handle.status() {
            let destination =
                status.id.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let label = [("space", space.to_string()), ("destination", destination)];
            gauge!(measures::DELIVERY_PENDING, &label).set(status.pending as f64);
            counter!(measures::DELIVERY_DELIVERED, &label).absolute(status.delivered);
            gauge!(measures::DELIVERY_DEAD, &label).set(status.dead as f64);
            gauge!(measures::DELIVERY_MISSED, &label).set(status.dead_in_ranges as f64);
            gauge!(measures::DELIVERY_HELD, &label).set(status.held_retries as f64);
            gauge!(measures::DELIVERY_LAG, &label).set(status.lag.as_secs_f64());
            gauge!(measures::DELIVERY_CURSOR_AGE, &label).set(status.behind.age.as_secs_f64());
            gauge!(measures::DELIVERY_CURSOR_BYTES, &label).set(status.behind.bytes as f64);
            let share = f64::from(status.behind.percent) / 100.0;
            gauge!(measures::DELIVERY_LAG_SHARE, &label).set(share);
            for pause in [Pause::Gone, Pause::Behind] {
                let [space, destination] = &label;
                let reason = ("reason", pause.label().to_owned());
                let labels = [space.clone(), destination.clone(), reason];
                let is_so = status.pause == Some(pause);
                gauge!(measures::DELIVERY_PAUSED, &labels).set(f64::from(u8::from(is_so)));
            }
            account(&label, &status);
        }
    }
}

/// The terms of a destination's accounting, all of one moment.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn account(of: &[(&'static str, String); 2], status: &ConnectionStatus) {
    let [space, destination] = of;
    let terms = [
        ("accepted", status.accepted),
        ("delivered", status.delivered),
        ("filtered", status.filtered),
        ("pending", status.pending),
        ("dead", status.dead),
    ];
    for (term, units) in terms {
        let labels = [space.clone(), destination.clone(), ("term", term.to_owned())];
        gauge!(measures::ACCOUNTING_UNITS, &labels).set(units as f64);
    }
    for (reason, units) in status.filtered_by() {
        let labels = [space.clone(), destination.clone(), ("reason", reason.to_owned())];
        gauge!(measures::ACCOUNTING_FILTERED, &labels).set(units as f64);
    }
    let error = status.accepted.abs_diff(status.accounted());
    gauge!(measures::ACCOUNTING_ERROR, of).set(error as f64);
}
