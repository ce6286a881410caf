//! Values that never identify, made quick to check.

use regex::RegexSet;

use crate::rule::{Blocked, ZEROS_AND_DASHES};

/// The blocked values of one type: its own and those of all types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocklist {
    /// Sorted.
    exact: Vec<Box<str>>,
    longest_exact: usize,
    /// `^[0-]*$`, which every new space has, is checked without a regex.
    zeros_and_dashes: bool,
    patterns: Option<RegexSet>,
}

impl Blocklist {
    /// Both lists as one. `fold` is what the type does to its values before they are compared.
    pub(crate) fn compile(
        lists: [&Blocked; 2],
        fold: impl Fn(&str) -> String,
    ) -> Result<Self, regex::Error> {
        let exact = lists.iter().flat_map(|list| &list.exact);
        let mut exact: Vec<Box<str>> = exact.map(|value| fold(value).into()).collect();
        exact.sort_unstable();
        exact.dedup();
        let mut patterns: Vec<&str> =
            lists.iter().flat_map(|list| &list.regex).map(String::as_str).collect();
        let zeros_and_dashes = patterns.contains(&ZEROS_AND_DASHES);
        patterns.retain(|pattern| *pattern != ZEROS_AND_DASHES);
        Ok(Self {
            longest_exact: exact.iter().map(|value| value.len()).max().unwrap_or(0),
            exact,
            zeros_and_dashes,
            patterns: if patterns.is_empty() { None } else { Some(RegexSet::new(patterns)?) },
        })
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        (self.zeros_and_dashes && value.bytes().all(|byte| matches!(byte, b'0' | b'-')))
            || (value.len() <= self.longest_exact
                && self.exact.binary_search_by(|one| (**one).cmp(value)).is_ok())
            || self.patterns.as_ref().is_some_and(|patterns| patterns.is_match(value))
    }
}
