//! The expressions of manifests.
//!
//! A subset of JavaScript's: names and members (`event.traits.email`, `products[0]`, `a['b c']`), literals,
//! `?:`, `??`, `||`, `&&`, `!`, comparisons, arithmetic, `{a, 'b': 1, ...c}`, `[1, ...list]`, and calls of
//! [`functions`]. A function of one value (`x => …`, also `(x, i) => …`) may stand only as an argument of
//! those that take one (`map(products, p => p.sku)`). `a | f(b)` is `f(a, b)`.
//!
//! Nothing throws: a member of what has none is undefined, arithmetic on what is no number is undefined,
//! and a function whose subject is undefined or null gives undefined.
//!
//! Equality is `===` however many `=` are written; truth is JavaScript's: `false`, `0`, `""`, null and
//! undefined are false.

use serde_json::Value;

use crate::problem::Problem;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {}

/// What the names of an expression stand for.
#[derive(Debug, Clone, Default)]
pub struct Scope<'e> {
    names: Vec<(&'e str, &'e Value)>,
    now_ms: i64,
}

impl<'e> Scope<'e> {
    /// A scope without names; `now()` is this time, in milliseconds since 1970.
    pub fn at(now_ms: i64) -> Self;
    /// Adds a name. A name that is there already is hidden by it.
    pub fn with(self, name: &'e str, value: &'e Value) -> Self;
    /// The same for a scope that is built in steps (`let`, `steps`).
    pub fn set(&mut self, name: &'e str, value: &'e Value);
}

impl Expression {
    /// Reads an expression (the text behind the `=` of a manifest).
    pub fn compile(text: &str) -> Result<Self, Problem>;
    /// What it comes to; null where that is undefined.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Value;
    /// What it comes to; `None` where that is undefined: its key is then left out.
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value>;
    /// Whether it is true, as JavaScript sees it. For `when`, `require`, `ok`, `stop`.
    pub fn holds(&self, scope: &Scope<'_>) -> bool;
    /// As text; `None` where it is null or undefined.
    pub fn text(&self, scope: &Scope<'_>) -> Option<String>;
    /// The names that it reads from the scope, each once, in order: a manifest can refuse others.
    pub fn names(&self) -> &[String];
}

/// The functions: name, arguments and one sentence, for the documents and for editors.
pub fn functions() -> &'static [Function];
