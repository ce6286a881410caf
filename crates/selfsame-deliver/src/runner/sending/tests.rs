use selfsame_event::{EventType, Position, ProfileId};

use super::*;
use crate::feed::Effect;
use crate::share::Share;

/// One for each letter: whose it is. A large letter is a change.
fn sends(people: &str) -> Vec<Send> {
    let mut leader = (b'.', Position::embedded(0).item(0));
    let of = |(offset, person): (u64, u8)| {
        let at = Position::embedded(offset).item(0);
        if leader.0 != person {
            leader = (person, at);
        }
        let effect = Effect {
            at,
            id: [0; 16],
            profile: ProfileId::from_bytes([person; 20]),
            kind: EventType::Track.into(),
            subject: person.is_ascii_uppercase().then_some(1),
            log_time: Time::EPOCH,
        };
        Send { effect, number: 1, share: Share::WHOLE, leader: leader.1 }
    };
    (0..).zip(people.bytes()).map(of).collect()
}

#[test]
fn those_of_a_person_are_in_one_part_and_a_change_goes_by_itself() {
    for (people, at_once, expected) in [
        ("abcde", 2, "ab cd e"),
        ("aabbc", 3, "aa bbc"),
        ("aaaab", 2, "aaaa b"),
        ("abXcd", 9, "ab X cd"),
        ("XYab", 9, "X Y ab"),
        ("abc", 1, "a b c"),
        ("", 4, ""),
    ] {
        let sends = sends(people);
        let letter = |send: &Send| char::from(send.effect.profile.to_bytes()[0]);
        let found: Vec<String> =
            parts(&sends, at_once).map(|part| part.iter().map(letter).collect()).collect();
        assert_eq!(found.join(" "), expected, "{people}");
    }
}
