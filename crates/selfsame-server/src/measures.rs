//! Every metric: its name, kind, unit, labels and sentence. One table, of which the names, the help
//! of `/metrics` and `docs/reference/metrics.md` are made.

use metrics::{describe_counter, describe_gauge, describe_histogram};
use selfsame_collect::metrics as collect;
use selfsame_connector::metrics as connector;
use selfsame_deliver::metrics as deliver;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows while the program runs.
    Counter,
    /// As it is now.
    Gauge,
    /// Sum, count and quantiles of what was measured.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference says it"))]
    pub(crate) unit: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference says it"))]
    pub(crate) labels: &'static [&'static str],
    pub(crate) about: &'static str,
}

macro_rules! measures {
    ($($(#[doc = $about:literal])+ $constant:ident = $kind:ident $name:expr, $unit:literal $(, by $($label:literal)+)?;)+) => {
        $($(#[doc = $about])+ pub(crate) const $constant: &str = $name;)+

        /// Every metric.
        pub(crate) const MEASURES: &[Measure] = &[$(Measure {
            name: $constant,
            kind: Kind::$kind,
            unit: $unit,
            labels: &[$($($label),+)?],
            about: concat!($($about),+),
        },)+];
    };
}

measures! {
    /// Events in requests with a known key and a readable body.
    COLLECT_RECEIVED = Counter collect::RECEIVED, "events";
    /// Events that were valid and became durable.
    COLLECT_ACCEPTED = Counter collect::ACCEPTED, "events";
    /// Events that were set aside, by the code of the reason.
    COLLECT_REFUSED = Counter collect::REFUSED, "events", by "code";
    /// Identity tokens that came with accepted events, by the code of what they were found to be.
    COLLECT_TOKENS = Counter collect::TOKENS, "tokens", by "code";
    /// Requests whose events became durable.
    COLLECT_REQUESTS = Counter collect::REQUESTS, "requests";
    /// Requests that were not taken, by the class and code of the problem.
    COLLECT_PROBLEMS = Counter collect::PROBLEMS, "requests", by "class" "code";
    /// Requests with counters of an SDK's own health, dropped.
    COLLECT_TELEMETRY = Counter collect::TELEMETRY, "requests";
    /// Time from the first look at a request to its answer.
    COLLECT_SECONDS = Histogram collect::SECONDS, "seconds";
    /// Bodies held now.
    COLLECT_IN_FLIGHT = Gauge collect::IN_FLIGHT, "bytes";

    /// Calls of functions, by kind of function and the word of how they ended.
    FUNCTION_CALLS = Counter "selfsame_function_calls_total", "calls", by "kind" "outcome";
    /// Processor time of a call of a function.
    FUNCTION_CPU_SECONDS = Histogram "selfsame_function_cpu_seconds", "seconds";

    /// Profiles with at most so many identifiers, and more than the size before: looked at once an hour.
    GRAPH_PROFILES = Gauge "selfsame_graph_profiles", "profiles", by "space" "collection" "identifiers";
    /// Identifiers of the largest profile.
    GRAPH_LARGEST = Gauge "selfsame_graph_largest_profile_identifiers", "identifiers", by "space" "collection";
    /// Profiles with so many identifiers that they are hardly one person's.
    GRAPH_GIANTS = Gauge "selfsame_graph_giant_profiles", "profiles", by "space" "collection";
    /// Identifiers that so many others came with that they are hardly one person's.
    GRAPH_SHARED = Gauge "selfsame_graph_shared_identifiers", "identifiers", by "space" "collection";
    /// Profiles that have more than the rules in force would let them.
    GRAPH_OVER_RULES = Gauge "selfsame_graph_profiles_over_rules", "profiles", by "space" "collection";

    /// What is raised of an alert.
    ALERTS_RAISED = Gauge "selfsame_alerts_raised", "alerts", by "alert" "severity";
    /// Attempts to tell a channel of an alert, by outcome: sent or failed.
    ALERT_NOTICES = Counter "selfsame_alert_notices_total", "attempts", by "outcome";

    /// The first record of the log, once retention has looked.
    LOG_FIRST = Gauge "selfsame_log_first_offset", "offset";
    /// The place behind the last record of the log.
    LOG_END = Gauge "selfsame_log_end_offset", "offset";
    /// What the log takes of the disk, with the files kept for segments to come.
    LOG_DISK = Gauge "selfsame_log_disk_bytes", "bytes";
    /// How long the last sync of the log took.
    LOG_SYNC = Gauge "selfsame_log_sync_seconds", "seconds";
    /// How far log time is ahead of a clock that was set back.
    LOG_HELD = Gauge "selfsame_log_clock_held_seconds", "seconds";

    /// The next record to fold.
    ENGINE_FOLDED = Gauge "selfsame_engine_folded_offset", "offset";
    /// Records that are durable and not folded yet.
    ENGINE_LAG = Gauge "selfsame_engine_lag_records", "records";
    /// Events folded into profiles.
    ENGINE_EVENTS = Counter "selfsame_engine_events_total", "events", by "space";
    /// Profiles that are not merged into another one.
    ENGINE_PROFILES = Gauge "selfsame_engine_profiles", "profiles", by "space";
    /// Merges of profiles.
    ENGINE_MERGES = Counter "selfsame_engine_merges_total", "merges", by "space";
    /// Events that identified nobody.
    ENGINE_UNATTACHED = Counter "selfsame_engine_unattached_total", "events", by "space";
    /// Limits, blocks and vetoes that identifiers met, by kind.
    ENGINE_VIOLATIONS = Counter "selfsame_engine_violations_total", "violations", by "space" "kind";
    /// Events that were there before.
    ENGINE_DUPLICATES = Counter "selfsame_engine_duplicates_total", "events", by "source";
    /// Events whose message id was there before with other content.
    ENGINE_CHANGED = Counter "selfsame_engine_changed_total", "events", by "source";
    /// Events set aside.
    ENGINE_REJECTED = Counter "selfsame_engine_rejected_total", "events", by "source";
    /// The place behind the last record of the outbox.
    OUTBOX_END = Gauge "selfsame_outbox_end_offset", "offset";
    /// Hot rows in memory, by kind of row, and remembered message ids.
    MEMORY = Gauge "selfsame_memory_bytes", "bytes", by "part";
    /// What remembered message ids take of the disk.
    DEDUPE_DISK = Gauge "selfsame_dedupe_disk_bytes", "bytes";
    /// To what the window of remembered message ids had to shrink for its disk budget; 0: it did not.
    DEDUPE_SHRUNK = Gauge "selfsame_dedupe_window_shrunk_seconds", "seconds";

    /// Times that retention looked for records to remove.
    RETENTION_PASSES = Counter "selfsame_retention_passes_total", "passes";
    /// Where the log would begin if only the settings decided.
    RETENTION_WANTED = Gauge "selfsame_retention_wanted_offset", "offset";
    /// The first record that a checkpoint or a delivery still needs.
    RETENTION_NEEDED = Gauge "selfsame_retention_needed_offset", "offset";

    /// Accepted events that wait for a destination.
    DELIVERY_PENDING = Gauge "selfsame_delivery_pending_events", "events", by "space" "destination";
    /// Events that a destination took, ever.
    DELIVERY_DELIVERED = Counter "selfsame_delivery_delivered_total", "events", by "space" "destination";
    /// Dead letters of a destination, and events in its dead ranges.
    DELIVERY_DEAD = Gauge "selfsame_delivery_dead_events", "events", by "space" "destination";
    /// The part of the dead that is in dead ranges: missed while the destination was too far behind.
    DELIVERY_MISSED = Gauge "selfsame_delivery_missed_events", "events", by "space" "destination";
    /// Retries whose time has come and which the retry budget of the destination holds back.
    DELIVERY_HELD = Gauge "selfsame_delivery_held_retries_events", "events", by "space" "destination";
    /// How old the event is that the cursor of a destination is at.
    DELIVERY_CURSOR_AGE = Gauge "selfsame_delivery_cursor_age_seconds", "seconds", by "space" "destination";
    /// How many bytes of log there are behind the cursor of a destination.
    DELIVERY_CURSOR_BYTES = Gauge "selfsame_delivery_cursor_bytes", "bytes", by "space" "destination";
    /// How much of its lag limit a destination is behind. At 1 it is paused, and what it missed is a dead
    /// range.
    DELIVERY_LAG_SHARE = Gauge "selfsame_delivery_lag_share", "share", by "space" "destination";
    /// Whether a destination is paused: 1 until somebody resumes it.
    DELIVERY_PAUSED = Gauge "selfsame_delivery_paused", "flag", by "space" "destination" "reason";
    /// How old the oldest waiting event is.
    DELIVERY_LAG = Gauge "selfsame_delivery_lag_seconds", "seconds", by "space" "destination";
    /// What a destination was given and what became of it, by term: accepted = delivered + filtered + pending + dead.
    ACCOUNTING_UNITS = Gauge "selfsame_accounting_units", "events", by "space" "destination" "term";
    /// What a destination was not to get, by reason: together they are its term `filtered`.
    ACCOUNTING_FILTERED = Gauge "selfsame_accounting_filtered_units", "events", by "space" "destination" "reason";
    /// By how many events accepted differs from delivered, filtered, dead and pending together; anything
    /// but 0 is a bug.
    ACCOUNTING_ERROR = Gauge "selfsame_accounting_error", "events", by "space" "destination";
    /// Attempts of deliveries that ended, by outcome.
    DELIVER_ATTEMPTS = Counter deliver::ATTEMPTS, "attempts", by "outcome";
    /// How long attempts took.
    DELIVER_ATTEMPT_SECONDS = Histogram deliver::ATTEMPT_SECONDS, "seconds";
    /// Attempts that were not the first of their event.
    DELIVER_RETRIES = Counter deliver::RETRIES, "attempts";
    /// Events that receivers took since the start.
    DELIVER_DELIVERED = Counter deliver::DELIVERED, "events";
    /// Changes of computed traits and audiences that a newer one replaced before they were sent, since
    /// the start.
    DELIVER_SUPERSEDED = Counter deliver::SUPERSEDED, "events";
    /// Events, or their mappings, that were not sent when it was their turn since the start, by reason.
    DELIVER_WITHHELD = Counter deliver::WITHHELD, "events", by "reason";
    /// Events that became dead letters since the start.
    DELIVER_DEAD = Counter deliver::DEAD, "events";
    /// Dead letters, and events of dead ranges, that were sent again because somebody asked.
    DELIVER_RESENT = Counter deliver::RESENT, "events";
    /// Bytes appended to the ledgers of deliveries.
    DELIVER_LEDGER_BYTES = Counter deliver::LEDGER_BYTES, "bytes";
    /// Records appended to the ledgers.
    DELIVER_LEDGER_RECORDS = Counter deliver::LEDGER_RECORDS, "records";
    /// Appends to the ledgers that failed and were tried again.
    DELIVER_LEDGER_FAILURES = Counter deliver::LEDGER_FAILURES, "appends";
    /// Requests to destinations of the catalogue, by what was answered.
    CONNECTOR_REQUESTS = Counter connector::REQUESTS, "requests", by "outcome";
    /// Access tokens that were fetched, by what was answered.
    CONNECTOR_TOKENS = Counter connector::TOKENS, "requests", by "outcome";
    /// Requests that waited because of what a destination allows.
    CONNECTOR_PACED = Counter connector::PACED, "requests";
}

/// Tells the recorder what the metrics are.
pub(crate) fn describe() {
    for measure in MEASURES {
        let about = measure.about.trim();
        match measure.kind {
            Kind::Counter => describe_counter!(measure.name, about),
            Kind::Gauge => describe_gauge!(measure.name, about),
            Kind::Histogram => describe_histogram!(measure.name, about),
        }
    }
}
