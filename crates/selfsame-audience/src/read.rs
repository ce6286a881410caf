//! What is read of totals.

use selfsame_event::Time;

use crate::datum::{Datum, Packed};
use crate::output::Output;
use crate::plan::Read;
use crate::total::Total;

impl Read {
    /// What it reads of a total.
    pub(crate) fn of(self, total: &Total<'_>) -> Output {
        match (self, total) {
            (Self::Count, Total::Count(count)) => Output::count(*count),
            (Self::Sum, Total::Sum(sum)) => Output::number(sum.value()),
            (Self::Average, Total::Sum(sum)) => Output::number(sum.average()),
            (Self::Best, Total::Best(best)) => Output::of(best.and_then(Packed::datum)),
            (Self::Edge, Total::Edge(edge)) => {
                Output::of(edge.and_then(|(_, value)| value.datum()))
            }
            (Self::Mode(at_least), Total::Counts(counts)) => {
                let text = counts.mode(at_least).map(String::into_boxed_str);
                Output::of(text.map(Datum::Text))
            }
            (_, Total::Seen(seen)) => self.of_values(
                seen.since(Time::EPOCH).filter_map(|(value, _)| value.datum()).collect(),
            ),
            (read, total) => {
                debug_assert!(false, "{read:?} does not read {total:?}");
                Output::Null
            }
        }
    }

    pub(crate) fn of_values(self, mut values: Vec<Datum>) -> Output {
        match self {
            Self::UniqueCount => Output::count(u64::try_from(values.len()).unwrap_or(u64::MAX)),
            _ => {
                values.sort_by(Datum::text_order);
                Output::list(values)
            }
        }
    }

    /// What it reads where there is nothing.
    pub(crate) fn of_nothing(self) -> Output {
        match self {
            Self::Count | Self::UniqueCount => Output::count(0),
            _ => Output::Null,
        }
    }
}
