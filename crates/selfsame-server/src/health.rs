//! Health, readiness and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use selfsame_log::LogRead;

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
    if !health.is_local && !token.is_some_and(|token| health.tokens.allows(token)) {
        return (StatusCode::UNAUTHORIZED, "a bearer token is needed\n").into_response();
    }
    observe(&health.node);
    health.metrics.render().into_response()
}

/// Sets the gauges that are read, not counted.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats; these are shown, not added up")]
fn observe(node: &Node) {
    let log = node.log.stats();
    gauge!("selfsame_log_end_offset").set(log.end as f64);
    gauge!("selfsame_log_disk_bytes").set(log.disk_bytes as f64);
    gauge!("selfsame_log_sync_seconds").set(log.last_sync_micros as f64 / 1e6);
    gauge!("selfsame_log_clock_held_seconds").set(log.held_micros as f64 / 1e6);
    let folded = node.shared.folded().offset;
    gauge!("selfsame_engine_folded_offset").set(folded as f64);
    gauge!("selfsame_engine_lag_records").set(log.end.saturating_sub(folded) as f64);
    gauge!("selfsame_outbox_end_offset").set(node.outbox.end().offset as f64);
    let Some(view) = node.view() else { return };
    for (space, counts) in view.meta.workspace.spaces.iter().zip(&view.meta.spaces) {
        let label = [("space", space.id.clone())];
        gauge!("selfsame_engine_events_total", &label).set(counts.events as f64);
        gauge!("selfsame_engine_profiles", &label).set(counts.profiles as f64);
        gauge!("selfsame_engine_merges_total", &label).set(counts.merges as f64);
        gauge!("selfsame_engine_unattached_total", &label).set(counts.unattached as f64);
    }
    for (source, counts) in view.meta.workspace.sources.iter().zip(&view.meta.sources) {
        let label = [("source", source.id.clone())];
        gauge!("selfsame_engine_duplicates_total", &label).set(counts.duplicates as f64);
        gauge!("selfsame_engine_changed_total", &label).set(counts.changed as f64);
        let rejected: u64 = counts.rejected.values().sum();
        gauge!("selfsame_engine_rejected_total", &label).set(rejected as f64);
    }
    for (part, (bytes, _)) in view.tables.memory() {
        gauge!("selfsame_memory_bytes", "part" => part).set(bytes as f64);
    }
    gauge!("selfsame_memory_bytes", "part" => "dedupe").set(view.dedupe.memory_bytes as f64);
    gauge!("selfsame_dedupe_disk_bytes").set(view.dedupe.disk_bytes as f64);
    let shrunk = view.dedupe.window_shrunk_to.map_or(0.0, |window| window.as_secs_f64());
    gauge!("selfsame_dedupe_window_shrunk_seconds").set(shrunk);
    for (space, handle) in node.deliverers() {
        for status in handle.status() {
            let destination =
                status.id.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let label = [("space", space.to_string()), ("destination", destination)];
            gauge!("selfsame_delivery_pending_events", &label).set(status.pending as f64);
            gauge!("selfsame_delivery_delivered_total", &label).set(status.delivered as f64);
            gauge!("selfsame_delivery_dead_events", &label).set(status.dead as f64);
            gauge!("selfsame_delivery_lag_seconds", &label).set(status.lag.as_secs_f64());
            let ended = status.delivered + status.filtered + status.dead + status.pending;
            let error = status.accepted.abs_diff(ended);
            gauge!("selfsame_accounting_error", &label).set(error as f64);
        }
    }
}
