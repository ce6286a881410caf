//! Every part of a definition, once.

use selfsame_expr::query::{
    Aggregate, Calendar, Condition, Filter, Literal, Path, Reduce, Scalar, Span, Test,
};

/// A part of a definition.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    Span(Span),
    Calendar(&'a Calendar),
    Literal(&'a Literal),
    Trait {
        path: &'a Path,
        /// Under `ANY` or `ALL`: a trait of the users.
        of_users: bool,
    },
}

pub(crate) type Visit<'v, 'a> = &'v mut dyn FnMut(Part<'a>);

pub(crate) fn condition<'a>(condition: &'a Condition, of_users: bool, visit: Visit<'_, 'a>) {
    match condition {
        Condition::And(list) | Condition::Or(list) => {
            list.iter().for_each(|one| self::condition(one, of_users, visit));
        }
        Condition::Not(one) => self::condition(one, of_users, visit),
        Condition::Any(one) | Condition::All(one) => self::condition(one, true, visit),
        Condition::Is(comparison) => {
            scalar(&comparison.value, of_users, visit);
            test(&comparison.test, of_users, visit);
        }
    }
}

pub(crate) fn scalar<'a>(scalar: &'a Scalar, of_users: bool, visit: Visit<'_, 'a>) {
    match scalar {
        Scalar::Literal(literal) => visit(Part::Literal(literal)),
        Scalar::Trait(path) => visit(Part::Trait { path, of_users }),
        Scalar::Property(_) | Scalar::ParentProperty(_) | Scalar::Context(_) => {}
        Scalar::Reduced(reduced) => reduce(reduced, of_users, visit),
    }
}

fn test<'a>(test: &'a Test, of_users: bool, visit: Visit<'_, 'a>) {
    match test {
        Test::Equals(x)
        | Test::Differs(x)
        | Test::GreaterThan(x)
        | Test::AtLeast(x)
        | Test::LessThan(x)
        | Test::AtMost(x)
        | Test::Omits(x)
        | Test::StartsWith(x)
        | Test::EndsWith(x)
        | Test::BeforeDate(x)
        | Test::AfterDate(x) => scalar(x, of_users, visit),
        Test::Contains(texts) => texts.iter().for_each(|text| scalar(text, of_users, visit)),
        Test::OneOf(list) | Test::NoneOf(list) => {
            list.iter().for_each(|literal| visit(Part::Literal(literal)));
        }
        Test::WithinLast(span)
        | Test::WithinNext(span)
        | Test::BeforeLast(span)
        | Test::AfterNext(span) => visit(Part::Span(*span)),
        Test::Absent | Test::Exists => {}
    }
}

fn reduce<'a>(reduce: &'a Reduce, of_users: bool, visit: Visit<'_, 'a>) {
    for filter in &reduce.stream.filters {
        match filter {
            Filter::Where(one) => condition(one, of_users, visit),
            Filter::Within { span, .. } | Filter::ExpiresAfter(span) => visit(Part::Span(*span)),
            Filter::Between { from, to, .. } => {
                visit(Part::Span(*from));
                visit(Part::Span(*to));
            }
            Filter::Calendar(calendar) => visit(Part::Calendar(calendar)),
            Filter::Sources { .. } => {}
        }
    }
    match &reduce.aggregate {
        Aggregate::Count => {}
        Aggregate::Sum(of)
        | Aggregate::Average(of)
        | Aggregate::Min(of, _)
        | Aggregate::Max(of, _)
        | Aggregate::Mode { of, .. }
        | Aggregate::First(of)
        | Aggregate::Last(of)
        | Aggregate::Unique(of)
        | Aggregate::UniqueCount(of) => scalar(of, of_users, visit),
    }
}
