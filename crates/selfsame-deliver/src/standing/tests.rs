use selfsame_event::{EventType, Position, ProfileId};

use super::*;
use crate::feed::EffectKind;

const OK: Outcome = Outcome::Delivered { status: 200 };
const SKIPPED: Outcome = Outcome::Withheld(Withheld::Skipped);
const RECEIVED: i64 = 1_800_000_000_000_000;

fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

fn effect(offset: u64, kind: EventType) -> Effect {
    Effect {
        at: at(offset),
        id: [7; 16],
        profile: ProfileId::from_bytes([7; 20]),
        kind: EffectKind(kind.code()),
        subject: None,
        log_time: Time::from_micros(RECEIVED),
    }
}

fn failed(failure: Failure) -> Outcome {
    Outcome::failed(failure)
}

/// A connection that wants tracks, began at 10 and has passed everything before 100. Attempts are kept from
/// before the events on, or not.
fn knowledge(is_kept: bool, change: impl FnOnce(&mut Ledgered)) -> Knowledge {
    let mut ledgered = Ledgered { cursor: at(100), ..Ledgered::default() };
    change(&mut ledgered);
    let oldest = if is_kept { RECEIVED - 1 } else { RECEIVED + 1 };
    Knowledge {
        begun: at(10),
        filter: Filter::only([EventType::Track.into()]),
        ledgered,
        reaches_back_to: Some(Time::from_micros(oldest)),
    }
}

fn tried(rows: &[(Option<u8>, Outcome)]) -> Tried {
    let mut tried = Tried::default();
    rows.iter().for_each(|(action, outcome)| tried.note(0, *action, *outcome));
    tried
}

/// What became of the track at 50, as far as it is recorded.
fn recorded(
    change: impl FnOnce(&mut Ledgered),
    rows: &[(Option<u8>, Outcome)],
) -> Vec<(Option<u8>, Fate)> {
    let asked = || panic!("nothing has to be derived");
    let standing =
        knowledge(true, change).standing(&effect(50, EventType::Track), Some(&tried(rows)), asked);
    assert!(standing.units.iter().all(|unit| !unit.is_derived));
    standing.units.iter().map(|unit| (unit.action, unit.fate)).collect()
}

/// What is derived of the track at 50.
fn derived(is_kept: bool, wanted: Wanted) -> Vec<(Option<u8>, Fate)> {
    let of = knowledge(is_kept, |_| {});
    let standing = of.standing(&effect(50, EventType::Track), None, || wanted);
    assert!(standing.units.iter().all(|unit| unit.is_derived));
    standing.units.iter().map(|unit| (unit.action, unit.fate)).collect()
}

#[test]
fn what_was_written_down_is_said() {
    assert_eq!(recorded(|_| {}, &[(None, OK)]), [(None, Fate::Delivered)]);
    assert_eq!(recorded(|_| {}, &[(None, SKIPPED)]), [(None, Fate::Filtered(Withheld::Skipped))]);
    let again = [(None, failed(Failure::Server)), (None, OK)];
    assert_eq!(recorded(|_| {}, &again), [(None, Fate::Delivered)], "the last attempt counts");
    let actions = [(Some(0), OK), (Some(3), SKIPPED)];
    let fates = [(Some(0), Fate::Delivered), (Some(3), Fate::Filtered(Withheld::Skipped))];
    assert_eq!(recorded(|_| {}, &actions), fates);
}

#[test]
fn what_waits_or_was_given_up_is_said_by_the_ledger() {
    let waits = |known: &mut Ledgered| known.aside.extend([(at(50), Share::WHOLE)]);
    assert_eq!(recorded(waits, &[(None, failed(Failure::Server))]), [(None, Fate::Pending)]);
    let dead = |known: &mut Ledgered| {
        known.aside.insert(at(50), Share::from_iter([2]));
        known.dead.insert(at(50), (Share::from_iter([1]), Failure::Rejected));
    };
    let rows =
        [(Some(0), OK), (Some(1), failed(Failure::Rejected)), (Some(2), failed(Failure::Server))];
    let fates = [Fate::Delivered, Fate::Dead(Failure::Rejected), Fate::Pending];
    assert_eq!(
        recorded(dead, &rows),
        [0, 1, 2].map(Some).into_iter().zip(fates).collect::<Vec<_>>()
    );
    let ahead = |known: &mut Ledgered| known.cursor = at(50);
    assert_eq!(recorded(ahead, &[]), [(None, Fate::Pending)], "the cursor has not passed it");
    assert_eq!(recorded(ahead, &[(None, OK)]), [(None, Fate::Delivered)], "but it was taken");
    let lost = [(None, failed(Failure::Server))];
    assert_eq!(recorded(|_| {}, &lost), [(None, Fate::Unknown)], "later attempts are gone");
}

#[test]
fn before_its_beginning_nothing_was_for_it_but_what_is_replayed() {
    let mut rows = Tried::default();
    rows.note(2, None, OK);
    let of = knowledge(true, |_| {});
    let standing = of.standing(&effect(9, EventType::Track), Some(&rows), || Wanted::Whole);
    let before = Unit { action: None, fate: Fate::Before, is_derived: false };
    assert_eq!(standing, Standing { units: vec![before], replayed: Some((2, OK)) });
}

#[test]
fn outside_of_what_is_kept_it_is_derived_from_what_is_configured() {
    assert_eq!(derived(false, Wanted::Whole), [(None, Fate::Delivered)]);
    let both = Wanted::By(Share::from_iter([0, 4]));
    assert_eq!(derived(false, both), [(Some(0), Fate::Delivered), (Some(4), Fate::Delivered)]);
    assert_eq!(derived(false, Wanted::Unknown), [(None, Fate::Unknown)]);
    let unmatched = [(None, Fate::Filtered(Withheld::Unmatched))];
    assert_eq!(derived(false, Wanted::Nobody), unmatched);
    assert_eq!(derived(true, Wanted::Nobody), unmatched);
    // It was never tried, though that would be kept: what is configured now came later.
    let then = [(None, Fate::Filtered(Withheld::Unwanted))];
    assert_eq!(derived(true, Wanted::Whole), then);
    assert_eq!(derived(true, both), then);
    let of = knowledge(true, |_| {});
    let page = of.standing(&effect(50, EventType::Page), None, || panic!("its type says it"));
    assert_eq!(page.units, [Unit { action: None, fate: Fate::Unasked, is_derived: true }]);
}
