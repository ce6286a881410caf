//! What a connection's task keeps of its attempts to be searched.

use std::sync::Arc;

use selfsame_event::Time;

use super::{LOOK_AROUND, Runner};
use crate::attempts::{Kept, ProfileMark, Whose};
use crate::deliverer::log_chain;
use crate::record::Step;
use crate::retry::plus;

/// Bytes of answers that wait to be kept. Of further ones the beginning is kept.
const ANSWERED_BYTES: usize = 512 * 1024;
const SHORT_BYTES: usize = 1_024;
/// How often it is looked what is too old.
const EXPIRE_EVERY: u32 = 20;

impl Runner {
    /// Whose attempts it makes.
    pub(super) fn whose(&self) -> Whose {
        match &self.replaying {
            Some(replaying) => {
                let replay = &replaying.replay;
                Whose { connection: replay.connection, replay: replay.number }
            }
            None => Whose { connection: self.id, replay: 0 },
        }
    }

    /// The attempts of a step that was just taken, with whose events they are.
    pub(super) fn kept(&self, step: &Step) -> Vec<Kept> {
        let kept = step.attempts.iter().map(|attempt| Kept {
            attempt: attempt.clone(),
            profile: self.lane.profile_of(attempt.at).map(ProfileMark::of),
        });
        kept.collect()
    }

    /// Keeps the beginning of an answer where many long ones wait.
    pub(super) fn shorten(&mut self, note: &mut String) {
        if self.answered_bytes + note.len() > ANSWERED_BYTES {
            note.truncate(note.floor_char_boundary(SHORT_BYTES));
        }
        self.answered_bytes += note.len();
    }

    /// Removes attempts that are too old, now and then.
    pub(super) fn expire(&mut self, now: Time) {
        if now < self.expire_at || self.replaying.is_some() {
            return;
        }
        self.expire_at = plus(now, LOOK_AROUND * EXPIRE_EVERY);
        let (shared, connection) = (Arc::clone(&self.shared), self.id);
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = shared.attempts.expire(connection, now) {
                log_chain(&error, "old attempts cannot be removed");
            }
        }));
    }
}
