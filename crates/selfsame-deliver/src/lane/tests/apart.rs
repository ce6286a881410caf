//! Effects that several actions want.

use super::*;
use crate::connection::ConnectionId;
use crate::image::Images;
use crate::outcome::Withheld;
use crate::random::{Random as _, SeededRandom};
use crate::record::{Entry, Record};

const OK: Outcome = Outcome::Delivered { status: 200 };
const REJECTED: Outcome =
    Outcome::Failed { failure: Failure::Rejected, status: Some(400), retry_after: None };
const AWAY: Outcome =
    Outcome::Failed { failure: Failure::Server, status: Some(500), retry_after: None };
const DENIED: Outcome =
    Outcome::Failed { failure: Failure::Unauthorized, status: Some(401), retry_after: None };

/// Says what became of the actions of an effect, of those that are open.
fn act(lane: &mut Lane, offset: u64, open: &[u8], tries: &[(u8, Outcome)], now: Time) {
    let one = |(action, outcome): &(u8, Outcome)| Try {
        action: *action,
        outcome: *outcome,
        started: now,
        took_ms: 1,
        note: String::new(),
    };
    let outcome = tries.last().map_or(Outcome::Postponed, |(_, outcome)| *outcome);
    let tries = tries.iter().map(one).collect();
    let taken = Some(Taken { open: open.iter().copied().collect(), tries });
    lane.finished(at(offset), Report { taken, ..report(outcome, now) }, now, u64::MAX);
}

fn shares(lane: &mut Lane, now: Time) -> Vec<(u64, Share)> {
    lane.sends(now, usize::MAX)
        .iter()
        .map(|send| (send.effect.at.record.offset, send.share))
        .collect()
}

fn counted(lane: &Lane) -> (u64, u64, u64, u64) {
    let numbers = lane.numbers();
    (numbers.delivered, numbers.filtered, numbers.dead, numbers.aside)
}

#[test]
fn each_action_counts_for_itself() {
    let mut lane = lane();
    offer(&mut lane, "abc");
    assert_eq!(sent(&mut lane, START), [0, 1, 2]);
    act(&mut lane, 0, &[0, 3], &[(0, OK), (3, Outcome::Withheld(Withheld::Skipped))], START);
    act(&mut lane, 1, &[1], &[(1, OK)], START);
    let unmatched = report(Outcome::Withheld(Withheld::Unmatched), START);
    lane.finished(at(2), unmatched, START, u64::MAX);
    assert_eq!(flush(&mut lane, START), 3);
    assert_eq!(counted(&lane), (2, 2, 0, 0));
    assert_eq!((lane.numbers().looked, lane.numbers().extra), (3, 1));
    let reasons: Vec<_> = lane.numbers().reasons.iter().filter(|(_, units)| *units > 0).collect();
    assert_eq!(reasons, [(Withheld::Unmatched, 1), (Withheld::Skipped, 1)]);
}

#[test]
fn what_is_refused_for_its_content_is_dead_at_once_and_holds_up_nothing() {
    let mut lane = lane();
    offer(&mut lane, "aa");
    assert_eq!(sent(&mut lane, START), [0]);
    act(&mut lane, 0, &[0, 1], &[(0, REJECTED), (1, OK)], START);
    assert_eq!(sent(&mut lane, START), [0; 0], "not before its death is durable");
    assert!(lane.is_urgent());
    flush(&mut lane, START);
    assert_eq!(counted(&lane), (1, 0, 1, 0));
    assert!(!lane.is_urgent(), "nothing dies any more");
    let letter = *lane.image().dead.values().next().expect("a letter");
    assert_eq!((letter.failure, letter.share), (Failure::Rejected, Share::from_iter([0])));
    assert_eq!(sent(&mut lane, START), [1]);

    assert_eq!(lane.resend(&Selection::Failed(Failure::Rejected), START), 1);
    assert_eq!((lane.numbers().dead, lane.numbers().aside), (0, 1));
    act(&mut lane, 1, &[0], &[(0, OK)], START);
    flush(&mut lane, START);
    assert_eq!(shares(&mut lane, START), [(0, Share::from_iter([0]))], "only what was dead of it");
    act(&mut lane, 0, &[0], &[(0, OK)], START);
    flush(&mut lane, START);
    assert_eq!(counted(&lane), (3, 0, 0, 0));
}

#[test]
fn an_action_that_waits_keeps_its_place_and_the_others_stay_done() {
    let mut lane = lane();
    let mut ledger = Vec::new();
    offer(&mut lane, "ab");
    assert_eq!(sent(&mut lane, START), [0, 1]);
    act(&mut lane, 0, &[0, 1, 2], &[(0, OK), (1, REJECTED), (2, AWAY)], START);
    act(&mut lane, 1, &[0], &[(0, OK)], START);
    let mut step = |lane: &mut Lane, now| {
        while let Some(step) = lane.take_step(now, true) {
            let record = Record { connection: ConnectionId([1; 16]), entry: Entry::Step(step) };
            ledger.push(record.encode());
            lane.durable();
        }
    };
    step(&mut lane, START);
    assert_eq!(counted(&lane), (2, 0, 1, 1), "one waits, one is dead, of one effect");
    let later = seconds(5);
    assert_eq!(shares(&mut lane, later), [(0, Share::from_iter([2]))]);
    act(&mut lane, 0, &[2], &[(2, REJECTED)], later);
    step(&mut lane, later);
    assert_eq!(counted(&lane), (2, 0, 2, 0));
    let letter = *lane.image().dead.values().next().expect("one letter");
    assert_eq!(letter.share, Share::from_iter([1, 2]));

    // The ledger says the same, at every step.
    let start =
        Record { connection: ConnectionId([1; 16]), entry: Entry::Started(FeedEnd::default()) };
    let mut images = Images::default();
    images.take(0, start);
    for (offset, bytes) in (1..).zip(&ledger) {
        images.take(offset, Record::decode(bytes).expect("just written"));
        let image = &images.0[&ConnectionId([1; 16])].image;
        assert!(image.is_balanced(), "behind step {offset}");
    }
    assert_eq!(&images.0[&ConnectionId([1; 16])].image, lane.image());
}

#[test]
fn what_is_left_of_it_is_sent_after_a_restart() {
    let mut lane = lane();
    offer(&mut lane, "a");
    assert_eq!(sent(&mut lane, START), [0]);
    act(&mut lane, 0, &[4, 5], &[(4, OK), (5, AWAY)], START);
    flush(&mut lane, START);
    let mut again = Lane::new(limits(), RetryPolicy::default(), lane.image().clone());
    assert_eq!(counted(&again), (1, 0, 0, 1));
    assert_eq!(shares(&mut again, seconds(5)), [(0, Share::from_iter([5]))]);
    act(&mut again, 0, &[5], &[(5, OK)], seconds(5));
    flush(&mut again, seconds(5));
    assert_eq!(counted(&again), (2, 0, 0, 0));
}

#[test]
fn refused_credentials_pause_it_and_lose_nothing() {
    let mut lane = lane();
    offer(&mut lane, "abcd");
    assert_eq!(sent(&mut lane, START), [0, 1, 2, 3]);
    for offset in 0..3 {
        assert!(!lane.is_denied());
        act(&mut lane, offset, &[0], &[(0, DENIED)], START);
    }
    act(&mut lane, 3, &[0], &[(0, OK)], START);
    flush(&mut lane, START);
    assert_eq!(lane.numbers().paused, Some(Pause::Denied));
    assert_eq!(sent(&mut lane, seconds(3_000)), [0; 0]);
    lane.resume();
    let later = seconds(3_001);
    assert_eq!(sent(&mut lane, later), [0, 1, 2]);
    for offset in 0..3 {
        act(&mut lane, offset, &[0], &[(0, OK)], later);
    }
    flush(&mut lane, later);
    assert_eq!(counted(&lane), (4, 0, 0, 0));
}

/// The actions that want an effect, and those of them that are refused for what it is.
fn of_effect(offset: u64) -> (Vec<u8>, Vec<u8>) {
    let mixed = offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let wanted: Vec<u8> = (0..3).filter(|action| mixed >> action & 1 == 1).collect();
    let refused = wanted.iter().copied().filter(|action| mixed >> (8 + 2 * action) & 3 == 0);
    (wanted.clone(), refused.collect())
}

const EFFECTS: u64 = 200;

/// Every unit has ended as it had to, and was taken by the receiver if it is not dead.
fn check_end(lane: &Lane, taken: &BTreeMap<(u64, u8), u32>, seed: u64) {
    let (mut delivered, mut dead, mut filtered) = (0, 0, 0);
    for offset in 0..EFFECTS {
        let (wanted, refused) = of_effect(offset);
        filtered += u64::from(wanted.is_empty());
        dead += refused.len() as u64;
        delivered += (wanted.len() - refused.len()) as u64;
        let letter = lane.image().dead.get(&at(offset)).map(|letter| letter.share);
        assert_eq!(letter, (!refused.is_empty()).then(|| refused.iter().copied().collect()));
        for action in wanted {
            let is_refused = refused.contains(&action);
            assert_eq!(taken.contains_key(&(offset, action)), !is_refused, "seed {seed}");
        }
    }
    assert_eq!(counted(lane), (delivered, filtered, dead, 0), "seed {seed}");
    assert!(dead > 20 && filtered > 10, "seed {seed}: it happened");
}

/// Failures and crashes, by seed: every unit ends exactly once in the numbers, at every moment of the ledger.
#[test]
fn every_unit_is_accounted_for_through_failures_and_crashes() {
    let (id, mut died) = (ConnectionId([1; 16]), 0);
    for seed in 0..20 {
        let random = SeededRandom::new(seed);
        let chance = |in_hundred: u64| random.next_u64() % 100 < in_hundred;
        let start = Record { connection: id, entry: Entry::Started(FeedEnd::default()) };
        let mut ledger = vec![start.encode()];
        let mut lane = lane();
        let mut taken: BTreeMap<(u64, u8), u32> = BTreeMap::new();
        let mut now = START;
        let mut crashes = 12;
        while lane.image().cursor < at(EFFECTS) || lane.numbers().aside > 0 {
            now = plus(now, Duration::from_secs(7));
            assert!(now < seconds(400 * 3_600), "seed {seed}: it ends");
            let from = before(lane.read_to());
            let to = EFFECTS.min(from + lane.room() as u64);
            let effects = (from..to)
                .map(|offset| effect(offset, u8::try_from(offset % 23).expect("small"), TRACK));
            let page = FeedPage { effects: effects.collect(), next: at(to.max(from)) };
            lane.offer(page, &Filter::ALL);
            let sends = lane.sends(now, usize::MAX);
            let dies = crashes > 0 && chance(12);
            for send in sends {
                let offset = send.effect.at.record.offset;
                let (wanted, refused) = of_effect(offset);
                if dies && chance(50) {
                    continue;
                }
                if wanted.is_empty() {
                    let unmatched = report(Outcome::Withheld(Withheld::Unmatched), now);
                    lane.finished(send.effect.at, unmatched, now, random.next_u64());
                    continue;
                }
                let open = match send.share.is_whole() {
                    true => wanted.clone(),
                    false => send.share.actions().collect(),
                };
                let mut tries = Vec::new();
                for action in &open {
                    let outcome = match () {
                        () if chance(15) => AWAY,
                        () if refused.contains(action) => REJECTED,
                        () => OK,
                    };
                    tries.push((*action, outcome));
                    if outcome == OK {
                        *taken.entry((offset, *action)).or_default() += 1;
                    }
                    if outcome == AWAY {
                        break;
                    }
                }
                act(&mut lane, offset, &open, &tries, now);
            }
            if dies {
                crashes -= 1;
            } else if let Some(step) = lane.take_step(now, true) {
                ledger.push(Record { connection: id, entry: Entry::Step(step) }.encode());
                lane.durable();
            }
            let numbers = lane.numbers();
            let parts = numbers.delivered + numbers.filtered + numbers.dead + numbers.aside;
            assert_eq!(numbers.looked + numbers.extra, parts, "seed {seed}: {numbers:?}");
            if dies {
                let mut images = Images::default();
                for (offset, bytes) in (0..).zip(&ledger) {
                    images.take(offset, Record::decode(bytes).expect("just written"));
                    assert!(images.0[&id].image.is_balanced(), "seed {seed}: step {offset}");
                }
                let image = images.0.remove(&id).expect("it began").image;
                lane = Lane::new(limits(), RetryPolicy::default(), image);
            }
        }
        check_end(&lane, &taken, seed);
        died += 12 - crashes;
    }
    assert!(died > 60, "it died {died} times");
}
