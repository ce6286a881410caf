//! How large anything may become.

/// Most bytes of an expression or a template.
pub const TEXT_BYTES: usize = 16 * 1024;
/// Most brackets, operators and directives in each other.
pub const NESTING: usize = 64;
/// Most problems that are told of one definition.
pub const PROBLEMS: usize = 100;
/// Most work of one evaluation: a unit is a byte that is written or a value that is made or looked at.
pub const WORK: usize = 4 * 1024 * 1024;
/// Most characters of a `@liquid` template.
pub const LIQUID_CHARS: usize = 1_000;
/// Most characters of a pattern of `@replace`, and of what it is replaced by.
pub const REPLACE_CHARS: usize = 10;
