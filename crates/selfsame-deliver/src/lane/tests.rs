use std::time::Duration;

use selfsame_event::{EventType, Position};

use super::*;
use crate::connection::Filter;
use crate::feed::{FeedEnd, FeedPage};
use crate::retry::plus;
use crate::status::Selection;

mod apart;
mod behind;
mod sim;

const TRACK: u8 = EventType::Track as u8;
const PAGE: u8 = EventType::Page as u8;
const START: Time = Time::from_millis(1_800_000_000_000);

pub(super) fn limits() -> Limits {
    Limits {
        concurrency: 4,
        in_flight: 8,
        exceptions: 20,
        profile_exceptions: 5,
        dead: 100,
        retries: RetryBudget::default(),
        together: 1,
        late_after: None,
    }
}

pub(super) fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

pub(super) fn effect(offset: u64, profile: u8, kind: u8) -> Effect {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&offset.to_le_bytes());
    Effect {
        at: at(offset),
        id,
        profile: ProfileId::from_bytes([profile; 20]),
        kind: crate::feed::EffectKind(kind),
        subject: None,
        log_time: START,
    }
}

fn seconds(count: u64) -> Time {
    plus(START, Duration::from_secs(count))
}

fn lane() -> Lane {
    Lane::new(limits(), RetryPolicy::default(), Image::begin(FeedEnd::default()))
}

/// Offers one effect for each letter: its profile; a dot is one that the filter does not want.
fn offer(lane: &mut Lane, profiles: &str) {
    let from = lane.read_to().record.offset;
    let effects: Vec<_> = (from..)
        .zip(profiles.bytes())
        .map(|(offset, profile)| {
            effect(offset, profile, if profile == b'.' { PAGE } else { TRACK })
        })
        .collect();
    let next = at(from + effects.len() as u64);
    let filter = Filter::only([EventType::Track.into()]);
    lane.offer(FeedPage { effects, next }, &filter);
}

fn sent(lane: &mut Lane, now: Time) -> Vec<u64> {
    lane.sends(now, usize::MAX).iter().map(|send| send.effect.at.record.offset).collect()
}

fn report(outcome: Outcome, now: Time) -> Report {
    let (note, told, taken) = (String::new(), Vec::new(), None);
    Report { outcome, started: now, took_ms: 1, note, told, taken }
}

fn take(lane: &mut Lane, offset: u64, now: Time) {
    lane.finished(at(offset), report(Outcome::Delivered { status: 200 }, now), now, u64::MAX);
}

fn refuse(lane: &mut Lane, offset: u64, status: u16, now: Time) {
    lane.finished(at(offset), report(Outcome::of_status(status, None), now), now, u64::MAX);
}

/// Takes a step, makes it durable, and returns the cursor.
fn flush(lane: &mut Lane, now: Time) -> u64 {
    while lane.take_step(now, true).is_some() {
        lane.durable();
    }
    let numbers = lane.numbers();
    assert_eq!(
        numbers.looked + numbers.extra,
        numbers.delivered + numbers.filtered + numbers.dead + numbers.aside,
        "{numbers:?}"
    );
    before(lane.image().cursor)
}

/// How many effects are before a place.
fn before(place: ItemPosition) -> u64 {
    place.record.offset + u64::from(place.index.min(1))
}

#[test]
fn the_cursor_follows_what_has_ended() {
    let mut lane = lane();
    offer(&mut lane, "ab.c");
    assert_eq!(sent(&mut lane, START), [0, 1, 3]);
    take(&mut lane, 1, START);
    assert_eq!(flush(&mut lane, START), 0);
    take(&mut lane, 0, START);
    assert_eq!(flush(&mut lane, START), 3, "behind the filtered one, before the one in flight");
    take(&mut lane, 3, START);
    assert_eq!(flush(&mut lane, START), 4);
    let numbers = lane.numbers();
    assert_eq!((numbers.delivered, numbers.filtered, numbers.looked), (3, 1, 4));
}

#[test]
fn a_failed_effect_is_set_aside_and_holds_up_its_own_profile_only() {
    let mut lane = lane();
    offer(&mut lane, "aab");
    assert_eq!(sent(&mut lane, START), [0, 2]);
    refuse(&mut lane, 0, 500, START);
    take(&mut lane, 2, START);
    assert_eq!(flush(&mut lane, START), 3);
    assert_eq!(lane.numbers().aside, 2);
    assert_eq!(sent(&mut lane, START), [0; 0]);
    assert_eq!(lane.wake_at(START), Some(seconds(1).plus_micros(-1)));
    assert_eq!(sent(&mut lane, seconds(1)), [0]);
    take(&mut lane, 0, seconds(1));
    assert_eq!(sent(&mut lane, seconds(1)), [1]);
    take(&mut lane, 1, seconds(1));
    flush(&mut lane, seconds(1));
    assert_eq!((lane.numbers().aside, lane.numbers().delivered), (0, 3));
}

#[test]
fn after_a_death_the_next_of_the_profile_waits_until_it_is_durable() {
    let mut lane = lane();
    offer(&mut lane, "aa");
    assert_eq!(sent(&mut lane, START), [0]);
    let gone = Outcome::failed(Failure::BodyGone);
    lane.finished(at(0), report(gone, START), START, 0);
    assert_eq!(sent(&mut lane, START), [0; 0]);
    let step = lane.take_step(START, false).expect("a death");
    assert_eq!(step.dead.len(), 1);
    assert_eq!(sent(&mut lane, START), [0; 0]);
    lane.durable();
    assert_eq!(sent(&mut lane, START), [1]);
}

#[test]
fn after_72_hours_an_effect_is_dead_and_can_be_sent_again() {
    let mut lane = lane();
    offer(&mut lane, "a");
    let (mut now, mut attempts) = (START, 0);
    while lane.numbers().dead == 0 {
        assert_eq!(sent(&mut lane, now), [0]);
        refuse(&mut lane, 0, 400, now);
        flush(&mut lane, now);
        attempts += 1;
        now = lane.wake_at(now).unwrap_or(now);
    }
    assert_eq!(now, seconds(72 * 3_600));
    assert!((80..90).contains(&attempts), "{attempts} attempts at the longest waits");
    assert_eq!(lane.resend(&Selection::Failed(Failure::Server), now), 0);
    assert_eq!(lane.resend(&Selection::All, now), 1);
    assert_eq!(lane.resend(&Selection::These(vec![at(0)]), now), 0, "it is on its way");
    assert_eq!(lane.numbers().dead, 0);
    assert_eq!(sent(&mut lane, now), [0]);
    take(&mut lane, 0, now);
    flush(&mut lane, now);
    assert_eq!((lane.numbers().dead, lane.numbers().delivered), (0, 1));
}

#[test]
fn a_destination_that_is_down_stops_its_cursor_and_is_probed() {
    let mut lane = lane();
    offer(&mut lane, "abcdefgh");
    for offset in 0..8 {
        let mut open = sent(&mut lane, START);
        open.retain(|sent| *sent >= offset);
        refuse(&mut lane, offset, 503, START);
    }
    assert!(lane.numbers().is_down);
    let cursor = flush(&mut lane, START);
    assert!(cursor < 8, "what fails while it is down is not set aside");
    offer(&mut lane, "ijkl");
    assert_eq!(sent(&mut lane, START), [0; 0]);
    let probe_at = lane.wake_at(START).expect("a probe");
    assert_eq!(sent(&mut lane, probe_at), [8], "a probe is an effect that never failed, if any");
    assert_eq!(lane.wake_at(probe_at), None);
    take(&mut lane, 8, probe_at);
    assert!(!lane.numbers().is_down);
    assert_eq!(sent(&mut lane, seconds(3_600)).len(), 4);
}

#[test]
fn at_the_limit_of_a_profile_the_cursor_stops() {
    let mut lane = lane();
    offer(&mut lane, "aaaaaaaab");
    assert_eq!(sent(&mut lane, START), [0, 8]);
    refuse(&mut lane, 0, 400, START);
    take(&mut lane, 8, START);
    assert_eq!(flush(&mut lane, START), 5);
    assert_eq!(lane.numbers().aside, 5);
    let mut now = START;
    for offset in 0..8 {
        now = lane.wake_at(now).unwrap_or(now);
        assert_eq!(sent(&mut lane, now), [offset]);
        take(&mut lane, offset, now);
        flush(&mut lane, now);
    }
    assert_eq!(lane.numbers().delivered, 9);
}

#[test]
fn a_slow_request_does_not_stop_the_cursor() {
    let mut lane = lane();
    offer(&mut lane, "abcdefgh");
    let mut open = sent(&mut lane, START);
    while let Some(offset) = open.pop() {
        if offset > 0 {
            take(&mut lane, offset, START);
        }
        open.extend(sent(&mut lane, START));
    }
    assert_eq!(flush(&mut lane, START), 8);
    assert_eq!((lane.numbers().aside, lane.numbers().in_flight), (1, 1));
}

#[test]
fn a_backlog_is_not_set_aside() {
    let mut lane = lane();
    offer(&mut lane, "abcdefgh");
    assert_eq!((lane.room(), sent(&mut lane, START)), (0, vec![0, 1, 2, 3]));
    assert_eq!(flush(&mut lane, START), 0);
    assert_eq!(lane.numbers().aside, 0);
    for offset in 0..4 {
        take(&mut lane, offset, START);
    }
    assert_eq!(flush(&mut lane, START), 4);
}

#[test]
fn a_window_full_of_one_person_lets_others_pass() {
    let mut lane = lane();
    offer(&mut lane, "aaaaaaaa");
    assert_eq!((lane.room(), sent(&mut lane, START)), (0, vec![0]));
    assert_eq!(flush(&mut lane, START), 5, "up to the limit of a person");
    assert!(lane.room() > 0);
    offer(&mut lane, "b");
    assert_eq!(sent(&mut lane, START), [8]);
}

#[test]
fn gone_pauses_until_somebody_resumes() {
    let mut lane = lane();
    offer(&mut lane, "ab");
    sent(&mut lane, START);
    refuse(&mut lane, 0, 410, START);
    take(&mut lane, 1, START);
    assert_eq!(flush(&mut lane, START), 0);
    assert_eq!(lane.image().paused, Some(Pause::Gone));
    assert_eq!(sent(&mut lane, seconds(100)), [0; 0]);
    lane.resume();
    assert_eq!(sent(&mut lane, seconds(100)), [0]);
    take(&mut lane, 0, seconds(100));
    assert_eq!(flush(&mut lane, seconds(100)), 2);
    assert_eq!(lane.image().paused, None);
}

#[test]
fn retry_after_of_a_throttled_answer_holds_the_whole_connection() {
    let mut lane = lane();
    offer(&mut lane, "ab");
    lane.set_limits(Limits { concurrency: 1, ..limits() });
    assert_eq!(sent(&mut lane, START), [0]);
    let asked = Some(Duration::from_secs(60));
    lane.finished(at(0), report(Outcome::of_status(429, asked), START), START, 0);
    assert_eq!(sent(&mut lane, seconds(59)), [0; 0]);
    assert_eq!(lane.wake_at(START), Some(seconds(60)));
    assert_eq!(sent(&mut lane, seconds(60)).len(), 1);
}

#[test]
fn what_may_not_be_sent_any_more_counts_as_withheld() {
    let mut lane = lane();
    offer(&mut lane, "a");
    sent(&mut lane, START);
    let erased = Outcome::Withheld(crate::outcome::Withheld::Erased);
    lane.finished(at(0), report(erased, START), START, 0);
    assert_eq!(flush(&mut lane, START), 1);
    let numbers = lane.numbers();
    assert_eq!((numbers.filtered, numbers.withheld, numbers.looked), (1, 1, 1));
}

#[test]
fn retries_wait_for_their_budget_and_first_attempts_do_not() {
    let mut lane = lane();
    let retries = RetryBudget { percent: 0, floor_per_second: 0 };
    lane.set_limits(Limits { retries, ..limits() });
    offer(&mut lane, "a");
    assert_eq!(sent(&mut lane, START), [0]);
    refuse(&mut lane, 0, 500, START);
    offer(&mut lane, "bc");
    assert_eq!(sent(&mut lane, seconds(1)), [1, 2]);
    assert_eq!(lane.numbers().held, 1);
    let then = lane.wake_at(seconds(1)).expect("it asks again");
    assert!(then > seconds(1) && then <= seconds(12), "{then}");
    take(&mut lane, 1, seconds(1));
    take(&mut lane, 2, seconds(1));
    lane.set_limits(Limits { retries: RetryBudget { percent: 100, ..retries }, ..limits() });
    assert_eq!(sent(&mut lane, seconds(2)), [0], "two first attempts allow two retries");
    assert_eq!(lane.numbers().held, 0);
}

/// What R8 of the reliability list asks: at most 1.2 attempts for each event, and a small number more.
#[test]
fn a_receiver_that_fails_half_of_the_time_gets_a_fifth_more() {
    let mut lane = lane();
    let (exceptions, profile_exceptions) = (1_000_000, 1_000_000);
    let retries = RetryBudget { percent: 20, floor_per_second: 1 };
    let many =
        Limits { concurrency: 64, in_flight: 64, exceptions, profile_exceptions, ..limits() };
    lane.set_limits(Limits { retries, ..many });
    let (mut first, mut again) = (0_u64, 0_u64);
    for tenth in 0..6_000_u64 {
        let now = plus(START, Duration::from_millis(tenth * 100));
        let from = lane.read_to().record.offset;
        let of_somebody = |offset: u64| {
            let mut profile = [0; 20];
            profile[..8].copy_from_slice(&offset.to_le_bytes());
            Effect { profile: ProfileId::from_bytes(profile), ..effect(offset, 0, TRACK) }
        };
        let effects: Vec<_> = (from..from + 5).map(of_somebody).collect();
        lane.offer(FeedPage { effects, next: at(from + 5) }, &Filter::ALL);
        for send in lane.sends(now, usize::MAX) {
            if send.number > 1 {
                again += 1;
            } else {
                first += 1;
            };
            let offset = send.effect.at.record.offset;
            let fails = (offset + u64::from(send.number)).is_multiple_of(2);
            if fails {
                refuse(&mut lane, offset, 500, now);
            } else {
                take(&mut lane, offset, now);
            };
        }
        flush(&mut lane, now);
    }
    assert!(first > 10_000, "{first} first attempts");
    assert!(again * 100 <= first * 20 + 60_000 + 1_000, "{again} retries of {first}");
    assert!(again * 100 >= first * 15, "{again} retries of {first}: the budget is used");
}

/// A change of one subject, of the first profile.
fn change(offset: u64, subject: u32) -> Effect {
    Effect { subject: Some(subject), ..effect(offset, b'a', 16) }
}

fn offer_changes(lane: &mut Lane, effects: Vec<Effect>) {
    let next = at(lane.read_to().record.offset + effects.len() as u64);
    let topics = effects.iter().map(Effect::topic).collect();
    lane.offer(FeedPage { effects, next }, &Filter::only([]).with_derived(topics));
}

#[test]
fn a_newer_change_replaces_one_that_was_not_sent() {
    let mut lane = lane();
    offer_changes(&mut lane, vec![change(0, 1), change(1, 2), change(2, 1), change(3, 1)]);
    assert_eq!(sent(&mut lane, START), [1], "the first of those that are left");
    take(&mut lane, 1, START);
    assert_eq!(sent(&mut lane, START), [3]);
    let step = lane.take_step(START, false).expect("there is news");
    let why = |attempt: &Attempt| (attempt.at.record.offset, attempt.note.clone());
    let replaced: Vec<_> = step.attempts.iter().map(why).collect();
    assert_eq!(replaced[..2], [(0, "0-2.0".to_owned()), (2, "0-3.0".to_owned())]);
    lane.durable();
    take(&mut lane, 3, START);
    assert_eq!(flush(&mut lane, START), 4);
    let numbers = lane.numbers();
    assert_eq!((numbers.delivered, numbers.filtered, numbers.superseded), (2, 2, 2));
}

#[test]
fn a_newer_change_replaces_one_that_waits_for_its_retry_and_goes_at_once() {
    let mut lane = lane();
    offer_changes(&mut lane, vec![change(0, 1)]);
    assert_eq!(sent(&mut lane, START), [0]);
    refuse(&mut lane, 0, 500, START);
    flush(&mut lane, START);
    assert_eq!(lane.numbers().aside, 1);
    offer_changes(&mut lane, vec![change(1, 1)]);
    assert_eq!(sent(&mut lane, START), [1]);
    take(&mut lane, 1, START);
    assert_eq!(flush(&mut lane, START), 2);
    let numbers = lane.numbers();
    assert_eq!((numbers.delivered, numbers.superseded, numbers.aside), (1, 1, 0));
}

#[test]
fn what_is_in_flight_is_not_replaced() {
    let mut lane = lane();
    offer_changes(&mut lane, vec![change(0, 1)]);
    assert_eq!(sent(&mut lane, START), [0]);
    offer_changes(&mut lane, vec![change(1, 1)]);
    assert_eq!(sent(&mut lane, START), [0; 0]);
    take(&mut lane, 0, START);
    assert_eq!(sent(&mut lane, START), [1]);
}

#[test]
fn what_only_a_name_keeps_out_is_passed_over_and_is_dead_with_a_range() {
    let mut lane = lane();
    let wanted = [(1, effect(1, b'a', TRACK)), (4, effect(4, b'b', TRACK))];
    let offer = Offer { chosen: &wanted, numbers: (0, 6), next: at(6) };
    // Of the others those at 2 and 5 are of the kind that is wanted.
    lane.choose(offer, |from, to| {
        (from..to).filter(|number| [2, 5].contains(number)).count() as u64
    });
    let numbers = lane.numbers();
    assert_eq!((numbers.window, lane.read_to()), (6, at(6)));
    lane.fall_behind(crate::range::Beyond::Age, at(6), START, Filter::ALL);
    let step = lane.take_step(START, false).expect("the window is given up");
    assert_eq!((step.counts.looked, step.counts.filtered), (6, 2));
    assert_eq!(lane.numbers().dead_in_ranges, 4);
    assert_eq!(lane.numbers().window, 0);
}

#[test]
fn there_is_no_room_for_more_than_the_window_holds() {
    let mut lane = lane();
    let all: Vec<_> = (0..12).map(|number| (number, effect(number, b'a', TRACK))).collect();
    lane.choose(Offer { chosen: &all, numbers: (0, 12), next: at(12) }, |_, _| 0);
    assert_eq!((lane.room(), lane.read_to()), (0, at(8)));
    lane.choose(Offer { chosen: &all[8..], numbers: (8, 12), next: at(12) }, |_, _| 0);
    assert_eq!(lane.read_to(), at(8), "nothing more was taken");
}

#[test]
fn events_of_a_profile_go_at_once_where_they_may() {
    let mut lane = lane();
    lane.set_limits(Limits { together: 3, ..limits() });
    offer(&mut lane, "aaaab");
    let sent: Vec<_> =
        lane.sends(START, usize::MAX).iter().map(|send| (send.effect.at, send.leader)).collect();
    assert_eq!(sent, [(at(0), at(0)), (at(1), at(0)), (at(2), at(0)), (at(4), at(4))]);
    // The second failed, and the third was not tried: both wait, in their order, before the fourth.
    lane.finished(at(0), report(Outcome::Delivered { status: 200 }, START), START, 0);
    lane.finished(at(1), report(Outcome::of_status(500, None), START), START, 0);
    assert_eq!(lane.sends(START, usize::MAX), []);
    lane.finished(at(2), report(Outcome::Postponed, START), START, 0);
    assert_eq!(lane.sends(START, usize::MAX), [], "its time has not come");
    let sent: Vec<_> =
        lane.sends(seconds(5), usize::MAX).iter().map(|send| send.effect.at).collect();
    assert_eq!(sent, [at(1), at(2), at(3)]);
}

/// Order that is relaxed after five minutes.
fn relaxed() -> Lane {
    let mut lane = lane();
    lane.set_limits(Limits { late_after: Some(Duration::from_secs(300)), ..limits() });
    lane
}

fn fail(lane: &mut Lane, place: u64, now: Time) {
    lane.finished(at(place), report(Outcome::of_status(500, None), now), now, u64::MAX);
}

#[test]
fn later_events_wait_five_minutes_where_order_is_relaxed() {
    let mut lane = relaxed();
    offer(&mut lane, "aab");
    assert_eq!(lane.sends(START, usize::MAX).len(), 2);
    lane.finished(at(2), report(Outcome::Delivered { status: 200 }, START), START, 0);
    let mut now = START;
    fail(&mut lane, 0, now);
    while now < seconds(299) {
        now = lane.wake_at(now).expect("it is tried again").min(seconds(299));
        if let [send] = lane.sends(now, usize::MAX)[..] {
            assert_eq!(send.effect.at, at(0), "the second waits");
            fail(&mut lane, 0, now);
        }
    }
    let sent: Vec<_> =
        lane.sends(seconds(300), usize::MAX).iter().map(|send| send.effect.at).collect();
    assert!(sent.contains(&at(1)), "{sent:?}");
    lane.finished(at(1), report(Outcome::Delivered { status: 200 }, now), now, 0);
    if sent.contains(&at(0)) {
        fail(&mut lane, 0, seconds(300));
    }
    // The first goes by itself, and its attempt says that it was late.
    let later = lane.wake_at(seconds(300)).expect("it is tried again");
    assert_eq!(
        lane.sends(later, usize::MAX).iter().map(|send| send.effect.at).collect::<Vec<_>>(),
        [at(0)]
    );
    lane.finished(at(0), report(Outcome::Delivered { status: 200 }, later), later, 0);
    let step = lane.take_step(later, false).expect("news");
    let late = step.attempts.iter().filter(|attempt| attempt.note == LATE);
    assert_eq!(late.map(|attempt| attempt.at).collect::<Vec<_>>(), [at(0)]);
    lane.durable();
    assert_eq!(lane.numbers().delivered, 3);
    assert!(lane.lines.is_empty() && lane.is_empty());
}

#[test]
fn what_was_late_before_a_crash_is_late_behind_it() {
    let mut lane = relaxed();
    offer(&mut lane, "aa");
    lane.sends(START, usize::MAX);
    fail(&mut lane, 0, START);
    let step = lane.take_step(START, false).expect("both are aside");
    assert_eq!(step.aside.len(), 2);
    let image = lane.image().clone();
    let limits = Limits { late_after: Some(Duration::from_secs(300)), ..limits() };
    let mut lane = Lane::new(limits, RetryPolicy::default(), image);
    let sent: Vec<_> =
        lane.sends(seconds(400), usize::MAX).iter().map(|send| send.effect.at).collect();
    assert_eq!(BTreeSet::from_iter(sent), BTreeSet::from([at(0), at(1)]));
}

#[test]
fn strict_order_holds_for_as_long_as_it_takes() {
    let mut lane = lane();
    offer(&mut lane, "aa");
    lane.sends(START, usize::MAX);
    fail(&mut lane, 0, START);
    let sent: Vec<_> =
        lane.sends(seconds(4_000), usize::MAX).iter().map(|send| send.effect.at).collect();
    assert_eq!(sent, [at(0)]);
}

#[test]
fn an_answer_holds_the_connection_for_a_day_at_most() {
    let mut lane = lane();
    offer(&mut lane, "ab");
    lane.sends(START, usize::MAX);
    let days = |days: u64| Duration::from_secs(days * 86_400);
    lane.finished(at(0), report(Outcome::of_status(429, Some(days(3))), START), START, 0);
    assert_eq!(lane.wake_at(START), Some(plus(START, days(1))));
    lane.resume();
    assert_eq!(lane.wake_at(START), Some(plus(START, days(1))), "its own event waits");
    offer(&mut lane, "c");
    assert_eq!(lane.sends(START, usize::MAX).len(), 1, "the others go once somebody resumes it");
}
