//! Formats of the past, opened by today's code.
