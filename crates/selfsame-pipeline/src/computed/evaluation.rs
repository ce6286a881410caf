//! Evaluates definitions of one profile, in the order in which they read each other.

use std::borrow::Cow;
use std::cell::OnceCell;

use selfsame_audience::{Evaluated, Plans, Traits};
use selfsame_event::{Raw, Time};
use selfsame_profile::{Limits, ProfileView, Section, combine};
use smallvec::SmallVec;

use super::plans::{LivePlan, SpacePlans};
use super::ranks::Ranks;
use super::row::{Held, ValueRow, Values};
use crate::workspace::DefinitionKind;

/// The traits that events set, of all sections together.
pub(crate) struct Custom<'a> {
    sections: &'a [Section],
    combined: OnceCell<ProfileView<'a>>,
}

impl<'a> Custom<'a> {
    pub(crate) fn new(sections: &'a [Section]) -> Self {
        Self { sections, combined: OnceCell::new() }
    }
}

impl Traits for Custom<'_> {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        let combined = self.combined.get_or_init(|| {
            let sections: Vec<&Section> = self.sections.iter().collect();
            combine(&sections, &Limits::default())
        });
        combined.trait_of(key)?.value
    }
}

/// All traits: what definitions came to, then what events set.
pub(super) struct Known<'a> {
    plans: &'a SpacePlans,
    /// Of definitions that were evaluated just now.
    computed: Vec<OnceCell<Box<str>>>,
    values: &'a Values<'a>,
    custom: &'a dyn Traits,
}

impl<'a> Known<'a> {
    /// The traits of a user whose definitions are evaluated.
    pub(super) fn settled(
        plans: &'a SpacePlans,
        values: &'a Values<'a>,
        custom: &'a dyn Traits,
    ) -> Self {
        Self { plans, computed: Vec::new(), values, custom }
    }
}

impl Traits for Known<'_> {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        let Some(rank) = self.plans.rank_named(key) else { return self.custom.get(key) };
        if let Some(json) = self.computed.get(rank).and_then(OnceCell::get) {
            return Some(Raw::trusted(json));
        }
        let plan = self.plans.live.get(rank)?;
        Some(Raw::trusted(known_text(self.values.get(plan.number), plan)))
    }
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
    sections: &[Section],
    now: Time,
) -> Option<Evaluated> {
    let custom = Custom::new(sections);
    let known = Known::settled(others, values, &custom);
    plans.profile(rows, now).evaluate(0, &known)
}

/// Evaluates definitions, and those that read them where they changed.
pub(crate) fn evaluate(
    plans: &SpacePlans,
    mut wanted: Ranks,
    values: &mut Values<'_>,
    sections: &[Section],
    now: Time,
) -> Vec<Changed> {
    let rows: SmallVec<[&[u8]; 4]> = sections.iter().map(Section::computed).collect();
    let custom = Custom::new(sections);
    let (mut changes, mut set) = (Vec::new(), Vec::new());
    let computed =
        if plans.reads_itself() { vec![OnceCell::new(); plans.live.len()] } else { vec![] };
    let known = Known { plans, computed, values, custom: &custom };
    let profile = plans.plans.profile(&rows, now);
    let mut json = String::new();
    // Whoever reads another one stands behind it.
    while let Some(rank) = wanted.pop_first() {
        let Some(plan) = plans.live.get(rank) else { continue };
        let Some(evaluated) = plans.evaluate(rank, &profile, &known) else { continue };
        json.clear();
        evaluated.value.push_json(&mut json);
        let was = values.get(plan.number);
        let is_other = known_text(was, plan) != json;
        if let Some(place) = known.computed.get(rank) {
            place.get_or_init(|| json.as_str().into());
        }
        let Evaluated { until, is_approximate, .. } = evaluated;
        // A moment that has come is over.
        let until = until.map(|until| until.max(now.plus_micros(1)));
        let is_as_before = match was {
            Some(was) => (was.until, was.is_approximate) == (until, is_approximate),
            None => until.is_none() && !is_approximate,
        };
        if is_other {
            wanted.extend(plans.readers_of(rank));
            changes.push(Changed { rank, value: json.as_str().into() });
        } else if is_as_before {
            continue;
        }
        let held = held(plan, was, &json, now);
        set.push(ValueRow { number: plan.number, held, until, is_approximate });
    }
    set.into_iter().for_each(|row| values.set(row));
    changes
}

/// What a definition came to before, as JSON. Nobody is in an audience before having entered it.
pub(crate) fn known_text<'a>(row: Option<&'a ValueRow<'_>>, plan: &'a LivePlan) -> &'a str {
    match row.map(|row| &row.held) {
        Some(Held::In(_)) => "true",
        Some(Held::Out(_)) => "false",
        Some(Held::Json(json)) => json,
        Some(Held::Default) | None if plan.kind == DefinitionKind::Audience => "false",
        Some(Held::Default) | None => &plan.default,
    }
}

pub(super) fn held(
    plan: &LivePlan,
    was: Option<&ValueRow<'_>>,
    json: &str,
    now: Time,
) -> Held<'static> {
    match (plan.kind, json, was.map(|row| &row.held)) {
        (DefinitionKind::Audience, "true", Some(Held::In(since))) => Held::In(*since),
        (DefinitionKind::Audience, "true", _) => Held::In(now),
        (DefinitionKind::Audience, _, Some(Held::In(_))) => Held::Out(now),
        (DefinitionKind::Audience, _, Some(Held::Out(since))) => Held::Out(*since),
        (DefinitionKind::Audience, ..) => Held::Default,
        (DefinitionKind::ComputedTrait, json, _) if json == &*plan.default => Held::Default,
        (DefinitionKind::ComputedTrait, json, _) => Held::Json(Cow::Owned(json.to_owned())),
    }
}
