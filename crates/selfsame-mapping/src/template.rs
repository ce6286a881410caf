//! Texts with expressions in them.

/// A value of a manifest that was written as a string: `=expression`, `text {{ expression }} text`, or
/// just text. `\=` at the beginning is an equals sign; `{{'{{'}}` are two brackets.
pub struct Template {}

impl Template {
    pub fn compile(text: &str) -> Result<Self, Problem>;
    /// What it comes to: of `=expression` any value, of texts a text, in which undefined and null parts are empty.
    /// `None`: undefined.
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value>;
    /// The same as text; `None` where it is null or undefined.
    pub fn text(&self, scope: &Scope<'_>) -> Option<String>;
    /// The same as part of a URL: what expressions give is percent-encoded as by `encodeURIComponent`,
    /// unless the expression is `raw(…)`; `=expression` is not encoded.
    pub fn url(&self, scope: &Scope<'_>) -> Option<String>;
    pub fn names(&self) -> &[String];
}
