//! Whose changes there are: profiles that become one person, and what of their values is told to whom.

use super::*;
use crate::feed::Call;
use crate::outcome::Withheld;
use crate::told::Heard;

/// Profiles that have changes. The first two become one at some time, and so on.
pub(super) const CHANGING: u64 = 12;
pub(super) const SUBJECTS: u32 = 2;
pub(super) const CHANGE: u8 = 16;

/// What a change says: one of two values, or every third time that there is nothing any more.
pub(super) fn value(effect: &Effect) -> u64 {
    effect.at.record.offset % 3
}

fn recipient(profile: u8) -> Recipient {
    [profile; 16]
}

fn number(profile: ProfileId) -> u8 {
    profile.to_bytes()[0]
}

/// What there is of an effect's person: what state there is after the first so many effects of the feed.
pub(super) struct State<'a> {
    /// The effects.
    pub(super) folded: &'a [(Time, Effect)],
    /// From which effects on pairs of profiles are one.
    pub(super) joins: &'a [u64],
}

impl State<'_> {
    fn is_joined(&self, profile: u8) -> bool {
        let join = self.joins[usize::from(profile / 2)];
        join < self.folded.len() as u64
    }

    /// The identifiers of whom a profile is part of, and the one that it is named by.
    fn named(&self, profile: u8) -> (Vec<Recipient>, Recipient) {
        let first = profile & !1;
        match self.is_joined(profile) {
            true => (vec![recipient(first), recipient(first + 1)], recipient(first)),
            false => (vec![recipient(profile)], recipient(profile)),
        }
    }

    fn is_one(&self, a: u8, b: u8) -> bool {
        a == b || (a / 2 == b / 2 && self.is_joined(a))
    }

    /// The newest change of what an effect is about, of the same person.
    pub(super) fn newest(&self, of: &Effect) -> Option<&Effect> {
        let is_same = |effect: &&Effect| {
            effect.topic() == of.topic() && self.is_one(number(effect.profile), number(of.profile))
        };
        self.folded.iter().rev().map(|(_, effect)| effect).find(is_same)
    }

    /// What an attempt tells whom, who heard that much.
    pub(super) fn calls(&self, effect: &Effect, heard: &Heard) -> Result<Vec<Call>, Withheld> {
        let value = value(effect);
        let (all, chosen) = self.named(number(effect.profile));
        if self.newest(effect).map(self::value) != Some(value) {
            return Err(Withheld::Superseded);
        }
        let is_told = |to: &Recipient| match value {
            Telling::NOTHING => heard.may_know(to),
            value => *to == chosen && !heard.knows(to, value),
        };
        let told = all.into_iter().filter(is_told);
        let call = |to| Call { tells: Some(Telling { to, value }), body: Bytes::new() };
        Ok(told.map(call).collect())
    }

    /// Notes whom an effect may have told.
    pub(super) fn doubt(&self, effect: &Effect, heard: &Heard) {
        let value = value(effect);
        for to in self.named(number(effect.profile)).0 {
            heard.doubt(Telling { to, value });
        }
    }

    /// What the receiver has to know in the end, of each subject of those who have changes: who there is
    /// something to know of is named by one identifier, and of nobody else anything is known.
    pub(super) fn check(&self, known: &BTreeMap<(Recipient, u32), u64>, of: &Effect, seed: u64) {
        let subject = of.subject.expect("it is a change");
        let knows = |to| known.get(&(to, subject)).copied().unwrap_or(Telling::NOTHING);
        let (all, chosen) = self.named(number(of.profile));
        let newest = self.newest(of).map_or(Telling::NOTHING, value);
        assert_eq!(knows(chosen), newest, "seed {seed}: {of:?}");
        if newest == Telling::NOTHING {
            for to in all {
                assert_eq!(knows(to), newest, "seed {seed}: {to:?} of {of:?}");
            }
        }
    }
}
