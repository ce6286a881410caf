//! What a field of a mapping may be, as the tool says.

use serde_json::Value;

use super::super::Control;
use super::super::asked::Asked;
use super::super::problem::{Code, Problem};
use super::super::shape::shape;
use super::test::job;
use super::{connector, find};
use crate::chance;

shape! {
    /// Which field's choices are asked for.
    #[serde(deny_unknown_fields)]
    pub(crate) struct ChoicesAsked {
        /// The field.
        field: String,
        /// What the choices depend on, where the manifest looks at an event for it.
        event: Option<Value>,
    }

    /// The choices of a field.
    pub(crate) struct ChoicesFound {
        /// The choices, at most 1,000.
        data: Vec<ChoiceShown>,
    }

    /// One of the values that a field may have.
    pub(crate) struct ChoiceShown {
        /// What people call it.
        label: String,
        /// The value.
        value: Value,
    }
}

/// `POST /api/destinations/{id}/choices`
pub(crate) async fn choices(
    control: Control,
    asked: Asked,
    wanted: ChoicesAsked,
) -> Result<ChoicesFound, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let connector = connector(&control, destination)?;
    if !connector.dynamic_fields().any(|name| name == wanted.field) {
        let there: Vec<&str> = connector.dynamic_fields().collect();
        let message = match there.is_empty() {
            true => "`field`: the tool is asked for the choices of no field.".to_owned(),
            false => format!(
                "`field`: the tool is asked for the choices of `{}`, not of `{}`.",
                there.join("`, `"),
                wanted.field
            ),
        };
        return Err(Problem::field("field", message));
    }
    let key = format!("choices_{:016x}", u64::from_le_bytes(chance::bytes()));
    let event = wanted.event.unwrap_or(Value::Null);
    let job = job(&control.node, &key);
    let found = connector.choices(&wanted.field, &event, job).await.map_err(|carried| {
        let label = carried.outcome.label();
        let message = format!("The tool did not say what there is ({label}). {}", carried.note);
        Problem::new(Code::Conflict, message.trim_end().to_owned())
    })?;
    let data = found.into_iter().map(|one| ChoiceShown { label: one.label, value: one.value });
    Ok(ChoicesFound { data: data.collect() })
}
