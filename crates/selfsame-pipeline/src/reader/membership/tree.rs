//! A definition taken apart: what each of its parts comes to.

use selfsame_audience::{Evaluated, Query, Tally};
use selfsame_event::{Collection, Time};
use selfsame_expr::query::Condition;
use selfsame_profile::Outline;

use super::super::{Found, LookupError, ProfileRef};
use super::look::{Noted, Own, Side, look};
use super::parts::Parts;
use super::{Reason, ReasonKind, Reasons, UserReason};
use crate::computed::{SpacePlans, Values, with_own_traits, with_traits};

/// How many users are named for a condition that an account asks.
const NAMED_USERS: usize = 5;

/// A definition, and what it is read with.
pub(super) struct Whole<'a> {
    pub(super) parts: &'a Parts,
    pub(super) plans: &'a SpacePlans,
    pub(super) now: Time,
}

/// Whose parts are evaluated.
pub(super) enum Subject<'s, 'a> {
    User(&'s Side<'a>),
    Account(&'s Own<'a>, &'s [Side<'a>]),
}

impl Reasons {
    pub(super) fn of(
        query: &Query,
        whole: &Whole<'_>,
        subject: &Subject<'_, '_>,
        (events, is_cut): (u64, bool),
    ) -> Self {
        let mut next = 0;
        let reason = match query {
            Query::Audience(condition) => whole.reason(condition, subject, &mut next),
            Query::Trait(value) => {
                whole.leaf(ReasonKind::Value, value.to_string(), subject, &mut next)
            }
        };
        let value = match query {
            Query::Audience(_) => reason.holds.to_string(),
            Query::Trait(_) => reason.value.clone().unwrap_or_else(|| "null".to_owned()),
        };
        Self { value, reason, events, is_cut, users: None }
    }
}

impl Reasons {
    /// With what an audience asks of identifiers.
    pub(super) fn filtered(mut self, filter: &[String], found: &Found<'_>) -> Self {
        if filter.is_empty() {
            return self;
        }
        let holds = found.external_ids().any(|id| filter.iter().any(|kind| *kind == *id.kind));
        let text = format!("an identifier of the type {}", filter.join(" or "));
        let identifiers = Reason { holds, ..Reason::new(ReasonKind::Identifiers, text) };
        let holds = holds && self.reason.holds;
        let is_approximate = self.reason.is_approximate;
        let text = self.reason.text.clone();
        let parts = vec![identifiers, self.reason];
        self.reason = Reason { holds, is_approximate, parts, ..Reason::new(ReasonKind::And, text) };
        self.value = holds.to_string();
        self
    }
}

impl Found<'_> {
    /// Why a definition comes to what it does for this account, of its users as they are at that moment.
    pub(super) fn reasons_of_account(
        &self,
        query: &Query,
        (parts, plans): (&Parts, &SpacePlans),
        (sections, values): (&[Outline<'_>], Values<'_>),
        now: Time,
    ) -> Result<Reasons, LookupError> {
        let found = self.users()?;
        let (users, _) = found.at(self.read, plans, now);
        let (mut timelines, mut sides) = (Vec::new(), Vec::new());
        for (profile, user) in found.ids().zip(users) {
            let wanted = ProfileRef::Id(profile);
            // One that was merged meanwhile is a part of another one.
            if let Some(found) = self.read.find(Collection::Users, &wanted)? {
                timelines.push(found);
                sides.push(Side::new(profile, user.sections, user.values, parts));
            }
        }
        let timelines: Vec<&Found<'_>> = timelines.iter().collect();
        let noted = vec![Noted::default(); parts.leaves.len()];
        let mut own = Own { sections, values, is_cut: found.is_cut, noted };
        let looked = look((parts, plans), &timelines, &mut sides, Some(&mut own), now)?;
        let whole = Whole { parts, plans, now };
        let mut reasons = Reasons::of(query, &whole, &Subject::Account(&own, &sides), looked);
        reasons.users = Some((count(sides.len()), found.is_cut));
        Ok(reasons)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Whole<'_> {
    /// A part of a condition; `next` is the number of its first comparison, then that behind its last.
    fn reason(&self, condition: &Condition, subject: &Subject<'_, '_>, next: &mut usize) -> Reason {
        let mut parts = |list: &[Condition]| -> Vec<Reason> {
            list.iter().map(|one| self.reason(one, subject, next)).collect()
        };
        let (kind, parts) = match condition {
            Condition::And(list) => (ReasonKind::And, parts(list)),
            Condition::Or(list) => (ReasonKind::Or, parts(list)),
            Condition::Not(one) => (ReasonKind::Not, parts(std::slice::from_ref(one))),
            Condition::Any(one) => {
                return self.asked(ReasonKind::Any, condition, one, subject, next);
            }
            Condition::All(one) => {
                return self.asked(ReasonKind::All, condition, one, subject, next);
            }
            Condition::Is(_) => {
                return self.leaf(ReasonKind::Comparison, condition.to_string(), subject, next);
            }
        };
        let holds = match kind {
            ReasonKind::And => parts.iter().all(|part| part.holds),
            ReasonKind::Or => parts.iter().any(|part| part.holds),
            _ => !parts.iter().any(|part| part.holds),
        };
        let is_approximate = parts.iter().any(|part| part.is_approximate);
        Reason { holds, is_approximate, parts, ..Reason::new(kind, condition.to_string()) }
    }

    /// What an account asks each of its users, with those who decide it.
    fn asked(
        &self,
        kind: ReasonKind,
        condition: &Condition,
        of_each: &Condition,
        subject: &Subject<'_, '_>,
        next: &mut usize,
    ) -> Reason {
        let first = *next;
        *next += comparisons(of_each);
        let reason = Reason::new(kind, condition.to_string());
        let Subject::Account(own, sides) = subject else { return reason };
        let answer = |side: &Side<'_>| UserReason {
            profile: side.profile,
            reason: self.reason(of_each, &Subject::User(side), &mut first.clone()),
        };
        let mut users: Vec<UserReason> = sides.iter().map(answer).collect();
        let holding = users.iter().filter(|user| user.reason.holds).count();
        let holds = match kind {
            ReasonKind::All => holding > 0 && holding == users.len(),
            _ => holding > 0,
        };
        let until = users.iter().filter_map(|user| user.reason.first_moment()).min();
        let is_approximate = own.is_cut || users.iter().any(|user| user.reason.is_approximate);
        users.retain(|user| user.reason.holds == holds);
        users.truncate(NAMED_USERS);
        let holding = Some(count(holding));
        Reason { holds, until, is_approximate, holding, users, ..reason }
    }

    fn leaf(
        &self,
        kind: ReasonKind,
        text: String,
        subject: &Subject<'_, '_>,
        next: &mut usize,
    ) -> Reason {
        let number = *next;
        *next += 1;
        let mut reason = Reason::new(kind, text);
        let Some(leaf) = self.parts.leaves.get(number) else { return reason };
        let test = leaf.test.and_then(|place| self.evaluate(place, subject));
        let value = leaf.value.and_then(|place| self.evaluate(place, subject));
        let evaluated = test.as_ref().or(value.as_ref());
        reason.until = evaluated.and_then(|it| it.until);
        reason.is_approximate = evaluated.is_some_and(|it| it.is_approximate);
        let json = value.map(|it| it.value.json());
        reason.holds = match &test {
            Some(test) => test.value.json() == "true",
            None => json.as_deref().is_some_and(|json| json != "null"),
        };
        reason.value = json;
        let noted = match subject {
            Subject::User(side) => side.noted.get(number),
            Subject::Account(own, _) => {
                reason.is_approximate |= own.is_cut && !leaf.streams.is_empty();
                own.noted.get(number)
            }
        };
        if let Some(noted) = noted {
            (reason.event_count, reason.events) = (noted.count, noted.events.clone());
        }
        reason
    }

    /// What a comparison or its value comes to.
    fn evaluate(&self, place: usize, subject: &Subject<'_, '_>) -> Option<Evaluated> {
        let is_kept = self.parts.is_kept(place);
        let sides = match subject {
            Subject::User(side) => std::slice::from_ref(*side),
            Subject::Account(_, sides) => sides,
        };
        let mut rows: Vec<&[u8]> = Vec::with_capacity(sides.len());
        for side in sides {
            match is_kept {
                true => rows.extend(side.kept.iter().copied()),
                false => rows.push(&side.looked),
            }
        }
        let profile = self.parts.plans.profile(&rows, self.now);
        match subject {
            Subject::User(side) => {
                with_traits(self.plans, &side.values, &side.sections, self.now, |traits| {
                    profile.evaluate(place, traits)
                })
            }
            Subject::Account(own, _) => {
                with_own_traits(self.plans, &own.values, own.sections, |traits| {
                    profile.evaluate_account(place, traits, &Tally::default())
                })
            }
        }
    }
}

impl Reason {
    fn new(kind: ReasonKind, text: String) -> Self {
        Self {
            kind,
            text,
            holds: false,
            value: None,
            until: None,
            is_approximate: false,
            event_count: 0,
            events: Vec::new(),
            parts: Vec::new(),
            holding: None,
            users: Vec::new(),
        }
    }

    /// The first moment at which a part of it may be another one though nothing happens.
    fn first_moment(&self) -> Option<Time> {
        let of_parts = self.parts.iter().filter_map(Self::first_moment);
        of_parts.chain(self.until).min()
    }
}

/// How many comparisons a condition has.
fn comparisons(condition: &Condition) -> usize {
    match condition {
        Condition::And(list) | Condition::Or(list) => list.iter().map(comparisons).sum(),
        Condition::Not(one) | Condition::Any(one) | Condition::All(one) => comparisons(one),
        Condition::Is(_) => 1,
    }
}
