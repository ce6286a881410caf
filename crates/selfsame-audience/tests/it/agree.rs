//! The engine and the reference agree, at every step of random histories of people who are merged and
//! taken apart.

mod accounts;
mod draw;
mod world;

use proptest::prelude::*;

use self::draw::case;
use self::world::{agree, kept};

/// Sections that events are divided among.
const SECTIONS: usize = 3;

/// How many histories are tried: `AUDIENCE_CASES=1000000` tries a million.
#[expect(clippy::disallowed_methods, reason = "a setting of this test alone")]
fn cases() -> u32 {
    std::env::var("AUDIENCE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_engine_says_what_the_reference_says(case in case(4)) {
        agree(&case, false)?;
    }

    /// What a section keeps is a function of its events, not of the order in which they came.
    #[test]
    fn the_order_in_which_events_are_folded_does_not_matter(case in case(4), turn in 0..14_usize) {
        let in_order = kept(&case, &|_| ());
        let turned = kept(&case, &|events| {
            events.reverse();
            let turn = turn.min(events.len());
            events.rotate_left(turn);
        });
        prop_assert_eq!(in_order, turned);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(10), ..ProptestConfig::default() })]

    /// Time passes from one event to the next, and somebody who is in an audience only in between was
    /// in it.
    #[test]
    fn they_agree_on_who_was_in_an_audience_in_between(case in case(3)) {
        agree(&case, true)?;
    }
}
