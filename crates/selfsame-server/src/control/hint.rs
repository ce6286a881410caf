//! What somebody who changed something may want to know or do next, beside the answer.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde_json::Value;

use super::problem::Problem;
use super::shape::Shapes;
use super::table::Answer;

/// The header that says it. The body stays what was asked for, so that it can be sent back.
const HINT: HeaderName = HeaderName::from_static("x-selfsame-hint");

/// An answer, and perhaps a hint.
#[derive(Debug)]
pub(crate) struct Hinted<T> {
    pub(crate) answer: T,
    pub(crate) hint: Option<String>,
}

impl<T: Answer> Answer for Hinted<T> {
    const MEDIA: &'static str = T::MEDIA;

    fn describe(all: &mut Shapes) -> Value {
        T::describe(all)
    }

    fn answer(self, status: u16) -> Result<Response, Problem> {
        let mut response = self.answer.answer(status)?;
        if let Some(hint) = self.hint.and_then(|hint| HeaderValue::try_from(hint).ok()) {
            response.headers_mut().insert(HINT, hint);
        }
        Ok(response)
    }
}
