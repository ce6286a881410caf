//! A server for tests, and how the Control API is asked.

use std::path::PathBuf;
use std::process::Output;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

pub(super) use crate::server::eventually;
use crate::server::{PATIENCE, program};

/// The token and write key of `selfsame dev`.
pub(super) const DEV: &str = "dev";

/// A running `selfsame dev`.
pub(super) struct Server {
    _running: crate::server::Server,
    folder: TempDir,
    pub(super) url: String,
    pub(super) http: Client,
}

/// Runs the program with these arguments, to its end.
pub(super) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = program();
    command.args(arguments).env_remove("SELFSAME_TOKEN").envs(environment.iter().copied());
    command.output().expect("the program runs")
}

impl Server {
    pub(super) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"))
    }

    /// One with a folder of manifests, `destinations` beside its data.
    pub(super) fn with_destinations(manifests: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let destinations = folder.path().join("destinations");
        std::fs::create_dir(&destinations).expect("a folder");
        for (id, text) in manifests {
            std::fs::create_dir(destinations.join(id)).expect("a folder");
            std::fs::write(destinations.join(id).join("manifest.yaml"), text).expect("written");
        }
        Self::start_in(folder)
    }

    /// Kills the server and starts it again.
    pub(super) fn again(self) -> Self {
        let Self { _running: running, folder, .. } = self;
        drop(running);
        Self::start_in(folder)
    }

    fn start_in(folder: TempDir) -> Self {
        let (data, destinations) = (folder.path().join("data"), folder.path().join("destinations"));
        let running = match destinations.is_dir() {
            true => {
                let mut command = program();
                command.args(["dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
                command.arg("--destinations").arg(destinations);
                crate::server::Server::start(command)
            }
            false => crate::server::Server::dev(Some(&data)),
        };
        Self::of(folder, running)
    }

    fn of(folder: TempDir, running: crate::server::Server) -> Self {
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { url: running.url.clone(), http, _running: running, folder }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder beside it.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A request with the known token.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.at(path)).bearer_auth(DEV)
    }

    /// A request without any token.
    pub(super) fn plain(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.at(path))
    }

    /// Sends a body, if there is one, and reads the answer's JSON.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.expect("JSON"))
    }

    /// What a request is answered with success.
    pub(super) async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(method.clone(), path, body).await;
        assert!(status.is_success(), "{method} {path} answered {status}: {answer}");
        answer
    }

    /// What a path answers with success.
    pub(super) async fn get(&self, path: &str) -> Value {
        self.done(Method::GET, path, None).await
    }

    /// Sends an event with that write key.
    pub(super) async fn send(&self, key: &str, route: &str, event: Value) -> StatusCode {
        let request = self.http.post(self.at(&format!("/v1/{route}"))).basic_auth(key, Some(""));
        request.json(&event).send().await.expect("an answer").status()
    }

    /// Waits until everything that was acknowledged is folded.
    pub(super) async fn folded(&self) {
        eventually("the fold of everything", async || {
            (self.get("/api/state").await["lag"] == 0).then_some(())
        })
        .await;
    }
}
