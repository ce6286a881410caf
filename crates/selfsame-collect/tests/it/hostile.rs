//! Bodies that are too large, too deep, too slow, or cut off: a clear answer and nothing kept.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame};
use selfsame_collect::CollectConfig;
use selfsame_event::{RecordKind, limits};
use tokio::time::{Instant, Sleep, sleep};

use crate::world::{World, gzip};

/// A body that comes in equal pieces, one after each pause, and may break off.
struct Drip {
    piece: Bytes,
    left: usize,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
    breaks: bool,
}

impl Drip {
    fn new(piece: impl Into<Bytes>, count: usize, pause: Duration) -> Self {
        let sleep = Box::pin(sleep(pause));
        Self { piece: piece.into(), left: count, pause, sleep, breaks: false }
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(self.breaks.then_some(Err("reset")));
        }
        if self.sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let next = Instant::now() + self.pause;
        self.sleep.as_mut().reset(next);
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
    }
}

fn dripping(path: &str, body: Drip) -> Request<Drip> {
    Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", "Bearer server")
        .body(body)
        .unwrap()
}

const BEARER: &[(&str, &str)] = &[("authorization", "Bearer server")];
const GZIP: &[(&str, &str)] = &[("authorization", "Bearer server"), ("content-encoding", "gzip")];

fn event_of(bytes: usize) -> String {
    let (start, end) =
        (r#"{"type":"track","event":"A","userId":"u1","properties":{"x":""#, r#""}}"#);
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

#[tokio::test]
async fn an_event_may_have_32_kib_and_no_more() {
    let world = World::default();
    let fits = world.post("/v1/track", event_of(limits::EVENT_BYTES), BEARER).await;
    assert_eq!(fits.body, r#"{"success":true}"#);
    let beyond = world.post("/v1/track", event_of(limits::EVENT_BYTES + 1), BEARER).await;
    assert_eq!((beyond.status, beyond.code()), (400, "body_too_large".to_owned()));
    let squeezed = gzip(event_of(limits::EVENT_BYTES + 1).as_bytes());
    let squeezed = world.post("/v1/track", squeezed, GZIP).await;
    assert_eq!((squeezed.status, squeezed.code()), (400, "body_too_large".to_owned()));
    assert_eq!(world.records().len(), 1);
}

#[tokio::test]
async fn a_batch_may_have_500_kib_and_no_more() {
    let world = World::default();
    let batch = |bytes: usize| {
        let items = vec![event_of(10_000); 51].join(",");
        let body = format!(r#"{{"batch":[{items}]}}"#);
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    let fits = world.post("/v1/batch", batch(limits::BATCH_BYTES), BEARER).await;
    assert_eq!(fits.body, r#"{"success":true}"#);
    let beyond = world.post("/v1/batch", batch(limits::BATCH_BYTES + 1), BEARER).await;
    assert_eq!((beyond.status, beyond.code()), (400, "body_too_large".to_owned()));
    assert_eq!(world.records().len(), 1);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_by_that_alone() {
    let world = World::default();
    let request = Request::builder()
        .method("POST")
        .uri("/v1/batch")
        .header("authorization", "Bearer server")
        .header("content-length", "5000000000")
        .body(Drip::new("x", usize::MAX, Duration::from_secs(3600)))
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!((answer.status, answer.code()), (400, "body_too_large".to_owned()));
}

#[tokio::test]
async fn an_item_beyond_32_kib_is_set_aside_and_its_batch_goes_on() {
    let world = World::default();
    let large = event_of(limits::EVENT_BYTES + 1);
    let batch = format!(r#"{{"batch":[{large},{}]}}"#, event_of(200));
    let answer = world.post("/v1/batch", batch, BEARER).await;
    assert_eq!(answer.body, r#"{"success":true}"#);
    assert_eq!(answer.header("x-selfsame-rejected"), Some("event_too_large"));
    assert_eq!(world.of_kind(RecordKind::Rejected)[0].items[0], large);
    assert_eq!(world.of_kind(RecordKind::Events)[0].items.len(), 1);
}

#[tokio::test]
async fn the_events_behind_the_2500th_are_set_aside() {
    let world = World::default();
    let items: Vec<_> =
        (0..2_510).map(|n| format!(r#"{{"type":"page","userId":"u{n}"}}"#)).collect();
    let answer =
        world.post("/v1/batch", format!(r#"{{"batch":[{}]}}"#, items.join(",")), BEARER).await;
    assert_eq!(answer.body, r#"{"success":true}"#);
    assert_eq!(answer.header("x-selfsame-rejected"), Some("batch_too_many_events"));
    assert_eq!(world.of_kind(RecordKind::Events)[0].items.len(), 2_500);
    let rejected = &world.of_kind(RecordKind::Rejected)[0].items;
    assert_eq!(
        rejected.iter().map(|item| item.as_ref()).collect::<Vec<_>>(),
        items[2_500..].iter().map(String::as_bytes).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn nesting_has_an_end() {
    let world = World::default();
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"event":"A","userId":"u1","properties":{{"x":{open}{close}}}}}"#)
    };
    assert_eq!(world.post("/v1/track", nested(30), BEARER).await.body, r#"{"success":true}"#);
    assert_eq!(world.post("/v1/track", nested(31), BEARER).await.code(), "json_too_deep");
    let deepest = "[".repeat(limits::BATCH_BYTES);
    assert_eq!(world.post("/v1/batch", deepest, BEARER).await.code(), "json_too_deep");
}

#[tokio::test]
async fn more_values_than_an_event_may_have_need_a_larger_limit_of_bytes_first() {
    let config = CollectConfig { event_bytes: 1 << 20, ..CollectConfig::default() };
    let wide =
        |values: usize| format!(r#"{{"event":"A","userId":"u1","x":[{}1]}}"#, "1,".repeat(values));
    let world = World::new(config);
    assert_eq!(world.post("/v1/track", wide(50_001), BEARER).await.code(), "json_too_many_values");
    let answer = World::default().post("/v1/track", wide(16_000), BEARER).await;
    assert_eq!(answer.body, r#"{"success":true}"#);
}

#[tokio::test]
async fn a_bomb_is_stopped_by_its_size() {
    let world = World::default();
    let bomb = gzip(&vec![b' '; 200 << 20]);
    assert!(bomb.len() < 300_000, "{}", bomb.len());
    let answer = world.post("/v1/batch", bomb, GZIP).await;
    assert_eq!((answer.status, answer.code()), (400, "body_too_large".to_owned()));
    assert_eq!(world.collector.in_flight_bytes(), 0);
}

#[tokio::test]
async fn a_bomb_is_stopped_by_its_ratio() {
    let config = CollectConfig { batch_bytes: 64 << 20, ..CollectConfig::default() };
    let world = World::new(config);
    let answer = world.post("/v1/batch", gzip(&vec![b' '; 8 << 20]), GZIP).await;
    assert_eq!((answer.status, answer.code()), (400, "gzip_ratio".to_owned()));
}

#[tokio::test]
async fn gzip_that_is_cut_off_is_not_gzip() {
    let world = World::default();
    let whole = gzip(event_of(5_000).as_bytes());
    for cut in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
        let answer = world.post("/v1/track", whole[..cut].to_vec(), GZIP).await;
        assert_eq!(answer.status, 400, "{cut}");
        assert!(matches!(answer.code().as_str(), "invalid_gzip" | "invalid_json"), "{cut}");
    }
    assert!(world.records().is_empty());
}

#[tokio::test]
async fn several_members_of_gzip_are_one_body() {
    let world = World::default();
    let event = event_of(300);
    let (left, right) = event.as_bytes().split_at(100);
    let body = [gzip(left), gzip(right)].concat();
    assert_eq!(world.post("/v1/track", body, GZIP).await.body, r#"{"success":true}"#);
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_not_json() {
    let world = World::default();
    let answer =
        world.post("/v1/track", &b"{\"event\":\"\xff\",\"userId\":\"u\"}"[..], BEARER).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_json".to_owned()));
}

#[tokio::test]
async fn a_byte_order_mark_is_not_a_fault() {
    let world = World::default();
    let body = format!("\u{feff}{}", event_of(200));
    assert_eq!(world.post("/v1/track", body, BEARER).await.body, r#"{"success":true}"#);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_is_told_so_after_ten_seconds() {
    let world = World::default();
    let started = Instant::now();
    let body = Drip::new("x", 1, Duration::from_secs(1_000));
    let answer = world.send(dripping("/v1/track", body)).await;
    assert_eq!((answer.status, answer.code()), (408, "body_too_slow".to_owned()));
    assert_eq!(started.elapsed().as_secs(), 10);
    assert_eq!(world.collector.in_flight_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_trickles_is_told_so_when_it_falls_behind() {
    let world = World::default();
    let started = Instant::now();
    let body = Drip::new(" ".repeat(512), 1_000, Duration::from_secs(1));
    let answer = world.send(dripping("/v1/track", body)).await;
    assert_eq!((answer.status, answer.code()), (408, "body_too_slow".to_owned()));
    assert_eq!(started.elapsed().as_millis(), 19_500);
}

#[tokio::test(start_paused = true)]
async fn nobody_has_longer_than_a_minute() {
    let world = World::default();
    let started = Instant::now();
    let body = Drip::new(" ".repeat(2_048), 1_000, Duration::from_secs(1));
    let answer = world.send(dripping("/v1/batch", body)).await;
    assert_eq!((answer.status, answer.code()), (408, "body_too_slow".to_owned()));
    assert_eq!(started.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_slow_but_steady_client_is_served() {
    let world = World::default();
    let event = Bytes::from(r#"{"batch":[{"type":"page","userId":"u1"}]}"#);
    let started = Instant::now();
    let answer =
        world.send(dripping("/v1/batch", Drip::new(event, 1, Duration::from_secs(9)))).await;
    assert_eq!(answer.body, r#"{"success":true}"#);
    assert_eq!(started.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = World::default();
    let mut body = Drip::new(event_of(200), 1, Duration::from_millis(1));
    body.breaks = true;
    let answer = world.send(dripping("/v1/track", body)).await;
    assert_eq!((answer.status, answer.code()), (400, "body_incomplete".to_owned()));
    assert!(world.records().is_empty());
    assert_eq!(world.collector.in_flight_bytes(), 0);
}

#[tokio::test]
async fn a_body_in_pieces_without_a_length_is_read_whole() {
    let world = World::default();
    let body = format!(r#"{{"batch":[{}]}}"#, vec![event_of(999); 100].join(","));
    let pieces = body.as_bytes().chunks(777).map(Bytes::copy_from_slice).collect();
    let request = Request::builder()
        .method("POST")
        .uri("/v1/batch")
        .header("authorization", "Bearer server")
        .body(Pieces(pieces))
        .unwrap();
    assert_eq!(world.send(request).await.body, r#"{"success":true}"#);
    assert_eq!(world.records()[0].items.len(), 100);
}

struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}
