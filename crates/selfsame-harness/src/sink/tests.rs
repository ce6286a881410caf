use serde_json::json;

use super::*;
use crate::generate::finish;
use crate::http::Connection;

#[tokio::test]
async fn what_is_told_is_noted_and_what_is_not_understood_is_not_passed_over() {
    let sink = Sink::start().expect("listens");
    let mut connection = Connection::new(sink.address);
    let mut request = Vec::new();
    let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
    let call = json!({
        "type": "track", "event": "Audience Exited", "messageId": "m", "userId": "ada",
        "properties": { "audience_key": "vip", "vip": false },
        "timestamp": "2026-09-21T14:13:20.123Z", "receivedAt": "2026-09-21T14:13:21.000Z",
    });
    finish(&mut request, head, call.to_string().as_bytes());
    assert_eq!(connection.send(&request).await.expect("answered").status, 200);
    let told = sink.take().expect("understood");
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((told.to.as_str(), told.audience.as_str(), told.is_in), ("ada", "vip", false));
    assert_eq!((told.written.millis() - told.since.millis(), sink.count()), (877, 0));

    finish(&mut request, head, br#"{"type":"track","event":"Order Completed"}"#);
    assert_eq!(connection.send(&request).await.expect("answered").status, 200);
    sink.take().expect_err("not understood");
}
