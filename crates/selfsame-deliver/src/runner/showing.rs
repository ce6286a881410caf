//! What a connection's task shows of what is known of it.

use selfsame_event::ItemPosition;

use super::{Runner, ended};
use crate::image::Image;
use crate::standing::Ledgered;
use crate::status::{DeadLetterPage, PageRequest};

impl Runner {
    /// What is known of the effects from one place to another, both included; of all that this says the
    /// attempts are kept.
    pub(super) async fn ledgered(&mut self, (low, high): (ItemPosition, ItemPosition)) -> Ledgered {
        if self.appending.is_some() {
            let done = ended(&mut self.appending).await;
            self.appended(done).await;
        }
        let image = self.lane.image();
        let dead = image.dead.range(low..=high);
        let ranges = self.lane.ranges().into_iter();
        Ledgered {
            cursor: image.cursor,
            aside: image.aside.range(low..=high).map(|(at, aside)| (*at, aside.share)).collect(),
            dead: dead.map(|(at, letter)| (*at, (letter.share, letter.failure))).collect(),
            ranges: ranges.filter(|range| range.at <= high && range.to > low).collect(),
        }
    }
}

pub(super) fn dead_letters(image: &Image, page: PageRequest) -> DeadLetterPage {
    use std::ops::Bound::{Excluded, Unbounded};
    let from = page.after.map_or(Unbounded, Excluded);
    let mut rest = image.dead.range((from, Unbounded)).map(|(_, letter)| *letter);
    let letters: Vec<_> = rest.by_ref().take(page.limit).collect();
    let more = rest.next().is_some();
    let after = letters.last().filter(|_| more).map(|letter| letter.effect.at);
    DeadLetterPage { letters, total: image.dead.len(), after }
}
