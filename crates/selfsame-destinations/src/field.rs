//! What an action is given: the fields of a payload, what they are made, and what refuses an event.
//!
//! A payload is what a mapping made of an event. It is treated as Segment's actions treat theirs, so
//! that mappings which were written there give the same here: what is empty goes, a value alone
//! becomes a list where one is wanted, kinds are changed where nothing is lost by it, and what no
//! field is for goes too.

mod coerce;
mod text_format;

use std::fmt;

use selfsame_mapping::{Expression, Item, Scope};
use serde_json::Value;

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

/// Whether the payload is checked by itself or together with others, and the time of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around {
    /// An empty text at the top goes where the payload is of one event.
    pub(crate) single: bool,
    pub(crate) now_ms: i64,
}

impl Fields {
    /// Makes of a payload what the fields say, without what is empty, or lists why it cannot be.
    pub(crate) fn payload<'e>(
        &self,
        payload: Item<'e>,
        around: Around,
    ) -> Result<Item<'e>, Vec<String>> {
        self.made(payload, true, around)
    }

    /// Makes of settings what the fields say, or lists why they cannot be.
    pub(crate) fn settings<'e>(&self, settings: Item<'e>) -> Result<Item<'e>, Vec<String>> {
        self.made(settings, false, Around { single: false, now_ms: 0 })
    }

    fn made<'e>(
        &self,
        payload: Item<'e>,
        empties: bool,
        around: Around,
    ) -> Result<Item<'e>, Vec<String>> {
        if !payload.is_object() {
            return Err(vec!["the mapping gives no object".to_owned()]);
        }
        let mut check = Check { empties, top: around.single, faults: Vec::new() };
        let payload = check.object(self, payload, &Place::Top);
        self.conditions(&payload, around.now_ms, &mut check.faults);
        if check.faults.is_empty() { Ok(payload) } else { Err(check.faults) }
    }

    /// The field of a name. Mappings have names in the order of the fields, mostly: it is looked for from `at` on.
    fn find(&self, name: &str, at: &mut usize) -> Option<&Field> {
        let (before, behind) = self.fields.split_at((*at).min(self.fields.len()));
        let fields = behind.iter().chain(before).enumerate();
        let (steps, (_, field)) = fields.into_iter().find(|(_, (one, _))| one == name)?;
        *at = (*at + steps + 1) % self.fields.len();
        Some(field)
    }

    /// Fields that have to be there because of others.
    fn conditions(&self, payload: &Item<'_>, now_ms: i64, faults: &mut Vec<String>) {
        for (name, field) in &self.fields {
            let Required::When(expression) = &field.required else { continue };
            if payload.member(name).is_undefined() {
                let scope = Scope::at(now_ms).with("payload", payload.clone());
                if expression.holds(&scope) {
                    faults.push(format!("`{name}` is required here"));
                }
            }
        }
    }
}

/// Where a value is, for messages.
enum Place<'p> {
    Top,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Key(Self::Top, key) => f.write_str(key),
            Self::Key(above, key) => write!(f, "{above}.{key}"),
            Self::Index(above, index) => write!(f, "{above}.{index}"),
        }
    }
}

/// One look at a payload.
struct Check {
    /// Whether what is empty goes.
    empties: bool,
    /// Whether an empty text goes from the object that comes next.
    top: bool,
    faults: Vec<String>,
}

impl Check {
    fn object<'e>(&mut self, fields: &Fields, object: Item<'e>, place: &Place<'_>) -> Item<'e> {
        let top = std::mem::take(&mut self.top);
        let is_payload = matches!(place, Place::Top);
        let mut kept = object.into_fields();
        let mut at = 0;
        if self.empties {
            kept.retain_mut(|(name, item)| {
                if let Some(field) = fields.find(name, &mut at)
                    && !field.keep(item)
                {
                    return false;
                }
                !(top && item.as_text() == Some(""))
            });
        }
        let there = kept.iter();
        for (name, field) in &fields.fields {
            let is_required = matches!(field.required, Required::Always);
            if is_required && !there.clone().any(|(one, _)| one == name) {
                self.faults.push(format!("`{}` is required", Place::Key(place, name)));
            }
        }
        at = 0;
        kept.retain_mut(|(name, item)| match fields.find(name, &mut at) {
            Some(field) => {
                let given = std::mem::replace(item, Item::Null);
                let is_alone = is_payload && field.multiple && !given.is_list();
                let given = match given {
                    Item::Null => Item::Null,
                    alone if is_alone => Item::list(vec![alone]),
                    given => given,
                };
                *item = self.field(field, given, &Place::Key(place, name));
                true
            }
            None => fields.additional,
        });
        Item::object(kept)
    }

    fn field<'e>(&mut self, field: &Field, item: Item<'e>, place: &Place<'_>) -> Item<'e> {
        if !field.multiple {
            return self.one(field, item, place);
        }
        if item.is_object() {
            self.faults.push(format!("`{place}` has to be a list"));
            return item;
        }
        let items = if item.is_list() { item.into_elements() } else { vec![item] };
        let items = items.into_iter().enumerate();
        let made = items.map(|(index, item)| self.one(field, item, &Place::Index(place, index)));
        Item::list(made.collect())
    }

    fn one<'e>(&mut self, field: &Field, item: Item<'e>, place: &Place<'_>) -> Item<'e> {
        if field.allow_null && matches!(item, Item::Null) {
            return item;
        }
        let item = match coerce::to(field.kind, item) {
            Ok(item) => item,
            Err(item) => {
                self.faults.push(format!("`{place}` has to be {}", field.kind.name()));
                return item;
            }
        };
        self.bounds(field, &item, place);
        match &field.properties {
            Some(fields) if item.is_object() => self.emptied(fields, item, place),
            _ => item,
        }
    }

    /// An object in a payload; in a list, nothing of it goes because it is empty.
    fn emptied<'e>(&mut self, fields: &Fields, item: Item<'e>, place: &Place<'_>) -> Item<'e> {
        let empties = self.empties;
        self.empties = empties && !place.is_in_list();
        let made = self.object(fields, item, place);
        self.empties = empties;
        made
    }

    fn bounds(&mut self, field: &Field, item: &Item<'_>, place: &Place<'_>) {
        if !field.choices.is_empty() && !field.choices.iter().any(|one| is(item, one)) {
            let choices: Vec<String> = field.choices.iter().map(Value::to_string).collect();
            self.faults.push(format!("`{place}` has to be one of {}", choices.join(", ")));
        }
        let text = item.as_text();
        if let Some(format) =
            field.format.filter(|format| !text.is_none_or(|text| format.holds(text)))
        {
            self.faults.push(format!("`{place}` has to be {}", format.name()));
        }
        if field.minimum.is_none() && field.maximum.is_none() {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a length is compared, not counted with")]
        let length = text.map(|text| text.chars().count() as f64);
        let Some(size) = length.or_else(|| item.as_number()) else { return };
        if field.minimum.is_some_and(|least| size < least) {
            self.faults.push(format!("`{place}` is below its minimum"));
        }
        if field.maximum.is_some_and(|most| size > most) {
            self.faults.push(format!("`{place}` is above its maximum"));
        }
    }
}

/// Whether a value is this choice.
fn is(item: &Item<'_>, choice: &Value) -> bool {
    match choice {
        Value::Null => matches!(item, Item::Null),
        Value::Bool(flag) => matches!(item, Item::Bool(one) if one == flag),
        Value::Number(number) => item.as_number().is_some_and(|one| number.as_f64() == Some(one)),
        Value::String(text) => item.as_text() == Some(text),
        Value::Array(_) | Value::Object(_) => false,
    }
}

impl Place<'_> {
    fn is_in_list(&self) -> bool {
        match self {
            Self::Top => false,
            Self::Key(above, _) => above.is_in_list(),
            Self::Index(..) => true,
        }
    }
}

impl Field {
    /// Whether a value is not empty, and so stays; of a list, what is empty in it goes.
    fn keep(&self, item: &mut Item<'_>) -> bool {
        let is_textual = self.kind == Kind::Text || self.kind == Kind::Time;
        if item.is_list() && self.multiple {
            let goes = |item: &Item<'_>| match item {
                Item::Null => true,
                item => !is_textual && item.as_text() == Some(""),
            };
            let mut items = std::mem::replace(item, Item::Null).into_elements();
            items.retain(|item| !goes(item));
            *item = Item::list(items);
            return true;
        }
        match item {
            Item::Null => self.allow_null,
            item if item.as_text() == Some("") => is_textual && !self.multiple,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
