use super::*;
use crate::range::Beyond;
use crate::record::{Entry, Record};
use crate::status::RangeSelection;

fn fall(lane: &mut Lane, to: u64) {
    let filter = Filter::only([EventType::Track.into()]);
    assert!(lane.fall_behind(Beyond::Age, at(to), START, filter));
}

/// A page of the feed: one effect for each letter, as in `offer`.
fn page(from: u64, profiles: &str) -> FeedPage {
    let effects: Vec<_> = (from..)
        .zip(profiles.bytes())
        .map(|(offset, profile)| {
            effect(offset, profile, if profile == b'.' { PAGE } else { TRACK })
        })
        .collect();
    let next = at(from + effects.len() as u64);
    FeedPage { effects, next }
}

fn give_up(lane: &mut Lane, profiles: &str) {
    assert!(lane.is_giving_up());
    let from = lane.read_to().record.offset;
    lane.give_up(page(from, profiles), &Filter::only([EventType::Track.into()]));
}

/// The ranges: from, to and effects of each.
fn ranges(lane: &Lane) -> Vec<(u64, u64, u64)> {
    let shown = |range: DeadRange| (range.from.record.offset, before(range.to), range.events);
    lane.ranges().into_iter().map(shown).collect()
}

/// Reads on in the ranges that are sent again, of a feed of these letters.
fn reread(lane: &mut Lane, feed: &str, first: u64, now: Time) -> bool {
    let Some(reread) = lane.reread(at(first), now) else { return false };
    let from = reread.from.record.offset;
    let part: String =
        feed.chars().skip(usize::try_from(from).expect("small")).take(reread.max).collect();
    lane.offer_again(reread, page(from, &part), now);
    true
}

/// The lane as it would be after a crash.
fn crashed(lane: &Lane) -> Lane {
    Lane::new(limits(), RetryPolicy::default(), lane.image().clone())
}

#[test]
fn what_was_missed_is_one_range_counted_exactly() {
    let mut lane = lane();
    offer(&mut lane, "ab.c");
    assert_eq!(sent(&mut lane, START), [0, 1, 3]);
    take(&mut lane, 1, START);
    fall(&mut lane, 10);
    assert_eq!(lane.numbers().paused, Some(Pause::Behind));
    assert_eq!(flush(&mut lane, START), 0, "first what is in flight ends");
    refuse(&mut lane, 0, 500, START);
    take(&mut lane, 3, START);
    assert_eq!(sent(&mut lane, seconds(100)), [0; 0]);
    assert_eq!(flush(&mut lane, START), 4);
    assert_eq!(ranges(&lane), [(0, 4, 1)], "two of it were delivered");
    give_up(&mut lane, "ab.");
    let numbers = lane.numbers();
    assert_eq!(numbers.looked, numbers.delivered + numbers.filtered + numbers.dead);
    assert_eq!(flush(&mut lane, START), 7);
    let mut lane = crashed(&lane);
    assert_eq!(lane.numbers().dead, 3, "a crash between two pages loses nothing");
    assert_eq!(lane.numbers().paused, Some(Pause::Behind));
    fall(&mut lane, 10);
    give_up(&mut lane, "c.a");
    assert!(!lane.is_giving_up());
    assert_eq!(flush(&mut lane, START), 10);
    assert_eq!(ranges(&lane), [(0, 10, 5)], "it went on with the same range");
    let numbers = lane.numbers();
    assert_eq!((numbers.delivered, numbers.filtered, numbers.dead), (2, 3, 5));
    assert_eq!(numbers.dead_in_ranges, 5);
}

#[test]
fn what_comes_after_a_resume_is_sent_and_the_range_is_sent_again_beside_it() {
    let feed = "ab.ca";
    let mut lane = lane();
    fall(&mut lane, 4);
    give_up(&mut lane, "ab.c");
    flush(&mut lane, START);
    assert_eq!(lane.resend_ranges(RangeSelection::From(at(7))), 0);
    lane.resume();
    offer(&mut lane, "a");
    assert_eq!(sent(&mut lane, START), [4]);
    take(&mut lane, 4, START);
    flush(&mut lane, START);
    assert!(!reread(&mut lane, feed, 0, START), "nobody asked for it yet");
    assert_eq!(lane.resend_ranges(RangeSelection::All), 3);
    while reread(&mut lane, feed, 0, START) {
        flush(&mut lane, START);
    }
    let numbers = lane.numbers();
    assert_eq!((numbers.dead, numbers.aside, numbers.delivered), (0, 3, 1));
    assert!(ranges(&lane).is_empty());
    let mut lane = crashed(&lane);
    assert_eq!(lane.numbers().aside, 3, "opened and taken from the range in one step");
    assert_eq!(sent(&mut lane, START), [0, 1, 3]);
    for offset in [0, 1, 3] {
        take(&mut lane, offset, START);
    }
    flush(&mut lane, START);
    let numbers = lane.numbers();
    assert_eq!((numbers.delivered, numbers.filtered, numbers.aside), (4, 1, 0));
}

#[test]
fn what_had_ended_in_a_range_is_not_sent_again() {
    let feed = "abcd";
    let mut lane = lane();
    offer(&mut lane, feed);
    assert_eq!(sent(&mut lane, START), [0, 1, 2, 3]);
    refuse(&mut lane, 0, 500, START);
    take(&mut lane, 1, START);
    refuse(&mut lane, 2, 500, START);
    take(&mut lane, 3, START);
    fall(&mut lane, 4);
    flush(&mut lane, START);
    assert_eq!(ranges(&lane), [(0, 4, 2)]);
    lane.resume();
    assert_eq!(lane.resend_ranges(RangeSelection::From(at(0))), 2);
    assert!(reread(&mut lane, feed, 0, seconds(5)));
    assert_eq!(sent(&mut lane, seconds(5)), [0, 2]);
}

#[test]
fn what_is_gone_of_a_range_stays_dead() {
    let feed = "abcdef";
    let mut lane = lane();
    fall(&mut lane, 6);
    give_up(&mut lane, feed);
    flush(&mut lane, START);
    lane.resume();
    assert_eq!(lane.resend_ranges(RangeSelection::All), 6);
    assert!(reread(&mut lane, feed, 4, START));
    flush(&mut lane, START);
    assert_eq!(sent(&mut lane, START), [4, 5]);
    take(&mut lane, 4, START);
    take(&mut lane, 5, START);
    flush(&mut lane, START);
    let numbers = lane.numbers();
    assert_eq!((numbers.delivered, numbers.dead, numbers.aside), (2, 4, 0));
    let range = lane.ranges().remove(0);
    assert!(range.is_spent() && range.is_partly_gone && !range.is_resending, "{range:?}");
    assert_eq!(lane.resend_ranges(RangeSelection::All), 0);
}

#[test]
fn effects_that_are_nobodys_any_more_leave_the_range_as_filtered() {
    let mut lane = lane();
    fall(&mut lane, 4);
    give_up(&mut lane, "abcd");
    flush(&mut lane, START);
    lane.resume();
    lane.resend_ranges(RangeSelection::All);
    // The feed of today has two of them only.
    let reread = lane.reread(at(0), START).expect("it begins");
    let FeedPage { mut effects, next } = page(0, "abcd");
    effects.retain(|effect| effect.at.record.offset >= 2);
    lane.offer_again(reread, FeedPage { effects, next }, START);
    flush(&mut lane, START);
    let numbers = lane.numbers();
    assert_eq!((numbers.filtered, numbers.aside, numbers.dead), (2, 2, 0));
    assert_eq!(numbers.looked, numbers.filtered + numbers.aside);
}

#[test]
fn a_range_waits_where_a_person_has_too_many_open() {
    let feed = "aaaaaaab";
    let mut lane = lane();
    fall(&mut lane, 8);
    give_up(&mut lane, feed);
    flush(&mut lane, START);
    lane.resume();
    assert_eq!(lane.resend_ranges(RangeSelection::All), 8);
    let (mut delivered, mut now) = (Vec::new(), START);
    while lane.numbers().delivered < 8 {
        now = now.plus_micros(1_000_000);
        while reread(&mut lane, feed, 0, now) {
            flush(&mut lane, now);
        }
        assert!(lane.numbers().aside <= 6, "{:?}", lane.numbers());
        for offset in sent(&mut lane, now) {
            take(&mut lane, offset, now);
            delivered.push(offset);
        }
        flush(&mut lane, now);
        assert!(now < seconds(100), "it goes on");
    }
    let of_a: Vec<_> = delivered.into_iter().filter(|offset| *offset < 7).collect();
    assert_eq!(of_a, [0, 1, 2, 3, 4, 5, 6], "in their order");
}

#[test]
fn with_too_many_ranges_the_cursor_stays() {
    let mut lane = lane();
    let mut offset = 0;
    for _ in 0..crate::range::MAX_RANGES {
        fall(&mut lane, offset + 1);
        give_up(&mut lane, "a");
        flush(&mut lane, START);
        lane.resume();
        offer(&mut lane, "b");
        assert_eq!(sent(&mut lane, START), [offset + 1]);
        take(&mut lane, offset + 1, START);
        flush(&mut lane, START);
        offset += 2;
    }
    let filter = Filter::only([EventType::Track.into()]);
    assert!(!lane.fall_behind(Beyond::Bytes, at(offset + 1), START, filter));
    assert_eq!(lane.numbers().paused, None);
    let image = lane.image();
    let bytes: Vec<_> = image
        .snapshot()
        .into_iter()
        .map(|part| {
            let entry = Entry::Snapshot(part);
            Record { connection: crate::connection::ConnectionId([1; 16]), entry }.encode().len()
        })
        .collect();
    assert!(bytes.iter().all(|bytes| *bytes < crate::LEDGER_RECORD_BYTES));
}

#[test]
fn somebody_who_resumes_early_gets_what_was_not_given_up_yet() {
    let mut lane = lane();
    fall(&mut lane, 4);
    give_up(&mut lane, "ab");
    lane.resume();
    assert!(!lane.is_giving_up());
    offer(&mut lane, "cd");
    assert_eq!(sent(&mut lane, START), [2, 3]);
    flush(&mut lane, START);
    assert_eq!(ranges(&lane), [(0, 2, 2)]);
}

#[test]
fn what_comes_after_the_end_of_that_moment_is_not_given_up() {
    let mut lane = lane();
    offer(&mut lane, "ab");
    assert!(!lane.has_passed(at(2)));
    fall(&mut lane, 2);
    assert_eq!(flush(&mut lane, START), 2);
    assert_eq!(ranges(&lane), [(0, 2, 2)]);
    assert!(!lane.is_giving_up() && lane.has_passed(at(2)));
    // Nothing is left to give up, so nothing of what comes is.
    fall(&mut lane, 2);
    flush(&mut lane, START);
    assert!(!lane.is_giving_up());
    offer(&mut lane, "c");
    flush(&mut lane, START);
    assert_eq!((ranges(&lane), lane.numbers().window), (vec![(0, 2, 2)], 1));
}

/// The step that says what was given up may come after more was read.
#[test]
fn what_was_given_up_is_not_given_up_again_after_a_crash() {
    let mut lane = lane();
    fall(&mut lane, 4);
    give_up(&mut lane, "ab.c");
    offer(&mut lane, "a");
    assert_eq!(flush(&mut lane, START), 4);
    let lane = crashed(&lane);
    assert_eq!((before(lane.read_to()), lane.numbers().looked, lane.numbers().dead), (4, 4, 3));
}

#[test]
fn what_was_just_given_up_is_sent_again_once_that_is_durable() {
    let mut lane = lane();
    offer(&mut lane, "ab");
    fall(&mut lane, 2);
    lane.take_step(START, false).expect("the window is given up");
    lane.resume();
    assert_eq!(lane.resend_ranges(RangeSelection::All), 2);
    assert!(reread(&mut lane, "ab", 0, START));
    assert_eq!((ranges(&lane), lane.numbers().aside), (vec![(0, 2, 2)], 0), "it waits");
    lane.durable();
    while reread(&mut lane, "ab", 0, seconds(1)) {
        flush(&mut lane, seconds(1));
    }
    assert!(ranges(&lane).is_empty());
    assert_eq!(sent(&mut lane, seconds(1)), [0, 1]);
}

/// Of what failed nothing is left to make a probe with: then the range is.
#[test]
fn a_range_goes_on_where_all_that_was_sent_again_of_it_died() {
    let feed = "abcdefghij";
    let mut lane = lane();
    lane.policy.span = Duration::ZERO;
    fall(&mut lane, 10);
    give_up(&mut lane, feed);
    flush(&mut lane, START);
    lane.resume();
    assert_eq!(lane.resend_ranges(RangeSelection::All), 10);
    assert!(reread(&mut lane, feed, 0, START));
    for _ in 0..3 {
        flush(&mut lane, START);
        for offset in sent(&mut lane, START) {
            refuse(&mut lane, offset, 500, START);
        }
    }
    flush(&mut lane, START);
    assert!(lane.numbers().is_down);
    assert_eq!((lane.numbers().dead, ranges(&lane)), (10, vec![(0, 10, 2)]));
    assert!(reread(&mut lane, feed, 0, START));
    flush(&mut lane, START);
    assert_eq!(sent(&mut lane, seconds(100)), [8], "a probe");
}
