//! The names of functions, by where in a chain they stand.

use crate::query::ast::{Aggregate, Period, Quantity, Scalar, Test, Unit, Which};

/// What begins a chain.
pub(super) const EXTRACTORS: [&str; 5] = ["event", "trait", "property", "context", "entity"];

/// What narrows events down.
pub(super) const FILTERS: [&str; 7] =
    ["where", "sources", "within", "between", "expires_after", "this", "previous"];

/// What makes one value of events.
pub(super) const REDUCERS: [&str; 9] =
    ["count", "sum", "avg", "min", "max", "mode", "first", "last", "unique"];

/// What a value has to pass.
pub(super) const TESTS: [&str; 20] = [
    "equals",
    "differs",
    "greater_than",
    "at_least",
    "less_than",
    "at_most",
    "absent",
    "exists",
    "contains",
    "omits",
    "starts_with",
    "ends_with",
    "one_of",
    "none_of",
    "before_date",
    "after_date",
    "within_last",
    "within_next",
    "before_last",
    "after_next",
];

/// Units of time, in the singular.
pub(super) const UNITS: [&str; 5] = ["second", "minute", "hour", "day", "week"];

impl Test {
    /// Its name as a function.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Equals(_) => "equals",
            Self::Differs(_) => "differs",
            Self::GreaterThan(_) => "greater_than",
            Self::AtLeast(_) => "at_least",
            Self::LessThan(_) => "less_than",
            Self::AtMost(_) => "at_most",
            Self::Absent => "absent",
            Self::Exists => "exists",
            Self::Contains(_) => "contains",
            Self::Omits(_) => "omits",
            Self::StartsWith(_) => "starts_with",
            Self::EndsWith(_) => "ends_with",
            Self::OneOf(_) => "one_of",
            Self::NoneOf(_) => "none_of",
            Self::BeforeDate(_) => "before_date",
            Self::AfterDate(_) => "after_date",
            Self::WithinLast(_) => "within_last",
            Self::WithinNext(_) => "within_next",
            Self::BeforeLast(_) => "before_last",
            Self::AfterNext(_) => "after_next",
        }
    }

    /// What stands on its right, in order; the values of `one_of` and `none_of` are not among it.
    pub fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        let all = match self {
            Self::Contains(parts) => parts,
            Self::Equals(right)
            | Self::Differs(right)
            | Self::GreaterThan(right)
            | Self::AtLeast(right)
            | Self::LessThan(right)
            | Self::AtMost(right)
            | Self::Omits(right)
            | Self::StartsWith(right)
            | Self::EndsWith(right)
            | Self::BeforeDate(right)
            | Self::AfterDate(right) => std::slice::from_ref(right),
            Self::Absent
            | Self::Exists
            | Self::OneOf(_)
            | Self::NoneOf(_)
            | Self::WithinLast(_)
            | Self::WithinNext(_)
            | Self::BeforeLast(_)
            | Self::AfterNext(_) => &[],
        };
        all.iter()
    }
}

impl Aggregate {
    /// Its name as a function; that of `unique(…).count()` is `unique`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum(_) => "sum",
            Self::Average(_) => "avg",
            Self::Min(..) => "min",
            Self::Max(..) => "max",
            Self::Mode { .. } => "mode",
            Self::First(_) => "first",
            Self::Last(_) => "last",
            Self::Unique(_) | Self::UniqueCount(_) => "unique",
        }
    }

    /// What of each event it looks at.
    pub const fn of(&self) -> Option<&Scalar> {
        match self {
            Self::Count => None,
            Self::Sum(of)
            | Self::Average(of)
            | Self::Min(of, _)
            | Self::Max(of, _)
            | Self::Mode { of, .. }
            | Self::First(of)
            | Self::Last(of)
            | Self::Unique(of)
            | Self::UniqueCount(of) => Some(of),
        }
    }
}

impl Quantity {
    /// Its name behind `as`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "string",
            Self::List => "array",
        }
    }
}

impl Unit {
    /// Its name in the singular.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

impl Which {
    /// Its name as a function.
    pub const fn name(self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Previous => "previous",
        }
    }
}

impl Period {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}
