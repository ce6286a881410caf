//! Segment's mappings.
pub struct Mapping {}
impl Mapping {
    /// Compiles a mapping. Problems point at a place (JSON pointer) and say what was expected.
    pub fn compile(mapping: &Value) -> Result<Self, Vec<Problem>>;
    /// The payload that an event becomes. A directive that fails is undefined: its key is left out.
    pub fn resolve(&self, event: &Value) -> Value;
    /// The same, or the first failure: what Segment's engine throws, with which it refuses the event.
    pub fn try_resolve(&self, event: &Value) -> Result<Value, Failure>;
}
/// Why an event cannot be mapped.
pub struct Failure { pub pointer: String, pub reason: String }
