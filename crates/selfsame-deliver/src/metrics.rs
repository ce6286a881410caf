//! Names of the metrics.

/// Attempts that ended, by `outcome`.
pub const ATTEMPTS: &str = "selfsame_deliver_attempts_total";
/// How long attempts took.
pub const ATTEMPT_SECONDS: &str = "selfsame_deliver_attempt_seconds";
/// Attempts that were not the first of their effect.
pub const RETRIES: &str = "selfsame_deliver_retries_total";
/// Effects that receivers took.
pub const DELIVERED: &str = "selfsame_deliver_delivered_total";
/// Derived events that a newer one replaced before they were sent.
pub const SUPERSEDED: &str = "selfsame_deliver_superseded_total";
/// Effects, or their actions, that were not sent when it was their turn, by `reason`.
pub const WITHHELD: &str = "selfsame_deliver_withheld_total";
/// Effects that became dead letters.
pub const DEAD: &str = "selfsame_deliver_dead_total";
/// Dead letters, and effects of dead ranges, that were sent again because somebody asked.
pub const RESENT: &str = "selfsame_deliver_resent_total";
/// Bytes appended to the ledger.
pub const LEDGER_BYTES: &str = "selfsame_deliver_ledger_bytes_total";
/// Records appended to the ledger.
pub const LEDGER_RECORDS: &str = "selfsame_deliver_ledger_records_total";
/// Appends to the ledger that failed and were tried again.
pub const LEDGER_FAILURES: &str = "selfsame_deliver_ledger_failures_total";

/// Every metric with a sentence about it.
pub const ALL: &[(&str, &str)] = &[
    (ATTEMPTS, "Delivery attempts that ended, by outcome."),
    (ATTEMPT_SECONDS, "How long delivery attempts took."),
    (RETRIES, "Delivery attempts that were not the first of their effect."),
    (DELIVERED, "Effects that receivers took."),
    (SUPERSEDED, "Derived events that a newer one replaced before they were sent."),
    (WITHHELD, "Effects, or their actions, that were not sent when it was their turn, by reason."),
    (DEAD, "Effects that became dead letters."),
    (
        RESENT,
        "Dead letters, and effects of dead ranges, that were sent again because somebody asked.",
    ),
    (LEDGER_BYTES, "Bytes appended to the ledger."),
    (LEDGER_RECORDS, "Records appended to the ledger."),
    (LEDGER_FAILURES, "Appends to the ledger that failed and were tried again."),
];
