use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::{rate, send};
use crate::control::{LiveDestination, LiveShown, LiveSource};

fn sample(events: u64, delivered: u64) -> LiveShown {
    LiveShown {
        at: String::new(),
        position: "0-0".to_owned(),
        lag: 0,
        events,
        profiles: 0,
        alerts: 0,
        skipped: 0,
        sources: vec![LiveSource {
            id: "web".to_owned(),
            events,
            duplicates: 0,
            changed: 0,
            rejected: 0,
            rate: 0.0,
        }],
        destinations: vec![LiveDestination {
            id: "hook".to_owned(),
            state: "running".to_owned(),
            pause: None,
            accepted: 0,
            delivered,
            filtered: 0,
            dead: 0,
            pending: 0,
            waiting: 0,
            lag_seconds: 0.0,
            alarm: "none".to_owned(),
            last_failure: None,
            delivered_rate: 0.0,
            dead_rate: 0.0,
        }],
    }
}

#[test]
fn a_rate_is_what_came_in_a_second() {
    let mut newer = sample(130, 8);
    newer.sources.push(LiveSource { id: "new".to_owned(), events: 10, ..newer.sources[0].clone() });
    rate(&mut newer, &sample(100, 20), Duration::from_secs(2));
    let close = |one: f64, other: f64| (one - other).abs() < 1e-9;
    assert!(close(newer.sources[0].rate, 15.0));
    assert!(close(newer.sources[1].rate, 5.0));
    // A destination that was made anew begins at nothing again.
    assert!(close(newer.destinations[0].delivered_rate, 0.0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_is_told_how_much_it_missed() {
    let (newest, seen) = watch::channel(None);
    let (client, mut got) = mpsc::channel(1);
    let sending = tokio::task::spawn(send(seen, client));
    for events in 1..=5 {
        newest.send_replace(Some(Arc::new(sample(events, 0))));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).expect("text");
    let first = text(got.recv().await.expect("a sample"));
    assert!(first.starts_with("event: live\ndata: ") && first.ends_with("\n\n"), "{first}");
    assert!(first.contains(r#""events":1,"#) && first.contains(r#""skipped":0"#), "{first}");
    newest.send_replace(Some(Arc::new(sample(6, 0))));
    let second = text(got.recv().await.expect("a sample"));
    assert!(second.contains(r#""events":6,"#) && second.contains(r#""skipped":4"#), "{second}");
    drop(got);
    tokio::time::timeout(Duration::from_secs(5), sending)
        .await
        .expect("it ends")
        .expect("no panic");
}
