//! The way out, as far as functions have to know it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Sends what functions ask for. Whether an address may be sent to is decided there.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Begins to send, and returns at once. The answer goes to `reply`, from any thread; a reply that is
    /// dropped is a failure.
    fn fetch(&self, request: FetchRequest, reply: FetchReply);
}

/// A request of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRequest {
    /// GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.
    pub method: String,
    /// An absolute address.
    pub url: String,
    /// The headers, as the function wrote them.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "crate::apart::bytes")]
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FetchResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, or as much of it as may be read.
    #[serde(with = "crate::apart::bytes")]
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub is_cut: bool,
}

/// Where the answer of a request goes.
pub struct FetchReply(Option<Answering>);

type Answering = Box<dyn FnOnce(Result<FetchResponse, String>) + Send>;

impl fmt::Debug for FetchReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FetchReply").finish_non_exhaustive()
    }
}

impl FetchReply {
    pub(crate) fn new(
        answering: impl FnOnce(Result<FetchResponse, String>) + Send + 'static,
    ) -> Self {
        Self(Some(Box::new(answering)))
    }

    /// Gives the answer, or says why there is none.
    pub fn answer(mut self, response: Result<FetchResponse, String>) {
        if let Some(answering) = self.0.take() {
            answering(response);
        }
    }
}

impl Drop for FetchReply {
    fn drop(&mut self) {
        if let Some(answering) = self.0.take() {
            answering(Err("the request was given up".to_owned()));
        }
    }
}
