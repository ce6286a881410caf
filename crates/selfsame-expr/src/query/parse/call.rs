//! Functions behind a point, with what stands in their brackets.

use super::{Parser, Read};
use crate::fault::quoted;
use crate::query::ast::{
    Aggregate, Calendar, Filter, Literal, Period, Quantity, Relative, Scalar, Span, Test, Unit,
    Which,
};
use crate::query::lex::Token;
use crate::query::names;

impl Parser<'_> {
    pub(super) fn filter(&mut self, name: &str) -> Read<Filter> {
        self.take()?;
        match name {
            "where" => return self.where_filter(),
            "sources" => return self.sources(),
            _ => self.expect("(")?,
        }
        let filter = match name {
            "within" => {
                let relative = self.relative()?;
                Filter::Within { span: self.span()?, relative }
            }
            "between" => {
                let relative = self.relative()?;
                let from = self.span()?;
                self.expect(",")?;
                Filter::Between { from, to: self.span()?, relative }
            }
            "expires_after" => Filter::ExpiresAfter(self.span()?),
            _ => {
                let which = if name == "this" { Which::This } else { Which::Previous };
                let period = self.period()?;
                let zone = if self.takes(",")? { Some(self.name()?) } else { None };
                Filter::Calendar(Calendar { which, period, zone })
            }
        };
        self.expect(")")?;
        Ok(filter)
    }

    /// The condition may stand in braces.
    fn where_filter(&mut self) -> Read<Filter> {
        self.deeper(|parser| {
            parser.expect("(")?;
            let braces = parser.takes("{")?;
            let condition = parser.condition()?;
            for (closes, symbol) in [(braces, "}"), (true, ")")] {
                if closes && !parser.takes(symbol)? {
                    let expected = format!("`AND`, `OR` or {}", quoted(symbol));
                    return Err(parser.unexpected(expected));
                }
            }
            Ok(Filter::Where(condition))
        })
    }

    /// `({exclude: ['a', 'b']})`; the square brackets may be left out.
    fn sources(&mut self) -> Read<Filter> {
        self.expect("(")?;
        self.expect("{")?;
        if !matches!(self.token, Token::Word("exclude") | Token::Text("exclude")) {
            return Err(self.unexpected("`exclude`"));
        }
        self.take()?;
        self.expect(":")?;
        let exclude = self.list(Self::name)?;
        self.expect("}")?;
        self.expect(")")?;
        Ok(Filter::Sources { exclude })
    }

    /// One value or more, perhaps in square brackets.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let brackets = self.takes("[")?;
        let mut values = vec![one(self)?];
        while self.takes(",")? {
            values.push(one(self)?);
        }
        if brackets {
            self.expect("]")?;
        }
        Ok(values)
    }

    fn relative(&mut self) -> Read<Relative> {
        Ok(if self.takes_parent()? { Relative::Parent } else { Relative::Now })
    }

    fn span(&mut self) -> Read<Span> {
        let expected = "a length of time, such as `7 days`";
        let Token::Number(number) = self.token else { return Err(self.unexpected(expected)) };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a whole number of seconds, minutes, hours, days or weeks"));
        }
        let count = number.parse().map_err(|_| self.unexpected("a smaller number"))?;
        self.take()?;
        let expected = "`seconds`, `minutes`, `hours`, `days` or `weeks`";
        let Token::Word(word) = self.token else { return Err(self.unexpected(expected)) };
        let lower = word.to_ascii_lowercase();
        let unit = match lower.strip_suffix('s').unwrap_or(&lower) {
            "second" => Unit::Second,
            "minute" => Unit::Minute,
            "hour" => Unit::Hour,
            "day" => Unit::Day,
            "week" => Unit::Week,
            "month" | "year" => {
                return Err(
                    self.unexpected(format!("{expected}: other units have no fixed length"))
                );
            }
            _ => return Err(self.unexpected(expected).suggest(word, names::UNITS)),
        };
        self.take()?;
        Ok(Span { count, unit })
    }

    fn period(&mut self) -> Read<Period> {
        let expected = "`day`, `week` or `month`";
        let (Token::Word(word) | Token::Text(word)) = self.token else {
            return Err(self.unexpected(expected));
        };
        let period = match word {
            "day" => Period::Day,
            "week" => Period::Week,
            "month" => Period::Month,
            _ => return Err(self.unexpected(expected).suggest(word, ["day", "week", "month"])),
        };
        self.take()?;
        Ok(period)
    }

    pub(super) fn aggregate(&mut self, name: &str) -> Read<Aggregate> {
        self.take()?;
        self.expect("(")?;
        if name == "count" {
            self.expect(")")?;
            return Ok(Aggregate::Count);
        }
        let of = self.reducible()?;
        let aggregate = match name {
            "sum" => Aggregate::Sum(of),
            "avg" => Aggregate::Average(of),
            "min" => Aggregate::Min(of, self.quantity(false)?.unwrap_or(Quantity::Number)),
            "max" => Aggregate::Max(of, self.quantity(false)?.unwrap_or(Quantity::Number)),
            "mode" => {
                let kind = self.quantity(true)?;
                let at_least = if self.takes(",")? { Some(self.times()?) } else { None };
                Aggregate::Mode { of, kind, at_least }
            }
            "first" => Aggregate::First(of),
            "last" => Aggregate::Last(of),
            _ => Aggregate::Unique(of),
        };
        self.expect(")")?;
        match aggregate {
            Aggregate::Unique(of) => self.unique(of),
            other => Ok(other),
        }
    }

    /// What may follow a list: its count, or the end of the definition.
    fn unique(&mut self, of: Scalar) -> Read<Aggregate> {
        if self.takes(".")? {
            if !matches!(self.token, Token::Word("count")) {
                return Err(self.unexpected("`count()`: of a list, only the number can be tested"));
            }
            self.take()?;
            self.expect("(")?;
            self.expect(")")?;
            return Ok(Aggregate::UniqueCount(of));
        }
        if matches!(self.token, Token::Symbol("=" | "==" | "!=" | ">" | ">=" | "<" | "<=")) {
            return Err(self.unexpected("`.count()`: of a list, only the number can be tested"));
        }
        Ok(Aggregate::Unique(of))
    }

    /// What of each event is reduced.
    fn reducible(&mut self) -> Read<Scalar> {
        match self.token {
            Token::Word(word @ ("property" | "context")) => self.extracted(word),
            Token::Word(word) => {
                let expected = "`property('…')` or `context('…')`";
                Err(self.unexpected(expected).suggest(word, ["property", "context"]))
            }
            _ => Err(self.unexpected("`property('…')` or `context('…')`")),
        }
    }

    fn quantity(&mut self, lists: bool) -> Read<Option<Quantity>> {
        if !self.takes_keyword("as")? {
            return Ok(None);
        }
        let quantity = match self.token {
            token if token.is_keyword("number") => Quantity::Number,
            token if token.is_keyword("string") => Quantity::Text,
            token if token.is_keyword("array") && lists => Quantity::List,
            _ if lists => return Err(self.unexpected("`string`, `number` or `array`")),
            _ => return Err(self.unexpected("`number` or `string`")),
        };
        self.take()?;
        Ok(Some(quantity))
    }

    /// How often, at least.
    fn times(&mut self) -> Read<u32> {
        let Token::Number(number) = self.token else {
            return Err(self.unexpected("how many events have to agree, such as 2"));
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let times = number.parse().ok().filter(|_| digits);
        let times = times.ok_or_else(|| self.unexpected("a whole number"))?;
        self.take()?;
        Ok(times)
    }

    pub(super) fn test_by_name(&mut self) -> Read<Test> {
        let Token::Word(name) = self.token else {
            return Err(self.unexpected("the name of a test, such as `exists`"));
        };
        if !names::TESTS.contains(&name) {
            let of_events = names::FILTERS.contains(&name) || names::REDUCERS.contains(&name);
            return Err(if of_events {
                self.unexpected(format!(
                    "a test, such as `exists`: {} works on events, and this is a value",
                    quoted(name)
                ))
            } else {
                let expected = "a test, such as `exists` or `contains`";
                self.unexpected(expected).suggest(name, names::TESTS)
            });
        }
        self.take()?;
        self.expect("(")?;
        let test = match name {
            "absent" => Test::Absent,
            "exists" => Test::Exists,
            "contains" => Test::Contains(self.list(Self::argument)?),
            "one_of" => Test::OneOf(self.list(Self::written)?),
            "none_of" => Test::NoneOf(self.list(Self::written)?),
            "within_last" => Test::WithinLast(self.span()?),
            "within_next" => Test::WithinNext(self.span()?),
            "before_last" => Test::BeforeLast(self.span()?),
            "after_next" => Test::AfterNext(self.span()?),
            _ => compared(name, self.argument()?),
        };
        self.expect(")")?;
        Ok(test)
    }

    fn written(&mut self) -> Read<Literal> {
        match self.literal()? {
            Some(literal) => Ok(literal),
            None => Err(self.unexpected("a text, a number, a date, `true` or `false`")),
        }
    }
}

/// The tests that have one value on the right.
fn compared(name: &str, right: Scalar) -> Test {
    match name {
        "equals" => Test::Equals(right),
        "differs" => Test::Differs(right),
        "greater_than" => Test::GreaterThan(right),
        "at_least" => Test::AtLeast(right),
        "less_than" => Test::LessThan(right),
        "at_most" => Test::AtMost(right),
        "omits" => Test::Omits(right),
        "starts_with" => Test::StartsWith(right),
        "ends_with" => Test::EndsWith(right),
        "before_date" => Test::BeforeDate(right),
        _ => Test::AfterDate(right),
    }
}
