//! Limits that hold before an event is accepted. Each names what happens beyond it.

/// Largest body of a single-event route, after decompression. Beyond: `400`.
pub const EVENT_BYTES: usize = 32 * 1024;
/// Largest body of a batch route, after decompression. Beyond: `400`.
pub const BATCH_BYTES: usize = 500 * 1024;
/// Most events in a batch. Beyond: the surplus is set aside.
pub const BATCH_EVENTS: usize = 2_500;
/// Longest `messageId`, in characters. Beyond: the event is set aside.
pub const MESSAGE_ID_CHARS: usize = 100;
/// Deepest nesting of a body, the batch's own two levels included. Beyond: `400`.
pub const DEPTH: u32 = 34;
/// Most values in a body's tree, for one event's worth of bytes. Beyond: `400`.
pub const NODES: usize = 50_000;
/// Most keys directly in `properties` or `traits`. Beyond: the event is set aside.
pub const PROPERTIES: usize = 10_000;
/// Longest key of an object, in bytes. Beyond: the event is set aside.
pub const KEY_BYTES: usize = 512;
/// Largest value of a trait, as JSON text. Beyond: the trait is not set, with a verdict.
pub const TRAIT_BYTES: usize = 16 * 1024;
/// Longest identifier value, in characters. Beyond: it does not identify, with a verdict.
pub const IDENTIFIER_CHARS: usize = 500;
/// Longest identity token. Beyond: it proves nothing, with a verdict.
pub const TOKEN_BYTES: usize = 4 << 10;
/// Most different identity tokens of one request that are checked: a signature costs time. Beyond: they
/// prove nothing, with a verdict.
pub const REQUEST_TOKENS: usize = 32;
