//! The Profile API as its callers see it.
