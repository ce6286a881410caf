//! From what a definition says to what is kept and how it is read.

use selfsame_expr::query::{
    Comparison, Condition as Said, Filter, Holder, Literal, Reduce, Relative, Scalar, Subject, Test,
};
use selfsame_expr::{Decimal, Value, query};

use crate::calendar::Calendar;
use crate::datum::Datum;
use crate::demand::{
    MOST_BYTES, MOST_COMPARED, MOST_COMPARED_BYTES, horizon, kept, most_that_matters, reading,
};
use crate::elements::Room;
use crate::fault::CompileError;
use crate::plan::{
    Check, Condition, From, Keep, Leaf, Of, Operand, Order, Quantifier, Read, Selection, Source,
    Stream, Window,
};
use crate::total::Kind;

/// What the checks of the language have refused before it comes to this.
pub(crate) const fn refused() -> CompileError {
    CompileError::Misuse(Vec::new())
}

type Result<T> = std::result::Result<T, CompileError>;

/// Streams and predicates, each once.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    pub(crate) streams: Vec<Stream>,
    pub(crate) predicates: Vec<Condition>,
    /// Conditions on the users of an account.
    pub(crate) of_users: Vec<Said>,
    /// The same, compiled.
    pub(crate) asked: Vec<Condition>,
    /// The streams of the definition at hand.
    used: Vec<usize>,
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
    /// The definition of an audience.
    pub(crate) fn audience(&mut self, said: &Said, holder: Holder) -> Result<Condition> {
        query::check_condition(said, holder).map_err(CompileError::Misuse)?;
        let compiled = self.condition_in(said, &mut Scope::default())?;
        self.ask(&compiled)?;
        self.sized(compiled)
    }

    /// Compiles what a definition of accounts asks of each user. What that keeps counts with the rest.
    fn ask(&mut self, condition: &Condition) -> Result<()> {
        for number in condition.asked() {
            let Some(said) = self.of_users.get(number).cloned() else { continue };
            let compiled = self.condition_in(&said, &mut Scope::default())?;
            if self.asked.len() == number {
                self.asked.push(compiled);
            }
        }
        Ok(())
    }

    /// The definition of a computed trait.
    pub(crate) fn computed(&mut self, said: &Scalar, holder: Holder) -> Result<Operand> {
        query::check_scalar(said, holder).map_err(CompileError::Misuse)?;
        let compiled = self.operand(said, None, &mut Scope::default())?;
        self.sized(compiled)
    }

    /// A definition, unless what it keeps is too much.
    fn sized<T>(&mut self, compiled: T) -> Result<T> {
        self.used.sort_unstable();
        self.used.dedup();
        let streams = self.used.drain(..).filter_map(|index| self.streams.get(index));
        let bytes = streams.map(|stream| stream.keep.most_bytes(stream.columns.len())).sum();
        if bytes > MOST_BYTES { Err(CompileError::Size { bytes }) } else { Ok(compiled) }
    }

    fn condition_in(&mut self, said: &Said, scope: &mut Scope) -> Result<Condition> {
        let mut all = |list: &[Said]| {
            list.iter().map(|one| self.condition_in(one, scope)).collect::<Result<_>>()
        };
        Ok(match said {
            Said::And(list) => Condition::And(all(list)?),
            Said::Or(list) => Condition::Or(all(list)?),
            Said::Not(one) => Condition::Not(Box::new(self.condition_in(one, scope)?)),
            Said::Any(one) => self.users(Quantifier::Any, one),
            Said::All(one) => self.users(Quantifier::All, one),
            Said::Is(Comparison { value, test, .. }) => {
                let most = most_that_matters(test);
                let value = self.operand(value, most, scope)?;
                Condition::Is(value, self.check(test, scope)?)
            }
        })
    }

    /// Of an account: a condition that each user meets or not.
    fn users(&mut self, quantifier: Quantifier, said: &Said) -> Condition {
        Condition::Users(quantifier, index_of(&mut self.of_users, said.clone()))
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
        let Subject::Event(name) = &stream.subject else { return Err(refused()) };
        let mut filters = Filters::of(&stream.filters)?;
        let is_nested = !scope.columns.is_empty();
        if filters.behind.is_some() && !is_nested {
            return Err(refused());
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
        let room = Room { events: MOST_COMPARED, bytes: MOST_COMPARED_BYTES };
        let keep = Keep::Elements { room, horizon };
        let stream = self.stream(Stream { columns, needs, keep, ..stream });
        let Filters { window, behind, .. } = filters;
        let (window, behind) = (window.clone(), *behind);
        let is_made_by_one = condition.as_ref().is_some_and(Condition::is_made_by_one);
        let selection = Selection { window, behind, condition, kind, column, most, is_made_by_one };
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
        let index = index_of(&mut self.streams, stream);
        self.used.push(index);
        index
    }
}

impl Scope {
    fn column(&mut self, depth: usize, source: Source) -> Result<Operand> {
        let levels = self.columns.len();
        let level = levels.checked_sub(depth + 1).and_then(|at| self.columns.get_mut(at));
        Ok(Operand::Column { depth, column: index_of(level.ok_or_else(refused)?, source) })
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
                    sorted.window(Window::Calendar(*which, calendar.ok_or_else(refused)?))?;
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
            Some(_) => Err(refused()),
            None => Ok(()),
        }
    }

    fn behind(&mut self, from: i64, to: i64) -> Result<()> {
        match self.behind.replace((from, to)) {
            Some(_) => Err(refused()),
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
            Self::Users(..) => {}
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

fn literal(said: &Literal) -> Result<Datum> {
    let text = |text: &str| Value::Text(text.to_owned().into());
    let value = match said {
        Literal::Text(said) => text(said),
        Literal::Number(said) => Decimal::parse(said).map_or_else(|| text(said), Value::Number),
        Literal::Bool(said) => Value::Bool(*said),
        Literal::Time { text: said, .. } => text(said),
    };
    let too_long = || CompileError::Value { bytes: value.text().map_or(0, |text| text.len()) };
    Datum::of(&value).ok_or_else(too_long)
}

fn index_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
