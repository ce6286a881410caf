//! Totals: what is kept of any number of values without keeping the values one by one.
//!
//! Invariants:
//! - a total does not depend on the order of what was folded into it;
//! - the total of two sets of events is the combination of their totals, for any division.

use selfsame_event::packed::{Reader, Sink, put_number};
use selfsame_expr::{Decimal, Value};

use crate::datum::{Packed, put_decimal, put_optional, put_signed, read_signed};
use crate::values::{Counts, Seen};
use crate::when::When;

/// What a total is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Events.
    Count,
    /// The sum and number of numbers.
    Sum,
    /// The least number, or text.
    Least(Order),
    /// The greatest one.
    Greatest(Order),
    /// The value of the earliest event that has one.
    First,
    /// The value of the latest event that has one.
    Last,
    /// How often each value was there, in so many bytes.
    Counts(usize),
    /// When each value was last there, in so many bytes.
    Seen(usize),
}

/// By what values are ordered, all of them being such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By their numbers.
    Number,
    /// By their texts.
    Text,
}

impl Kind {
    /// The same in at most so many bytes, where that is not so by nature.
    pub(crate) fn in_bytes(self, most: usize) -> Self {
        match self {
            Self::Counts(_) => Self::Counts(most),
            Self::Seen(_) => Self::Seen(most),
            kind => kind,
        }
    }

    /// Whether it holds nothing but times and numbers.
    pub(crate) fn is_small(self) -> bool {
        match self {
            Self::Count | Self::Sum => true,
            Self::Least(order) | Self::Greatest(order) => order == Order::Number,
            Self::First | Self::Last | Self::Counts(_) | Self::Seen(_) => false,
        }
    }

    /// Whether it is one value, or a number and how many.
    pub(crate) fn is_one_value(self) -> bool {
        !matches!(self, Self::Counts(_) | Self::Seen(_))
    }

    /// Most bytes that a total takes.
    pub(crate) fn most_bytes(self) -> usize {
        match self {
            Self::Counts(most) | Self::Seen(most) => most + 16,
            kind if kind.is_small() => 48,
            _ => crate::datum::MOST_VALUE_BYTES + 32,
        }
    }
}

/// A total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Total<'a> {
    /// How many events.
    Count(u64),
    /// Numbers.
    Sum(Sum),
    /// The least or greatest value.
    Best(Option<Packed<'a>>),
    /// The value of the first or last event.
    Edge(Option<(When, Packed<'a>)>),
    /// Values and how often they were there.
    Counts(Counts<'a>),
    /// Values and when they were last there.
    Seen(Seen<'a>),
}

/// A sum that cannot overflow: 192 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    high: i64,
    low: u128,
    /// How many numbers.
    pub(crate) count: u64,
}

impl<'a> Total<'a> {
    /// The total of nothing.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Count => Self::Count(0),
            Kind::Sum => Self::Sum(Sum::default()),
            Kind::Least(_) | Kind::Greatest(_) => Self::Best(None),
            Kind::First | Kind::Last => Self::Edge(None),
            Kind::Counts(_) => Self::Counts(Counts::default()),
            Kind::Seen(_) => Self::Seen(Seen::default()),
        }
    }

    /// Adds one event, with the values that it has.
    pub(crate) fn fold(
        &mut self,
        kind: Kind,
        when: When,
        values: impl IntoIterator<Item = Packed<'a>>,
    ) {
        if let Self::Count(count) = self {
            *count += 1;
            return;
        }
        for value in values {
            self.fold_value(kind, when, value);
        }
    }

    fn fold_value(&mut self, kind: Kind, when: When, value: Packed<'a>) {
        match (self, kind) {
            (Self::Sum(sum), _) => {
                if let Some(number) = value.value().number() {
                    sum.add(number);
                }
            }
            (Self::Best(best), _) => better(kind, best, value),
            (Self::Edge(edge), _) => {
                let is_nearer = edge.as_ref().is_none_or(|(at, _)| match kind {
                    // Of one event's values, the first one is first and the last one last.
                    Kind::First => when < *at,
                    _ => when >= *at,
                });
                if is_nearer {
                    *edge = Some((when, value));
                }
            }
            (Self::Counts(counts), Kind::Counts(most)) => counts.add(value, 1, most),
            (Self::Seen(seen), Kind::Seen(most)) => seen.add(value, when, most),
            (total, kind) => debug_assert!(false, "{total:?} is not of {kind:?}"),
        }
    }

    /// Adds another total of the same kind.
    pub(crate) fn combine(&mut self, kind: Kind, other: Self) {
        match (self, other, kind) {
            (Self::Count(count), Self::Count(more), _) => *count += more,
            (Self::Sum(sum), Self::Sum(more), _) => sum.combine(more),
            (Self::Best(best), Self::Best(Some(other)), _) => better(kind, best, other),
            (Self::Edge(edge), Self::Edge(Some(other)), _) => {
                let is_nearer = edge.as_ref().is_none_or(|(at, _)| match kind {
                    Kind::First => other.0 < *at,
                    _ => other.0 > *at,
                });
                if is_nearer {
                    *edge = Some(other);
                }
            }
            (Self::Counts(counts), Self::Counts(more), Kind::Counts(most)) => {
                counts.combine(more, most);
            }
            (Self::Seen(seen), Self::Seen(more), Kind::Seen(most)) => seen.combine(more, most),
            (_, Self::Best(None) | Self::Edge(None), _) => {}
            (one, other, _) => debug_assert!(false, "{one:?} and {other:?} are not of one kind"),
        }
    }

    /// Whether a cap left something out.
    pub(crate) fn is_cut(&self) -> bool {
        match self {
            Self::Counts(counts) => counts.is_cut(),
            Self::Seen(seen) => seen.cut().is_some(),
            Self::Count(_) | Self::Sum(_) | Self::Best(_) | Self::Edge(_) => false,
        }
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        match self {
            Self::Count(count) => put_number(out, *count),
            Self::Sum(sum) => sum.put(out),
            Self::Best(best) => put_optional(out, *best),
            Self::Edge(edge) => {
                put_optional(out, edge.map(|(_, value)| value));
                if let Some((when, _)) = edge {
                    when.put(out);
                }
            }
            Self::Counts(counts) => counts.put(out),
            Self::Seen(seen) => seen.put(out),
        }
    }

    /// Reads what [`Self::put`] wrote, and nothing else.
    pub(crate) fn read_whole(kind: Kind, bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let total = Self::read(kind, &mut reader)?;
        (reader.left() == 0).then_some(total)
    }

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'a>) -> Option<Self> {
        Some(match kind {
            Kind::Count => Self::Count(reader.number()?),
            Kind::Sum => Self::Sum(Sum::read(reader)?),
            Kind::Least(_) | Kind::Greatest(_) => Self::Best(Packed::read_optional(reader)?),
            Kind::First | Kind::Last => Self::Edge(match Packed::read_optional(reader)? {
                Some(value) => Some((When::read(reader)?, value)),
                None => None,
            }),
            Kind::Counts(_) => Self::Counts(Counts::read(reader)?),
            Kind::Seen(_) => Self::Seen(Seen::read(reader)?),
        })
    }
}

impl Sum {
    fn add(&mut self, number: Decimal) {
        let high = if number.0 < 0 { -1 } else { 0 };
        self.combine(Self { high, low: number.0.cast_unsigned(), count: 1 });
    }

    fn combine(&mut self, other: Self) {
        let (low, is_over) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high = self.high.wrapping_add(other.high).wrapping_add(i64::from(is_over));
        self.count += other.count;
    }

    /// The number that it is, whatever it is the sum of.
    fn number(&self) -> Option<Decimal> {
        let low = self.low.cast_signed();
        let is_in_range = self.high == if low < 0 { -1 } else { 0 };
        is_in_range.then_some(Decimal(low))
    }

    /// The sum, if there is one number or more and it is in range.
    pub(crate) fn value(&self) -> Option<Decimal> {
        self.number().filter(|_| self.count > 0)
    }

    /// The average of the numbers.
    pub(crate) fn average(&self) -> Option<Decimal> {
        Decimal::average(self.value()?, self.count)
    }

    /// How many, twice; one more where the sum does not fit a number.
    fn put(&self, out: &mut impl Sink) {
        let number = self.number();
        put_number(out, self.count << 1 | u64::from(number.is_none()));
        match number {
            Some(number) => put_decimal(out, number),
            None => {
                put_signed(out, i128::from(self.high));
                put_signed(out, self.low.cast_signed());
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let count = reader.number()?;
        let (is_wide, count) = (count & 1 == 1, count >> 1);
        if is_wide {
            let high = i64::try_from(read_signed(reader)?).ok()?;
            return Some(Self { high, low: read_signed(reader)?.cast_unsigned(), count });
        }
        let Value::Number(Decimal(number)) = Packed::read(reader)?.value() else { return None };
        Some(Self { high: if number < 0 { -1 } else { 0 }, low: number.cast_unsigned(), count })
    }
}

/// Takes the candidate if it is better: both are of the kind that is compared.
fn better<'a>(kind: Kind, best: &mut Option<Packed<'a>>, candidate: Packed<'a>) {
    let is_better = |best: Packed<'a>| match (candidate.value(), best.value()) {
        (Value::Number(candidate), Value::Number(best)) => match kind {
            Kind::Least(_) => candidate < best,
            _ => candidate > best,
        },
        (Value::Text(candidate), Value::Text(best)) => match kind {
            Kind::Least(_) => candidate < best,
            _ => candidate > best,
        },
        _ => false,
    };
    if best.is_none_or(is_better) {
        *best = Some(candidate);
    }
}
