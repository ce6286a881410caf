//! Totals: what is kept of any number of values without keeping the values one by one.
//!
//! Invariants:
//! - a total does not depend on the order of what was folded into it;
//! - the total of two sets of events is the combination of their totals, for any division.
//!
//! At a cap, what stays is chosen by a rank of the value alone, or by when it was last seen.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_number, put_time};
use selfsame_expr::Decimal;

use crate::datum::{
    Datum, put_length, put_optional, put_signed, read_length, read_optional, read_signed,
};
use crate::when::When;

/// Most values that are counted or listed one by one.
pub const MOST_VALUES: usize = 10_000;

/// What a total is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Events.
    Count,
    /// The sum and number of numbers.
    Sum,
    /// The least number or text.
    Least(Order),
    /// The greatest one.
    Greatest(Order),
    /// The value of the earliest event that has one.
    First,
    /// The value of the latest event that has one.
    Last,
    /// How often each value was there.
    Counts,
    /// When each value was last there.
    Seen,
}

/// By what values are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By their numbers; others do not count.
    Number,
    /// By their texts.
    Text,
}

/// A total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Total {
    /// How many events.
    Count(u64),
    /// Numbers.
    Sum(Sum),
    /// The least or greatest value.
    Best(Option<Datum>),
    /// The value of the first or last event.
    Edge(Option<(When, Datum)>),
    /// Values and how often they were there, by rank.
    Counts(Counts),
    /// Values and when they were last there, by value.
    Seen(Seen),
}

/// A sum that cannot overflow: 192 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    high: i64,
    low: u128,
    /// How many numbers.
    pub(crate) count: u64,
}

/// How often each value was there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    list: Vec<(u64, Datum, u64)>,
    /// Whether there were more values than are kept.
    pub(crate) is_cut: bool,
}

/// When each value was last there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    list: Vec<(Datum, When)>,
    /// When the last of those was there that are no longer kept.
    pub(crate) cut: Option<Time>,
}

impl Total {
    /// The total of nothing.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Count => Self::Count(0),
            Kind::Sum => Self::Sum(Sum::default()),
            Kind::Least(_) | Kind::Greatest(_) => Self::Best(None),
            Kind::First | Kind::Last => Self::Edge(None),
            Kind::Counts => Self::Counts(Counts::default()),
            Kind::Seen => Self::Seen(Seen::default()),
        }
    }

    /// Adds one event, with the values that it has.
    pub(crate) fn fold<'d>(
        &mut self,
        kind: Kind,
        when: When,
        values: impl IntoIterator<Item = &'d Datum>,
    ) {
        if let Self::Count(count) = self {
            *count += 1;
            return;
        }
        for value in values {
            self.fold_value(kind, when, value);
        }
    }

    fn fold_value(&mut self, kind: Kind, when: When, value: &Datum) {
        match self {
            Self::Count(_) => {}
            Self::Sum(sum) => {
                if let Some(number) = value.value().number() {
                    sum.add(number);
                }
            }
            Self::Best(best) => {
                if let Some(candidate) = ordered(kind, value) {
                    better(kind, best, candidate);
                }
            }
            Self::Edge(edge) => {
                let is_nearer = edge.as_ref().is_none_or(|(at, _)| match kind {
                    // Of one event's values, the first one is first and the last one last.
                    Kind::First => when < *at,
                    _ => when >= *at,
                });
                if is_nearer {
                    *edge = Some((when, value.clone()));
                }
            }
            Self::Counts(counts) => counts.add(value.rank(), value.clone(), 1),
            Self::Seen(seen) => seen.add(value.clone(), when),
        }
    }

    /// Adds another total of the same kind.
    pub(crate) fn combine(&mut self, kind: Kind, other: Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count += more,
            (Self::Sum(sum), Self::Sum(more)) => sum.combine(more),
            (Self::Best(best), Self::Best(Some(other))) => better(kind, best, other),
            (Self::Edge(edge), Self::Edge(Some(other))) => {
                let is_nearer = edge.as_ref().is_none_or(|(at, _)| match kind {
                    Kind::First => other.0 < *at,
                    _ => other.0 > *at,
                });
                if is_nearer {
                    *edge = Some(other);
                }
            }
            (Self::Counts(counts), Self::Counts(more)) => {
                counts.is_cut |= more.is_cut;
                more.list
                    .into_iter()
                    .for_each(|(rank, value, times)| counts.add(rank, value, times));
            }
            (Self::Seen(seen), Self::Seen(more)) => {
                seen.cut = seen.cut.max(more.cut);
                more.list.into_iter().for_each(|(value, when)| seen.add(value, when));
            }
            (_, Self::Best(None) | Self::Edge(None)) => {}
            (one, other) => debug_assert!(false, "{one:?} and {other:?} are not of one kind"),
        }
    }

    /// Whether a cap left something out.
    pub(crate) fn is_cut(&self) -> bool {
        match self {
            Self::Counts(counts) => counts.is_cut,
            Self::Seen(seen) => seen.cut.is_some(),
            Self::Count(_) | Self::Sum(_) | Self::Best(_) | Self::Edge(_) => false,
        }
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        match self {
            Self::Count(count) => put_number(out, *count),
            Self::Sum(sum) => {
                put_signed(out, i128::from(sum.high));
                put_signed(out, sum.low.cast_signed());
                put_number(out, sum.count);
            }
            Self::Best(best) => put_optional(out, best.as_ref()),
            Self::Edge(edge) => {
                put_optional(out, edge.as_ref().map(|(_, value)| value));
                if let Some((when, _)) = edge {
                    when.put(out);
                }
            }
            Self::Counts(counts) => {
                out.put(&[u8::from(counts.is_cut)]);
                put_length(out, counts.list.len());
                for (_, value, times) in &counts.list {
                    value.put(out);
                    put_number(out, *times);
                }
            }
            Self::Seen(seen) => {
                put_moment(out, seen.cut);
                put_length(out, seen.list.len());
                for (value, when) in &seen.list {
                    value.put(out);
                    when.put(out);
                }
            }
        }
    }

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'_>) -> Option<Self> {
        Some(match kind {
            Kind::Count => Self::Count(reader.number()?),
            Kind::Sum => Self::Sum(Sum {
                high: i64::try_from(read_signed(reader)?).ok()?,
                low: read_signed(reader)?.cast_unsigned(),
                count: reader.number()?,
            }),
            Kind::Least(_) | Kind::Greatest(_) => Self::Best(read_optional(reader)?),
            Kind::First | Kind::Last => Self::Edge(match read_optional(reader)? {
                Some(value) => Some((When::read(reader)?, value)),
                None => None,
            }),
            Kind::Counts => {
                let is_cut = reader.byte()? == 1;
                let mut list = Vec::with_capacity(read_length(reader)?);
                for _ in 0..list.capacity() {
                    let value = Datum::read(reader)?;
                    list.push((value.rank(), value, reader.number()?));
                }
                Self::Counts(Counts { list, is_cut })
            }
            Kind::Seen => {
                let cut = read_moment(reader)?;
                let mut list = Vec::with_capacity(read_length(reader)?);
                for _ in 0..list.capacity() {
                    list.push((Datum::read(reader)?, When::read(reader)?));
                }
                Self::Seen(Seen { list, cut })
            }
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

    /// The sum, if there is one number or more and it is in range.
    pub(crate) fn value(&self) -> Option<Decimal> {
        let low = self.low.cast_signed();
        let is_in_range = self.high == if low < 0 { -1 } else { 0 };
        (self.count > 0 && is_in_range).then_some(Decimal(low))
    }

    /// The average of the numbers.
    pub(crate) fn average(&self) -> Option<Decimal> {
        Decimal::average(self.value()?, self.count)
    }
}

impl Counts {
    fn add(&mut self, rank: u64, value: Datum, times: u64) {
        let known = self
            .list
            .binary_search_by(|(other, known, _)| other.cmp(&rank).then_with(|| known.cmp(&value)));
        match known {
            Ok(at) => {
                if let Some((_, _, known)) = self.list.get_mut(at) {
                    *known += times;
                }
            }
            Err(at) => self.list.insert(at, (rank, value, times)),
        }
        if self.list.len() > MOST_VALUES {
            // Those of the lowest rank stay; whatever left would leave again.
            self.list.truncate(MOST_VALUES);
            self.is_cut = true;
        }
    }

    /// The text that was there most often, if it was so many times; of several, the first one.
    pub(crate) fn mode(&self, at_least: u64) -> Option<String> {
        // Values of several kinds may have one text.
        let mut texts: Vec<_> =
            self.list.iter().map(|(_, value, times)| (value.text(), *times)).collect();
        texts.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        texts.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        // The last of the greatest, seen from the end, is the first.
        let most = texts.into_iter().rev().max_by_key(|(_, times)| *times);
        most.filter(|(_, times)| *times >= at_least).map(|(text, _)| text.into_owned())
    }
}

impl Seen {
    fn add(&mut self, value: Datum, when: When) {
        match self.list.binary_search_by(|(known, _)| known.cmp(&value)) {
            Ok(at) => {
                if let Some((_, last)) = self.list.get_mut(at) {
                    *last = when.max(*last);
                }
            }
            Err(at) => self.list.insert(at, (value, when)),
        }
        if self.list.len() > MOST_VALUES {
            let oldest = self.list.iter().enumerate().min_by_key(|(_, (_, when))| *when);
            if let Some((at, _)) = oldest {
                let (_, when) = self.list.remove(at);
                self.cut = self.cut.max(Some(when.time));
            }
        }
    }

    /// Forgets values that were last there at that time or before.
    pub(crate) fn forget(&mut self, until: Time) {
        self.list.retain(|(_, when)| when.time > until);
    }

    /// The values that were there at that time or after, with the time.
    pub(crate) fn since(&self, start: Time) -> impl Iterator<Item = (&Datum, Time)> {
        let seen = self.list.iter().map(|(value, when)| (value, when.time));
        seen.filter(move |(_, time)| *time >= start)
    }
}

/// What takes part in an order.
fn ordered(kind: Kind, value: &Datum) -> Option<Datum> {
    match kind {
        Kind::Least(Order::Number) | Kind::Greatest(Order::Number) => {
            value.value().number().map(Datum::Number)
        }
        _ => Some(Datum::Text(value.text().into())),
    }
}

fn better(kind: Kind, best: &mut Option<Datum>, candidate: Datum) {
    let is_better = best.as_ref().is_none_or(|best| match kind {
        Kind::Least(_) => candidate < *best,
        _ => candidate > *best,
    });
    if is_better {
        *best = Some(candidate);
    }
}

pub(crate) fn put_moment(out: &mut impl Sink, moment: Option<Time>) {
    out.put(&[u8::from(moment.is_some())]);
    if let Some(moment) = moment {
        put_time(out, moment);
    }
}

pub(crate) fn read_moment(reader: &mut Reader<'_>) -> Option<Option<Time>> {
    match reader.byte()? {
        0 => Some(None),
        _ => reader.time().map(Some),
    }
}
