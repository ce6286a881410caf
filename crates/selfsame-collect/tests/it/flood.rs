//! Too much at once, and a server that cannot take part.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame};
use selfsame_collect::{CollectConfig, IntakeError};
use tokio::sync::Notify;

use crate::world::{BACKLOG, World, gzip};

const BEARER: &[(&str, &str)] = &[("authorization", "Bearer server")];
const EVENT: &str = r#"{"event":"A","userId":"u1"}"#;

async fn answered(error: IntakeError) -> (u16, String, Option<String>, Option<String>) {
    let world = World::refusing(error);
    let answer = world.post("/v1/track", EVENT, BEARER).await;
    let text = |name| answer.header(name).map(str::to_owned);
    (answer.status, answer.code(), text("retry-after"), text("x-ratelimit-reset"))
}

#[tokio::test]
async fn what_the_log_does_not_take_is_answered_by_why() {
    let some = |text: &str| Some(text.to_owned());
    let expected = (429, "queue_full".to_owned(), some("3"), some("3"));
    assert_eq!(answered(BACKLOG).await, expected);
    let expected = (429, "disk_full".to_owned(), some("1"), some("1"));
    assert_eq!(answered(IntakeError::Full).await, expected);
    let expected = (503, "stopping".to_owned(), some("1"), None);
    assert_eq!(answered(IntakeError::Stopping).await, expected);
    let expected = (503, "unavailable".to_owned(), some("1"), None);
    assert_eq!(answered(IntakeError::Unavailable).await, expected);
}

#[tokio::test]
async fn keys_and_bodies_are_looked_at_before_the_log_is() {
    let world = World::refusing(BACKLOG);
    assert_eq!(world.post("/v1/track", EVENT, &[]).await.status, 400);
    let unknown = world.post("/v1/track", EVENT, &[("authorization", "Bearer x")]).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(world.post("/v1/track", "{", BEARER).await.status, 400);
}

#[tokio::test]
async fn refused_events_wait_for_the_log_too() {
    let answer = World::refusing(BACKLOG).post("/v1/track", "{}", BEARER).await;
    assert_eq!(answer.status, 429);
}

#[tokio::test]
async fn an_image_hides_even_a_full_queue() {
    let world = World::refusing(BACKLOG);
    let answer = world.get("/v1/pixel/page?writeKey=server&userId=u1", &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/gif")));
    assert_eq!(answer.header("x-selfsame-rejected"), Some("queue_full"));
}

/// A body of which the second half comes when it is let.
struct Halves {
    pieces: Vec<Bytes>,
    gate: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Body for Halves {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.pieces.len() == 1 && self.gate.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.pieces.pop().map(|piece| Ok(Frame::data(piece))))
    }
}

#[tokio::test(flavor = "current_thread")]
async fn bodies_share_their_memory_and_give_it_back() {
    let config = CollectConfig { in_flight_bytes: 1_000, ..CollectConfig::default() };
    let world = Arc::new(World::new(config));
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let padding = Bytes::from(" ".repeat(900));
    let body = Halves {
        pieces: vec![Bytes::from(EVENT), padding],
        gate: Box::pin(async move { opened.notified().await }),
    };
    let request = Request::builder()
        .method("POST")
        .uri("/v1/track")
        .header("authorization", "Bearer server")
        .body(body)
        .unwrap();
    let first = Arc::clone(&world);
    let first = tokio::spawn(async move { first.send(request).await });
    while world.collector.in_flight_bytes() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.collector.in_flight_bytes(), 900);

    let large = format!("{EVENT}{}", " ".repeat(200));
    let refused = world.post("/v1/track", large.clone(), BEARER).await;
    assert_eq!((refused.status, refused.code()), (429, "too_many_bytes_in_flight".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(world.post("/v1/track", EVENT, BEARER).await.status, 200);
    assert_eq!(world.collector.in_flight_bytes(), 900);

    gate.notify_one();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(world.collector.in_flight_bytes(), 0);
    assert_eq!(world.post("/v1/track", large, BEARER).await.status, 200);
}

#[tokio::test]
async fn what_grows_when_it_is_decompressed_counts_as_it_grows() {
    let config = CollectConfig { in_flight_bytes: 2_000, ..CollectConfig::default() };
    let world = World::new(config);
    let body = gzip(format!("{EVENT}{}", " ".repeat(10_000)).as_bytes());
    let headers = [("authorization", "Bearer server"), ("content-encoding", "gzip")];
    let answer = world.post("/v1/track", body, &headers).await;
    assert_eq!((answer.status, answer.code()), (429, "too_many_bytes_in_flight".to_owned()));
    assert_eq!(world.collector.in_flight_bytes(), 0);
}
