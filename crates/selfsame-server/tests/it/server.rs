//! A server of its own for each test: started on a free port, killed when dropped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server that is ready.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// Where it puts what is temporary; with [`Server::dev`] its data.
    folder: TempDir,
    /// Where it listens.
    pub(crate) url: String,
    pub(crate) http: Client,
}

impl Server {
    /// `selfsame dev` on a free port, with this data folder or one of its own.
    pub(crate) fn dev(data: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program();
        command.args(["dev", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data.unwrap_or_else(|| folder.path()));
        Self::start_in(folder, command)
    }

    /// A server of this command, once its output names its address.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), command)
    }

    fn start_in(folder: TempDir, mut command: Command) -> Self {
        let mut child = command.env("TMPDIR", folder.path()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(1_000);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                drop(sender.try_send(line));
            }
        });
        let mut complaints = child.stderr.take().unwrap();
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            complaints.read_to_string(&mut text).map(|_| text)
        });
        let mut seen = Vec::new();
        let url = loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                drop(child.kill());
                panic!("the server did not become ready: {seen:?} {:?}", complaints.join());
            };
            if let Some(url) = address(&line) {
                break url;
            }
            seen.push(line);
        };
        // The TLS library is set up once in this process; a second call finds it there.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { child, lines, folder, url, http }
    }

    /// Its folder: its data, with [`Server::dev`] that named none, else what is temporary.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The next line of its output.
    pub(crate) fn line(&self) -> Option<String> {
        self.lines.recv_timeout(PATIENCE).ok()
    }

    /// A `GET` of a path.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    /// A `POST` of JSON to a path.
    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).json(body)
    }

    /// Sends an event with this write key; it is accepted when this returns.
    pub(crate) async fn send(&self, key: &str, event: &Value) {
        let answer = self.post("/v1/batch", &serde_json::json!({ "batch": [event] }));
        let answer = answer.basic_auth(key, Some("")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{event}");
    }

    /// The JSON that a path answers.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path} answered {status} {text}"))
    }

    /// Tells it to stop as Ctrl-C does, and waits until it has. Says whether it stopped well.
    pub(crate) fn interrupt(&mut self) -> bool {
        let id = i32::try_from(self.child.id()).unwrap();
        let process = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The `http://host:port` in a line.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|letter: char| letter == '/' || letter.is_whitespace());
    let (host, _) = rest.split_at(end.unwrap_or(rest.len()));
    Some(format!("http://{}", host.trim_end_matches(':')))
}

/// What `check` finds, asked again until it finds something.
pub(crate) async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
