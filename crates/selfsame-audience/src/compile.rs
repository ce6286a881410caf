//! From what a definition says to what is kept and how it is read.

use selfsame_expr::Value;
use selfsame_expr::query::{
    Aggregate, Comparison, Condition as Said, Filter, Literal, Path, Quantity, Reduce, Relative,
    Scalar, Step, Subject, Test,
};
use selfsame_expr::{Decimal, query};

use crate::calendar::Calendar;
use crate::datum::Datum;
use crate::plan::{
    Check, Condition, From, Keep, Leaf, Of, Operand, Order, Read, Selection, Source, Stream, Window,
};
use crate::total::{self, Kind};

/// Most events that are kept one by one of a stream with a window.
pub const MOST_ELEMENTS: usize = 4_096;
/// Most events that are kept one by one where each is held against others, or against traits.
pub const MOST_COMPARED: usize = 1_000;

const DAY: i64 = query::Unit::Day.micros();

/// A definition that cannot be computed, though it can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// It reads tables.
    #[error("`entity()` needs tables, which this version does not have")]
    Entity,
    /// It is one of accounts.
    #[error("`ANY` and `ALL` belong to definitions of accounts")]
    Account,
    /// There is no such time zone.
    #[error("there is no time zone {0:?}")]
    Zone(String),
    /// A property stands where no event is at hand.
    #[error("a property or context can only be read in `where` or in a reducer")]
    NoEvent,
    /// A window of the parent stands where there is none.
    #[error("`parent:` needs a stream around this one")]
    NoParent,
    /// Two windows of one kind.
    #[error("a stream can have one window only")]
    Windows,
    /// A text is too long to be kept and compared.
    #[error("a value is longer than {max} bytes", max = crate::datum::MOST_VALUE_BYTES)]
    Value,
}

type Result<T> = std::result::Result<T, CompileError>;

/// Streams and predicates, each once.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    pub(crate) streams: Vec<Stream>,
    pub(crate) predicates: Vec<Condition>,
}

/// The columns of the streams around the place that is being compiled, the innermost last.
#[derive(Debug, Default)]
struct Scope {
    columns: Vec<Vec<Source>>,
    /// How far back the stream around this one looks.
    horizon: Option<i64>,
}

/// What the filters of a stream say, sorted.
#[derive(Debug, Default)]
struct Filters<'q> {
    fixed: Vec<&'q Said>,
    changing: Vec<&'q Said>,
    exclude: Vec<String>,
    window: Option<Window>,
    behind: Option<(i64, i64)>,
}

impl Compiler {
    /// A condition that is no part of another's stream.
    pub(crate) fn condition(&mut self, said: &Said) -> Result<Condition> {
        self.condition_in(said, &mut Scope::default())
    }

    /// A value that is no part of another's stream.
    pub(crate) fn value(&mut self, said: &Scalar) -> Result<Operand> {
        self.operand(said, None, &mut Scope::default())
    }

    fn condition_in(&mut self, said: &Said, scope: &mut Scope) -> Result<Condition> {
        let mut all = |list: &[Said]| {
            list.iter().map(|one| self.condition_in(one, scope)).collect::<Result<_>>()
        };
        Ok(match said {
            Said::And(list) => Condition::And(all(list)?),
            Said::Or(list) => Condition::Or(all(list)?),
            Said::Not(one) => Condition::Not(Box::new(self.condition_in(one, scope)?)),
            Said::Any(_) | Said::All(_) => return Err(CompileError::Account),
            Said::Is(Comparison { value, test, .. }) => {
                let most = most_that_matters(test);
                let value = self.operand(value, most, scope)?;
                Condition::Is(value, self.check(test, scope)?)
            }
        })
    }

    fn check(&mut self, test: &Test, scope: &mut Scope) -> Result<Check> {
        let mut one = |said: &Scalar| self.operand(said, None, scope);
        Ok(match test {
            Test::Equals(said) => Check::Equals(one(said)?),
            Test::Differs(said) => Check::Differs(one(said)?),
            Test::GreaterThan(said) => Check::Order(Order::Greater, one(said)?),
            Test::AtLeast(said) => Check::Order(Order::AtLeast, one(said)?),
            Test::LessThan(said) => Check::Order(Order::Less, one(said)?),
            Test::AtMost(said) => Check::Order(Order::AtMost, one(said)?),
            Test::Absent => Check::Absent,
            Test::Exists => Check::Exists,
            Test::Contains(list) => Check::Contains(list.iter().map(one).collect::<Result<_>>()?),
            Test::Omits(said) => Check::Omits(one(said)?),
            Test::StartsWith(said) => Check::StartsWith(one(said)?),
            Test::EndsWith(said) => Check::EndsWith(one(said)?),
            Test::OneOf(list) => Check::OneOf(list.iter().map(literal).collect::<Result<_>>()?),
            Test::NoneOf(list) => Check::NoneOf(list.iter().map(literal).collect::<Result<_>>()?),
            Test::BeforeDate(said) => Check::BeforeDate(one(said)?),
            Test::AfterDate(said) => Check::AfterDate(one(said)?),
            Test::WithinLast(span) => Check::WithinLast(span.micros()),
            Test::WithinNext(span) => Check::WithinNext(span.micros()),
            Test::BeforeLast(span) => Check::BeforeLast(span.micros()),
            Test::AfterNext(span) => Check::AfterNext(span.micros()),
        })
    }

    fn operand(&mut self, said: &Scalar, most: Option<u64>, scope: &mut Scope) -> Result<Operand> {
        Ok(match said {
            Scalar::Literal(said) => Operand::Literal(literal(said)?),
            Scalar::Trait(path) => Operand::Trait(path.steps.clone()),
            Scalar::Property(path) => scope.column(0, Source::of(From::Properties, path))?,
            Scalar::Context(path) => scope.column(0, Source::of(From::Context, path))?,
            Scalar::ParentProperty(path) => scope.column(1, Source::of(From::Properties, path))?,
            Scalar::Reduced(reduce) => Operand::Leaf(Box::new(self.leaf(reduce, most, scope)?)),
        })
    }

    fn leaf(&mut self, reduce: &Reduce, most: Option<u64>, scope: &mut Scope) -> Result<Leaf> {
        let Reduce { stream, aggregate } = reduce;
        let Subject::Event(name) = &stream.subject else { return Err(CompileError::Entity) };
        let mut filters = Filters::of(&stream.filters)?;
        let is_nested = !scope.columns.is_empty();
        if filters.behind.is_some() && !is_nested {
            return Err(CompileError::NoParent);
        }
        let (kind, column, read) = reading(aggregate)?;
        let most = most.filter(|_| kind == Kind::Count);
        let mut predicates: Vec<usize> =
            filters.fixed.iter().map(|said| self.predicate(said)).collect::<Result<_>>()?;
        predicates.sort_unstable();
        predicates.dedup();
        let exclude = std::mem::take(&mut filters.exclude);
        let stream = Stream {
            name: name.clone(),
            predicates,
            exclude,
            columns: column.iter().cloned().collect(),
            needs: None,
            keep: Keep::Total { kind, horizon: None },
        };
        if is_nested || !filters.changing.is_empty() {
            return self.selected(stream, &filters, (kind, read), most, scope);
        }
        let (keep, of) = kept(kind, filters.window, most);
        let is_session = matches!(keep, Keep::Runs { .. });
        let needs = column.filter(|_| !is_session).map(|_| 0);
        Ok(Leaf { stream: self.stream(Stream { needs, keep, ..stream }), of, read })
    }

    /// A stream whose events are held against others, or against what changes.
    fn selected(
        &mut self,
        stream: Stream,
        filters: &Filters<'_>,
        (kind, read): (Kind, Read),
        most: Option<u64>,
        scope: &mut Scope,
    ) -> Result<Leaf> {
        let own = filters.window.as_ref().and_then(horizon);
        // What is behind a parent is not older than it.
        let outer = scope.horizon.filter(|_| filters.behind.is_some());
        let horizon = own.into_iter().chain(outer).min();
        let column = (!stream.columns.is_empty()).then_some(0);
        let around = std::mem::replace(&mut scope.horizon, horizon);
        scope.columns.push(stream.columns);
        let changing = filters.changing.iter().map(|said| self.condition_in(said, scope));
        let mut changing = changing.collect::<Result<Vec<_>>>()?;
        let columns = scope.columns.pop().unwrap_or_default();
        scope.horizon = around;
        let condition =
            if changing.len() > 1 { Some(Condition::And(changing)) } else { changing.pop() };
        let is_session = matches!(filters.window, Some(Window::Session(_)));
        let needs = column.filter(|_| !is_session);
        let keep = Keep::Elements { most: MOST_COMPARED, horizon };
        let stream = self.stream(Stream { columns, needs, keep, ..stream });
        let Filters { window, behind, .. } = filters;
        let (window, behind) = (window.clone(), *behind);
        let selection = Selection { window, behind, condition, kind, column, most };
        Ok(Leaf { stream, of: Of::Elements(selection), read })
    }

    fn predicate(&mut self, said: &Said) -> Result<usize> {
        let mut scope = Scope::default();
        let compiled = self.fixed(said, &mut scope)?;
        Ok(index_of(&mut self.predicates, compiled))
    }

    /// A condition of the event alone: columns are read from it.
    fn fixed(&mut self, said: &Said, scope: &mut Scope) -> Result<Condition> {
        scope.columns.push(Vec::new());
        let mut compiled = self.condition_in(said, scope)?;
        let columns = scope.columns.pop().unwrap_or_default();
        compiled.read_events(&columns);
        Ok(compiled)
    }

    fn stream(&mut self, stream: Stream) -> usize {
        index_of(&mut self.streams, stream)
    }
}

impl Scope {
    fn column(&mut self, depth: usize, source: Source) -> Result<Operand> {
        let levels = self.columns.len();
        let level = levels.checked_sub(depth + 1).and_then(|at| self.columns.get_mut(at));
        let missing = if levels == 0 { CompileError::NoEvent } else { CompileError::NoParent };
        Ok(Operand::Column { depth, column: index_of(level.ok_or(missing)?, source) })
    }
}

impl<'q> Filters<'q> {
    fn of(filters: &'q [Filter]) -> Result<Self> {
        let mut sorted = Self::default();
        for filter in filters {
            match filter {
                Filter::Where(said) => sorted.condition(said),
                Filter::Sources { exclude } => sorted.exclude.extend(exclude.iter().cloned()),
                Filter::Within { span, relative: Relative::Now } => {
                    sorted.window(Window::Within(span.micros()))?;
                }
                Filter::Within { span, relative: Relative::Parent } => {
                    sorted.behind(0, span.micros())?;
                }
                Filter::Between { from, to, relative: Relative::Now } => {
                    sorted.window(Window::Between(from.micros(), to.micros()))?;
                }
                Filter::Between { from, to, relative: Relative::Parent } => {
                    sorted.behind(from.micros(), to.micros())?;
                }
                Filter::ExpiresAfter(span) => sorted.window(Window::Session(span.micros()))?,
                Filter::Calendar(query::Calendar { which, period, zone }) => {
                    let calendar = Calendar::new(*period, zone.as_deref());
                    let zone = || CompileError::Zone(zone.clone().unwrap_or_default());
                    sorted.window(Window::Calendar(*which, calendar.ok_or_else(zone)?))?;
                }
            }
        }
        sorted.exclude.sort_unstable();
        sorted.exclude.dedup();
        Ok(sorted)
    }

    fn condition(&mut self, said: &'q Said) {
        match said {
            Said::And(list) => list.iter().for_each(|one| self.condition(one)),
            said if is_fixed(said) => self.fixed.push(said),
            said => self.changing.push(said),
        }
    }

    fn window(&mut self, window: Window) -> Result<()> {
        match self.window.replace(window) {
            Some(_) => Err(CompileError::Windows),
            None => Ok(()),
        }
    }

    fn behind(&mut self, from: i64, to: i64) -> Result<()> {
        match self.behind.replace((from, to)) {
            Some(_) => Err(CompileError::Windows),
            None => Ok(()),
        }
    }
}

impl Condition {
    /// Lets operands read the event itself in place of columns.
    fn read_events(&mut self, columns: &[Source]) {
        match self {
            Self::And(list) | Self::Or(list) => {
                list.iter_mut().for_each(|one| one.read_events(columns));
            }
            Self::Not(one) => one.read_events(columns),
            Self::Is(operand, check) => {
                operand.read_event(columns);
                match check {
                    Check::Equals(one) | Check::Differs(one) | Check::Order(_, one) => {
                        one.read_event(columns);
                    }
                    Check::Omits(one) | Check::StartsWith(one) | Check::EndsWith(one) => {
                        one.read_event(columns);
                    }
                    Check::BeforeDate(one) | Check::AfterDate(one) => one.read_event(columns),
                    Check::Contains(list) => {
                        list.iter_mut().for_each(|one| one.read_event(columns));
                    }
                    Check::Absent | Check::Exists | Check::OneOf(_) | Check::NoneOf(_) => {}
                    Check::WithinLast(_) | Check::WithinNext(_) => {}
                    Check::BeforeLast(_) | Check::AfterNext(_) => {}
                }
            }
        }
    }
}

impl Operand {
    fn read_event(&mut self, columns: &[Source]) {
        if let Self::Column { column, .. } = self
            && let Some(source) = columns.get(*column)
        {
            *self = Self::Event(source.clone());
        }
    }
}

/// Whether nothing but the event decides on a condition.
fn is_fixed(said: &Said) -> bool {
    match said {
        Said::And(list) | Said::Or(list) => list.iter().all(is_fixed),
        Said::Not(one) => is_fixed(one),
        Said::Any(_) | Said::All(_) => false,
        Said::Is(Comparison { value, test, .. }) => {
            let is_own = |said: &Scalar| {
                matches!(said, Scalar::Literal(_) | Scalar::Property(_) | Scalar::Context(_))
            };
            is_own(value)
                && match test {
                    Test::Equals(one) | Test::Differs(one) => is_own(one),
                    Test::GreaterThan(one) | Test::AtLeast(one) => is_own(one),
                    Test::LessThan(one) | Test::AtMost(one) => is_own(one),
                    Test::Omits(one) | Test::StartsWith(one) | Test::EndsWith(one) => is_own(one),
                    Test::BeforeDate(one) | Test::AfterDate(one) => is_own(one),
                    Test::Contains(list) => list.iter().all(is_own),
                    Test::Absent | Test::Exists | Test::OneOf(_) | Test::NoneOf(_) => true,
                    Test::WithinLast(_) | Test::WithinNext(_) => false,
                    Test::BeforeLast(_) | Test::AfterNext(_) => false,
                }
        }
    }
}

/// Beyond which number of events the answer of a test is always the same.
fn most_that_matters(test: &Test) -> Option<u64> {
    let (said, more) = match test {
        Test::AtLeast(said) | Test::LessThan(said) => (said, 0),
        Test::GreaterThan(said) | Test::AtMost(said) => (said, 1),
        Test::Equals(said) | Test::Differs(said) => (said, 1),
        _ => return None,
    };
    let Scalar::Literal(Literal::Number(text)) = said else { return None };
    let number = u64::try_from(Decimal::parse(text)?.as_whole()?).ok()?;
    number.checked_add(more).filter(|most| *most > 0)
}

/// What is kept of a stream whose events are judged once, and which part of it counts.
fn kept(kind: Kind, window: Option<Window>, most: Option<u64>) -> (Keep, Of) {
    let Some(window) = window else { return (Keep::Total { kind, horizon: None }, Of::Total) };
    match window {
        Window::Within(span) if kind == Kind::Seen => {
            (Keep::Total { kind, horizon: Some(span) }, Of::TotalWithin(span))
        }
        Window::Within(span) if kind == Kind::Last => {
            (Keep::Total { kind, horizon: None }, Of::TotalWithin(span))
        }
        Window::Session(gap) => (Keep::Runs { kind, gap }, Of::Session { gap }),
        Window::Calendar(which, calendar) => {
            (Keep::Periods { kind, calendar: calendar.clone() }, Of::Period { which, calendar })
        }
        Window::Within(_) | Window::Between(..) => {
            // The newest so many decide on "so many within": no older one can.
            let enough = most.filter(|_| matches!(window, Window::Within(_)));
            let enough = enough.and_then(|most| usize::try_from(most).ok());
            let keep = Keep::Elements {
                most: enough.unwrap_or(MOST_ELEMENTS).min(MOST_ELEMENTS),
                horizon: horizon(&window),
            };
            let column = (kind != Kind::Count).then_some(0);
            let window = Some(window);
            let of = Selection { window, behind: None, condition: None, kind, column, most };
            (keep, Of::Elements(of))
        }
    }
}

/// How far back a window reaches, whatever the moment.
fn horizon(window: &Window) -> Option<i64> {
    match window {
        Window::Within(span) | Window::Between(_, span) => Some(*span),
        // Two months and a change of the clocks.
        Window::Calendar(..) => Some(63 * DAY),
        Window::Session(_) => None,
    }
}

/// What an aggregate keeps, of what, and how it is read.
fn reading(aggregate: &Aggregate) -> Result<(Kind, Option<Source>, Read)> {
    let order = |quantity: Quantity| match quantity {
        Quantity::Number => total::Order::Number,
        Quantity::Text | Quantity::List => total::Order::Text,
    };
    let of = |said: &Scalar| source(said).map(Some);
    Ok(match aggregate {
        Aggregate::Count => (Kind::Count, None, Read::Count),
        Aggregate::Sum(said) => (Kind::Sum, of(said)?, Read::Sum),
        Aggregate::Average(said) => (Kind::Sum, of(said)?, Read::Average),
        Aggregate::Min(said, by) => (Kind::Least(order(*by)), of(said)?, Read::Best),
        Aggregate::Max(said, by) => (Kind::Greatest(order(*by)), of(said)?, Read::Best),
        Aggregate::Mode { of: said, kind, at_least } => {
            let mut source = source(said)?;
            source.is_one_list =
                *kind == Some(Quantity::List) && source.steps.contains(&Step::Each);
            (Kind::Counts, Some(source), Read::Mode(u64::from(at_least.unwrap_or(1))))
        }
        Aggregate::First(said) => (Kind::First, of(said)?, Read::Edge),
        Aggregate::Last(said) => (Kind::Last, of(said)?, Read::Edge),
        Aggregate::Unique(said) => (Kind::Seen, of(said)?, Read::Unique),
        Aggregate::UniqueCount(said) => (Kind::Seen, of(said)?, Read::UniqueCount),
    })
}

fn source(said: &Scalar) -> Result<Source> {
    match said {
        Scalar::Property(path) => Ok(Source::of(From::Properties, path)),
        Scalar::Context(path) => Ok(Source::of(From::Context, path)),
        _ => Err(CompileError::NoEvent),
    }
}

impl Source {
    fn of(from: From, path: &Path) -> Self {
        Self { from, steps: path.steps.clone(), is_one_list: false }
    }
}

fn literal(said: &Literal) -> Result<Datum> {
    let text = |text: &str| Value::Text(text.to_owned().into());
    let value = match said {
        Literal::Text(said) => text(said),
        Literal::Number(said) => Decimal::parse(said).map_or_else(|| text(said), Value::Number),
        Literal::Bool(said) => Value::Bool(*said),
        Literal::Time { text: said, .. } => text(said),
    };
    Datum::of(&value).ok_or(CompileError::Value)
}

fn index_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
