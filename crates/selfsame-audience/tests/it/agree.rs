//! The engine and the reference agree, at every step of random histories of people who are merged and
//! taken apart. `make soak-audiences` tries millions.

mod accounts;
mod draw;
mod many;
mod world;

use proptest::prelude::*;

use self::draw::case;
use self::many::check;
use self::world::{agree, kept};

/// Sections that events are divided among.
const SECTIONS: usize = 3;

#[test]
fn the_engine_says_what_the_reference_says() {
    check("values", (2_000, 1), &case(4), |case| agree(&case, false));
}

/// Time passes from one event to the next, and somebody who is in an audience only in between was in it.
#[test]
fn they_agree_on_who_was_in_an_audience_in_between() {
    check("memberships", (200, 10), &case(3), |case| agree(&case, true));
}

/// What a section keeps is a function of its events, not of the order in which they came.
#[test]
fn the_order_in_which_events_are_folded_does_not_matter() {
    check("orders", (1_000, 4), &(case(4), 0..14_usize), |(case, turn)| {
        let in_order = kept(&case, &|_| ());
        let turned = kept(&case, &|events| {
            events.reverse();
            let turn = turn.min(events.len());
            events.rotate_left(turn);
        });
        prop_assert_eq!(in_order, turned);
        Ok(())
    });
}
