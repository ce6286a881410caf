//! Computed traits and audiences as incremental state: what every event, and time itself, makes of
//! them. What they mean is said in `docs/reference/definitions.md`.
