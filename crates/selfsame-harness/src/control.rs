//! The Control API of `selfsame dev`, as an operator's own client asks it.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use crate::generate::KEY;
use crate::http::Connection;

/// The webhook that a harness listens on, as a destination is called.
pub(crate) const SINK: &str = "sink";

/// Asks one server.
#[derive(Debug)]
pub(crate) struct Control(Connection);

impl Control {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(Connection::new(address))
    }

    /// The answer to a request, which is to be a success.
    async fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Value> {
        let found = self.ask_for(method, path, body).await?;
        found.map_err(|(status, text)| anyhow!("{method} {path} was answered {status}: {text}"))
    }

    /// What is there; `None` where nothing is, or nothing that we may see.
    pub(crate) async fn find(&mut self, path: &str) -> Result<Option<Value>> {
        match self.ask_for("GET", path, b"").await? {
            // The bare server answers nothing to whatever it is asked.
            Ok(Value::Null) => Ok(None),
            Ok(found) => Ok(Some(found)),
            Err((401 | 403 | 404, _)) => Ok(None),
            Err((status, text)) => bail!("GET {path} was answered {status}: {text}"),
        }
    }

    /// The answer to a request, or its status and text where it is no success.
    async fn ask_for(
        &mut self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<std::result::Result<Value, (u16, String)>> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        let answer = self.0.ask(&request).await.with_context(|| format!("{method} {path}"))?;
        let text = String::from_utf8_lossy(self.0.body());
        if !matches!(answer.status, 200..300) {
            return Ok(Err((answer.status, text.into_owned())));
        }
        if text.is_empty() {
            return Ok(Ok(Value::Null));
        }
        serde_json::from_str(&text).map(Ok).context("an answer that is not JSON")
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Value> {
        self.ask("GET", path, b"").await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Result<Value> {
        self.ask("DELETE", path, b"").await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", path, &serde_json::to_vec(body)?).await
    }

    pub(crate) async fn patch(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.ask("PATCH", path, &serde_json::to_vec(body)?).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.ask("PUT", path, &serde_json::to_vec(body)?).await
    }

    /// Makes a destination of a webhook on this machine, which gets no events but what definitions
    /// send it.
    pub(crate) async fn connect_sink(&mut self, address: SocketAddr) -> Result<()> {
        let sink = json!({
            "id": SINK, "name": SINK, "kind": "webhook", "url": format!("http://{address}/"),
            "events": ["alias"],
        });
        self.post("/api/destinations", &sink).await.map(drop)
    }

    /// Makes a definition. If it is `told`, the webhook hears of its changes.
    pub(crate) async fn define(
        &mut self,
        id: &str,
        is_audience: bool,
        query: &str,
        is_told: bool,
    ) -> Result<()> {
        let kind = if is_audience { "audience" } else { "computed_trait" };
        let told = json!({ "destination": SINK, "send": "track" });
        let told = if is_told { vec![told] } else { Vec::new() };
        let definition = json!({ "kind": kind, "query": query, "destinations": told });
        self.put(&path(id), &definition).await.map(drop).with_context(|| format!("`{query}`"))
    }

    /// What is known of a definition.
    pub(crate) async fn definition(&mut self, id: &str) -> Result<Value> {
        self.get(&path(id)).await
    }
}

fn path(id: &str) -> String {
    format!("/api/spaces/dev/definitions/{id}")
}
