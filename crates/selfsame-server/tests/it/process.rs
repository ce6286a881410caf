//! A server of a test: the real program on a free port of this machine.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test of processes, which only time tells about"
)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
    command.env_remove("SELFSAME_TOKEN").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn selfsame(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

/// What a run wrote, both streams, for messages and matches.
pub(crate) fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{out}{errors}")
}

/// Waits until it is so.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A running server. Stopped, not gently, when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    address: String,
    pub(crate) url: String,
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

impl Server {
    /// `selfsame dev` on a data folder: space, write key and token are `dev`.
    pub(crate) fn start(data: &Path) -> Self {
        Self::spawn(&["dev", "--data", data.to_str().unwrap()])
    }

    /// The same with a folder of manifests.
    pub(crate) fn with_destinations(data: &Path, manifests: &Path) -> Self {
        let (data, manifests) = (data.to_str().unwrap(), manifests.to_str().unwrap());
        Self::spawn(&["dev", "--data", data, "--destinations", manifests])
    }

    /// `selfsame serve` with settings. Its data folder was made by [`Server::start`] before.
    pub(crate) fn serve(data: &Path, config: &Path) -> Self {
        let (data, config) = (data.to_str().unwrap(), config.to_str().unwrap());
        Self::spawn(&["serve", "--data", data, "--config", config])
    }

    fn spawn(args: &[&str]) -> Self {
        let address = free_address();
        let mut command = program();
        command.args(args).args(["--listen", &address]).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let url = format!("http://{address}");
        let mut server = Self { child: Some(child), address, url };
        wait_for("the server is ready", || {
            let child = server.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended: {status}");
            }
            server.try_request("GET", "/readyz", None, "").filter(|(status, _)| *status == 200)
        });
        server
    }

    /// Sends a request, with the token `dev`, and reads the answer.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, body) = self.try_request(method, path, Some("Bearer dev"), body).unwrap();
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// What the server answers to a read, which must succeed.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.request("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The text of a path.
    pub(crate) fn text(&self, path: &str) -> String {
        self.try_request("GET", path, None, "").unwrap().1
    }

    /// Sends a batch with the write key `dev`; whether it was taken.
    pub(crate) fn batch(&self, events: &[Value]) -> bool {
        let body = serde_json::json!({ "writeKey": "dev", "batch": events }).to_string();
        let answer = self.try_request("POST", "/v1/batch", None, &body);
        answer.is_some_and(|(status, _)| status == 200)
    }

    /// A number of `/api/state`.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let state = self.get("/api/state");
        state[name].as_u64().unwrap_or_else(|| panic!("no {name} in {state}"))
    }

    /// Waits until everything is folded.
    pub(crate) fn settle(&self) {
        wait_for("everything is folded", || (self.count("lag") == 0).then_some(()));
    }

    fn try_request(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: &str,
    ) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let authorization =
            authorization.map(|text| format!("authorization: {text}\r\n")).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if is_chunked { unchunk(body) } else { body.to_owned() };
        Some((status, body))
    }

    /// Stops the server as an operator does, and waits.
    pub(crate) fn stop(mut self) {
        let mut child = self.child.take().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    /// Ends the server as a crash does.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn unchunk(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Ok(size @ 1..) = usize::from_str_radix(size.trim(), 16) else { break };
        out.push_str(rest.get(..size).unwrap_or(rest));
        body = rest.get(size + 2..).unwrap_or_default();
    }
    out
}
