//! What a receiver reads.

use super::*;

fn body(marks: &[(u64, u64, u128)]) -> Vec<u8> {
    let mut out = b"[".to_vec();
    for (person, number, at) in marks {
        out.extend_from_slice(b"{\"properties\":{");
        mark(&mut out, *person, *number, *at);
        out.extend_from_slice(b"}},");
    }
    out
}

#[test]
fn a_body_says_what_it_has_in_order() {
    assert_eq!(marks(&body(&[(3, 0, 7), (12, 9, 800)])), [(3, 0, 7), (12, 9, 800)]);
    assert_eq!(marks(b"{\"fleet\":\"broken\"}"), []);
}

#[test]
fn events_of_a_person_are_held_to_their_order() {
    let receiver = Receiver {
        manner: Mutex::new(Manner::Takes(Duration::ZERO)),
        taken: Mutex::default(),
        began: Instant::now(),
    };
    receiver.take(&body(&[(1, 0, 0), (2, 5, 0), (1, 3, 0)]));
    receiver.take(&body(&[(1, 3, 0)]));
    receiver.take(&body(&[(1, 1, 0), (2, 6, 0)]));
    let taken = lock(&receiver.taken);
    assert_eq!((taken.events, taken.requests), (6, 3));
    assert_eq!((taken.repeated, taken.disordered), (1, 1));
}

#[test]
fn a_head_says_how_long_the_body_is() {
    let request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 12\r\n\r\nhello";
    assert_eq!(whole_head(request), Some((request.len() - 5, 12)));
    assert_eq!(whole_head(b"POST / HTTP/1.1\r\n"), None);
}
