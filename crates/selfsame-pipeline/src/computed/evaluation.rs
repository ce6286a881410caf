//! Evaluates definitions of one profile, in the order in which they read each other.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use selfsame_audience::{Evaluated, Plans, Profile, Traits};
use selfsame_event::{Collection, Raw, Time};
use selfsame_expr::Value;
use selfsame_profile::{Limits, Outline, TraitsOf};
use smallvec::SmallVec;

use super::plans::{LivePlan, SpacePlans, admits};
use super::ranks::Ranks;
use super::row::{Held, ValueRow, Values};
use super::wanted::ByEvent;
use super::whole::Portion;
use crate::workspace::DefinitionKind;

/// The traits that events set, of all sections together.
pub(super) struct Custom<'a> {
    /// The packed traits of each.
    sections: SmallVec<[&'a [u8]; 4]>,
    traits: OnceCell<TraitsOf<'a>>,
}

impl<'a> Custom<'a> {
    pub(super) fn new(sections: &[Outline<'a>]) -> Self {
        Self::of(sections.iter().map(|section| section.traits))
    }

    /// Of sections with these traits.
    fn of(sections: impl Iterator<Item = &'a [u8]>) -> Self {
        Self { sections: sections.collect(), traits: OnceCell::new() }
    }
}

impl Traits for Custom<'_> {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        let all = || TraitsOf::new(self.sections.iter().copied(), &Limits::default());
        self.traits.get_or_init(all).get(key)?.value
    }
}

/// All traits: what definitions come to, then what events set.
struct Known<'k, 'a> {
    plans: &'k SpacePlans,
    values: &'k Values<'k>,
    custom: &'k dyn Traits,
    profile: &'k Profile<'a>,
    traits: &'k Memo<'k>,
}

/// What computed traits come to that were asked for, as JSON.
struct Memo<'k> {
    /// The places of those that may be asked for, in order; all of them without.
    ranks: Option<&'k [usize]>,
    values: SmallVec<[OnceCell<Box<str>>; 8]>,
}

impl<'k> Memo<'k> {
    fn new(ranks: Option<&'k [usize]>, all: usize) -> Self {
        let number = ranks.map_or(all, <[usize]>::len);
        Self { ranks, values: (0..number).map(|_| OnceCell::new()).collect() }
    }

    fn of(&self, rank: usize) -> Option<&OnceCell<Box<str>>> {
        let place = match self.ranks {
            Some(ranks) => ranks.binary_search(&rank).ok()?,
            None => rank,
        };
        self.values.get(place)
    }
}

impl Known<'_, '_> {
    fn evaluate(&self, rank: usize) -> Option<Evaluated> {
        self.plans.evaluate(rank, self.profile, self)
    }
}

impl Traits for Known<'_, '_> {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        let Some(rank) = self.plans.rank_named(key) else { return self.custom.get(key) };
        let plan = self.plans.live.get(rank)?;
        if plan.kind == DefinitionKind::Audience {
            return Some(Raw::trusted(known_text(self.values.get(plan.number), plan)));
        }
        // Whoever reads another one stands behind it, so this ends.
        let json = self.traits.of(rank)?.get_or_init(|| {
            let evaluated = self.evaluate(rank);
            evaluated.map_or_else(|| plan.default.clone(), |one| one.value.json().into())
        });
        Some(Raw::trusted(json))
    }
}

/// The rows of sections.
fn rows<'a>(sections: &[Outline<'a>]) -> SmallVec<[&'a [u8]; 4]> {
    sections.iter().map(|section| section.computed).collect()
}

/// A value that is another one than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The place of the definition.
    pub(crate) rank: usize,
    /// What it is now, as JSON.
    pub(crate) value: Box<str>,
}

/// What a definition that is none yet comes to for a profile.
pub(crate) fn value_of(
    plans: &Plans,
    rows: &[&[u8]],
    others: &SpacePlans,
    values: &Values<'_>,
    sections: &[Outline<'_>],
    now: Time,
) -> Option<Evaluated> {
    with_traits(others, values, sections, now, |known| plans.profile(rows, now).evaluate(0, known))
}

/// Shows all traits of a profile.
pub(crate) fn with_traits<T>(
    others: &SpacePlans,
    values: &Values<'_>,
    sections: &[Outline<'_>],
    now: Time,
    read: impl FnOnce(&dyn Traits) -> T,
) -> T {
    let own_rows = rows(sections);
    let (profile, custom) = (others.plans.profile(&own_rows, now), Custom::new(sections));
    let (profile, traits) = (&profile, &Memo::new(None, others.live.len()));
    read(&Known { plans: others, values, custom: &custom, profile, traits })
}

/// What definitions come to that are traits in force, by their numbers.
pub(crate) fn traits_of(
    plans: &SpacePlans,
    values: &Values<'_>,
    sections: &[Outline<'_>],
    now: Time,
) -> BTreeMap<u32, Evaluated> {
    let rows = rows(sections);
    let (profile, custom) = (plans.plans.profile(&rows, now), Custom::new(sections));
    let (profile, traits) = (&profile, &Memo::new(None, plans.live.len()));
    let known = Known { plans, values, custom: &custom, profile, traits };
    let live = plans.live.iter().enumerate();
    let is_trait = |plan: &LivePlan| {
        plan.kind == DefinitionKind::ComputedTrait && plan.collection == Collection::Users
    };
    let traits = live.filter(|(_, plan)| is_trait(plan));
    traits.filter_map(|(rank, plan)| Some((plan.number, known.evaluate(rank)?))).collect()
}

/// Evaluates definitions, and those that read them where they changed.
pub(crate) fn evaluate(
    plans: &SpacePlans,
    wanted: Ranks,
    values: &mut Values<'_>,
    sections: &[Outline<'_>],
    now: Time,
) -> Vec<Changed> {
    let portions: SmallVec<[Portion<'_>; 4]> = sections.iter().map(Portion::from).collect();
    evaluate_by(plans, wanted, values, &portions, (now, None))
}

/// The same because of an event.
pub(super) fn evaluate_by(
    plans: &SpacePlans,
    mut wanted: Ranks,
    values: &mut Values<'_>,
    sections: &[Portion<'_>],
    (now, by): (Time, Option<&ByEvent>),
) -> Vec<Changed> {
    let custom = Custom::of(sections.iter().map(|section| section.traits));
    let profile = &plans.plans.profile_of(sections.iter().map(|section| section.keeps), now);
    let traits = &Memo::new(Some(&plans.read_traits), 0);
    let (mut changes, mut json) = (Vec::new(), String::new());
    // Those that read something that is another one now.
    let mut anew = by.map_or_else(Ranks::default, |event| event.by_trait);
    let happened = by.map(|event| event.happened);
    // Whoever reads another one stands behind it.
    while let Some(rank) = wanted.pop_first() {
        let Some(plan) = plans.live.get(rank) else { continue };
        let known = Known { plans, values, custom: &custom, profile, traits };
        let was = values.get(plan.number);
        let is_out = was.is_none_or(|was| !matches!(was.held, Held::In(_)) && !was.is_approximate);
        let is_by_one = is_out && plans.made_by_one.has(rank) && plans.walked.has(rank);
        let is_admitted = admits(plan.filter.as_ref(), &values.kinds);
        let by = happened.filter(|_| is_by_one && is_admitted && !anew.has(rank));
        let evaluated = match by {
            _ if !is_admitted => Some(Evaluated::nobody()),
            Some(by) => plans.evaluate_by(rank, profile, &known, by),
            None => known.evaluate(rank),
        };
        let Some(Evaluated { value, until, is_approximate }) = evaluated else { continue };
        // A moment that has come is over.
        let mut until = until.map(|until| until.max(now.plus_micros(1)));
        if by.is_some() {
            // Of other events, it is what it was.
            let before = was.and_then(|was| was.until);
            until = until.into_iter().chain(before).min();
        }
        let held = match plan.kind {
            DefinitionKind::Audience => membership(value.value() == Value::Bool(true), was, now),
            DefinitionKind::ComputedTrait => {
                json.clear();
                value.push_json(&mut json);
                if json == *plan.default { Held::Default } else { Held::Json(&json) }
            }
        };
        let row = ValueRow { number: plan.number, held, until, is_approximate };
        let nothing = ValueRow { held: Held::Default, until: None, is_approximate: false, ..row };
        let was = was.unwrap_or(nothing);
        // A moment that comes too early is as good, and need not be written again.
        let is_early = was
            .until
            .is_some_and(|known| known > now && row.until.is_none_or(|until| known <= until));
        let known = ValueRow { until: if is_early { was.until } else { row.until }, ..row };
        if known == was {
            continue;
        }
        if row.held != was.held {
            wanted.extend(plans.readers_of(rank));
            anew.extend(plans.readers_of(rank));
            changes.push(Changed { rank, value: known_text(Some(row), plan).into() });
        }
        values.set(&row);
    }
    changes
}

/// What a definition came to before, as JSON. Nobody is in an audience before having entered it.
pub(crate) fn known_text<'a>(row: Option<ValueRow<'a>>, plan: &'a LivePlan) -> &'a str {
    match row.map(|row| row.held) {
        Some(Held::In(_)) => "true",
        Some(Held::Out(_)) => "false",
        Some(Held::Json(json)) => json,
        Some(Held::Default) | None if plan.kind == DefinitionKind::Audience => "false",
        Some(Held::Default) | None => &plan.default,
    }
}

/// Since when somebody is in an audience, or is no longer.
pub(super) fn membership(is_in: bool, was: Option<ValueRow<'_>>, now: Time) -> Held<'static> {
    match (is_in, was.map(|row| row.held)) {
        (true, Some(Held::In(since))) => Held::In(since),
        (true, _) => Held::In(now),
        (false, Some(Held::In(_))) => Held::Out(now),
        (false, Some(Held::Out(since))) => Held::Out(since),
        (false, _) => Held::Default,
    }
}
