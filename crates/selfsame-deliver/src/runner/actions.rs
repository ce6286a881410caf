//! One attempt through a tool: the actions of the connection, one after the other.

use std::collections::BTreeMap;

use super::attempt::{Attempt, Ended};
use crate::feed::Call;
use crate::lane::{Taken, Try};
use crate::outcome::{Outcome, Withheld};
use crate::share::Share;
use crate::told::{Heard, Recipient, Tell, Telling};
use crate::tool::{Carried, Job, Letter};
use crate::webhook;

/// A call and what the tool found in it.
type Opened<'c> = (&'c Call, &'c dyn Letter);

impl Attempt<'_> {
    /// Carries out what is open of an effect. Which actions want it is found at the first attempt, and what
    /// each of them makes of it by what is configured now. The first that has to be tried again ends it.
    pub(super) async fn act(&self, opened: &[Opened<'_>], heard: Heard) -> Ended {
        let mut told: Vec<Tell> = Vec::new();
        let wanted = |found: Share, (_, letter): &Opened<'_>| {
            letter.wanted_by().actions().chain(found.actions()).collect()
        };
        let wanted: Share = opened.iter().fold(Share::WHOLE, wanted);
        let open = if self.send.share.is_whole() { wanted } else { self.send.share };
        if open.is_whole() {
            return Ended::quiet(Outcome::Withheld(Withheld::Unmatched), told);
        }
        let mut tries = BTreeMap::new();
        for opened in opened {
            let (goes_on, tell) = self.carry(opened, open, &mut tries).await;
            let key = opened.0.tells.and_then(|one| heard.key(&one.to));
            if let (Some(key), Some(value)) = (key, tell) {
                let tell = Tell { key, value };
                self.told.note(tell);
                told.push(tell);
            }
            if !goes_on {
                break;
            }
        }
        let has_failed = tries.values().any(is_to_be_tried_again);
        if !has_failed {
            // It was taken apart before, and they do not want it any more.
            for action in open.actions() {
                let unwanted = || self.tried(action, Carried::quiet(UNWANTED), self.clock_now());
                tries.entry(action).or_insert_with(unwanted);
            }
        }
        let outcome = tries.values().last().map_or(Outcome::Postponed, |one| one.outcome);
        let failed = tries.values().find(|one| is_to_be_tried_again(one));
        let outcome = failed.map_or(outcome, |one| one.outcome);
        let taken = Taken { open, tries: tries.into_values().collect() };
        Ended { outcome, note: String::new(), told, taken: Some(taken) }
    }

    /// Carries out the actions of one call. Whether there may be more, and what its recipient knows by now.
    async fn carry(
        &self,
        (call, letter): &Opened<'_>,
        open: Share,
        tries: &mut BTreeMap<u8, Try>,
    ) -> (bool, Option<u64>) {
        let to = call.tells.as_ref().map(|telling| &telling.to);
        let value = call.tells.map(|telling| telling.value);
        let mut knows = true;
        for action in open.actions().filter(|action| letter.wanted_by().has(*action)) {
            let key = self.key(action, to);
            let started = self.clock_now();
            let carried = letter.carry(action, self.job(&key)).await;
            let outcome = carried.outcome;
            let one = self.tried(action, carried, started);
            // Of several recipients the worst counts.
            match tries.get_mut(&action) {
                Some(before) if rank(before.outcome) > rank(outcome) => {}
                Some(before) => *before = one,
                None => drop(tries.insert(action, one)),
            }
            knows &= matches!(outcome, Outcome::Delivered { .. } | Outcome::Withheld(_));
            if tries.get(&action).is_some_and(is_to_be_tried_again) {
                return (false, value.filter(|_| outcome.is_unsure()).map(|_| Telling::UNSURE));
            }
        }
        (true, value.filter(|_| knows))
    }

    /// The idempotency key of an action, and of whom it tells something.
    pub(super) fn key(&self, action: u8, to: Option<&Recipient>) -> String {
        webhook::key_of_action(&self.send.effect.id, self.connection.id, action, to)
    }

    /// What an action is carried out with.
    pub(super) fn job<'j>(&'j self, key: &'j str) -> Job<'j> {
        Job {
            key,
            outbound: &self.parts.outbound,
            allow_loopback: self.connection.allow_loopback,
            timeout: self.connection.timeout,
            clock: &*self.parts.clock,
        }
    }

    pub(super) fn tried(&self, action: u8, carried: Carried, (started, began): Moment) -> Try {
        let took = self.parts.clock.monotonic_micros().saturating_sub(began) / 1_000;
        let took_ms = u32::try_from(took).unwrap_or(u32::MAX);
        Try { action, outcome: carried.outcome, started, took_ms, note: carried.note }
    }

    pub(super) fn clock_now(&self) -> Moment {
        (self.parts.clock.wall(), self.parts.clock.monotonic_micros())
    }
}

/// The time, and that of a clock that nobody sets.
pub(super) type Moment = (selfsame_event::Time, u64);

const UNWANTED: Outcome = Outcome::Withheld(Withheld::Unwanted);

pub(super) fn is_to_be_tried_again(one: &Try) -> bool {
    match one.outcome {
        Outcome::Failed { failure, .. } => !failure.is_final(),
        Outcome::Postponed => true,
        Outcome::Delivered { .. } | Outcome::Withheld(_) => false,
    }
}

/// How bad an outcome is.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Withheld(_) => 0,
        Outcome::Delivered { .. } => 1,
        Outcome::Failed { failure, .. } if failure.is_final() => 2,
        Outcome::Failed { .. } | Outcome::Postponed => 3,
    }
}
