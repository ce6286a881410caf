use bytes::Bytes;
use selfsame_event::{Position, ProfileId, Time};

use super::*;

fn effect(subject: u32) -> Effect {
    Effect {
        at: Position::embedded(0).item(0),
        id: [1; 16],
        profile: ProfileId::from_bytes([1; 20]),
        kind: EffectKind(16),
        subject: Some(subject),
        log_time: Time::EPOCH,
    }
}

fn call(to: Recipient) -> Call {
    Call { tells: Some(Telling { to, value: 1 }), body: Bytes::new() }
}

fn tell(told: &Told, subject: u32, to: Recipient, value: u64) {
    let heard = told.of(&effect(subject));
    told.note(Tell { key: heard.key(&to).expect("it has a subject"), value });
}

#[test]
fn a_recipient_knows_what_it_was_told_of_that_subject() {
    let told = Told::default();
    tell(&told, 1, [5; 16], 9);
    let heard = told.of(&effect(1));
    assert!(heard.knows(&[5; 16], 9) && heard.may_know(&[5; 16]));
    assert!(heard.knows(&[6; 16], Telling::NOTHING) && !heard.may_know(&[6; 16]));
    assert!(told.of(&effect(2)).knows(&[5; 16], Telling::NOTHING));
    tell(&told, 1, [5; 16], Telling::NOTHING);
    assert!(told.all().is_empty(), "what everybody knows is not kept");
}

#[test]
fn what_is_unsure_is_known_to_nobody() {
    let told = Told::default();
    tell(&told, 1, [5; 16], Telling::UNSURE);
    let heard = told.of(&effect(1));
    assert!(!heard.knows(&[5; 16], 9) && !heard.knows(&[5; 16], Telling::NOTHING));
    assert!(heard.may_know(&[5; 16]));
    tell(&told, 1, [5; 16], 9);
    assert!(told.of(&effect(1)).knows(&[5; 16], 9));
}

/// What may have been told besides makes unsure, unless it is known anyway.
#[test]
fn who_may_have_been_told_something_else_is_unsure() {
    let told = Told::default();
    tell(&told, 1, [5; 16], 9);
    let heard = told.of(&effect(1));
    heard.doubt(Telling { to: [5; 16], value: 9 });
    heard.doubt(Telling { to: [6; 16], value: Telling::NOTHING });
    assert!(heard.knows(&[5; 16], 9) && !heard.may_know(&[6; 16]));
    heard.doubt(Telling { to: [5; 16], value: Telling::NOTHING });
    heard.doubt(Telling { to: [6; 16], value: 9 });
    heard.doubt(Telling { to: [5; 16], value: 9 });
    for to in [[5; 16], [6; 16]] {
        assert!(heard.may_know(&to) && !heard.knows(&to, 9) && !heard.knows(&to, 0), "{to:?}");
    }
    let unsure: Vec<_> =
        heard.into_doubted().iter().map(|tell| (tell.key.to, tell.value)).collect();
    assert_eq!(unsure, [([5; 16], Telling::UNSURE), ([6; 16], Telling::UNSURE)]);
}

#[test]
fn nobody_is_told_by_two_at_once() {
    let told = Told::default();
    let (first, second) = (told.of(&effect(1)), told.of(&effect(1)));
    assert!(!first.knows(&[5; 16], 1) && !second.knows(&[5; 16], 1));
    let reserved = told.reserve(&first, &[call([5; 16])]).expect("it is free");
    assert!(told.reserve(&second, &[call([5; 16])]).is_none());
    assert!(told.reserve(&told.of(&effect(2)), &[call([5; 16])]).is_some());
    tell(&told, 1, [5; 16], 1);
    drop(reserved);
    assert!(told.reserve(&second, &[call([5; 16])]).is_none(), "it knows more by now");
    assert!(told.of(&effect(1)).knows(&[5; 16], 1));
}

/// That somebody has nothing to hear of the end is not known while they are being told of the beginning.
#[test]
fn the_end_waits_for_the_beginning_that_is_under_way() {
    let told = Told::default();
    let (begin, end) = (told.of(&effect(1)), told.of(&effect(1)));
    assert!(!begin.knows(&[5; 16], 1));
    let reserved = told.reserve(&begin, &[call([5; 16])]).expect("it is free");
    assert!(!end.may_know(&[5; 16]), "nobody says yet that they know");
    assert!(told.reserve(&end, &[]).is_none(), "who is looked up is just being told");
    tell(&told, 1, [5; 16], 1);
    drop(reserved);
    let end = told.of(&effect(1));
    assert!(end.may_know(&[5; 16]));
    assert!(told.reserve(&end, &[call([5; 16])]).is_some());
}
