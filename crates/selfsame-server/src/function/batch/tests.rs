use super::{BYTES, EVENTS, Inner, Member};

fn member(event: &str) -> Member {
    Member { event: event.to_owned(), ended: tokio::sync::oneshot::channel().0 }
}

fn events(members: &[Member]) -> Vec<&str> {
    members.iter().map(|one| one.event.as_str()).collect()
}

#[test]
fn a_batch_is_led_by_its_first_event_and_taken_once() {
    let mut inner = Inner::default();
    let lead = inner.join(member("a"), 10).expect("it leads");
    assert!(inner.join(member("b"), 10).is_none());
    assert_eq!(events(&inner.take(lead.number)), ["a", "b"]);
    assert!(inner.take(lead.number).is_empty());
    assert_eq!(inner.waiting, 0);
    assert!(inner.join(member("c"), 10).is_some_and(|next| next.number != lead.number));
}

#[test]
fn a_batch_is_full_by_number_by_size_and_when_no_more_can_come() {
    let mut inner = Inner::default();
    let lead = inner.join(member("0"), 1_000).expect("it leads");
    for _ in 1..EVENTS {
        assert!(inner.join(member("x"), 1_000).is_none());
    }
    let second = inner.join(member("next"), 1_000).expect("it leads the next one");
    assert_eq!(inner.take(lead.number).len(), EVENTS);
    let large = "x".repeat(BYTES);
    let third = inner.join(member(&large), 1_000).expect("it does not fit into the second");
    assert_eq!(events(&inner.take(second.number)), ["next"]);
    assert_eq!(inner.take(third.number).len(), 1);

    // Of three that can be under way, all are here.
    let lead = inner.join(member("a"), 3).expect("it leads");
    assert!(inner.join(member("b"), 3).is_none());
    assert!(inner.join(member("c"), 3).is_none());
    assert!(inner.open.is_none(), "it is full");
    assert_eq!(events(&inner.take(lead.number)), ["a", "b", "c"]);
}
