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
    /// The numbers under which rows keep the streams.
    numbers: Vec<usize>,
    /// The streams that each definition reads, in the order in which it names them.
    reads: Vec<Vec<usize>>,
}

/// A definition, with the numbers that its streams had when it was compiled first; none before that.
#[derive(Debug, Clone, Copy)]
pub struct Numbered<'q> {
    /// What it says.
    pub query: &'q Query,
    /// The numbers, in the order in which it names the streams.
    pub streams: &'q [u32],
}

/// A profile at a moment, to be held against definitions.
pub struct Profile<'a> {
    plans: &'a Plans,
    view: View<'a>,
}

impl std::fmt::Debug for Profile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

impl Profile<'_> {
    /// What a definition comes to; nothing if there is no such one.
    pub fn evaluate(&self, definition: usize) -> Option<Evaluated> {
        Some(match self.plans.definitions.get(definition)? {
            Plan::Audience(condition) => self.view.holds(condition),
            Plan::Trait(value) => self.view.value(value),
        })
    }
}

impl Plans {
    /// Compiles definitions. They keep their places in the list, and their streams are numbered anew.
    pub fn compile(queries: &[Query]) -> Result<Self, CompileError> {
        let numbered: Vec<_> =
            queries.iter().map(|query| Numbered { query, streams: &[] }).collect();
        Self::numbered(&numbered, &mut 0)
    }

    /// Compiles definitions. They keep their places in the list, and their streams the numbers that they
    /// have; those that have none yet get `next` and the ones behind it.
    pub fn numbered(definitions: &[Numbered<'_>], next: &mut u32) -> Result<Self, CompileError> {
        let mut compiler = Compiler::default();
        let compiled = definitions.iter().map(|definition| {
            Ok(match definition.query {
                Query::Audience(condition) => Plan::Audience(compiler.condition(condition)?),
                Query::Trait(value) => Plan::Trait(compiler.value(value)?),
            })
        });
        let plans = compiled.collect::<Result<Vec<_>, CompileError>>()?;
        let Compiler { streams, predicates } = compiler;
        let mut by_name = BTreeMap::<String, Vec<usize>>::new();
        for (index, stream) in streams.iter().enumerate() {
            by_name.entry(stream.name.clone()).or_default().push(index);
        }
        let reads: Vec<Vec<usize>> = plans.iter().map(Plan::streams).collect();
        let mut numbers = vec![None; streams.len()];
        for (definition, reads) in definitions.iter().zip(&reads) {
            for (index, number) in reads.iter().zip(definition.streams) {
                if let Some(place) = numbers.get_mut(*index) {
                    *place = usize::try_from(*number).ok();
                }
            }
        }
        let numbers = numbers.into_iter().map(|known| {
            known.unwrap_or_else(|| {
                *next += 1;
                usize::try_from(*next - 1).unwrap_or(usize::MAX)
            })
        });
        let numbers = numbers.collect();
        Ok(Self { streams, predicates, definitions: plans, by_name, numbers, reads })
    }

    /// The numbers of the streams that a definition reads, in the order in which it names them.
    pub fn streams_of(&self, definition: usize) -> impl Iterator<Item = u32> {
        let reads = self.reads.get(definition).into_iter().flatten();
        reads.filter_map(|index| u32::try_from(*self.numbers.get(*index)?).ok())
    }

    /// Folds an event into the row of its section, at that log time. Returns the new row, or nothing
    /// where no definition looks at such an event.
    pub fn fold(&self, row: &[u8], event: &Event<'_>, now: Time) -> Option<Vec<u8>> {
        self.fold_some(row, event, now, |_| true, &mut Vec::new())
    }

    /// The same for those streams alone whose numbers are wanted. Adds the numbers of those that the
    /// event belongs to.
    pub fn fold_some(
        &self,
        row: &[u8],
        event: &Event<'_>,
        now: Time,
        wants: impl Fn(u32) -> bool,
        touched: &mut Vec<u32>,
    ) -> Option<Vec<u8>> {
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
            let Some(place) = self.numbers.get(*index).copied() else { continue };
            let Ok(number) = u32::try_from(place) else { continue };
            if !wants(number) {
                continue;
            }
            if !stream.predicates.iter().all(|predicate| meets(*predicate)) {
                continue;
            }
            let Some(element) = stream.element(event) else { continue };
            let known = row::part(row, place).and_then(|part| State::read(stream, part));
            let mut state = known.unwrap_or_else(|| State::new(&stream.keep));
            state.fold(stream, element, now);
            let mut part = Scratch::new();
            state.put(&mut part);
            changed.push((place, part));
            touched.push(number);
        }
        changed.sort_unstable_by_key(|(place, _)| *place);
        (!changed.is_empty()).then(|| row::with_parts(row, &changed))
    }

    /// The row of a section that keeps what both keep, for any division of its events between them.
    /// Streams that no definition reads any more are left out.
    pub fn combine(&self, row: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = Vec::new();
        for (place, stream) in self.numbers.iter().zip(&self.streams) {
            let read = |row| row::part(row, *place).and_then(|part| State::read(stream, part));
            let state = match (read(row), read(other)) {
                (Some(mut one), Some(two)) => {
                    one.combine(&stream.keep, two);
                    one
                }
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => continue,
            };
            let mut part = Scratch::new();
            state.put(&mut part);
            changed.push((*place, part));
        }
        changed.sort_unstable_by_key(|(place, _)| *place);
        row::with_parts(&[], &changed)
    }

    /// A profile whose sections have these rows, at a moment.
    pub fn profile<'a>(
        &'a self,
        rows: &'a [&'a [u8]],
        traits: &'a dyn Traits,
        now: Time,
    ) -> Profile<'a> {
        Profile { plans: self, view: View::new(&self.streams, &self.numbers, rows, traits, now) }
    }

    /// The value of a definition for a profile, whose sections have these rows.
    pub fn evaluate(
        &self,
        definition: usize,
        rows: &[&[u8]],
        traits: &dyn Traits,
        now: Time,
    ) -> Option<Evaluated> {
        self.profile(rows, traits, now).evaluate(definition)
    }
}

impl Plan {
    /// The streams that it reads, each once, in the order in which it names them.
    fn streams(&self) -> Vec<usize> {
        let mut streams = Vec::new();
        let mut note = |stream| {
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        };
        match self {
            Self::Audience(condition) => condition.each_stream(&mut note),
            Self::Trait(value) => value.each_stream(&mut note),
        }
        streams
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

#[cfg(test)]
mod tests;
