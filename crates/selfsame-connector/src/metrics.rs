//! What connections of the catalogue count.

/// Requests of exchanges, by outcome of the answer.
pub const REQUESTS: &str = "selfsame_connector_requests_total";
/// Access tokens that were fetched, by outcome.
pub const TOKENS: &str = "selfsame_connector_tokens_total";
/// Requests that waited because of a rate.
pub const PACED: &str = "selfsame_connector_paced_requests_total";
