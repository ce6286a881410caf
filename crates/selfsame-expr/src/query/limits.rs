//! How large a definition may be.

/// Most bytes of a text.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Most levels of brackets, `NOT`, `ANY`, `ALL` and `where` in each other.
pub const NESTING: usize = 16;
/// Most primary expressions: comparisons, and streams that no comparison begins with.
pub const EXPRESSIONS: usize = 50;
/// Most values in a list.
pub const LIST: usize = 100;
/// Most steps of a path.
pub const STEPS: usize = 32;
/// The longest window, in days.
pub const WINDOW_DAYS: i64 = 1_826;
/// Most streams around a stream.
pub const STREAMS: usize = 2;
