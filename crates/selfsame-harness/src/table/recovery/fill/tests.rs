use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{BATCH, Batches, enough, pool};

/// What the server takes of an event and of a batch.
const EVENT_BYTES: usize = 32 * 1024;
const BATCH_BYTES: usize = 500 * 1024;

#[test]
fn batches_are_valid_json_just_below_the_limits_and_never_share_an_id() {
    let (pool, numbers): (Arc<[u8]>, _) = (pool().into(), Arc::default());
    let mut ids = BTreeSet::new();
    for index in 0..3 {
        let mut batches = Batches::new(Arc::clone(&pool), Arc::clone(&numbers), index);
        for _ in 0..3 {
            let request = std::str::from_utf8(batches.next()).expect("text");
            let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.starts_with("POST /v1/batch "), "{head}");
            assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
            assert!((BATCH_BYTES * 9 / 10..BATCH_BYTES).contains(&body.len()), "{}", body.len());
            let body: Value = serde_json::from_str(body).expect("JSON");
            let events = body["batch"].as_array().expect("a batch");
            assert_eq!(events.len() as u64, BATCH);
            for event in events {
                let size = event.to_string().len();
                assert!((EVENT_BYTES * 9 / 10..EVENT_BYTES).contains(&size), "{size}");
                assert!(ids.insert(event["messageId"].as_str().expect("an id").to_owned()));
                assert!(event["userId"].as_str().is_some_and(|user| user.starts_with("user-")));
            }
        }
    }
    assert_eq!(ids.len() as u64, 9 * BATCH);
}

#[test]
fn a_disk_without_twice_the_room_is_refused_in_words() {
    assert!(enough(20 << 30, 10).is_ok());
    let refused = enough((20 << 30) - 1, 10).expect_err("a byte is missing").to_string();
    assert!(refused.contains("10 GiB") && refused.contains("20480.0 MiB"), "{refused}");
    assert!(enough(u64::MAX - 1, u64::MAX).is_err(), "no overflow");
}
