use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Answer, Connection, Head, Length, loopback};

#[test]
fn only_this_machine_is_spoken_to() {
    assert!(loopback("127.0.0.1:80").is_ok());
    assert!(loopback("[::1]:80").is_ok());
    for other in ["192.0.2.1:80", "0.0.0.0:80", "localhost", ""] {
        assert!(loopback(other).is_err(), "{other}");
    }
}

#[test]
fn a_head_is_read_when_it_is_whole() {
    let text = b"HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\ncontent-length:5\r\nConnection: close\r\n\r\nhello";
    for end in 0..text.len() - 5 {
        assert_eq!(Head::parse(&text[..end]).expect("no error"), None, "{end} bytes");
    }
    let head = Head::parse(text).expect("a head").expect("whole");
    let answer = Answer { status: 429, retry_after: Some(Duration::from_secs(2)) };
    assert!(answer.is_refused_for_now());
    assert_eq!(head, Head { answer, length: Length::Known(5), close: true, bytes: text.len() - 5 });
    assert!(Head::parse(b"SSH-2.0\r\n\r\n").is_err());
}

/// Answers each connection with one of `answers`, cut into pieces of three bytes, and closes it.
async fn serve(answers: &'static [&'static str]) -> Connection {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("set");
            let mut asked = [0; 4];
            stream.read_exact(&mut asked).await.expect("a request");
            for piece in answer.as_bytes().chunks(3) {
                stream.write_all(piece).await.expect("written");
                tokio::task::yield_now().await;
            }
        }
    });
    Connection::new(address)
}

#[tokio::test]
async fn bodies_of_known_length_and_in_chunks_are_read_and_a_broken_connection_is_made_again() {
    let mut connection = serve(&[
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nwho\r\n4;x\r\nle!!\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ])
    .await;
    assert_eq!(connection.send(b"ping").await.expect("an answer").status, 200);
    assert_eq!(connection.body(), b"hello");
    assert_eq!(connection.send(b"ping").await.expect("an answer").status, 200);
    assert_eq!(connection.body(), b"whole!!");
    let cut = connection.send(b"ping").await.expect_err("it ends early");
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(connection.send(b"ping").await.expect("an answer").status, 204);
    assert_eq!(connection.body(), b"");
}

#[tokio::test]
async fn a_question_is_asked_again_when_the_idle_connection_was_closed() {
    let mut connection = serve(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; 2]).await;
    assert_eq!(connection.ask(b"ping").await.expect("an answer").status, 200);
    assert_eq!(connection.ask(b"ping").await.expect("the next connection's").status, 200);
    assert!(connection.ask(b"ping").await.is_err(), "nobody answers any more");
}
