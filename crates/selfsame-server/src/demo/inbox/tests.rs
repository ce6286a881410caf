use super::*;

// A signature made with another implementation (Python's hmac) over the same words.
const SECRET: [u8; 32] = *b"0123456789abcdef0123456789abcdef";
const BODY: &str =
    r#"{"type":"track","event":"Order Completed","userId":"ada","profileId":"use_1"}"#;
const AT: i64 = 1_700_000_000;
const SIGNED: &str = "v1,1gW7B3jLA6wBMAozF3IVZnmZ42+qLL+HdkUkUGupRbU=";

fn headers(id: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", id.parse().unwrap());
    headers.insert("webhook-timestamp", AT.to_string().parse().unwrap());
    headers.insert("webhook-signature", signature.parse().unwrap());
    headers
}

fn now(seconds_later: i64) -> Time {
    Time::from_millis((AT + seconds_later) * 1_000)
}

#[test]
fn a_signed_delivery_is_kept_once_and_told() {
    let inbox = Inbox::new(SECRET);
    let mut news = inbox.subscribe();
    let body = Bytes::from_static(BODY.as_bytes());
    let received = || inbox.receive(&headers("msg_1", SIGNED), &body, now(1));
    assert_eq!((received(), received()), (Received::Kept, Received::Known));
    assert_eq!(inbox.total(), 1);
    let told = news.try_recv().unwrap();
    assert!(told.signature_valid && told.user_id.as_deref() == Some("ada"));
    assert!(news.try_recv().is_err());
}

#[test]
fn what_was_not_signed_by_us_is_shown_as_such() {
    let body = Bytes::from_static(BODY.as_bytes());
    let changed = Bytes::from(BODY.replace("ada", "eve"));
    let cases = [
        (headers("msg_1", SIGNED), &changed, now(1), "another body"),
        (headers("msg_2", SIGNED), &body, now(1), "another id"),
        (headers("msg_1", SIGNED), &body, now(TOLERANCE_SECONDS + 1), "too old"),
        (headers("msg_1", SIGNED), &body, now(-TOLERANCE_SECONDS - 1), "from the future"),
        (headers("msg_1", &SIGNED.replace("v1,", "v2,")), &body, now(1), "another version"),
        (HeaderMap::new(), &body, now(1), "no headers"),
    ];
    for (headers, body, now, case) in cases {
        let inbox = Inbox::new(SECRET);
        assert_eq!(inbox.receive(&headers, body, now), Received::BadSignature, "{case}");
        let listing = inbox.list(10);
        assert!(!listing.deliveries[0].signature_valid, "{case}");
    }
}

#[test]
fn a_second_signature_counts_during_a_rotation() {
    let inbox = Inbox::new(SECRET);
    let both = format!("v1,AAAA {SIGNED}");
    let body = Bytes::from_static(BODY.as_bytes());
    assert_eq!(inbox.receive(&headers("msg_1", &both), &body, now(0)), Received::Kept);
}

#[test]
fn the_oldest_give_way() {
    let inbox = Inbox::new(SECRET);
    for number in 0..KEPT + 5 {
        let body = Bytes::from_static(BODY.as_bytes());
        inbox.receive(&headers(&format!("msg_{number}"), SIGNED), &body, now(0));
    }
    let listing = inbox.list(usize::MAX);
    assert_eq!((listing.deliveries.len(), listing.total), (KEPT, 505));
    assert_eq!(listing.deliveries[0].webhook_id, "msg_504");
    assert_eq!(
        inbox.receive(&HeaderMap::new(), &Bytes::from_static(b"[]"), now(0)),
        Received::Unreadable
    );
}
