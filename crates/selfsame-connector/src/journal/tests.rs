use super::*;

fn kept(bytes: usize) -> Vec<Kept> {
    let reply = Reply { status: 200, headers: serde_json::Map::new(), body: "x".repeat(bytes) };
    vec![Kept { place: 0, digest: [0; 32], reply }]
}

#[test]
fn what_was_kept_is_taken_once() {
    let journal = Journal::default();
    journal.keep("a", kept(1));
    journal.keep("b", Vec::new());
    assert_eq!(journal.take("a"), kept(1));
    assert_eq!((journal.take("a"), journal.take("b")), (Vec::new(), Vec::new()));
}

#[test]
fn it_is_bounded_and_gives_up_the_oldest() {
    let journal = Journal::default();
    for number in 0..100 {
        journal.keep(&number.to_string(), kept(64 * 1024));
    }
    assert!(journal.0.lock().expect("nobody panicked").bytes <= MOST_BYTES);
    assert!(journal.take("0").is_empty());
    assert_eq!(journal.take("99").len(), 1);
    journal.keep("large", kept(MOST_BYTES + 1));
    assert!(journal.take("large").is_empty());
}
