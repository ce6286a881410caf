//! All definitions of a space, compiled together.

use std::collections::BTreeMap;

use selfsame_event::packed::Scratch;
use selfsame_event::{Raw, Time};
use selfsame_expr::{Value, query};

use crate::compile::{CompileError, Compiler};
use crate::datum::Datum;
use crate::elements::{Column, Element};
use crate::evaluate::{Evaluated, Traits, View};
use crate::event::Event;
use crate::plan::{Condition, Operand, Source, Stream};
use crate::row;
use crate::state::State;

/// What a definition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Who is in an audience.
    Audience(query::Condition),
    /// What a computed trait is.
    Trait(query::Scalar),
}

/// A definition, compiled.
#[derive(Debug)]
enum Plan {
    Audience(Condition),
    Trait(Operand),
}

/// The definitions of a space, compiled together: what is kept of an event is kept once for all of them.
#[derive(Debug, Default)]
pub struct Plans {
    streams: Vec<Stream>,
    predicates: Vec<Condition>,
    definitions: Vec<Plan>,
    /// The streams that an event of a name may be in.
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Plans {
    /// Compiles definitions. They keep their places in the list.
    pub fn compile(queries: &[Query]) -> Result<Self, CompileError> {
        let mut compiler = Compiler::default();
        let compiled = queries.iter().map(|query| {
            Ok(match query {
                Query::Audience(condition) => Plan::Audience(compiler.condition(condition)?),
                Query::Trait(value) => Plan::Trait(compiler.value(value)?),
            })
        });
        let definitions = compiled.collect::<Result<_, CompileError>>()?;
        let Compiler { streams, predicates } = compiler;
        let mut by_name = BTreeMap::<String, Vec<usize>>::new();
        for (index, stream) in streams.iter().enumerate() {
            by_name.entry(stream.name.clone()).or_default().push(index);
        }
        Ok(Self { streams, predicates, definitions, by_name })
    }

    /// Folds an event into the row of its section, at that log time. Returns the new row, or nothing
    /// where no definition looks at such an event.
    pub fn fold(&self, row: &[u8], event: &Event<'_>, now: Time) -> Option<Vec<u8>> {
        let streams = self.by_name.get(event.stream_name()?)?;
        let mut met = vec![None; self.predicates.len()];
        let mut meets = |index: usize| {
            let Some(known) = met.get_mut(index) else { return false };
            let condition = self.predicates.get(index);
            let judge = || condition.is_some_and(|condition| View::meets(event, condition));
            *known.get_or_insert_with(judge)
        };
        let mut changed = Vec::new();
        for index in streams {
            let Some(stream) = self.streams.get(*index) else { continue };
            if !stream.predicates.iter().all(|predicate| meets(*predicate)) {
                continue;
            }
            let Some(element) = stream.element(event) else { continue };
            let known = row::part(row, *index).and_then(|part| State::read(stream, part));
            let mut state = known.unwrap_or_else(|| State::new(&stream.keep));
            state.fold(stream, element, now);
            let mut part = Scratch::new();
            state.put(&mut part);
            changed.push((*index, part));
        }
        (!changed.is_empty()).then(|| row::with_parts(row, &changed))
    }

    /// The value of a definition for a profile, whose sections have these rows.
    pub fn evaluate(
        &self,
        definition: usize,
        rows: &[&[u8]],
        traits: &dyn Traits,
        now: Time,
    ) -> Option<Evaluated> {
        let view = View::new(&self.streams, rows, traits, now);
        Some(match self.definitions.get(definition)? {
            Plan::Audience(condition) => view.holds(condition),
            Plan::Trait(value) => view.value(value),
        })
    }
}

impl Stream {
    /// What is kept of an event, if it belongs to the stream. Its name and predicates were looked at.
    fn element(&self, event: &Event<'_>) -> Option<Element> {
        if self.exclude.iter().any(|source| source == event.source) {
            return None;
        }
        let element =
            Element::new(event.when, self.columns.iter().map(|source| source.column(event)));
        let needed = self.needs.and_then(|column| element.columns.get(column));
        needed.is_none_or(|column| column.iter().any(Option::is_some)).then_some(element)
    }
}

impl Source {
    /// What an event has there.
    fn column(&self, event: &Event<'_>) -> Column {
        let mut column = Column::new();
        if !self.is_one_list {
            event.read(self, &mut |value| column.push(Datum::of(&value)));
            return column;
        }
        let mut list = String::new();
        event.read(self, &mut |value| {
            list.push(if list.is_empty() { '[' } else { ',' });
            value.push_json(&mut list);
        });
        if !list.is_empty() {
            list.push(']');
            column.push(Datum::of(&Value::Json(Raw::trusted(&list))));
        }
        column
    }
}
