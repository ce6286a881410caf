//! Why a definition comes to what it does for a profile: each of its comparisons by itself, over the profile's
//! own timeline, with the events that had a part in it.

use selfsame_audience::{Plans, Query, When};
use selfsame_event::{Collection, Time};
use selfsame_expr::query::{Comparison, Condition};
use selfsame_profile::{EntryKey, Order, Outline};

use super::{EventQuery, Found, LookupError, ProfileEvent};
use crate::computed::{SpacePlans, Values, outlines, seen, value_of};
use crate::workspace::Definition;

/// How many events are looked at, the newest.
const EVENTS: usize = 10_000;
const PAGE: usize = 1_000;
/// How many events are named for one comparison, the newest.
const NAMED: usize = 10;

/// Why a definition comes to what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    /// What it comes to now, as JSON.
    pub value: String,
    /// Its condition, or its value, taken apart.
    pub reason: Reason,
    /// How many events were looked at.
    pub events: u64,
    /// Whether there are older ones, which were not.
    pub is_cut: bool,
}

/// One part of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it is.
    pub kind: ReasonKind,
    /// What it says, in the query language.
    pub text: String,
    /// Whether it holds; of a value, whether there is one.
    pub holds: bool,
    /// Of a comparison: what is compared, as JSON.
    pub value: Option<String>,
    /// The first moment at which it may be another one though nothing happens.
    pub until: Option<Time>,
    /// Whether a cap had a part in it.
    pub is_approximate: bool,
    /// How many events it looks at, of those that were looked at.
    pub event_count: u64,
    /// The newest of them.
    pub events: Vec<Counted>,
    /// Its parts.
    pub parts: Vec<Self>,
}

/// What a part of a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonKind {
    /// All parts have to hold.
    And,
    /// One of them has to.
    Or,
    /// Its part must not hold.
    Not,
    /// A comparison.
    Comparison,
    /// A value.
    Value,
}

/// An event that a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its place in the timeline.
    pub key: EntryKey,
    /// Its name.
    pub name: String,
    /// Its message id.
    pub message_id: String,
    /// Whether it makes a difference by itself just now: one that left the window does not.
    pub counts: bool,
}

/// A comparison or a value, compiled for itself.
struct Leaf {
    /// Whether it holds; nothing where it is a value.
    test: Option<Plans>,
    /// What is compared, where that can be computed.
    value: Option<Plans>,
    row: [Vec<u8>; 2],
    count: u64,
    events: Vec<Counted>,
}

/// What does not come from the profile's events.
struct Around<'a> {
    plans: &'a SpacePlans,
    values: &'a Values<'a>,
    sections: &'a [Outline<'a>],
    now: Time,
}

impl Around<'_> {
    fn json(&self, plans: &Plans, row: &[u8]) -> Option<selfsame_audience::Evaluated> {
        value_of(plans, &[row], self.plans, self.values, self.sections, self.now)
    }
}

impl Found<'_> {
    /// Why a definition of users comes to what it does at that moment. Nothing where what it says cannot be
    /// read, or is said of accounts.
    pub fn reasons(
        &self,
        definition: &Definition,
        now: Time,
    ) -> Result<Option<Reasons>, LookupError> {
        let is_of_users = definition.collection == Collection::Users;
        if !is_of_users || self.collection() != Collection::Users {
            return Ok(None);
        }
        let Ok(query) = definition.parsed() else { return Ok(None) };
        let Some(plans) = self.read.view.plans.get(self.read.slot) else { return Ok(None) };
        let key = self.read.in_space(self.id());
        let written = self.read.view.tables.computed.read(&key, <[u8]>::to_vec)?;
        let written = written.unwrap_or_default();
        let mut values = Values::read(&written, &[]).unwrap_or_default();
        let sections = outlines(self.sections.iter().map(|(_, section)| section));
        self.bring_up_to(&mut values, &sections, now);
        let around = Around { plans, values: &values, sections: &sections, now };
        let mut leaves = Vec::new();
        match &query {
            Query::Audience(condition) => collect(condition, &mut leaves),
            Query::Trait(value) => {
                let value = Plans::compile(&[Query::Trait(value.clone())]).ok();
                leaves.push(Leaf::new(None, value));
            }
        }
        let (events, is_cut) = self.look(&mut leaves, &around)?;
        let mut leaves = leaves.into_iter();
        let reason = match &query {
            Query::Audience(condition) => reason(condition, &mut leaves, &around),
            Query::Trait(value) => {
                leaf(ReasonKind::Value, value.to_string(), leaves.next(), &around)
            }
        };
        let value = match &query {
            Query::Audience(_) => reason.holds.to_string(),
            Query::Trait(_) => reason.value.clone().unwrap_or_else(|| "null".to_owned()),
        };
        Ok(Some(Reasons { value, reason, events, is_cut }))
    }

    /// Folds the newest events of the timeline into each comparison by itself.
    fn look(&self, leaves: &mut [Leaf], around: &Around<'_>) -> Result<(u64, bool), LookupError> {
        let mut query = EventQuery::default();
        (query.range.order, query.range.limit) = (Order::NewestFirst, PAGE);
        let mut looked = 0;
        loop {
            let page = self.events(&query)?;
            for event in &page.events {
                looked += 1;
                leaves.iter_mut().for_each(|leaf| leaf.look(self, event, around));
            }
            query.range.behind = page.next;
            if page.next.is_none() || looked >= EVENTS {
                let is_cut = page.next.is_some();
                return Ok((u64::try_from(looked).unwrap_or(u64::MAX), is_cut));
            }
        }
    }
}

impl Leaf {
    fn new(test: Option<Plans>, value: Option<Plans>) -> Self {
        Self { test, value, row: [Vec::new(), Vec::new()], count: 0, events: Vec::new() }
    }

    fn look(&mut self, found: &Found<'_>, event: &ProfileEvent, around: &Around<'_>) {
        let Some(json) = event.json() else { return };
        let of = &json.event;
        let when = When::new(event.time(), event.record().id, event.key.item);
        let seen = seen(of, when, found.read.source_id(event.source()));
        if seen.stream_name().is_none() {
            return;
        }
        let (mut touched, mut counts) = (Vec::new(), false);
        for (plans, row) in [&self.test, &self.value].into_iter().zip(&mut self.row) {
            let Some(plans) = plans else { continue };
            let now = event.record().time;
            if let Some(folded) = plans.fold_some(row, &seen, now, |_| true, &mut touched) {
                *row = folded;
            }
            let alone = plans.fold(&[], &seen, now).unwrap_or_default();
            let [with, without] = [&alone[..], &[]].map(|row| around.json(plans, row));
            counts |= with.map(|it| it.value) != without.map(|it| it.value);
        }
        if touched.is_empty() {
            return;
        }
        self.count += 1;
        if self.events.len() < NAMED {
            let name = json.name().map(|name| name.to_string()).unwrap_or_default();
            let (key, message_id) = (event.key, event.message_id());
            self.events.push(Counted { key, name, message_id, counts });
        }
    }
}

/// The comparisons of a condition, in the order in which it has them.
fn collect(condition: &Condition, leaves: &mut Vec<Leaf>) {
    match condition {
        Condition::And(list) | Condition::Or(list) => {
            list.iter().for_each(|one| collect(one, leaves));
        }
        Condition::Not(one) | Condition::Any(one) | Condition::All(one) => collect(one, leaves),
        Condition::Is(comparison) => {
            let test = Plans::compile(&[Query::Audience(condition.clone())]).ok();
            let Comparison { value, .. } = comparison;
            let value = Plans::compile(&[Query::Trait(value.clone())]).ok();
            leaves.push(Leaf::new(test, value));
        }
    }
}

fn reason(
    condition: &Condition,
    leaves: &mut dyn Iterator<Item = Leaf>,
    around: &Around<'_>,
) -> Reason {
    let mut parts = |list: &[Condition]| -> Vec<Reason> {
        list.iter().map(|one| reason(one, leaves, around)).collect()
    };
    let (kind, parts) = match condition {
        Condition::And(list) => (ReasonKind::And, parts(list)),
        Condition::Or(list) => (ReasonKind::Or, parts(list)),
        Condition::Not(one) | Condition::Any(one) | Condition::All(one) => {
            (ReasonKind::Not, parts(std::slice::from_ref(one)))
        }
        Condition::Is(_) => {
            return leaf(ReasonKind::Comparison, condition.to_string(), leaves.next(), around);
        }
    };
    let holds = match kind {
        ReasonKind::And => parts.iter().all(|part| part.holds),
        ReasonKind::Or => parts.iter().any(|part| part.holds),
        _ => !parts.iter().any(|part| part.holds),
    };
    Reason {
        kind,
        text: condition.to_string(),
        holds,
        value: None,
        until: None,
        is_approximate: parts.iter().any(|part| part.is_approximate),
        event_count: 0,
        events: Vec::new(),
        parts,
    }
}

fn leaf(kind: ReasonKind, text: String, leaf: Option<Leaf>, around: &Around<'_>) -> Reason {
    let mut reason = Reason {
        kind,
        text,
        holds: false,
        value: None,
        until: None,
        is_approximate: false,
        event_count: 0,
        events: Vec::new(),
        parts: Vec::new(),
    };
    let Some(leaf) = leaf else { return reason };
    let test = leaf.test.as_ref().and_then(|plans| around.json(plans, &leaf.row[0]));
    let value = leaf.value.as_ref().and_then(|plans| around.json(plans, &leaf.row[1]));
    let evaluated = test.as_ref().or(value.as_ref());
    reason.until = evaluated.and_then(|it| it.until);
    reason.is_approximate = evaluated.is_some_and(|it| it.is_approximate);
    let json = value.map(|it| it.value.json());
    reason.holds = match &test {
        Some(test) => test.value.json() == "true",
        None => json.as_deref().is_some_and(|json| json != "null"),
    };
    reason.value = json;
    (reason.event_count, reason.events) = (leaf.count, leaf.events);
    reason
}
