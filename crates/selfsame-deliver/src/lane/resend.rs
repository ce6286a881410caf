//! Dead letters that are to be sent again.

use selfsame_event::{ItemPosition, Time};

use super::{Item, Lane, State};
use crate::image::Image;
use crate::record::DeadLetter;
use crate::status::Selection;

impl Lane {
    /// Sends dead letters again, with the keys that they had, and a span of their own. Returns how
    /// many; those over the exception limit stay dead.
    pub(crate) fn resend(&mut self, selection: &Selection, now: Time) -> usize {
        let mut resent = 0;
        for letter in pick(&self.image, selection) {
            if self.aside >= self.limits.exceptions {
                break;
            }
            let effect = letter.effect;
            if self.items.contains_key(&effect.at) {
                continue;
            }
            let state = State::Idle { due: Some(now) };
            self.aside += 1;
            self.changed.insert(effect.at);
            self.resent.insert(effect.at);
            let share = letter.share;
            self.open(Item { state, aside: true, share, ..Item::new(effect, false) });
            self.count_aside(effect.at);
            resent += 1;
        }
        resent
    }
}

/// The dead letters that a selection names.
fn pick(image: &Image, selection: &Selection) -> Vec<DeadLetter> {
    let of = |at: &ItemPosition| image.dead.get(at).copied();
    match selection {
        Selection::All => image.dead.values().copied().collect(),
        Selection::These(places) => places.iter().filter_map(of).collect(),
        Selection::Failed(failure) => {
            image.dead.values().filter(|letter| letter.failure == *failure).copied().collect()
        }
    }
}
