//! All definitions of a space, compiled together.

use std::collections::BTreeMap;

use selfsame_event::Time;
use selfsame_expr::query::{self, Holder};

use crate::accounts::Tally;
use crate::compile::Compiler;
use crate::evaluate::{Evaluated, Traits, View};
use crate::event::Event;
use crate::fault::CompileError;
use crate::glance::{Glance, Named, Wanted};
use crate::loose::Keeps;
use crate::plan::{Condition, Leaf, Of, Operand, Stream, Sway};
use crate::row::{Reading, Rewriting};
use crate::sections::Sections;
use crate::state::{State, add_one};
use crate::when::When;

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
    /// What an event of a name is looked at for.
    by_name: BTreeMap<String, Named>,
    /// What accounts ask of each of their users, and the same compiled.
    of_users: Vec<query::Condition>,
    asked: Vec<Condition>,
    /// What each definition of an account asks of them, by place.
    asks: Vec<Vec<usize>>,
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
    /// Whose it is.
    pub holder: Holder,
    /// The numbers, in the order in which it names the streams.
    pub streams: &'q [u32],
}

/// A profile at a moment, of which several definitions are evaluated: what its sections keep is put
/// together once for all of them.
#[derive(Debug)]
pub struct Profile<'a> {
    plans: &'a Plans,
    sections: Sections<'a>,
}

impl Plans {
    /// Compiles definitions of users. They keep their places in the list.
    ///
    /// # Errors
    ///
    /// The first of them that has no meaning or would keep too much.
    pub fn compile(queries: &[Query]) -> Result<Self, CompileError> {
        Self::numbered(&anew(queries, Holder::Users), &mut 0)
    }

    /// Compiles definitions of accounts. They keep their places in the list. What they ask of users,
    /// under `ANY` and `ALL`, is in [`Self::of_users`].
    ///
    /// # Errors
    ///
    /// The first of them that has no meaning or would keep too much.
    pub fn compile_accounts(queries: &[Query]) -> Result<Self, CompileError> {
        Self::numbered(&anew(queries, Holder::Accounts), &mut 0)
    }

    /// Compiles definitions. They keep their places in the list, and their streams the numbers that they
    /// have; those that have none yet get `next` and the ones behind it. The streams of a definition of
    /// accounts, and of what it asks of their users, are kept in the sections of users.
    ///
    /// # Errors
    ///
    /// The first of them that has no meaning or would keep too much.
    pub fn numbered(numbered: &[Numbered<'_>], next: &mut u32) -> Result<Self, CompileError> {
        let mut compiler = Compiler::default();
        let compiled = numbered.iter().map(|Numbered { query, holder, .. }| {
            Ok(match query {
                Query::Audience(said) => Plan::Audience(compiler.audience(said, *holder)?),
                Query::Trait(value) => Plan::Trait(compiler.computed(value, *holder)?),
            })
        });
        let definitions = compiled.collect::<Result<Vec<_>, CompileError>>()?;
        let Compiler { streams, predicates, of_users, asked, .. } = compiler;
        let asks: Vec<Vec<usize>> = definitions.iter().map(Plan::asked).collect();
        let reads: Vec<Vec<usize>> =
            definitions.iter().zip(&asks).map(|(plan, asks)| plan.streams(asks, &asked)).collect();
        let numbers = numbers(numbered, &reads, streams.len(), next);
        let mut by_name = BTreeMap::<String, Named>::new();
        for (index, (stream, number)) in streams.iter().zip(&numbers).enumerate() {
            by_name.entry(stream.name.clone()).or_default().add(
                (index, *number),
                stream,
                &predicates,
            );
        }
        Ok(Self {
            streams,
            predicates,
            definitions,
            by_name,
            of_users,
            asked,
            asks,
            numbers,
            reads,
        })
    }

    /// The numbers of the streams that a definition reads, in the order in which it names them.
    pub fn streams_of(&self, definition: usize) -> impl Iterator<Item = u32> {
        let reads = self.reads.get(definition).into_iter().flatten();
        reads.filter_map(|index| u32::try_from(*self.numbers.get(*index)?).ok())
    }

    /// What events of each stream that a definition reads may do to it while traits stay as they are, by the number
    /// of the stream.
    pub fn sways(&self, definition: usize) -> Vec<(u32, Sway)> {
        let mut sways: Vec<(u32, Sway)> = Vec::new();
        let mut note = |stream: usize, sway: Sway| {
            let number = self.numbers.get(stream).and_then(|number| u32::try_from(*number).ok());
            let Some(number) = number else { return };
            match sways.iter_mut().find(|(known, _)| *known == number) {
                Some((_, known)) => *known = known.or(sway),
                None => sways.push((number, sway)),
            }
        };
        match self.definitions.get(definition) {
            Some(Plan::Audience(condition)) => condition.each_sway(Sway::BEGINS, &mut note),
            Some(Plan::Trait(value)) => value.each_stream(&mut |stream| note(stream, Sway::ANY)),
            None => {}
        }
        sways
    }

    /// Whether a definition is an audience that nobody enters by an event but by having it, while traits stay as they
    /// are: then [`Profile::evaluate_by`] says the same of who is not in it.
    pub fn is_made_by_one(&self, definition: usize) -> bool {
        self.is_audience(definition, Condition::is_made_by_one)
    }

    /// Whether a definition is a trait that nothing changes but events of its streams: neither other traits nor time.
    pub fn is_of_events(&self, definition: usize) -> bool {
        let plan = self.definitions.get(definition);
        let is_total = |leaf: &Leaf| matches!(leaf.of, Of::Total);
        plan.is_some_and(|plan| matches!(plan, Plan::Trait(Operand::Leaf(leaf)) if is_total(leaf)))
    }

    fn is_audience(&self, definition: usize, is_one: impl Fn(&Condition) -> bool) -> bool {
        let plan = self.definitions.get(definition);
        plan.is_some_and(|plan| matches!(plan, Plan::Audience(condition) if is_one(condition)))
    }

    /// The conditions that definitions of accounts have on users, each once; a [`Tally`] counts for how
    /// many users they hold, by their places here. [`Profile::meets`] asks a user.
    pub fn of_users(&self) -> &[query::Condition] {
        &self.of_users
    }

    /// Which of [`Self::of_users`] a definition of accounts asks.
    pub fn asks(&self, definition: usize) -> &[usize] {
        self.asks.get(definition).map_or(&[], Vec::as_slice)
    }

    /// Folds an event into the row of its section, at that log time. Returns the new row, or nothing
    /// where no definition keeps anything of it.
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
        let mut new = Vec::new();
        self.fold_into(row, event, now, (wants, touched), &mut new).then_some(new)
    }

    /// The same, with the new row put there. Says whether there is one.
    pub fn fold_into(
        &self,
        row: &[u8],
        event: &Event<'_>,
        now: Time,
        (wants, touched): (impl Fn(u32) -> bool, &mut Vec<u32>),
        out: &mut Vec<u8>,
    ) -> bool {
        let mut rewriting = Rewriting::new(row, out);
        let Some(named) = self.named(event) else { return false };
        let mut written = Vec::with_capacity(512);
        self.each_stream(named, event, (wants, touched), |(_, wanted), stream, body| {
            let part = rewriting.part(wanted.number);
            written.clear();
            keep_one(stream, part, (event.when, body), now, &mut written);
            if part != Some(written.as_slice()) {
                rewriting.replace(wanted.number, &written);
            }
        });
        rewriting.done()
    }

    /// What an event of its name is looked at for.
    pub(crate) fn named(&self, event: &Event<'_>) -> Option<&Named> {
        self.by_name.get(event.stream_name()?)
    }

    /// Calls `keep` with every stream of its name that an event belongs to and that is wanted, with its place among
    /// these, and the event's columns; by number.
    pub(crate) fn each_stream(
        &self,
        named: &Named,
        event: &Event<'_>,
        (wants, touched): (impl Fn(u32) -> bool, &mut Vec<u32>),
        mut keep: impl FnMut((usize, &Wanted), &Stream, &[u8]),
    ) {
        let mut glance = Glance::new(named, &self.predicates, event);
        for (place, wanted) in named.streams().iter().enumerate() {
            let Some(stream) = self.streams.get(wanted.stream) else { continue };
            let Ok(number) = u32::try_from(wanted.number) else { continue };
            if !wants(number) || !glance.belongs(wanted, stream) {
                continue;
            }
            touched.push(number);
            keep((place, wanted), stream, &glance.body(wanted));
        }
    }

    /// A row in the form that records have, which is not that of rows: rows may get another one.
    pub fn hand_over(&self, row: &[u8]) -> Vec<u8> {
        let mut handed_over = Vec::new();
        let mut plain = Rewriting::new(&[], &mut handed_over);
        let mut written = Vec::with_capacity(256);
        let mut row = Reading::new(row);
        for (number, stream) in self.by_number() {
            let state = row.part(number).and_then(|part| State::read(stream, part));
            if let Some(state) = state {
                written.clear();
                state.put_plain(stream, &mut written);
                plain.replace(number, &written);
            }
        }
        plain.done();
        handed_over
    }

    fn by_number(&self) -> impl Iterator<Item = (usize, &Stream)> {
        let mut streams: Vec<_> = self.numbers.iter().copied().zip(&self.streams).collect();
        streams.sort_unstable_by_key(|(number, _)| *number);
        streams.into_iter()
    }

    /// The row of a section that keeps what a row and one that was handed over keep, for any division of the events
    /// between them. Streams that no definition reads any more are left out.
    pub fn take_over(&self, row: &[u8], handed_over: &[u8]) -> Vec<u8> {
        let mut taken = Vec::new();
        let mut rewriting = Rewriting::new(&[], &mut taken);
        let mut written = Vec::with_capacity(256);
        let (mut one, mut other) = (Reading::new(row), Reading::new(handed_over));
        for (number, stream) in self.by_number() {
            let [one, two] = [one.part(number), other.part(number)];
            let one = one.and_then(|part| State::read(stream, part));
            let two = two.and_then(|part| State::read_plain(stream, part));
            let state = match (one, two) {
                (Some(mut one), Some(two)) => {
                    one.combine(&stream.keep, two);
                    one
                }
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => continue,
            };
            written.clear();
            state.put(stream, &mut written);
            rewriting.replace(number, &written);
        }
        rewriting.done();
        taken
    }

    /// The value of a definition for a profile, whose sections have these rows.
    pub fn evaluate(
        &self,
        definition: usize,
        rows: &[&[u8]],
        traits: &dyn Traits,
        now: Time,
    ) -> Option<Evaluated> {
        self.profile(rows, now).evaluate(definition, traits)
    }

    /// A profile, whose sections have these rows, at a moment.
    pub fn profile<'a>(&'a self, rows: &[&'a [u8]], now: Time) -> Profile<'a> {
        self.profile_of(rows.iter().copied().map(Keeps::Row), now)
    }

    /// A profile, whose sections keep that, at a moment.
    pub fn profile_of<'a>(
        &'a self,
        sections: impl IntoIterator<Item = Keeps<'a>>,
        now: Time,
    ) -> Profile<'a> {
        let streams = (self.streams.as_slice(), self.numbers.as_slice());
        Profile { plans: self, sections: Sections::new(streams, sections, now) }
    }
}

/// Writes what is kept of a stream with one more event.
pub(crate) fn keep_one<'a>(
    stream: &Stream,
    part: Option<&'a [u8]>,
    own: (When, &'a [u8]),
    now: Time,
    written: &mut Vec<u8>,
) {
    if part.is_some_and(|part| add_one(part, stream, own, now, written)) {
        return;
    }
    written.clear();
    let known = part.and_then(|part| State::read(stream, part));
    let mut state = known.unwrap_or_else(|| State::new(&stream.keep));
    let (when, body) = own;
    state.fold(stream, when, body, now);
    state.put(stream, written);
}

impl Profile<'_> {
    /// The value of a definition.
    pub fn evaluate(&self, definition: usize, traits: &dyn Traits) -> Option<Evaluated> {
        self.evaluated(definition, traits, None)
    }

    /// Whether somebody who is not in an audience enters it by an event of that time. What it says of when
    /// that may change is of this event: what was said before it counts besides.
    pub fn evaluate_by(
        &self,
        definition: usize,
        traits: &dyn Traits,
        event: Time,
    ) -> Option<Evaluated> {
        let view = View::new(&self.sections, traits, None).by(event);
        match self.plans.definitions.get(definition)? {
            Plan::Audience(condition) => Some(view.holds(condition)),
            Plan::Trait(_) => None,
        }
    }

    /// The value of a definition of an account.
    pub fn evaluate_account(
        &self,
        definition: usize,
        traits: &dyn Traits,
        tally: &Tally,
    ) -> Option<Evaluated> {
        self.evaluated(definition, traits, Some(tally))
    }

    /// Whether a user meets one of the conditions that accounts ask.
    pub fn meets(&self, condition: usize, traits: &dyn Traits) -> Option<Evaluated> {
        let condition = self.plans.asked.get(condition)?;
        Some(View::new(&self.sections, traits, None).holds(condition))
    }

    fn evaluated(
        &self,
        definition: usize,
        traits: &dyn Traits,
        tally: Option<&Tally>,
    ) -> Option<Evaluated> {
        let view = View::new(&self.sections, traits, tally);
        Some(match self.plans.definitions.get(definition)? {
            Plan::Audience(condition) => view.holds(condition),
            Plan::Trait(value) => view.value(value),
        })
    }
}

/// Definitions that were never compiled before.
fn anew(queries: &[Query], holder: Holder) -> Vec<Numbered<'_>> {
    queries.iter().map(|query| Numbered { query, holder, streams: &[] }).collect()
}

/// The numbers of streams: those that definitions say, and the next ones for the others.
fn numbers(
    numbered: &[Numbered<'_>],
    reads: &[Vec<usize>],
    streams: usize,
    next: &mut u32,
) -> Vec<usize> {
    let mut numbers = vec![None; streams];
    for (definition, reads) in numbered.iter().zip(reads) {
        for (index, number) in reads.iter().zip(definition.streams) {
            if let Some(place) = numbers.get_mut(*index) {
                *place = usize::try_from(*number).ok();
            }
        }
    }
    let new = |known: Option<usize>| {
        known.unwrap_or_else(|| {
            *next += 1;
            usize::try_from(*next - 1).unwrap_or(usize::MAX)
        })
    };
    numbers.into_iter().map(new).collect()
}

impl Plan {
    /// What it asks of users, each once.
    fn asked(&self) -> Vec<usize> {
        match self {
            Self::Audience(condition) => condition.asked(),
            Self::Trait(_) => Vec::new(),
        }
    }

    /// The streams that it reads, each once, in the order in which it names them; then those of what it
    /// asks of users.
    fn streams(&self, asks: &[usize], asked: &[Condition]) -> Vec<usize> {
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
        for condition in asks.iter().filter_map(|number| asked.get(*number)) {
            condition.each_stream(&mut note);
        }
        streams
    }
}

#[cfg(test)]
mod tests;
