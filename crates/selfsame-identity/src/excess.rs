//! What of the rules in force a profile does not keep: rules that came after it, and are stricter than
//! those by which it was made.
//!
//! A limit with a window is looked at in every window of its length. An event is judged only by those
//! that contain it, so a profile that two others became long after may be named here though each of its
//! events kept the rules.

use selfsame_event::IdentifierKey;
use smallvec::SmallVec;

use crate::compile::{Rules, Type};
use crate::number::TypeNumber;
use crate::row::Member;
use crate::rule::{Blocked, Limit, RuleSet};

/// Identifiers of a profile that a rule in force would not let it have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// Their type.
    pub number: TypeNumber,
    /// The limit that they exceed; none where they are blocked.
    pub limit: Option<Limit>,
    /// How many of the type the profile has that are not blocked.
    pub held: usize,
    /// Those over the limit, which are not the earliest; or those that are blocked.
    pub over: Vec<IdentifierKey>,
}

impl Rules {
    /// What a profile has that these rules would not let it have. A profile of nothing but blocked values
    /// joins nobody, and has nothing too much.
    pub fn excess(&self, members: &[Member]) -> Vec<Excess> {
        if members.len() < 2 {
            return Vec::new();
        }
        let is_blocked = |member: &&Member| {
            self.of(member.number).is_some_and(|one| one.blocked.contains(&member.value))
        };
        let mut all = Vec::new();
        let (blocked, others): (Vec<&Member>, Vec<&Member>) = members.iter().partition(is_blocked);
        for one in self.listed() {
            let of = |members: &[&'_ Member]| -> Vec<IdentifierKey> {
                let of_type = members.iter().filter(|member| member.number == one.number);
                of_type.map(|member| member.key).collect()
            };
            let (number, held) = (one.number, of(&others).len());
            let never = of(&blocked);
            if !never.is_empty() && !others.is_empty() {
                all.push(Excess { number, limit: None, held, over: never });
            }
            let over = one.over_limit(&others);
            if !over.is_empty() {
                all.push(Excess { number, limit: Some(one.limit), held, over });
            }
        }
        all
    }
}

impl Type {
    /// The identifiers over the limit: those that are mapped once there are as many as it allows.
    fn over_limit(&self, members: &[&Member]) -> Vec<IdentifierKey> {
        let limit = usize::try_from(self.limit.count).unwrap_or(usize::MAX);
        let mut over = Vec::new();
        let mut kept: SmallVec<[i64; 8]> = SmallVec::new();
        for member in members.iter().filter(|member| member.number == self.number) {
            let time = member.event_time.micros();
            let place = kept.partition_point(|known| *known <= time);
            kept.insert(place, time);
            let most = match self.limit.window.micros() {
                None => kept.len(),
                Some(window) => most_within(&kept, window),
            };
            if most > limit {
                kept.remove(place);
                over.push(member.key);
            }
        }
        over
    }
}

/// The most of these times, which are in order, within any window of that length.
fn most_within(times: &[i64], window: i64) -> usize {
    let within = |(index, start): (usize, &i64)| {
        times.partition_point(|time| *time < start.saturating_add(window)) - index
    };
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

/// A rule that is stricter than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tightened {
    /// A type's limit lets a profile have fewer values, or counts them over a longer time.
    Limit {
        /// The type.
        name: String,
        /// The limit that was.
        from: Limit,
        /// The limit that is.
        to: Limit,
    },
    /// Values are blocked that were not.
    Blocked {
        /// The type; none where they are blocked for all.
        name: Option<String>,
    },
}

impl RuleSet {
    /// What is stricter here than it was there, so that profiles may have more than it lets them.
    pub fn tightened_from(&self, old: &Self) -> Vec<Tightened> {
        let mut all = Vec::new();
        if self.blocked.has_more_than(&old.blocked) {
            all.push(Tightened::Blocked { name: None });
        }
        for rule in &self.types {
            let is_same = |other: &&crate::rule::TypeRule| {
                (other.collection, &other.name) == (rule.collection, &rule.name)
            };
            let Some(was) = old.types.iter().find(is_same) else { continue };
            let (from, to) = (was.limit, rule.limit);
            // `Ever` is the longest of them.
            let micros = |limit: Limit| limit.window.micros().unwrap_or(i64::MAX);
            if to.count < from.count || micros(to) > micros(from) {
                all.push(Tightened::Limit { name: rule.name.clone(), from, to });
            }
            if rule.blocked.has_more_than(&was.blocked) {
                all.push(Tightened::Blocked { name: Some(rule.name.clone()) });
            }
        }
        all
    }
}

impl Blocked {
    fn has_more_than(&self, old: &Self) -> bool {
        let has = |mine: &[String], known: &[String]| mine.iter().any(|one| !known.contains(one));
        has(&self.exact, &old.exact) || has(&self.regex, &old.regex)
    }
}

impl std::fmt::Display for Tightened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |limit: &Limit| match limit.window {
            crate::rule::Window::Ever => limit.count.to_string(),
            window => format!("{} {}", limit.count, window.name()),
        };
        match self {
            Self::Limit { name, from, to } => {
                write!(f, "the limit of {name} from {} to {}", said(from), said(to))
            }
            Self::Blocked { name: Some(name) } => write!(f, "blocked values of {name}"),
            Self::Blocked { name: None } => write!(f, "blocked values"),
        }
    }
}

#[cfg(test)]
mod tests;
