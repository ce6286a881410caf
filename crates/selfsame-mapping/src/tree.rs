//! JSON values with expressions in them.

/// A JSON value in which every string is a [`Template`]. What is undefined is left out of its object, and
/// of its list; `{"...": "=expression"}` spreads an object into the one that it stands in.
pub struct Tree {}

impl Tree {
    /// Problems point into the value (JSON pointer), and into the text of each expression.
    pub fn compile(value: &Value) -> Result<Self, Vec<Problem>>;
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value>;
    /// Null where that is undefined.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Value;
    pub fn names(&self) -> &[String];
}
