//! Triggers, as `@segment/destination-subscriptions` reads them.
pub struct Trigger {}
impl Trigger {
    pub fn compile(text: &str) -> Result<Self, Problem>;
    /// A trigger that cannot be read holds for no event.
    pub fn closed(text: &str) -> Self;
    pub fn holds(&self, event: &Value) -> bool;
}
