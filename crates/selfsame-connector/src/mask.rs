//! What is shown of requests and answers, without secrets.

use selfsame_destinations::Request;
use serde_json::Value;

/// A text of fewer bytes than this is not looked for: it would be found everywhere.
const LEAST: usize = 4;
/// Headers that prove who sends a request.
const PROVING: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
pub(crate) const HIDDEN: &str = "***";

/// Texts that are not shown.
#[derive(Clone, Default)]
pub struct Mask(Vec<String>);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Mask").field(&self.0.len()).finish()
    }
}

impl Mask {
    /// Hides every text in these values.
    pub fn of<'v>(secrets: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut texts = Vec::new();
        secrets.into_iter().for_each(|value| collect(value, &mut texts));
        // The longest first: one may be part of another.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        Self(texts)
    }

    /// One that hides tokens too: of what OAuth says not all is secret.
    #[must_use]
    pub fn and_tokens(&self, auth: &Value) -> Self {
        let is_secret = |name: &str| {
            name.ends_with("_token")
                || ["secret", "password", "key"].iter().any(|word| name.contains(word))
        };
        let named = auth.as_object().into_iter().flatten();
        let mut more = Self::of(named.filter(|(name, _)| is_secret(name)).map(|(_, value)| value));
        more.0.extend(self.0.iter().cloned());
        more.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
        more
    }

    /// A text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.0 {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), HIDDEN);
            }
        }
        shown
    }

    /// The value of a header without secrets; of one that proves who sends it, the kind of proof is kept.
    pub fn header(&self, name: &str, value: &str) -> String {
        if !PROVING.contains(&name) {
            return self.text(value);
        }
        match value.split_once(' ') {
            Some((kind, _)) if kind.len() <= 16 => format!("{kind} {HIDDEN}"),
            _ => HIDDEN.to_owned(),
        }
    }

    /// A request without secrets.
    pub(crate) fn shown(&self, request: &Request) -> Value {
        let mut shown = request.shown();
        if let Some(Value::Object(headers)) = shown.get_mut("headers") {
            for (name, value) in headers {
                if let Value::String(text) = value {
                    *text = self.header(name, text);
                }
            }
        }
        self.value(&shown)
    }

    /// A document without secrets.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => Value::Array(list.iter().map(|one| self.value(one)).collect()),
            Value::Object(map) => {
                let one = |(name, value): (&String, &Value)| (self.text(name), self.value(value));
                Value::Object(map.iter().map(one).collect())
            }
            other => other.clone(),
        }
    }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= LEAST => {
            texts.push(text.clone());
            // As it stands in addresses and forms.
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            if encoded != *text {
                texts.push(encoded);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| collect(one, texts)),
        Value::Object(map) => map.values().for_each(|one| collect(one, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
