//! Which of our addresses a request is for.

use hyper::Method;
use selfsame_event::EventType;

/// An address that collecting answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// One event of the type that the path names.
    Event {
        /// The type.
        kind: EventType,
        /// Whether only browsers and apps call this address (the one-letter paths).
        client: bool,
    },
    /// A batch.
    Batch {
        /// Whether only browsers and apps call this address (`/v1/b`).
        client: bool,
    },
    /// An event in the query of an image; without a type where the path names none of the six.
    Pixel(Option<EventType>),
    /// Counters of an SDK's own health: accepted, counted, dropped.
    Telemetry,
    /// A browser asks whether it may send.
    Preflight,
    /// One of ours, with a method that it does not have.
    WrongMethod,
    /// The settings document of a write key.
    Settings(String),
    /// The browser SDK for a write key.
    Script(String),
    /// A part of the browser SDK.
    Bundle(String),
}

impl Route {
    /// The route of a method and path; `None` for what is not ours.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let route = Self::of_path(path)?;
        let reads =
            matches!(route, Self::Pixel(_) | Self::Settings(_) | Self::Script(_) | Self::Bundle(_));
        Some(match *method {
            Method::OPTIONS => Self::Preflight,
            Method::POST if !reads => route,
            Method::GET | Method::HEAD if reads => route,
            _ => Self::WrongMethod,
        })
    }

    fn of_path(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if let Some(call) = path.strip_prefix("/v1/")
            && !call.contains('/')
        {
            return Self::of_call(call);
        }
        if let Some(call) = path.strip_prefix("/v1/pixel/") {
            let kind = || EventType::from_name(call).or_else(|| EventType::from_letter(call));
            return (!call.contains('/')).then(|| Self::Pixel(kind()));
        }
        if let Some(rest) = path.strip_prefix("/analytics-next/bundles/") {
            return is_name(rest).then(|| Self::Bundle(rest.to_owned()));
        }
        if let Some(rest) = path.strip_prefix("/analytics.js/v1/") {
            let (key, file) = rest.split_once('/')?;
            let known = matches!(file, "analytics.min.js" | "analytics.js");
            return (known && is_key(key)).then(|| Self::Script(key.to_owned()));
        }
        let rest = path.strip_prefix("/v1").unwrap_or(path).strip_prefix("/projects/")?;
        let key = rest.strip_suffix("/settings").filter(|key| !key.contains('/'))?;
        Some(Self::Settings(key.to_owned()))
    }

    fn of_call(call: &str) -> Option<Self> {
        match call {
            "batch" | "import" => Some(Self::Batch { client: false }),
            "b" => Some(Self::Batch { client: true }),
            "m" => Some(Self::Telemetry),
            _ => {
                let named = EventType::from_name(call).map(|kind| (kind, false));
                let letter = || EventType::from_letter(call).map(|kind| (kind, true));
                named.or_else(letter).map(|(kind, client)| Self::Event { kind, client })
            }
        }
    }
}

/// Whether the text can be a write key: letters, digits, `-`, `_`.
pub(crate) fn is_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed)
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 128 && !text.starts_with('.') && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests;
