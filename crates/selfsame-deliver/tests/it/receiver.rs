//! A receiver of webhooks on a loopback port.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One request that came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn offset(&self) -> u64 {
        let text = std::str::from_utf8(&self.body).expect("JSON");
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("an offset")
    }
}

/// What to answer; `None`: nothing, for ever.
type Answers = dyn Fn(&Got) -> Option<String> + Send + Sync;

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    count: watch::Receiver<usize>,
}

pub(crate) fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

impl Receiver {
    pub(crate) async fn start(
        answers: impl Fn(&Got) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let got = Arc::new(Mutex::new(Vec::new()));
        let (counter, count) = watch::channel(0);
        let (answers, seen): (Arc<Answers>, _) = (Arc::new(answers), Arc::clone(&got));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, seen, counter) =
                    (Arc::clone(&answers), Arc::clone(&seen), counter.clone());
                tokio::spawn(async move {
                    serve(stream, &*answers, &seen, &counter).await;
                });
            }
        });
        Self { address, got, count }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().expect("no test panics here").clone()
    }

    /// Waits until so many requests came.
    pub(crate) async fn wait_for(&self, count: usize) {
        self.count.clone().wait_for(|seen| *seen >= count).await.expect("the receiver runs");
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: &Answers,
    seen: &Mutex<Vec<Got>>,
    counter: &watch::Sender<usize>,
) {
    let mut buffer = Vec::new();
    loop {
        let Some(got) = request(&mut stream, &mut buffer).await else { return };
        let answer = answers(&got);
        seen.lock().expect("no test panics here").push(got);
        counter.send_modify(|count| *count += 1);
        let Some(answer) = answer else { return std::future::pending().await };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Got> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = buffer.split_off(end + 4);
            break String::from_utf8(std::mem::replace(buffer, rest)).expect("ASCII");
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let headers: BTreeMap<_, _> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let rest = buffer.split_off(length);
    Some(Got { headers, body: std::mem::replace(buffer, rest) })
}
