//! One attempt through a tool: the actions of the connection, one after the other.

use std::collections::BTreeMap;

use super::attempt::{Attempt, Ended};
use crate::lane::{Taken, Try};
use crate::outcome::{Outcome, Withheld};
use crate::share::Share;
use crate::told::{Heard, Recipient, Tell, Telling};
use crate::tool::{Carried, Letter};
use crate::webhook;

/// What a call tells whom, and what the tool found in it.
type Opened<'c> = (Option<Telling>, &'c dyn Letter);

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
            let key = opened.0.and_then(|one| heard.key(&one.to));
            if let (Some(key), Some(value)) = (key, tell) {
                let tell = Tell { key, value };
                self.around.told.note(tell);
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
                let unwanted =
                    || self.around.tried(action, Carried::quiet(UNWANTED), self.around.now());
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
        (tells, letter): &Opened<'_>,
        open: Share,
        tries: &mut BTreeMap<u8, Try>,
    ) -> (bool, Option<u64>) {
        let to = tells.as_ref().map(|telling| &telling.to);
        let value = tells.map(|telling| telling.value);
        let mut knows = true;
        for action in open.actions().filter(|action| letter.wanted_by().has(*action)) {
            let key = self.key(action, to);
            let started = self.around.now();
            let carried = letter.carry(action, self.around.job(&key)).await;
            let outcome = carried.outcome;
            let one = self.around.tried(action, carried, started);
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
        webhook::key_of_action(&self.send.effect.id, self.around.connection.id, action, to)
    }
}

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
