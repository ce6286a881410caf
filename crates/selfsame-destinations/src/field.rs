//! What an action is given: the fields of a payload, what they are made, and what refuses an event.
//!
//! A payload is what a mapping made of an event. It is treated as Segment's actions treat theirs, so
//! that mappings which were written there give the same here: what is empty goes, a value alone
//! becomes a list where one is wanted, kinds are changed where nothing is lost by it, and what no
//! field is for goes too.

mod coerce;
mod text_format;

use selfsame_mapping::{Expression, Scope};
use serde_json::{Map, Value};

pub(crate) use coerce::text_of as number_text;
pub(crate) use text_format::TextFormat;

/// What a value is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Integer,
    Flag,
    /// A text that is a date, or a number.
    Time,
    Object,
}

impl Kind {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "number" => Self::Number,
            "integer" => Self::Integer,
            "boolean" => Self::Flag,
            "datetime" => Self::Time,
            "object" => Self::Object,
            _ => Self::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Flag => "true or false",
            Self::Time => "a time",
            Self::Object => "an object",
        }
    }
}

/// When a field has to be there.
#[derive(Debug, Clone)]
pub(crate) enum Required {
    Never,
    Always,
    When(Expression),
}

/// One field of a payload, or of an object in it.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) kind: Kind,
    pub(crate) multiple: bool,
    pub(crate) required: Required,
    pub(crate) allow_null: bool,
    pub(crate) choices: Vec<Value>,
    pub(crate) format: Option<TextFormat>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    /// The fields of an object; without them it is kept as it is.
    pub(crate) properties: Option<Fields>,
}

/// The fields of a payload, by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(crate) fields: Vec<(String, Field)>,
    /// Whether what no field is for is kept.
    pub(crate) additional: bool,
}

impl Fields {
    /// Takes away what is empty. An empty text at the top goes where the payload is of one event.
    pub(crate) fn without_empty(&self, payload: Value, single: bool) -> Value {
        match payload {
            Value::Object(map) => Value::Object(self.empty(map, single)),
            other => other,
        }
    }

    fn empty(&self, map: Map<String, Value>, top: bool) -> Map<String, Value> {
        let kept = map.into_iter().filter_map(|(name, value)| {
            let value = match self.get(&name) {
                Some(field) => field.without_empty(value)?,
                None => value,
            };
            let goes = top && value.as_str() == Some("");
            (!goes).then_some((name, value))
        });
        kept.collect()
    }

    fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|(one, _)| one == name).map(|(_, field)| field)
    }

    /// Makes of a payload what the fields say, or lists why it cannot be.
    pub(crate) fn accept(&self, payload: Value, now_ms: i64) -> Result<Value, Vec<String>> {
        let Value::Object(map) = payload else {
            return Err(vec!["the mapping gives no object".to_owned()]);
        };
        let mut faults = Vec::new();
        let arrayed = map.into_iter().map(|(name, value)| {
            let list = self.get(&name).is_some_and(|field| field.multiple);
            let value = match value {
                value @ (Value::Array(_) | Value::Null) => value,
                alone if list => Value::Array(vec![alone]),
                other => other,
            };
            (name, value)
        });
        let map = self.object(arrayed.collect(), "", &mut faults);
        let payload = Value::Object(map);
        self.conditions(&payload, now_ms, &mut faults);
        if faults.is_empty() { Ok(payload) } else { Err(faults) }
    }

    fn object(
        &self,
        map: Map<String, Value>,
        within: &str,
        faults: &mut Vec<String>,
    ) -> Map<String, Value> {
        for (name, field) in &self.fields {
            if matches!(field.required, Required::Always) && !map.contains_key(name) {
                faults.push(format!("`{within}{name}` is required"));
            }
        }
        let kept = map.into_iter().filter_map(|(name, value)| match self.get(&name) {
            Some(field) => {
                let value = field.accept(value, &format!("{within}{name}"), faults);
                Some((name, value))
            }
            None => self.additional.then_some((name, value)),
        });
        kept.collect()
    }

    /// Fields that have to be there because of others.
    fn conditions(&self, payload: &Value, now_ms: i64, faults: &mut Vec<String>) {
        let scope = Scope::at(now_ms).with("payload", payload);
        for (name, field) in &self.fields {
            let Required::When(expression) = &field.required else { continue };
            if payload.get(name).is_none() && expression.holds(&scope) {
                faults.push(format!("`{name}` is required here"));
            }
        }
    }
}

impl Field {
    fn without_empty(&self, value: Value) -> Option<Value> {
        let kinds = [self.kind == Kind::Text || self.kind == Kind::Time, self.allow_null];
        match value {
            Value::Array(list) if self.multiple => {
                let kept = list.into_iter().filter(|item| match (item, &self.properties) {
                    (Value::Null, _) => false,
                    (Value::String(text), _) => kinds[0] || !text.is_empty(),
                    _ => true,
                });
                Some(Value::Array(kept.collect()))
            }
            Value::Object(map) if !self.multiple => {
                let Some(fields) = &self.properties else { return Some(Value::Object(map)) };
                Some(Value::Object(fields.empty(map, false)))
            }
            Value::Null => kinds[1].then_some(Value::Null),
            Value::String(text) if text.is_empty() => {
                (kinds[0] && !self.multiple).then_some(Value::String(text))
            }
            other => Some(other),
        }
    }

    fn accept(&self, value: Value, at: &str, faults: &mut Vec<String>) -> Value {
        if !self.multiple {
            return self.one(value, at, faults);
        }
        let list = match value {
            Value::Array(list) => list,
            Value::Object(_) => {
                faults.push(format!("`{at}` has to be a list"));
                return value;
            }
            alone => vec![alone],
        };
        let items = list.into_iter().enumerate();
        Value::Array(
            items.map(|(index, item)| self.one(item, &format!("{at}.{index}"), faults)).collect(),
        )
    }

    fn one(&self, value: Value, at: &str, faults: &mut Vec<String>) -> Value {
        if self.allow_null && value.is_null() {
            return value;
        }
        let value = match coerce::to(self.kind, value) {
            Ok(value) => value,
            Err(value) => {
                faults.push(format!("`{at}` has to be {}", self.kind.name()));
                return value;
            }
        };
        self.bounds(&value, at, faults);
        match (value, &self.properties) {
            (Value::Object(map), Some(fields)) => {
                Value::Object(fields.object(map, &format!("{at}."), faults))
            }
            (value, _) => value,
        }
    }

    fn bounds(&self, value: &Value, at: &str, faults: &mut Vec<String>) {
        if !self.choices.is_empty() && !self.choices.contains(value) {
            let choices: Vec<String> = self.choices.iter().map(Value::to_string).collect();
            faults.push(format!("`{at}` has to be one of {}", choices.join(", ")));
        }
        if let Some(format) = self.format.filter(|format| !format.holds(value)) {
            faults.push(format!("`{at}` has to be {}", format.name()));
        }
        #[expect(clippy::cast_precision_loss, reason = "a length is compared, not counted with")]
        let size = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => Some(text.chars().count() as f64),
            _ => None,
        };
        let Some(size) = size else { return };
        if self.minimum.is_some_and(|least| size < least) {
            faults.push(format!("`{at}` is below its minimum"));
        }
        if self.maximum.is_some_and(|most| size > most) {
            faults.push(format!("`{at}` is above its maximum"));
        }
    }
}

#[cfg(test)]
mod tests;
