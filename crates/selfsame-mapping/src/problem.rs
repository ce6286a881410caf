//! What is wrong with a definition, and where.
/// One thing that is wrong with a definition.
pub struct Problem {
    /// JSON pointer into the definition; empty for the whole of it.
    pub pointer: String,
    /// Which bytes of the text there, if it is one.
    pub place: Option<std::ops::Range<usize>>,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What may help.
    pub hint: Option<String>,
}
impl Problem {
    /// The same problem, of a definition that lies at `pointer` in a larger one.
    pub fn under(self, pointer: &str) -> Self;
}
// Display: "/actions/track/url, byte 12: expected `)`, found the end of the text (hint)"
