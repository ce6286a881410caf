//! One HTTP request, exact to the byte, and what it is rendered from.

use selfsame_mapping::{Item, Scope, Template, TooLarge, Tree};
use serde_json::{Map, Value, json};
use url::Url;

/// A request that could be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The address.
    pub url: Url,
    /// The headers, in the order they are sent; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON, as it is sent.
    Json(String),
    /// A form, as it is sent.
    Form(String),
    /// A text.
    Text(String),
}

/// Why no request can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The address is none.
    #[error("`{url}` is no address: {why}")]
    Url {
        /// What it was rendered to.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The method is none.
    #[error("`{0}` is no method")]
    Method(String),
    /// A header cannot be sent.
    #[error("the header `{name}` may not be `{value}`")]
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// The body would be more than an event may become.
    #[error("the body would be too large")]
    Large,
    /// A key with which it should be signed is none.
    #[error("it cannot be signed: {0}")]
    Key(String),
}

impl Body {
    /// The bytes that are sent.
    pub fn text(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Json(text) | Self::Form(text) | Self::Text(text) => text,
        }
    }
}

impl Request {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Adds a header, or replaces the one of its name.
    pub(crate) fn set(&mut self, name: &str, value: String) -> Result<(), RequestError> {
        let name = name.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let printable = |letter: char| {
            letter == '\t' || (' '..='\u{ff}').contains(&letter) && letter != '\u{7f}'
        };
        if name.is_empty() || !name.bytes().all(token) || !value.chars().all(printable) {
            return Err(RequestError::Header { name, value });
        }
        match self.headers.iter_mut().find(|(one, _)| *one == name) {
            Some((_, there)) => *there = value,
            None => self.headers.push((name, value)),
        }
        Ok(())
    }

    /// The request as a document: what `selfsame destination render` prints.
    pub fn shown(&self) -> Value {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), json!(value)));
        let mut shown = Map::new();
        shown.insert("method".to_owned(), json!(self.method));
        shown.insert("url".to_owned(), json!(self.url.as_str()));
        shown.insert("headers".to_owned(), Value::Object(headers.collect()));
        match &self.body {
            Body::Empty => None,
            Body::Json(text) => {
                let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
                shown.insert("json".to_owned(), value)
            }
            Body::Form(text) => shown.insert("form".to_owned(), json!(text)),
            Body::Text(text) => shown.insert("text".to_owned(), json!(text)),
        };
        Value::Object(shown)
    }
}

/// The key of headers whose names are data.
const SPREAD: &str = "...";

/// What a request is rendered from.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) method: Option<Template>,
    pub(crate) url: Template,
    pub(crate) query: Vec<(String, Tree)>,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) body: BodyForm,
    /// Whether it proves who sends it.
    pub(crate) auth: bool,
}

/// What a body is rendered from.
#[derive(Debug, Clone)]
pub(crate) enum BodyForm {
    Empty,
    Json(Tree),
    Form(Vec<(String, Tree)>),
    Text(Template),
}

/// What every request of a manifest has, unless it has its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) query: Vec<(String, Tree)>,
}

impl Form {
    pub(crate) fn render(
        &self,
        defaults: &Defaults,
        scope: &Scope<'_>,
    ) -> Result<Request, RequestError> {
        let method = self.method.as_ref().and_then(|method| method.text(scope));
        let method =
            method.or_else(|| defaults.method.clone()).unwrap_or_else(|| "POST".to_owned());
        let method = method.to_ascii_uppercase();
        if !["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].contains(&method.as_str()) {
            return Err(RequestError::Method(method));
        }
        let mut url = address(&self.url.url(scope).unwrap_or_default())?;
        for (name, value) in parts(&defaults.query, scope).chain(parts(&self.query, scope)) {
            url.query_pairs_mut().append_pair(name, &value);
        }
        let mut request = Request { method, url, headers: Vec::new(), body: Body::Empty };
        request.body = match &self.body {
            BodyForm::Empty => Body::Empty,
            BodyForm::Json(tree) => {
                let json = tree.json(scope).map_err(|TooLarge| RequestError::Large)?;
                json.map_or(Body::Empty, Body::Json)
            }
            BodyForm::Form(pairs) => Body::Form(form(pairs, scope)),
            BodyForm::Text(text) => text.text(scope).map_or(Body::Empty, Body::Text),
        };
        match &request.body {
            Body::Json(_) => request.set("content-type", "application/json".to_owned())?,
            Body::Form(_) => {
                request.set("content-type", "application/x-www-form-urlencoded".to_owned())?;
            }
            Body::Empty | Body::Text(_) => {}
        }
        for (name, value) in parts(&defaults.headers, scope).chain(parts(&self.headers, scope)) {
            if name == SPREAD {
                continue;
            }
            request.set(name, value)?;
        }
        for (name, value) in spread(&self.headers, scope) {
            request.set(&name, value)?;
        }
        Ok(request)
    }
}

/// The address; only those of the web.
fn address(text: &str) -> Result<Url, RequestError> {
    let refuse = |why: String| RequestError::Url { url: text.to_owned(), why };
    let url = Url::parse(text).map_err(|error| refuse(error.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refuse("it is not of the web".to_owned()));
    }
    Ok(url)
}

/// Names and texts; what is nothing is left out.
pub(crate) fn parts<'f>(
    pairs: &'f [(String, Tree)],
    scope: &'f Scope<'_>,
) -> impl Iterator<Item = (&'f str, String)> {
    pairs.iter().filter_map(|(name, tree)| Some((name.as_str(), tree.text(scope)?)))
}

/// Headers whose names are data: those of an object under `...`.
fn spread(pairs: &[(String, Tree)], scope: &Scope<'_>) -> Vec<(String, String)> {
    let objects = pairs.iter().filter(|(name, _)| name == SPREAD).map(|(_, tree)| tree.item(scope));
    let fields = objects.flat_map(Item::into_fields);
    fields.filter_map(|(name, item)| Some((name.into_owned(), item.to_text()?))).collect()
}

/// A form: a list is its name several times.
fn form(pairs: &[(String, Tree)], scope: &Scope<'_>) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, tree) in pairs {
        let item = tree.item(scope);
        let items = if item.is_list() { item.into_elements() } else { vec![item] };
        for value in items.iter().filter_map(Item::to_text) {
            form.append_pair(name, &value);
        }
    }
    form.finish()
}
