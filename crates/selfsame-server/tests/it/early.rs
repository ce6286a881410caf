//! A client that is there before the server is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::process::program;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn connect(address: SocketAddr, server: &mut Running) -> TcpStream {
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            return stream;
        }
        assert!(server.0.try_wait().unwrap().is_none(), "the server ended");
        std::thread::yield_now();
    }
}

/// The first line of the answer to a request, which is sent whole before it is read.
fn status(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 4 << 10]);
    while !answer.ends_with(b"\n") && !answer.ends_with(b"}") {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "the connection was closed");
        answer.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(answer).unwrap().lines().next().unwrap().to_owned()
}

/// What is sent from the first moment on waits for the start and is taken; its connection stays.
#[test]
fn requests_that_come_before_the_server_is_ready_are_not_refused() {
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = program();
    command.args(["dev", "--data", folder.path().to_str().unwrap()]);
    command.args(["--listen", &address.to_string()]).stdout(Stdio::null());
    let mut server = Running(command.spawn().unwrap());
    let mut probe = connect(address, &mut server);
    let mut stream = connect(address, &mut server);
    for stream in [&probe, &stream] {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    let early = status(&mut probe, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // As large as a body that does not come in one piece.
    let event = r#"{"type":"track","event":"Early","userId":"u"}"#;
    let events = vec![event; 2_000].join(",");
    let body = format!(r#"{{"writeKey":"dev","batch":[{events}]}}"#);
    let request = format!(
        "POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..2 {
        assert_eq!(status(&mut stream, &request), "HTTP/1.1 200 OK", "when {early}");
    }
}
