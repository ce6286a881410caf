use selfsame_event::{Position, ProfileId};

use super::*;
use crate::feed::{Effect, EffectKind};
use crate::outcome::Failure;

const CONNECTION: ConnectionId = ConnectionId([1; 16]);

fn effect(offset: u64) -> Effect {
    let at = Position::embedded(offset).item(0);
    let profile = ProfileId::from_bytes([1; 20]);
    Effect { at, id: [1; 16], profile, kind: EffectKind(2), subject: None, log_time: Time::EPOCH }
}

fn image(asides: u64, deads: u64) -> Image {
    let mut image = Image::begin(FeedEnd { at: effect(0).at, effects: 3 });
    let (now, first_attempt) = (Time::from_millis(5), Some(Time::from_millis(4)));
    for offset in 0..asides {
        let share = Share::WHOLE;
        let aside = Aside { effect: effect(offset), attempts: 1, first_attempt, due: now, share };
        image.aside.insert(aside.effect.at, aside);
    }
    for offset in asides..asides + deads {
        let effect = effect(offset);
        let (failure, status) = (Failure::Server, Some(500));
        let first_attempt = Time::from_millis(4);
        let (attempts, died, share) = (9, now, Share::from_iter([0, 5]));
        let dead = DeadLetter { effect, attempts, first_attempt, died, failure, status, share };
        image.bury(dead);
    }
    image.cursor = effect(asides + deads).at;
    image.counts.looked = asides + deads;
    image.counts.extra = deads;
    assert!(image.is_balanced());
    image
}

fn take(images: &mut Images, offset: u64, entry: Entry) {
    let record = Record { connection: CONNECTION, entry };
    images.take(offset, Record::decode(&record.encode()).expect("just written"));
}

#[test]
fn a_snapshot_in_parts_is_the_whole_again() {
    for (asides, deads) in [(0, 0), (1, 0), (0, 1), (2_000, 0), (2_000, 2_000), (2_500, 3_500)] {
        let image = image(asides, deads);
        let mut images = Images::default();
        let parts = image.snapshot();
        assert_eq!(parts.len() as u64, (asides + deads).div_ceil(2_000).max(1));
        for (offset, part) in (40..).zip(parts) {
            take(&mut images, offset, Entry::Snapshot(part));
        }
        let known = images.0.get(&CONNECTION).expect("known");
        assert_eq!((&known.image, known.from), (&image, 40));
    }
}

#[test]
fn parts_of_a_snapshot_are_records_of_a_moderate_size() {
    for part in image(3_000, 3_000).snapshot() {
        let record = Record { connection: CONNECTION, entry: Entry::Snapshot(part) };
        assert!(record.encode().len() < 256 * 1024);
    }
}

#[test]
fn half_a_snapshot_says_nothing() {
    let before = image(1, 1);
    let mut images = Images::default();
    take(&mut images, 1, Entry::Snapshot(before.snapshot().remove(0)));
    let unfinished = image(2_000, 1);
    take(&mut images, 2, Entry::Snapshot(unfinished.snapshot().remove(0)));
    assert_eq!(images.0[&CONNECTION].image, before);
    let mut after = image(2_100, 0).snapshot();
    take(&mut images, 3, Entry::Snapshot(after.remove(0)));
    take(&mut images, 4, Entry::Snapshot(after.remove(0)));
    assert_eq!(images.0[&CONNECTION].image, image(2_100, 0));
    assert_eq!(images.0[&CONNECTION].from, 3);
}

#[test]
fn what_a_removed_connection_knew_is_gone() {
    let mut images = Images::default();
    take(&mut images, 1, Entry::Snapshot(image(1, 1).snapshot().remove(0)));
    take(&mut images, 2, Entry::Removed);
    take(&mut images, 3, Entry::Step(Step::default()));
    assert!(images.0.is_empty());
    let start = FeedEnd { at: effect(9).at, effects: 9 };
    take(&mut images, 4, Entry::Started(start));
    assert_eq!(images.0[&CONNECTION].image, Image::begin(start));
}

#[test]
fn the_earliest_of_cursor_aside_and_dead_is_still_needed() {
    let needed = |image: &Image| image.needed_from(&Measured::default(), None);
    assert_eq!(needed(&image(0, 0)), effect(0).at);
    let mut both = image(2, 2);
    assert_eq!(needed(&both), effect(0).at);
    both.aside.clear();
    assert_eq!(needed(&both), effect(2).at);
    both.dead.clear();
    assert_eq!(needed(&both), effect(4).at);
}

#[test]
fn what_is_beyond_the_limits_is_not_needed_any_more() {
    let both = image(2, 2);
    let place = |offset| effect(offset).at;
    let young = Measured { young: place(1), ..Measured::default() };
    assert_eq!(both.needed_from(&young, None), place(1), "an event that waits ages");
    let old = Measured { young: place(9), ..Measured::default() };
    assert_eq!(both.needed_from(&old, None), place(2), "a letter counts from its death");
    assert_eq!(both.needed_from(&old, Some(Time::from_millis(5))), place(2));
    assert_eq!(both.needed_from(&old, Some(Time::from_millis(6))), place(4));
    let near = Measured { near: place(3), ..Measured::default() };
    assert_eq!(both.needed_from(&near, None), place(3));
}

fn range(from: u64, to: u64) -> DeadRange {
    DeadRange {
        from: effect(from).at,
        to: effect(to).at,
        at: effect(from + 1).at,
        reason: crate::range::Beyond::Age,
        since: Time::from_millis(9),
        events: to - from,
        is_resending: false,
        is_partly_gone: false,
        filter: crate::connection::Filter::ALL,
        ended: Vec::new(),
    }
}

#[test]
fn a_range_is_needed_only_while_it_is_sent_again() {
    let mut with = image(0, 0);
    with.cursor = effect(9).at;
    with.counts.looked = 3;
    with.ranges.insert(effect(2).at, range(2, 5));
    assert!(with.is_balanced());
    assert_eq!(with.needed_from(&Measured::default(), None), effect(9).at);
    with.ranges.get_mut(&effect(2).at).expect("it is there").is_resending = true;
    assert_eq!(with.needed_from(&Measured::default(), None), effect(3).at);
}

#[test]
fn ranges_are_in_snapshots() {
    let mut with = image(2_500, 0);
    with.ranges.insert(effect(2).at, range(2, 5));
    let mut images = Images::default();
    for (offset, part) in (0..).zip(with.snapshot()) {
        take(&mut images, offset, Entry::Snapshot(part));
    }
    assert_eq!(images.0[&CONNECTION].image, with);
}
