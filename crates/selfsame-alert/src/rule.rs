//! Rules: which condition is an alert, how long it has to last, and who is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::span::Span;

/// Rules by their ids.
pub type Rules = BTreeMap<String, Rule>;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name for people.
    pub name: String,
    /// The condition.
    pub when: Condition,
    /// For how long it has to hold before it is raised.
    #[serde(default)]
    pub raise_after: Span,
    /// For how long it has to be over before it is cleared.
    #[serde(default = "five_minutes")]
    pub clear_after: Span,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// The channels that are told; all where empty.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Whether it is looked at.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Look at it this week.
    #[default]
    Warning,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A rule that says nothing that can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleError {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

fn five_minutes() -> Span {
    Span::minutes(5)
}

fn yes() -> bool {
    true
}

impl Rule {
    /// A rule with the usual times, in force.
    pub(crate) fn new(name: &str, severity: Severity, when: Condition) -> Self {
        Self {
            name: name.to_owned(),
            when,
            raise_after: Span::default(),
            clear_after: five_minutes(),
            severity,
            channels: Vec::new(),
            enabled: true,
        }
    }

    pub(crate) fn raised_after(self, raise_after: Span) -> Self {
        Self { raise_after, ..self }
    }

    /// Whether its numbers can be met.
    pub fn check(&self) -> Result<(), RuleError> {
        self.when.check()
    }
}
