//! All definitions of a space, compiled together.

use std::collections::BTreeMap;

use selfsame_event::Time;
use selfsame_expr::query::{self, Holder};

use crate::accounts::Tally;
use crate::compile::Compiler;
use crate::evaluate::{Evaluated, Traits, View};
use crate::event::Event;
use crate::fault::CompileError;
use crate::glance::{Glance, Named};
use crate::plan::{Condition, Operand, Stream};
use crate::row::Rewriting;
use crate::sections::Sections;
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
    /// What an event of a name is looked at for.
    by_name: BTreeMap<String, Named>,
    /// What an account asks of each of its users.
    of_users: Vec<query::Condition>,
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
        Self::compiled(queries, Holder::Users)
    }

    /// Compiles definitions of accounts. They keep their places in the list. What they ask of users,
    /// under `ANY` and `ALL`, is in [`Self::of_users`].
    ///
    /// # Errors
    ///
    /// The first of them that has no meaning or would keep too much.
    pub fn compile_accounts(queries: &[Query]) -> Result<Self, CompileError> {
        Self::compiled(queries, Holder::Accounts)
    }

    fn compiled(queries: &[Query], holder: Holder) -> Result<Self, CompileError> {
        let mut compiler = Compiler::default();
        let compiled = queries.iter().map(|query| {
            Ok(match query {
                Query::Audience(condition) => Plan::Audience(compiler.audience(condition, holder)?),
                Query::Trait(value) => Plan::Trait(compiler.computed(value, holder)?),
            })
        });
        let definitions = compiled.collect::<Result<_, CompileError>>()?;
        let Compiler { streams, predicates, of_users, .. } = compiler;
        let mut by_name = BTreeMap::<String, Named>::new();
        for (index, stream) in streams.iter().enumerate() {
            by_name.entry(stream.name.clone()).or_default().add(index, stream, &predicates);
        }
        Ok(Self { streams, predicates, definitions, by_name, of_users })
    }

    /// The conditions that definitions of accounts have on users, each once; a [`Tally`] counts for how
    /// many users they hold, by their places here. Each is compiled and evaluated as an audience among
    /// the definitions of users.
    pub fn of_users(&self) -> &[query::Condition] {
        &self.of_users
    }

    /// Folds an event into the row of its section, at that log time. Returns the new row, or nothing
    /// where no definition keeps anything of it.
    pub fn fold(&self, row: &[u8], event: &Event<'_>, now: Time) -> Option<Vec<u8>> {
        let named = self.by_name.get(event.stream_name()?)?;
        let mut glance = Glance::new(named, &self.predicates, event);
        let mut rewriting = Rewriting::new(row);
        let mut written = Vec::with_capacity(256);
        for wanted in named.streams() {
            let Some(stream) = self.streams.get(wanted.stream) else { continue };
            if !glance.belongs(wanted, stream) {
                continue;
            }
            let body = glance.body(wanted);
            let part = rewriting.part(wanted.stream);
            let known = part.and_then(|part| State::read(stream, part));
            let mut state = known.unwrap_or_else(|| State::new(&stream.keep));
            state.fold(stream, event.when, &body, now);
            written.clear();
            state.put(stream, &mut written);
            if part != Some(written.as_slice()) {
                rewriting.replace(wanted.stream, &written);
            }
        }
        rewriting.done()
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
    pub fn profile<'a>(&'a self, rows: &'a [&'a [u8]], now: Time) -> Profile<'a> {
        Profile { plans: self, sections: Sections::new(&self.streams, rows, now) }
    }
}

impl Profile<'_> {
    /// The value of a definition.
    pub fn evaluate(&self, definition: usize, traits: &dyn Traits) -> Option<Evaluated> {
        self.evaluated(definition, traits, None)
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
