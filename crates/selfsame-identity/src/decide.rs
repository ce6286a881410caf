//! Whether profiles may be joined by an event: the limits, what is set apart, and whether the strategy
//! lets two known people become one.
//!
//! What would be joined is judged as it would be afterwards: every identifier of every matched
//! profile, and the new ones. A type is over its limit only if the event would bring a value of it to a
//! profile that did not have it, so a profile that is over a limit that was tightened later still
//! takes its own events.
//!
//! A limit with a window allows so many values in any window of that length that contains the
//! event's time. For events in order that is the window that ends at the event; an event that comes
//! late is counted among what happened around it, not among what came around it.

use std::sync::Arc;

use selfsame_event::{Collection, Time};
use smallvec::SmallVec;

use crate::apart::{Pair, Standing};
use crate::claim::Claim;
use crate::compile::{Rules, Type};
use crate::number::TypeNumber;
use crate::resolution::MetLimit;
use crate::row::{ComponentId, ComponentRow};
use crate::rule::Strategy;
use crate::verdict::Verdict;

/// An identifier on the event, and where it is mapped.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'c> {
    pub(crate) claim: &'c Claim<'c>,
    /// The component that mapped it.
    pub(crate) home: Option<ComponentId>,
    /// The root of that component.
    pub(crate) root: Option<ComponentId>,
    pub(crate) anchored: bool,
    pub(crate) verified: bool,
    /// Whether it is an alias call's `previousId`, which is trusted less than its `userId`.
    pub(crate) is_previous: bool,
    /// Why it takes no part in matching.
    pub(crate) left_out: Option<Verdict>,
    /// Whether the event took it from another profile.
    pub(crate) is_moved: bool,
}

impl Candidate<'_> {
    /// By what identifiers are ordered: the most trusted first.
    pub(crate) fn order(&self) -> (u16, bool, &str) {
        (self.claim.priority, self.is_previous, &self.claim.value)
    }
}

/// A root component and its row.
pub(crate) type Root = (ComponentId, Arc<ComponentRow>);

/// A limit that would be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) verdict: Verdict,
    /// Of limits on a type, that limit.
    pub(crate) limit: Option<MetLimit>,
    /// Of [`Verdict::CannotLink`], the two that are set apart.
    pub(crate) pair: Option<Pair>,
}

/// How many of the identifiers, the most trusted first, may be joined; and for each of the others,
/// the last first, the limit for which it was demoted.
///
/// The least trusted identifier on the event goes first, whichever limit is exceeded. The most trusted
/// one always stays.
pub(crate) fn decide(
    ids: &[Candidate<'_>],
    roots: &[Root],
    at: Time,
    rules: &Rules,
    standing: &Standing,
) -> (usize, SmallVec<[Breach; 2]>) {
    let mut kept = ids.len();
    let mut breaches = SmallVec::new();
    // Known identifiers of one profile add nothing.
    if roots.len() == 1 && ids.iter().all(|id| id.root.is_some()) {
        return (kept, breaches);
    }
    while kept > 1 {
        let limit = breach(&ids[..kept], roots, at, rules);
        let apart = || {
            let pair = standing.breach(&ids[..kept])?;
            Some(Breach { verdict: Verdict::CannotLink, limit: None, pair: Some(pair) })
        };
        let people = || people(&ids[..kept], roots, rules);
        let Some(breach) = limit.or_else(apart).or_else(people) else { break };
        breaches.push(breach);
        kept -= 1;
    }
    (kept, breaches)
}

/// The limit that one more value of a type would exceed.
pub(crate) fn breach_by_one(
    number: TypeNumber,
    profile: &Root,
    at: Time,
    rules: &Rules,
) -> Option<Breach> {
    breach_of(rules.of(number)?, &[profile], 1, at)
}

/// Two known people that joining these would make one, where the strategy forbids it. Accounts are not
/// people.
fn people(ids: &[Candidate<'_>], roots: &[Root], rules: &Rules) -> Option<Breach> {
    if rules.strategy() == Strategy::Merge {
        return None;
    }
    let last = rules.of(ids.last()?.claim.number)?;
    let is_matched = |root: ComponentId| ids.iter().any(|id| id.root == Some(root));
    let known = roots.iter().filter(|(root, row)| is_matched(*root) && row.is_known());
    let is_met = last.collection == Collection::Users && known.count() > 1;
    is_met.then_some(Breach { verdict: Verdict::KnownPeople, limit: None, pair: None })
}

/// The limit that joining these would exceed; of several, that of the most trusted type.
fn breach(ids: &[Candidate<'_>], roots: &[Root], at: Time, rules: &Rules) -> Option<Breach> {
    let matched: SmallVec<[&Root; 2]> =
        roots.iter().filter(|(root, _)| ids.iter().any(|id| id.root == Some(*root))).collect();
    let is_new = |id: &&Candidate<'_>| id.root.is_none();
    rules
        .listed()
        // With one profile only types of new identifiers can gain.
        .filter(|one| {
            matched.len() > 1 || ids.iter().filter(is_new).any(|id| id.claim.number == one.number)
        })
        .find_map(|one| {
            let fresh = ids.iter().filter(is_new).filter(|id| id.claim.number == one.number);
            breach_of(one, &matched, fresh.count(), at)
        })
}

fn breach_of(one: &Type, matched: &[&Root], fresh: usize, at: Time) -> Option<Breach> {
    let limit = usize::try_from(one.limit.count).unwrap_or(usize::MAX);
    let members =
        |root: &Root| root.1.members.iter().filter(|member| member.number == one.number).count();
    let (mut total, mut holders) = (fresh, 0);
    for root in matched {
        let count = members(root);
        total += count;
        holders += usize::from(count > 0);
    }
    let gains = fresh > 0 || holders > 1;
    if total <= limit || !gains {
        return None;
    }
    let verdict = match one.limit.window.micros() {
        None => Verdict::ValueLimit,
        Some(window) if most_in_window(one, matched, fresh, at, window) > limit => {
            Verdict::ValueTimeLimit
        }
        Some(_) => return None,
    };
    let limit = MetLimit { number: one.number, limit: one.limit };
    Some(Breach { verdict, limit: Some(limit), pair: None })
}

/// The most values in any window of that length that contains `at`.
fn most_in_window(one: &Type, matched: &[&Root], fresh: usize, at: Time, window: i64) -> usize {
    let at = at.micros();
    let members = matched.iter().flat_map(|root| &root.1.members);
    let mut times: Vec<i64> = members
        .filter(|member| member.number == one.number)
        .map(|member| member.event_time.micros())
        .filter(|time| (time - at).abs() < window)
        .collect();
    times.extend(std::iter::repeat_n(at, fresh));
    times.sort_unstable();
    // A fullest window can be moved to start at a value, or at the event.
    let starts = times.iter().copied().filter(|time| *time <= at).chain([at]);
    let within = |start: i64| {
        let from = times.partition_point(|time| *time < start);
        times.partition_point(|time| *time < start + window) - from
    };
    starts.map(within).max().unwrap_or(0)
}
