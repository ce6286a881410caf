use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Outcome, Plan, run};
use crate::generate::Mix;

async fn bare() -> (SocketAddr, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = File::create(folder.path().join("bodies")).expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(crate::bare::serve(listener, file));
    (address, folder)
}

fn plan(address: SocketAddr, batch: u64) -> Plan {
    Plan {
        address,
        mix: Mix { profiles: 10, batch, seed: 1 },
        connections: 4,
        rate: None,
        time: None,
        events: Some(200),
        backlog: None,
    }
}

async fn outcome(plan: Plan) -> Outcome {
    run(plan, Arc::default()).await.expect("the run ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_events_is_sent_once_and_kept_by_the_bare_server() {
    for batch in [1, 10] {
        let (address, folder) = bare().await;
        let outcome = outcome(plan(address, batch)).await;
        assert_eq!((outcome.acknowledged, outcome.latency.count()), (200, 200 / batch));
        assert_eq!((outcome.refused, outcome.other, outcome.broken), (0, 0, 0));
        let bodies = std::fs::read_to_string(folder.path().join("bodies")).expect("text");
        assert_eq!(bodies.matches("\"messageId\"").count(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constant_rate_takes_its_time() {
    let (address, _folder) = bare().await;
    let outcome = outcome(Plan { rate: Some(1_000), ..plan(address, 1) }).await;
    assert_eq!(outcome.acknowledged, 200);
    assert!(outcome.took >= Duration::from_millis(199), "{:?}", outcome.took);
}

/// Answers each request of one connection with the next of `answers`; the last for ever.
async fn answering(answers: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut answers = answers.iter().peekable();
        let mut seen = Vec::new();
        loop {
            while !seen.ends_with(b"}}") {
                if stream.read_buf(&mut seen).await.expect("a request") == 0 {
                    return;
                }
            }
            seen.clear();
            let answer = answers.peek().expect("the last stays");
            stream.write_all(answer.as_bytes()).await.expect("written");
            if answers.len() > 1 {
                answers.next();
            }
        }
    });
    address
}

#[tokio::test]
async fn a_refusal_for_now_is_counted_and_the_request_sent_again() {
    let address = answering(&[
        "HTTP/1.1 429 Too Many\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Not Now\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ])
    .await;
    let plan = Plan { connections: 1, events: Some(3), ..plan(address, 1) };
    let outcome = outcome(plan).await;
    assert_eq!((outcome.acknowledged, outcome.refused, outcome.other), (3, 2, 0));
}

#[tokio::test]
async fn any_other_answer_is_counted_and_not_sent_again() {
    let address = answering(&["HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"]).await;
    let plan = Plan { connections: 1, events: Some(3), ..plan(address, 1) };
    let outcome = outcome(plan).await;
    assert_eq!((outcome.acknowledged, outcome.other, outcome.other_status), (0, 3, 400));
}

#[tokio::test]
async fn a_stalled_answer_is_charged_to_every_request_it_held_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // The first request is answered when the time of all hundred has passed.
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(1)).await;
        let mut seen = Vec::new();
        while stream.read_buf(&mut seen).await.is_ok_and(|bytes| bytes > 0) {
            if seen.ends_with(b"}}") {
                seen.clear();
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer).await.expect("written");
            }
        }
    });
    let plan = Plan { connections: 1, rate: Some(1_000), events: Some(100), ..plan(address, 1) };
    let outcome = outcome(plan).await;
    assert_eq!(outcome.acknowledged, 100);
    assert!(outcome.latency.quantile(1) >= Duration::from_millis(900), "{outcome:?}");
    server.await.expect("the server ends");
}
