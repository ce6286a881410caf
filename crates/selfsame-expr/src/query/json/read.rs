//! From JSON to a definition.

use std::fmt;

use selfsame_event::Time;
use serde_json::{Map, Value};

use crate::query::ast::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Period, Place, Quantity,
    Reduce, Relative, Scalar, Span, Stream, Subject, Test, Unit, Which,
};
use crate::query::{limits, parse};

/// JSON is no definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Where, as a JSON pointer; empty is the whole.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the whole" } else { &self.pointer };
        write!(f, "at {place}: {}", self.sentence)
    }
}

impl std::error::Error for ReadError {}

type Read<T> = Result<T, ReadError>;

/// Reads the definition of an audience.
///
/// # Errors
///
/// The JSON is no condition.
pub fn condition_from_json(json: &Value) -> Read<Condition> {
    condition(At { json, behind: None, depth: 0 })
}

/// Reads the definition of a computed trait.
///
/// # Errors
///
/// The JSON is no value.
pub fn scalar_from_json(json: &Value) -> Read<Scalar> {
    scalar(At { json, behind: None, depth: 0 })
}

/// A part of the JSON, and the way to it.
#[derive(Clone, Copy)]
struct At<'a> {
    json: &'a Value,
    behind: Option<(&'a Self, Key<'a>)>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Field(&'a str),
    Nth(usize),
}

/// A condition in a `where` of a value of a condition is seven levels further down.
const DEPTH: usize = 8 * (limits::NESTING + 1);

impl<'a> At<'a> {
    fn error(&self, sentence: impl Into<String>) -> ReadError {
        let (mut keys, mut at) = (vec![], self);
        while let Some((outer, key)) = at.behind {
            keys.push(match key {
                // Names that are known have nothing in them that a pointer would escape.
                Key::Field(name) => format!("/{name}"),
                Key::Nth(nth) => format!("/{nth}"),
            });
            at = outer;
        }
        keys.reverse();
        ReadError { pointer: keys.concat(), sentence: sentence.into() }
    }

    fn part(&'a self, json: &'a Value, key: Key<'a>) -> Read<Self> {
        if self.depth == DEPTH {
            return Err(self.error("This is nested too deep."));
        }
        Ok(Self { json, behind: Some((self, key)), depth: self.depth + 1 })
    }

    fn object(&self) -> Read<&'a Map<String, Value>> {
        self.json.as_object().ok_or_else(|| self.error("Write an object here."))
    }

    fn text(&self) -> Read<&'a str> {
        self.json.as_str().ok_or_else(|| self.error("Write a text here."))
    }

    fn number(&self) -> Read<u32> {
        let number = self.json.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| self.error("Write a whole number here, up to 4294967295."))
    }

    fn list<T>(&self, mut one: impl FnMut(At<'_>) -> Read<T>) -> Read<Vec<T>> {
        let all = self.json.as_array().ok_or_else(|| self.error("Write a list here."))?;
        all.iter().enumerate().map(|(nth, json)| one(self.part(json, Key::Nth(nth))?)).collect()
    }

    /// The part under a key that has to be there.
    fn field(&'a self, name: &'a str) -> Read<Self> {
        match self.json.get(name) {
            Some(json) => self.part(json, Key::Field(name)),
            None => Err(self.error(format!("`{name}` is missing."))),
        }
    }

    /// The part under a key, if it is there.
    fn optional(&'a self, name: &'a str) -> Read<Option<Self>> {
        self.json.get(name).map(|json| self.part(json, Key::Field(name))).transpose()
    }

    /// That it has no other keys.
    fn only(&self, names: &[&str]) -> Read<()> {
        match self.object()?.keys().find(|key| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some(other) => {
                let names = names.join("`, `");
                Err(self.error(format!("`{other}` is not known here: there are `{names}`.")))
            }
        }
    }

    /// The one key that says what it is.
    fn kind(&self, names: &[&'static str]) -> Read<&'static str> {
        let object = self.object()?;
        let kind = names.iter().find(|name| object.contains_key(**name));
        kind.copied().ok_or_else(|| {
            self.error(format!("Write an object with one of the keys `{}`.", names.join("`, `")))
        })
    }

    /// One of several names.
    fn one_of<T: Copy>(&self, names: &[(&str, T)]) -> Read<T> {
        let text = self.text()?;
        let found = names.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            self.error(format!("`{text}` is not known here: there are `{}`.", names.join("`, `")))
        })
    }
}

fn condition(at: At<'_>) -> Read<Condition> {
    let kind = at.kind(&["and", "or", "not", "any", "all", "value"])?;
    if kind == "value" {
        return comparison(at).map(Condition::Is);
    }
    at.only(&[kind])?;
    let part = at.field(kind)?;
    let boxed = |part| condition(part).map(Box::new);
    Ok(match kind {
        "and" => Condition::And(part.list(condition)?),
        "or" => Condition::Or(part.list(condition)?),
        "not" => Condition::Not(boxed(part)?),
        "any" => Condition::Any(boxed(part)?),
        _ => Condition::All(boxed(part)?),
    })
}

fn comparison(at: At<'_>) -> Read<Comparison> {
    at.only(&["value", "test", "with"])?;
    let value = scalar(at.field("value")?)?;
    let name = at.field("test")?;
    let test = match name.text()? {
        "absent" | "exists" if at.json.get("with").is_some() => {
            return Err(at.error("This test has nothing to be compared `with`."));
        }
        "absent" => Test::Absent,
        "exists" => Test::Exists,
        "contains" => Test::Contains(at.field("with")?.list(scalar)?),
        "one_of" => Test::OneOf(at.field("with")?.list(literal)?),
        "none_of" => Test::NoneOf(at.field("with")?.list(literal)?),
        "within_last" => Test::WithinLast(span(at.field("with")?)?),
        "within_next" => Test::WithinNext(span(at.field("with")?)?),
        "before_last" => Test::BeforeLast(span(at.field("with")?)?),
        "after_next" => Test::AfterNext(span(at.field("with")?)?),
        _ => {
            let make = name.one_of::<fn(Scalar) -> Test>(&[
                ("equals", Test::Equals),
                ("differs", Test::Differs),
                ("greater_than", Test::GreaterThan),
                ("at_least", Test::AtLeast),
                ("less_than", Test::LessThan),
                ("at_most", Test::AtMost),
                ("omits", Test::Omits),
                ("starts_with", Test::StartsWith),
                ("ends_with", Test::EndsWith),
                ("before_date", Test::BeforeDate),
                ("after_date", Test::AfterDate),
            ])?;
            make(scalar(at.field("with")?)?)
        }
    };
    Ok(Comparison { value, test, place: Place::default() })
}

fn scalar(at: At<'_>) -> Read<Scalar> {
    let kind = at.kind(&[
        "event",
        "entity",
        "trait",
        "property",
        "parent_property",
        "context",
        "text",
        "number",
        "bool",
        "time",
    ])?;
    let make: fn(Path) -> Scalar = match kind {
        "event" | "entity" => return reduce(at, kind).map(|it| Scalar::Reduced(Box::new(it))),
        "trait" => Scalar::Trait,
        "property" => Scalar::Property,
        "parent_property" => Scalar::ParentProperty,
        "context" => Scalar::Context,
        _ => return literal(at).map(Scalar::Literal),
    };
    at.only(&[kind])?;
    let part = at.field(kind)?;
    let steps = parse::path(part.text()?).map_err(|sentence| part.error(sentence))?;
    Ok(make(Path { steps, place: Place::default() }))
}

fn literal(at: At<'_>) -> Read<Literal> {
    let kind = at.kind(&["text", "number", "bool", "time"])?;
    at.only(&[kind])?;
    let part = at.field(kind)?;
    Ok(match kind {
        "text" => Literal::Text(part.text()?.to_owned()),
        "bool" => {
            let truth = part.json.as_bool();
            Literal::Bool(truth.ok_or_else(|| part.error("Write true or false here."))?)
        }
        "time" => {
            let text = part.text()?.to_owned();
            let time = Time::parse(&text).ok_or_else(|| {
                part.error("Write a date as in 2023-12-07, or a time as in 2023-12-07T18:50:00Z.")
            })?;
            Literal::Time { text, time }
        }
        // A number of JSON is taken as it was written.
        _ => match part.json {
            Value::Number(number) => Literal::Number(number.to_string()),
            _ => Literal::Number(part.text()?.to_owned()),
        },
    })
}

fn span(at: At<'_>) -> Read<Span> {
    at.only(&["count", "unit"])?;
    let unit = at.field("unit")?.one_of(&[
        ("second", Unit::Second),
        ("minute", Unit::Minute),
        ("hour", Unit::Hour),
        ("day", Unit::Day),
        ("week", Unit::Week),
    ])?;
    Ok(Span { count: at.field("count")?.number()?, unit })
}

fn reduce(at: At<'_>, kind: &str) -> Read<Reduce> {
    at.only(&[kind, "filters", "reduce", "of", "as", "at_least"])?;
    let name = at.field(kind)?.text()?.to_owned();
    let subject = if kind == "event" { Subject::Event(name) } else { Subject::Entity(name) };
    let filters = match at.optional("filters")? {
        Some(filters) => filters.list(filter)?,
        None => vec![],
    };
    let stream = Stream { subject, filters, place: Place::default() };
    Ok(Reduce { stream, aggregate: aggregate(at)? })
}

fn aggregate(at: At<'_>) -> Read<Aggregate> {
    let reduce = at.field("reduce")?;
    let name = reduce.text()?;
    for (key, names) in [("of", &[][..]), ("as", &["min", "max", "mode"]), ("at_least", &["mode"])]
    {
        let belongs = if key == "of" { name != "count" } else { names.contains(&name) };
        if at.json.get(key).is_some() && !belongs {
            return Err(at.error(format!("`{name}` has no `{key}`.")));
        }
    }
    let kind = match at.optional("as")? {
        None => None,
        Some(kind) => Some(kind.one_of(&[
            ("number", Quantity::Number),
            ("string", Quantity::Text),
            ("array", Quantity::List),
        ])?),
    };
    let of = || scalar(at.field("of")?);
    Ok(match name {
        "count" => Aggregate::Count,
        "min" => Aggregate::Min(of()?, kind.unwrap_or(Quantity::Number)),
        "max" => Aggregate::Max(of()?, kind.unwrap_or(Quantity::Number)),
        "mode" => {
            let at_least = at.optional("at_least")?.map(|times| times.number()).transpose()?;
            Aggregate::Mode { of: of()?, kind, at_least }
        }
        _ => {
            let make = reduce.one_of::<fn(Scalar) -> Aggregate>(&[
                ("sum", Aggregate::Sum),
                ("avg", Aggregate::Average),
                ("first", Aggregate::First),
                ("last", Aggregate::Last),
                ("unique", Aggregate::Unique),
                ("unique_count", Aggregate::UniqueCount),
            ])?;
            make(of()?)
        }
    })
}

fn filter(at: At<'_>) -> Read<Filter> {
    let kind = at.kind(&[
        "where",
        "sources",
        "within",
        "within_parent",
        "between",
        "between_parent",
        "expires_after",
        "this",
        "previous",
    ])?;
    at.only(&[kind])?;
    let part = at.field(kind)?;
    let relative = if kind.ends_with("_parent") { Relative::Parent } else { Relative::Now };
    Ok(match kind {
        "where" => Filter::Where(condition(part)?),
        "sources" => {
            part.only(&["exclude"])?;
            let exclude = part.field("exclude")?.list(|id| id.text().map(str::to_owned))?;
            Filter::Sources { exclude }
        }
        "within" | "within_parent" => Filter::Within { span: span(part)?, relative },
        "between" | "between_parent" => match part.list(span)?[..] {
            [from, to] => Filter::Between { from, to, relative },
            _ => return Err(part.error("Write two lengths of time here, the shorter one first.")),
        },
        "expires_after" => Filter::ExpiresAfter(span(part)?),
        _ => {
            part.only(&["period", "zone"])?;
            let period = part.field("period")?.one_of(&[
                ("day", Period::Day),
                ("week", Period::Week),
                ("month", Period::Month),
            ])?;
            let zone = part.optional("zone")?.map(|zone| zone.text().map(str::to_owned));
            let which = if kind == "this" { Which::This } else { Which::Previous };
            Filter::Calendar(Calendar { which, period, zone: zone.transpose()? })
        }
    })
}
