//! What is raised, since when, who was told, and what is still to be told.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::counts::Counts;
use crate::look::{Looks, Scene, Verdict};
use crate::queue::Queue;
use crate::rule::{Rule, Rules, Severity};
use crate::sample::Sample;

/// How many turns are remembered.
const TURNS: usize = 500;
/// Longer than that between two steps, nobody looked.
const UNWATCHED: i64 = 120;
const DAY: i64 = 86_400;
/// How many silences a rule has; the one that ends first gives way.
const SILENCES: usize = 100;
/// The longest that something raised waits to be cleared because it came back so often.
const LONGEST_CLEAR: i64 = 6 * 3_600;
/// How often the time to clear is doubled at most.
const MOST_DOUBLES: usize = 6;

/// All that has to be kept of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// When it was looked last, in seconds since 1970.
    last: i64,
    /// The number of the newest turn.
    number: u64,
    counts: Counts,
    /// By rule, and by what it is about.
    states: BTreeMap<String, BTreeMap<String, State>>,
    /// Until when a rule is silent, by rule and by what it is about; nothing: all of it.
    silences: BTreeMap<String, BTreeMap<String, i64>>,
    turns: VecDeque<Turn>,
    pub(crate) queue: Queue,
}

/// How a rule is about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// Since when it is bad without an end, while it is not raised.
    bad_since: Option<i64>,
    /// Since when it is good without an end, while it is raised.
    good_since: Option<i64>,
    /// Since when it is raised, in seconds since 1970.
    pub raised_at: Option<i64>,
    /// What was last said of it.
    pub sentence: String,
    /// Whether it was told that it is raised.
    told: bool,
    /// The number of its last turn.
    turn: u64,
    /// When it was raised within the last day.
    raises: Vec<i64>,
}

/// Whether something was raised or cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TurnKind {
    /// It became an alert.
    Raised,
    /// It is none any more.
    Cleared,
}

impl TurnKind {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Cleared => "cleared",
        }
    }
}

/// Something that was raised or cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number, from 1.
    pub number: u64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The id of the rule.
    pub alert: String,
    /// The name of the rule, as it was.
    pub name: String,
    /// The kind of its condition.
    pub condition: String,
    /// What it is about.
    pub subject: String,
    /// Raised or cleared.
    pub kind: TurnKind,
    /// How bad it is.
    pub severity: Severity,
    /// Why.
    pub sentence: String,
    /// What became of telling it, by channel.
    #[serde(default)]
    pub told: BTreeMap<String, Told>,
}

/// What became of telling a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// It is tried, or will be.
    Waiting,
    /// It was taken.
    Sent,
    /// It was given up: why the last attempt failed.
    Failed(String),
}

impl Memory {
    /// Looks at a sample with the rules, and says what turned. The channels are those that there are.
    pub fn step(&mut self, rules: &Rules, channels: &[String], sample: &Sample) -> Vec<Turn> {
        // A clock that was set back is waited for.
        let now = sample.now.micros().div_euclid(1_000_000).max(self.last);
        let unwatched = if self.last == 0 { 0 } else { now - self.last };
        if unwatched > UNWATCHED {
            self.counts.skip(unwatched);
            self.states.values_mut().flat_map(BTreeMap::values_mut).for_each(State::forget);
        }
        self.last = now;
        self.counts.note(now, sample);
        self.silences.values_mut().for_each(|of_rule| of_rule.retain(|_, until| *until > now));
        self.silences.retain(|_, of_rule| !of_rule.is_empty());
        let mut turns = Vec::new();
        let gone: Vec<String> =
            self.states.keys().filter(|id| is_off(rules, id)).cloned().collect();
        for id in gone {
            self.take(
                &id,
                rules.get(&id),
                Vec::new(),
                "the alert was switched off or removed",
                &mut turns,
            );
        }
        for (id, rule) in rules.iter().filter(|(_, rule)| rule.enabled) {
            let scene = Scene { sample, counts: &self.counts, now };
            if let Some(looks) = scene.look(&rule.when) {
                self.take(id, Some(rule), looks, "it is not looked at any more", &mut turns);
            }
        }
        self.tell(rules, channels);
        turns
    }

    /// Takes what a rule found. What it did not look at is over.
    fn take(
        &mut self,
        id: &str,
        rule: Option<&Rule>,
        looks: Looks,
        gone: &str,
        turns: &mut Vec<Turn>,
    ) {
        let now = self.last;
        let mut states = self.states.remove(id).unwrap_or_default();
        let looked: Vec<String> = looks.iter().map(|(subject, _)| subject.clone()).collect();
        let mut turned = Vec::new();
        for (subject, verdict) in looks {
            let state = states.entry(subject.clone()).or_default();
            let Some(rule) = rule else { continue };
            turned.extend(state.turn(rule, verdict, now).map(|kind| (subject, kind)));
        }
        for (subject, state) in &mut states {
            if !looked.contains(subject) && state.raised_at.take().is_some() {
                gone.clone_into(&mut state.sentence);
                turned.push((subject.clone(), TurnKind::Cleared));
            } else if !looked.contains(subject) {
                state.forget();
            }
        }
        for (subject, kind) in turned {
            let Some(state) = states.get_mut(&subject) else { continue };
            self.number += 1;
            state.turn = self.number;
            let turn = Turn {
                number: self.number,
                at: now,
                alert: id.to_owned(),
                name: rule.map_or_else(|| id.to_owned(), |rule| rule.name.clone()),
                condition: rule.map_or_else(String::new, |rule| rule.when.word().to_owned()),
                subject,
                kind,
                severity: rule.map(|rule| rule.severity).unwrap_or_default(),
                sentence: state.sentence.clone(),
                told: BTreeMap::new(),
            };
            self.turns.push_back(turn.clone());
            turns.push(turn);
        }
        let surplus = self.turns.len().saturating_sub(TURNS);
        self.turns.drain(..surplus);
        self.states.insert(id.to_owned(), states);
    }

    /// Has channels told what they have not been told, but what is silenced. What nothing is to be told or
    /// remembered of is forgotten.
    fn tell(&mut self, rules: &Rules, channels: &[String]) {
        let now = self.last;
        for (id, states) in &mut self.states {
            let silences = self.silences.get(id);
            let wanted = rules.get(id).map(|rule| rule.channels.as_slice()).unwrap_or_default();
            let to: Vec<&String> = channels
                .iter()
                .filter(|channel| wanted.is_empty() || wanted.contains(channel))
                .collect();
            for (subject, state) in states.iter_mut() {
                let is_raised = state.raised_at.is_some();
                let is_known = state.told == is_raised || is_silent(silences, subject);
                // Where nobody is to be told, whoever comes later is.
                if is_known || to.is_empty() {
                    continue;
                }
                state.told = is_raised;
                let turn = self.turns.iter_mut().rev().find(|turn| turn.number == state.turn);
                let Some(turn) = turn else { continue };
                for channel in &to {
                    turn.told.insert((*channel).clone(), Told::Waiting);
                    self.queue.push(turn.number, channel, now);
                }
            }
            states.retain(|_, state| state.is_worth_keeping(now));
        }
        self.states.retain(|_, states| !states.is_empty());
        let Self { turns, queue, .. } = self;
        // What a channel is told comes from the turns, and its channel has to be there.
        let is_there = |number: u64| turns.iter().any(|turn| turn.number == number);
        queue.retain(|number, channel| {
            is_there(number) && channels.iter().any(|one| one == channel)
        });
    }

    /// What is raised now, by rule and by what it is about.
    pub fn raised(&self) -> impl Iterator<Item = (&str, &str, &State)> {
        let states = self.states.iter().flat_map(|(id, of_rule)| {
            of_rule.iter().map(move |(subject, state)| (id.as_str(), subject.as_str(), state))
        });
        states.filter(|(_, _, state)| state.raised_at.is_some())
    }

    /// Everything that was raised or cleared and is remembered, the newest first.
    pub fn turns(&self) -> impl Iterator<Item = &Turn> {
        self.turns.iter().rev()
    }

    pub(crate) fn turn_mut(&mut self, number: u64) -> Option<&mut Turn> {
        self.turns.iter_mut().rev().find(|turn| turn.number == number)
    }

    pub(crate) fn turn(&self, number: u64) -> Option<&Turn> {
        self.turns.iter().rev().find(|turn| turn.number == number)
    }

    /// Has nobody told of a rule until then, of one thing or of all that it is about.
    pub fn silence(&mut self, alert: &str, subject: Option<&str>, until_seconds: i64) {
        let of_rule = self.silences.entry(alert.to_owned()).or_default();
        while of_rule.len() >= SILENCES {
            let first = of_rule.iter().min_by_key(|(_, until)| **until);
            let first = first.map(|(subject, _)| subject.clone());
            first.map(|subject| of_rule.remove(&subject));
        }
        of_rule.insert(subject.unwrap_or_default().to_owned(), until_seconds);
    }

    /// Ends silences of a rule: of one thing, or all of them. Whether there were any.
    pub fn unsilence(&mut self, alert: &str, subject: Option<&str>) -> bool {
        match subject {
            None => self.silences.remove(alert).is_some(),
            Some(subject) => {
                let of_rule = self.silences.get_mut(alert);
                of_rule.is_some_and(|of_rule| of_rule.remove(subject).is_some())
            }
        }
    }

    /// The silences of a rule: what about, nothing for all of it, and until when, in seconds since 1970.
    pub fn silences(&self, alert: &str) -> impl Iterator<Item = (&str, i64)> {
        let of_rule = self.silences.get(alert).into_iter().flatten();
        of_rule.map(|(subject, until)| (subject.as_str(), *until))
    }
}

fn is_off(rules: &Rules, id: &str) -> bool {
    rules.get(id).is_none_or(|rule| !rule.enabled)
}

fn is_silent(silences: Option<&BTreeMap<String, i64>>, subject: &str) -> bool {
    silences.is_some_and(|of_rule| of_rule.contains_key("") || of_rule.contains_key(subject))
}

impl State {
    /// What a verdict makes of it.
    fn turn(&mut self, rule: &Rule, verdict: Verdict, now: i64) -> Option<TurnKind> {
        match (self.raised_at, verdict) {
            (None, Verdict::Bad(sentence)) => {
                self.sentence = sentence;
                let since = *self.bad_since.get_or_insert(now);
                if now - since < rule.raise_after.as_seconds() {
                    return None;
                }
                (self.raised_at, self.bad_since, self.good_since) = (Some(now), None, None);
                self.raises.retain(|at| *at > now - DAY);
                self.raises.push(now);
                Some(TurnKind::Raised)
            }
            (None, Verdict::Good | Verdict::Between) => {
                self.bad_since = None;
                None
            }
            (Some(_), Verdict::Bad(sentence)) => {
                self.sentence = sentence;
                self.good_since = None;
                None
            }
            (Some(_), Verdict::Between) => {
                self.good_since = None;
                None
            }
            (Some(raised_at), Verdict::Good) => {
                let since = *self.good_since.get_or_insert(now);
                if now - since < self.clear_after(rule) {
                    return None;
                }
                (self.raised_at, self.good_since) = (None, None);
                self.sentence = format!("it is over, after {}", crate::span::said(now - raised_at));
                Some(TurnKind::Cleared)
            }
        }
    }

    /// For how long it has to be good: twice as long each time that it came back within a day.
    fn clear_after(&self, rule: &Rule) -> i64 {
        let doubles = self.raises.len().saturating_sub(1).min(MOST_DOUBLES);
        let usual = rule.clear_after.as_seconds();
        (usual << doubles).min(LONGEST_CLEAR.max(usual))
    }

    /// What was seen so far says nothing.
    fn forget(&mut self) {
        (self.bad_since, self.good_since) = (None, None);
    }

    fn is_worth_keeping(&self, now: i64) -> bool {
        self.raised_at.is_some()
            || self.told
            || self.bad_since.is_some()
            || self.raises.iter().any(|at| *at > now - DAY)
    }
}

#[cfg(test)]
mod tests;
