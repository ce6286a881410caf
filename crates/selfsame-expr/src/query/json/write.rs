//! From a definition to JSON.

use serde_json::{Map, Value, json};

use crate::query::ast::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Reduce, Relative, Scalar, Span,
    Subject, Test,
};

impl Condition {
    /// The condition as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::And(parts) => json!({ "and": list(parts, Self::to_json) }),
            Self::Or(parts) => json!({ "or": list(parts, Self::to_json) }),
            Self::Not(part) => json!({ "not": part.to_json() }),
            Self::Any(part) => json!({ "any": part.to_json() }),
            Self::All(part) => json!({ "all": part.to_json() }),
            Self::Is(comparison) => comparison_to_json(comparison),
        }
    }
}

impl Scalar {
    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Literal(literal) => literal_to_json(literal),
            Self::Trait(path) => json!({ "trait": path.to_string() }),
            Self::Property(path) => json!({ "property": path.to_string() }),
            Self::ParentProperty(path) => json!({ "parent_property": path.to_string() }),
            Self::Context(path) => json!({ "context": path.to_string() }),
            Self::Reduced(reduce) => reduce_to_json(reduce),
        }
    }
}

fn list<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    Value::Array(all.iter().map(one).collect())
}

fn comparison_to_json(Comparison { value, test, .. }: &Comparison) -> Value {
    let mut object = Map::new();
    object.insert("value".to_owned(), value.to_json());
    object.insert("test".to_owned(), test.name().into());
    let with = match test {
        Test::Absent | Test::Exists => None,
        Test::Contains(parts) => Some(list(parts, Scalar::to_json)),
        Test::OneOf(values) | Test::NoneOf(values) => Some(list(values, literal_to_json)),
        Test::WithinLast(span)
        | Test::WithinNext(span)
        | Test::BeforeLast(span)
        | Test::AfterNext(span) => Some(span_to_json(*span)),
        other => other.scalars().next().map(Scalar::to_json),
    };
    if let Some(with) = with {
        object.insert("with".to_owned(), with);
    }
    Value::Object(object)
}

/// A number stays the text that was written: programs would round it.
fn literal_to_json(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => json!({ "text": text }),
        Literal::Number(text) => json!({ "number": text }),
        Literal::Bool(truth) => json!({ "bool": truth }),
        Literal::Time { text, .. } => json!({ "time": text }),
    }
}

fn span_to_json(span: Span) -> Value {
    json!({ "count": span.count, "unit": span.unit.name() })
}

fn reduce_to_json(Reduce { stream, aggregate }: &Reduce) -> Value {
    let mut object = Map::new();
    let (kind, name) = match &stream.subject {
        Subject::Event(name) => ("event", name),
        Subject::Entity(slug) => ("entity", slug),
    };
    object.insert(kind.to_owned(), name.as_str().into());
    if !stream.filters.is_empty() {
        object.insert("filters".to_owned(), list(&stream.filters, filter_to_json));
    }
    let name = match aggregate {
        Aggregate::UniqueCount(_) => "unique_count",
        other => other.name(),
    };
    object.insert("reduce".to_owned(), name.into());
    if let Some(of) = aggregate.of() {
        object.insert("of".to_owned(), of.to_json());
    }
    match aggregate {
        Aggregate::Min(_, kind) | Aggregate::Max(_, kind) => {
            object.insert("as".to_owned(), kind.name().into());
        }
        Aggregate::Mode { kind, at_least, .. } => {
            if let Some(kind) = kind {
                object.insert("as".to_owned(), kind.name().into());
            }
            if let Some(times) = at_least {
                object.insert("at_least".to_owned(), (*times).into());
            }
        }
        _ => {}
    }
    Value::Object(object)
}

fn filter_to_json(filter: &Filter) -> Value {
    match filter {
        Filter::Where(condition) => json!({ "where": condition.to_json() }),
        Filter::Sources { exclude } => json!({ "sources": { "exclude": exclude } }),
        Filter::Within { span, relative } => match relative {
            Relative::Now => json!({ "within": span_to_json(*span) }),
            Relative::Parent => json!({ "within_parent": span_to_json(*span) }),
        },
        Filter::Between { from, to, relative } => {
            let spans = [span_to_json(*from), span_to_json(*to)];
            match relative {
                Relative::Now => json!({ "between": spans }),
                Relative::Parent => json!({ "between_parent": spans }),
            }
        }
        Filter::ExpiresAfter(gap) => json!({ "expires_after": span_to_json(*gap) }),
        Filter::Calendar(Calendar { which, period, zone }) => {
            let mut object = Map::new();
            object.insert("period".to_owned(), period.name().into());
            if let Some(zone) = zone {
                object.insert("zone".to_owned(), zone.as_str().into());
            }
            json!({ which.name(): object })
        }
    }
}
