//! JSON text put together from texts, so that a number keeps every digit that it came with.

use selfsame_event::Raw;

/// An object that is being written.
#[derive(Debug)]
pub struct JsonObject(String);

impl Default for JsonObject {
    fn default() -> Self {
        Self("{".to_owned())
    }
}

impl JsonObject {
    /// An object with these members, to which more can be added.
    pub fn with(object: Raw<'_>) -> Self {
        let mut out = Self::default();
        object.each_field(|key, value| {
            out.raw(key, value.text());
        });
        out
    }

    /// Adds a member whose value is JSON text already.
    pub fn raw(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.0.push_str(value);
        self
    }

    /// Adds a string.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        push_string(&mut self.0, value);
        self
    }

    /// Adds a string, if there is one.
    pub fn text_if(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// The text of the object.
    pub fn finish(&mut self) -> String {
        let mut text = std::mem::take(self).0;
        text.push('}');
        text
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, key);
        self.0.push(':');
    }
}

/// An array that is being written.
#[derive(Debug)]
pub struct JsonArray(String);

impl Default for JsonArray {
    fn default() -> Self {
        Self("[".to_owned())
    }
}

impl JsonArray {
    /// Adds an element that is JSON text already.
    pub fn raw(&mut self, value: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(value);
        self
    }

    /// The text of the array.
    pub fn finish(&mut self) -> String {
        let mut text = std::mem::take(self).0;
        text.push(']');
        text
    }
}

impl<S: AsRef<str>> FromIterator<S> for JsonArray {
    fn from_iter<I: IntoIterator<Item = S>>(elements: I) -> Self {
        let mut array = Self::default();
        elements.into_iter().for_each(|element| _ = array.raw(element.as_ref()));
        array
    }
}

fn push_string(out: &mut String, value: &str) {
    out.push_str(&serde_json::to_string(value).expect("a string is always JSON"));
}
