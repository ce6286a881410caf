//! How commands talk to a running server, and what they say when they cannot.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::printable::printable;

/// Everything but what a part of a path or query may have as it is.
const KEPT: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// Flags of commands that ask a running server.
#[derive(Debug, Args, Clone)]
pub(crate) struct Remote {
    /// The server's address.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) server: String,
    /// An API token. Default: the environment variable `SELFSAME_TOKEN`.
    #[arg(long, value_name = "TOKEN", hide_default_value = true)]
    pub(crate) token: Option<String>,
}

/// A server's answer that is no success.
#[derive(Debug, thiserror::Error)]
#[error("the server answered {status}: {message}")]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Asks one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Remote {
    /// A client of the server.
    #[expect(
        clippy::disallowed_methods,
        reason = "the token is not for the command line, which others see"
    )]
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let token = self.token.clone().or_else(|| std::env::var("SELFSAME_TOKEN").ok());
        // Only where nothing has set it up before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let base = self.server.trim_end_matches('/');
        let base = match base.contains("://") {
            true => base.to_owned(),
            false => format!("http://{base}"),
        };
        reqwest::Url::parse(&base).with_context(|| {
            format!("`{}` is not an address such as http://127.0.0.1:8080", self.server)
        })?;
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("selfsame/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Client { http, base, token: token.filter(|token| !token.is_empty()) })
    }
}

/// Runs what a command asks of a server.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// A part of a path or a value of a query.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, &KEPT).to_string()
}

impl Client {
    /// A request, with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; anything but a success is an error that says what to do.
    pub(crate) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let of = |name: &str| {
            let found =
                json.get("error").and_then(|error| error.get(name)).or_else(|| json.get(name));
            found.and_then(Value::as_str).map(printable)
        };
        let message = of("message").unwrap_or_else(|| {
            let line = text.lines().next().unwrap_or_default();
            if line.is_empty() { status.to_string() } else { crate::printable::brief(line, 200) }
        });
        let refused = Refused { status, code: of("code").unwrap_or_default(), message };
        let error = anyhow::Error::new(refused);
        Err(match status {
            StatusCode::UNAUTHORIZED if self.token.is_none() => error.context(
                "the server wants an API token: give --token, or set SELFSAME_TOKEN to the token \
                 that the first `selfsame serve` printed (`selfsame dev` has the token `dev`)",
            ),
            StatusCode::UNAUTHORIZED => error.context(
                "the server does not take this API token (from --token, else SELFSAME_TOKEN): it is \
                 unknown or revoked",
            ),
            _ => error,
        })
    }

    /// What a path answers.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.request(Method::GET, path).timeout(Duration::from_secs(60));
        let response = self.send(request).await?;
        response.json().await.context("the server's answer cannot be read")
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let base = &self.base;
        if error.is_connect() {
            anyhow::Error::new(error).context(format!(
                "no server answers at {base}. Start one with `selfsame serve`, or name another with --server"
            ))
        } else {
            anyhow::Error::new(error).context(format!("the connection to {base} failed"))
        }
    }

    /// Whether an error may go away by itself.
    pub(crate) fn is_passing(error: &anyhow::Error) -> bool {
        let refused = error.downcast_ref::<Refused>();
        refused.is_some_and(|refused| {
            matches!(
                refused.status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::BAD_GATEWAY
            )
        }) || error.downcast_ref::<reqwest::Error>().is_some()
    }
}
