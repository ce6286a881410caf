//! Whatever a mapping, a template, an expression or a trigger is, and whatever the event: nothing panics,
//! everything ends, and the same comes out again. The first line is the definition, the rest the event.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selfsame_mapping::{Expression, Mapping, Scope, Template, Trigger};
use serde_json::{Value, json};

fuzz_target!(|data: &str| {
    let (definition, event) = data.split_once('\n').unwrap_or((data, "{}"));
    let event: Value = serde_json::from_str(event).unwrap_or_else(|_| json!({"a": event, "l": [1, null]}));
    let scope = Scope::at(0).with("event", &event).with("a", &event);
    if let Ok(mapping) = serde_json::from_str::<Value>(definition)
        && let Ok(mapping) = Mapping::compile(&mapping)
    {
        assert_eq!(mapping.resolve(&event), mapping.resolve(&event));
    }
    if let Ok(liquid) = Mapping::compile(&json!({"it": {"@liquid": definition}})) {
        assert_eq!(liquid.try_resolve(&event), liquid.try_resolve(&event));
    }
    if let Ok(expression) = Expression::compile(definition) {
        assert_eq!(expression.value(&scope), expression.value(&scope));
    }
    if let Ok(template) = Template::compile(definition) {
        assert_eq!(template.url(&scope), template.url(&scope));
    }
    assert_eq!(Trigger::closed(definition).holds(&event), Trigger::closed(definition).holds(&event));
});
