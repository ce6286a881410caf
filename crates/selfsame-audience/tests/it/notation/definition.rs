//! Definitions as chains of calls, as they are written in the language.

use selfsame_event::Time;
use selfsame_expr::query::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Period, Place, Quantity,
    Reduce, Relative, Scalar, Span, Step, Stream, Subject, Test, Unit, Which,
};

/// A value, or what makes one.
#[derive(Debug, Clone)]
pub(crate) struct X(pub(crate) Scalar);

impl From<&str> for X {
    fn from(text: &str) -> Self {
        Self(Scalar::Literal(Literal::Text(text.to_owned())))
    }
}

impl From<i32> for X {
    fn from(number: i32) -> Self {
        self::number(&number.to_string())
    }
}

impl From<bool> for X {
    fn from(bool: bool) -> Self {
        Self(Scalar::Literal(Literal::Bool(bool)))
    }
}

pub(crate) fn number(text: &str) -> X {
    X(Scalar::Literal(Literal::Number(text.to_owned())))
}

/// A date that is written without quotes.
pub(crate) fn date(text: &str) -> X {
    let time = Time::parse(text).expect("a time");
    X(Scalar::Literal(Literal::Time { text: text.to_owned(), time }))
}

pub(crate) fn property(path: &str) -> X {
    X(Scalar::Property(self::path(path)))
}

pub(crate) fn parent(path: &str) -> X {
    X(Scalar::ParentProperty(self::path(path)))
}

pub(crate) fn context(path: &str) -> X {
    X(Scalar::Context(self::path(path)))
}

pub(crate) fn trait_(path: &str) -> X {
    X(Scalar::Trait(self::path(path)))
}

/// Steps between points; `\.` is a point of a key.
fn path(text: &str) -> Path {
    let text = text.replace("\\.", "\0");
    let step = |step: &str| match step {
        "$" => Step::Each,
        key => Step::Key(key.replace('\0', ".")),
    };
    Path { steps: text.split('.').map(step).collect(), place: Place::default() }
}

impl X {
    fn is(self, test: Test) -> Condition {
        Condition::Is(Comparison { value: self.0, test, place: Place::default() })
    }

    pub(crate) fn eq(self, x: impl Into<Self>) -> Condition {
        self.is(Test::Equals(x.into().0))
    }

    pub(crate) fn ne(self, x: impl Into<Self>) -> Condition {
        self.is(Test::Differs(x.into().0))
    }

    pub(crate) fn gt(self, x: impl Into<Self>) -> Condition {
        self.is(Test::GreaterThan(x.into().0))
    }

    pub(crate) fn ge(self, x: impl Into<Self>) -> Condition {
        self.is(Test::AtLeast(x.into().0))
    }

    pub(crate) fn lt(self, x: impl Into<Self>) -> Condition {
        self.is(Test::LessThan(x.into().0))
    }

    pub(crate) fn le(self, x: impl Into<Self>) -> Condition {
        self.is(Test::AtMost(x.into().0))
    }

    pub(crate) fn exists(self) -> Condition {
        self.is(Test::Exists)
    }

    pub(crate) fn absent(self) -> Condition {
        self.is(Test::Absent)
    }

    pub(crate) fn contains<T: Into<Self>, const N: usize>(self, texts: [T; N]) -> Condition {
        self.is(Test::Contains(texts.into_iter().map(|text| text.into().0).collect()))
    }

    pub(crate) fn omits(self, x: impl Into<Self>) -> Condition {
        self.is(Test::Omits(x.into().0))
    }

    pub(crate) fn starts_with(self, x: impl Into<Self>) -> Condition {
        self.is(Test::StartsWith(x.into().0))
    }

    pub(crate) fn ends_with(self, x: impl Into<Self>) -> Condition {
        self.is(Test::EndsWith(x.into().0))
    }

    pub(crate) fn one_of<T: Into<Self>, const N: usize>(self, list: [T; N]) -> Condition {
        self.is(Test::OneOf(list.into_iter().map(|one| literal(one.into())).collect()))
    }

    pub(crate) fn none_of<T: Into<Self>, const N: usize>(self, list: [T; N]) -> Condition {
        self.is(Test::NoneOf(list.into_iter().map(|one| literal(one.into())).collect()))
    }

    pub(crate) fn before_date(self, x: impl Into<Self>) -> Condition {
        self.is(Test::BeforeDate(x.into().0))
    }

    pub(crate) fn after_date(self, x: impl Into<Self>) -> Condition {
        self.is(Test::AfterDate(x.into().0))
    }

    pub(crate) fn within_last(self, span: Span) -> Condition {
        self.is(Test::WithinLast(span))
    }

    pub(crate) fn within_next(self, span: Span) -> Condition {
        self.is(Test::WithinNext(span))
    }

    pub(crate) fn before_last(self, span: Span) -> Condition {
        self.is(Test::BeforeLast(span))
    }

    pub(crate) fn after_next(self, span: Span) -> Condition {
        self.is(Test::AfterNext(span))
    }
}

fn literal(x: X) -> Literal {
    let Scalar::Literal(literal) = x.0 else { panic!("only what is written") };
    literal
}

pub(crate) fn and<const N: usize>(all: [Condition; N]) -> Condition {
    Condition::And(all.into())
}

pub(crate) fn or<const N: usize>(any: [Condition; N]) -> Condition {
    Condition::Or(any.into())
}

pub(crate) fn not(one: Condition) -> Condition {
    Condition::Not(Box::new(one))
}

pub(crate) fn any_user(one: Condition) -> Condition {
    Condition::Any(Box::new(one))
}

pub(crate) fn all_users(one: Condition) -> Condition {
    Condition::All(Box::new(one))
}

pub(crate) fn seconds(count: u32) -> Span {
    Span { count, unit: Unit::Second }
}

pub(crate) fn minutes(count: u32) -> Span {
    Span { count, unit: Unit::Minute }
}

pub(crate) fn hours(count: u32) -> Span {
    Span { count, unit: Unit::Hour }
}

pub(crate) fn days(count: u32) -> Span {
    Span { count, unit: Unit::Day }
}

pub(crate) fn weeks(count: u32) -> Span {
    Span { count, unit: Unit::Week }
}

/// A stream.
#[derive(Debug, Clone)]
pub(crate) struct Of(Stream);

pub(crate) fn event(name: &str) -> Of {
    let subject = Subject::Event(name.to_owned());
    Of(Stream { subject, filters: Vec::new(), place: Place::default() })
}

/// A period, and the zone that it is one of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum In {
    Day(&'static str),
    Week(&'static str),
    Month(&'static str),
}

impl In {
    fn calendar(self, which: Which) -> Filter {
        let (period, zone) = match self {
            Self::Day(zone) => (Period::Day, zone),
            Self::Week(zone) => (Period::Week, zone),
            Self::Month(zone) => (Period::Month, zone),
        };
        let zone = Some(zone.to_owned()).filter(|zone| !zone.is_empty());
        Filter::Calendar(Calendar { which, period, zone })
    }
}

impl Of {
    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        self.0.filters.push(filter);
        self
    }

    pub(crate) fn given(self, condition: Condition) -> Self {
        self.filter(Filter::Where(condition))
    }

    pub(crate) fn without_sources<const N: usize>(self, exclude: [&str; N]) -> Self {
        self.filter(Filter::Sources { exclude: exclude.map(str::to_owned).into() })
    }

    pub(crate) fn within(self, span: Span) -> Self {
        self.filter(Filter::Within { span, relative: Relative::Now })
    }

    pub(crate) fn within_of_parent(self, span: Span) -> Self {
        self.filter(Filter::Within { span, relative: Relative::Parent })
    }

    pub(crate) fn between(self, from: Span, to: Span) -> Self {
        self.filter(Filter::Between { from, to, relative: Relative::Now })
    }

    pub(crate) fn between_of_parent(self, from: Span, to: Span) -> Self {
        self.filter(Filter::Between { from, to, relative: Relative::Parent })
    }

    pub(crate) fn expires_after(self, gap: Span) -> Self {
        self.filter(Filter::ExpiresAfter(gap))
    }

    pub(crate) fn this(self, period: In) -> Self {
        self.filter(period.calendar(Which::This))
    }

    pub(crate) fn previous(self, period: In) -> Self {
        self.filter(period.calendar(Which::Previous))
    }

    pub(crate) fn into_stream(self) -> Stream {
        self.0
    }

    fn reduce(self, aggregate: Aggregate) -> X {
        X(Scalar::Reduced(Box::new(Reduce { stream: self.0, aggregate })))
    }

    pub(crate) fn count(self) -> X {
        self.reduce(Aggregate::Count)
    }

    /// It happened.
    pub(crate) fn once(self) -> Condition {
        self.count().ge(1)
    }

    /// It did not happen.
    pub(crate) fn never(self) -> Condition {
        self.count().eq(0)
    }

    pub(crate) fn sum(self, of: X) -> X {
        self.reduce(Aggregate::Sum(of.0))
    }

    pub(crate) fn avg(self, of: X) -> X {
        self.reduce(Aggregate::Average(of.0))
    }

    pub(crate) fn min(self, of: X) -> X {
        self.reduce(Aggregate::Min(of.0, Quantity::Number))
    }

    pub(crate) fn max(self, of: X) -> X {
        self.reduce(Aggregate::Max(of.0, Quantity::Number))
    }

    pub(crate) fn min_as_string(self, of: X) -> X {
        self.reduce(Aggregate::Min(of.0, Quantity::Text))
    }

    pub(crate) fn max_as_string(self, of: X) -> X {
        self.reduce(Aggregate::Max(of.0, Quantity::Text))
    }

    pub(crate) fn mode(self, of: X, at_least: u32) -> X {
        self.reduce(Aggregate::Mode { of: of.0, kind: None, at_least: Some(at_least) })
    }

    pub(crate) fn mode_as(self, of: X, kind: Quantity, at_least: Option<u32>) -> X {
        self.reduce(Aggregate::Mode { of: of.0, kind: Some(kind), at_least })
    }

    pub(crate) fn first(self, of: X) -> X {
        self.reduce(Aggregate::First(of.0))
    }

    pub(crate) fn last(self, of: X) -> X {
        self.reduce(Aggregate::Last(of.0))
    }

    pub(crate) fn unique(self, of: X) -> X {
        self.reduce(Aggregate::Unique(of.0))
    }

    pub(crate) fn unique_count(self, of: X) -> X {
        self.reduce(Aggregate::UniqueCount(of.0))
    }
}
