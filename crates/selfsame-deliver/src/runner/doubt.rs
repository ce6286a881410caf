//! Noting whom a process that ended suddenly may have told something.

use std::sync::Arc;
use std::time::Duration;

use selfsame_event::{ItemPosition, Time};
use tokio::task::JoinError;

use super::{Runner, log_chain};
use crate::feed::BodyError;
use crate::retry::plus;
use crate::told::Tell;

/// Changes of which it is noted at once.
const PAGE: usize = 256;
/// How long one waits whose profile is not known yet, as while the state is folded again.
const AGAIN: Duration = Duration::from_millis(100);

/// Of which changes it was noted, with who is unsure by each, and what the next one waits for.
pub(super) type Noted = (Vec<(ItemPosition, Vec<Tell>)>, Option<BodyError>);

impl Runner {
    pub(super) fn doubt(&mut self, now: Time) {
        if self.doubting.is_some() || now < self.doubt_again_at {
            return;
        }
        let effects = self.lane.doubtful(PAGE);
        if effects.is_empty() {
            return;
        }
        let (feed, connection) = (Arc::clone(&self.parts.feed), self.id);
        let told = self.lane.image().told.clone();
        self.doubting = Some(tokio::task::spawn_blocking(move || {
            let mut noted = Vec::with_capacity(effects.len());
            for effect in effects {
                let heard = told.of(&effect);
                match feed.doubt(&effect, connection, &heard) {
                    Err(error @ (BodyError::Early | BodyError::Unavailable(_))) => {
                        return (noted, Some(error));
                    }
                    // What is nobody's any more told nobody who can be told the end.
                    Ok(()) | Err(_) => noted.push((effect.at, heard.into_doubted())),
                }
            }
            (noted, None)
        }));
    }

    pub(super) fn doubted(&mut self, noted: Result<Noted, JoinError>) {
        let again_at = plus(self.parts.clock.wall(), AGAIN);
        match noted {
            Ok((noted, waits)) => {
                self.is_changed |= !noted.is_empty();
                for (at, unsure) in noted {
                    self.lane.doubted(at, unsure);
                }
                let Some(error) = waits else { return };
                if let BodyError::Unavailable(_) = error {
                    log_chain(&error, "whom a change may have told cannot be read, trying again");
                }
            }
            Err(error) => {
                log_chain(&error, "noting whom changes may have told ended, trying again");
            }
        }
        self.doubt_again_at = again_at;
    }
}
