//! Compares what definitions come to for the profiles of two graphs over the same events.
//!
//! A profile of one graph was what those of the other one were that hold its identifiers: so who is merged
//! with somebody who is in an audience does not enter it, and who is taken from them leaves it. An account is
//! evaluated of its users as they are in its graph.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use selfsame_event::{Collection, ProfileId, Time};
use selfsame_identity::{ComponentId, ComponentRow, find_root};

use super::diff::{each_profile, graph_of, holders};
use crate::computed::{
    Account, Anchored, LivePlan, SpacePlans, User, Values, evaluate, evaluate_account, known_text,
    outlines, sections_of, traits_of, users_of,
};
use crate::graph::Graph;
use crate::state::{State, StateError};
use crate::workspace::DefinitionKind;

/// How many profiles are named for each kind of change.
const SAMPLES: usize = 10;
/// After how many profiles it is asked whether to go on; an account counts as some of its users.
const ASKED_EVERY: u64 = 1_000;
/// As how many profiles an account counts.
const ACCOUNT: u64 = 50;

/// What would be different of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionDiff {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// How many profiles are in the audience, or have another value than where nothing happened.
    pub before: u64,
    /// How many would be and would have.
    pub after: u64,
    /// Profiles that would be in the audience, of which no part is.
    pub enter: u64,
    /// Profiles that would not be in the audience, of which a part is.
    pub leave: u64,
    /// Profiles that would have another value than some part of theirs.
    pub changed: u64,
    /// Some of those that would enter, leave, or have another value: those with the smallest hash of their id,
    /// so that the same are shown again.
    pub samples: Vec<ProfileChange>,
}

/// A profile for which a definition would come to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChange {
    /// Its id as it would be; as it is, if none of its identifiers would be anybody's.
    pub profile: ProfileId,
    /// What it comes to for those that hold its identifiers, as JSON, in the order of their first one; none
    /// if nobody holds any.
    pub before: Vec<String>,
    /// What it would come to.
    pub after: String,
}

/// What would be different of each definition of a space. Nothing where it is told not to go on.
pub(super) fn compare(
    [before, after]: [&State; 2],
    space: &str,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Vec<DefinitionDiff>>, StateError> {
    let Some(number) = after.meta.workspace.space(space).map(|space| space.number) else {
        return Ok(Some(Vec::new()));
    };
    let sides = [before, after].map(|state| Side::of(state, number));
    let definitions = after.meta.workspace.definitions_of(space);
    let diffs: BTreeMap<u32, _> =
        definitions.map(|one| (one.number, Diff::of(&one.id, one.kind))).collect();
    let mut comparison = Comparison { sides, diffs, looked: 0, goes_on };
    if !comparison.diffs.is_empty() && comparison.run()?.is_break() {
        return Ok(None);
    }
    Ok(Some(comparison.diffs.into_values().map(Diff::finish).collect()))
}

/// One of the two graphs, with what was folded for it.
struct Side<'s> {
    state: &'s State,
    space: u32,
    plans: SpacePlans,
    now: Time,
}

/// What every definition comes to for a profile, as JSON, by its place.
type Texts = Vec<Box<str>>;

impl<'s> Side<'s> {
    fn of(state: &'s State, space: u32) -> Self {
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        Self { state, space, plans: state.plans_awake(slot), now: state.log_time() }
    }

    fn graph(&self) -> Graph<'s> {
        graph_of(self.state, self.space)
    }

    fn texts(&self, of: Collection, row: &ComponentRow) -> Result<Texts, StateError> {
        let sections = sections_of(&self.state.tables, self.space, row)?;
        let mut values = Values::of(row.kinds());
        let mut traits = BTreeMap::new();
        match of {
            Collection::Users => {
                let sections = outlines(sections.iter().map(|(_, section)| section));
                evaluate(&self.plans, self.plans.stored, &mut values, &sections, self.now);
                traits = traits_of(&self.plans, &values, &sections, self.now);
            }
            Collection::Accounts => self.evaluate_account(&sections, &mut values)?,
        }
        let text = |plan: &LivePlan| match traits.get(&plan.number) {
            Some(evaluated) => evaluated.value.json().into(),
            None => known_text(values.get(plan.number), plan).into(),
        };
        Ok(self.plans.live.iter().map(text).collect())
    }

    /// Evaluates an account of users that are evaluated for it.
    fn evaluate_account(
        &self,
        sections: &Anchored,
        values: &mut Values<'_>,
    ) -> Result<(), StateError> {
        let (found, is_cut) = users_of(&self.state.tables, self.space, sections)?;
        let users = found.iter().map(|user| {
            let sections = outlines(user.sections.iter().map(|(_, section)| section));
            let mut values = Values::of(user.kinds.clone());
            evaluate(&self.plans, self.plans.stored, &mut values, &sections, self.now);
            User::new(sections, values)
        });
        let users: Vec<User<'_>> = users.collect();
        let own = outlines(sections.iter().map(|(_, section)| section));
        let account = Account { sections: &own, users: &users, is_cut };
        evaluate_account(&self.plans, values, &account, self.now);
        Ok(())
    }

    fn texts_of(&self, id: ComponentId) -> Result<(ComponentRow, Texts), StateError> {
        let (_, row) = find_root(&mut self.graph(), id)?;
        let row = ComponentRow::clone(&row);
        let texts = self.texts(id.collection(), &row)?;
        Ok((row, texts))
    }
}

struct Comparison<'s, 'g> {
    sides: [Side<'s>; 2],
    diffs: BTreeMap<u32, Diff>,
    looked: u64,
    goes_on: &'g mut dyn FnMut() -> bool,
}

impl Comparison<'_, '_> {
    fn run(&mut self) -> Result<ControlFlow<()>, StateError> {
        let of_accounts = !self.sides[1].plans.accounts.is_empty();
        let collections = [Collection::Users, Collection::Accounts];
        for of in collections.into_iter().take(1 + usize::from(of_accounts)) {
            if self.run_of(of)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn run_of(&mut self, of: Collection) -> Result<ControlFlow<()>, StateError> {
        let [before, after] = [0, 1].map(|side: usize| self.sides[side].state);
        let all = (self.sides[0].space, of);
        // Nobody is looked up in a graph while it is gone through.
        let mut profiles = Vec::new();
        each_profile(after, all, |id, _| {
            profiles.push(id);
            Ok(())
        })?;
        for id in profiles {
            if !self.goes_on(of) {
                return Ok(ControlFlow::Break(()));
            }
            self.look(of, id)?;
        }
        let mut is_stopped = false;
        each_profile(before, all, |_, row| {
            is_stopped = is_stopped || !self.goes_on(of);
            if !is_stopped { self.look_for_gone(of, row) } else { Ok(()) }
        })?;
        Ok(if is_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn goes_on(&mut self, of: Collection) -> bool {
        self.looked += match of {
            Collection::Users => 1,
            Collection::Accounts => ACCOUNT,
        };
        if self.looked < ASKED_EVERY {
            return true;
        }
        self.looked = 0;
        (self.goes_on)()
    }

    /// A profile as it would be, and those that it is made of.
    fn look(&mut self, of: Collection, id: ComponentId) -> Result<(), StateError> {
        let [before, after] = &self.sides;
        let (row, texts) = after.texts_of(id)?;
        let Some(profile) = row.profile() else { return Ok(()) };
        let (mut parts, mut counted) = (Vec::new(), Vec::new());
        for part in holders(&mut before.graph(), &row)? {
            let (row, texts) = before.texts_of(part)?;
            // Of several that a profile would become, the first one counts it.
            let is_first = holders(&mut after.graph(), &row)?.first() == Some(&id);
            parts.push(texts);
            counted.push(is_first);
        }
        for (rank, plan) in after.plans.of(of) {
            let Some(diff) = self.diffs.get_mut(&plan.number) else { continue };
            let other = before.plans.rank_of(plan.number);
            let of_part = |texts: &Texts| other.and_then(|rank| texts.get(rank).cloned());
            let was: Vec<Box<str>> = parts.iter().filter_map(of_part).collect();
            let firsts = was.iter().zip(&counted).filter(|(_, is_first)| **is_first);
            let nothing = known_text(None, plan);
            diff.counts.before += count(firsts.filter(|(text, _)| &***text != nothing).count());
            diff.look(profile, nothing, &was, &texts[rank]);
            diff.counts.after += u64::from(&*texts[rank] != nothing);
        }
        Ok(())
    }

    /// A profile as it is, if nobody would have an identifier of it.
    fn look_for_gone(&mut self, of: Collection, row: &ComponentRow) -> Result<(), StateError> {
        let [before, after] = &self.sides;
        let Some(profile) = row.profile() else { return Ok(()) };
        if !holders(&mut after.graph(), row)?.is_empty() {
            return Ok(());
        }
        let texts = before.texts(of, row)?;
        for (rank, plan) in before.plans.of(of) {
            let Some(diff) = self.diffs.get_mut(&plan.number) else { continue };
            let (was, nothing) = (&texts[rank], known_text(None, plan));
            diff.counts.before += u64::from(&**was != nothing);
            diff.look(profile, nothing, std::slice::from_ref(was), nothing);
        }
        Ok(())
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Profiles with the smallest hashes.
type Few = BTreeMap<(u64, ProfileId), ProfileChange>;

/// What is counted of a definition.
struct Diff {
    counts: DefinitionDiff,
    /// Those that enter or have another value, and those that leave.
    few: [Few; 2],
}

impl Diff {
    fn of(id: &str, kind: DefinitionKind) -> Self {
        let (id, samples) = (id.to_owned(), Vec::new());
        let [before, after, enter, leave, changed] = [0; 5];
        let counts = DefinitionDiff { id, kind, before, after, enter, leave, changed, samples };
        Self { counts, few: [Few::new(), Few::new()] }
    }

    fn look(&mut self, profile: ProfileId, nothing: &str, was: &[Box<str>], is: &str) {
        let is_other = match was {
            [] => is != nothing,
            parts => parts.iter().any(|part| &**part != is),
        };
        if !is_other {
            return;
        }
        let leaves = match self.kind() {
            DefinitionKind::ComputedTrait => {
                self.counts.changed += 1;
                false
            }
            DefinitionKind::Audience if is == "true" => {
                if was.iter().any(|part| &**part == "true") {
                    return;
                }
                self.counts.enter += 1;
                false
            }
            DefinitionKind::Audience => {
                self.counts.leave += 1;
                true
            }
        };
        let hash = profile.to_bytes().last_chunk().copied().unwrap_or_default();
        let few = &mut self.few[usize::from(leaves)];
        let key = (u64::from_le_bytes(hash), profile);
        if few.len() < SAMPLES || few.last_key_value().is_some_and(|(last, _)| key < *last) {
            let before = was.iter().map(|part| part.to_string()).collect();
            few.insert(key, ProfileChange { profile, before, after: is.to_owned() });
            if few.len() > SAMPLES {
                few.pop_last();
            }
        }
    }

    fn kind(&self) -> DefinitionKind {
        self.counts.kind
    }

    fn finish(self) -> DefinitionDiff {
        let samples = self.few.into_iter().flat_map(BTreeMap::into_values).collect();
        DefinitionDiff { samples, ..self.counts }
    }
}
