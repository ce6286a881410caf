//! An event as definitions see it.

use std::cell::OnceCell;

use selfsame_event::{Context, EventType, Raw};
use selfsame_expr::query::Step;
use selfsame_expr::{Value, read};
use smallvec::SmallVec;

use crate::plan::{From, Source};
use crate::when::When;

/// An event.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Which call it is.
    pub kind: EventType,
    /// The name of a track event; of a page or a screen, where it has one.
    pub name: Option<&'a str>,
    /// When it happened.
    pub when: When,
    /// The id of its source.
    pub source: &'a str,
    /// `properties`
    pub properties: Option<Raw<'a>>,
    /// `context`
    pub context: Context<'a>,
}

impl<'a> Event<'a> {
    /// The name under which streams find it.
    pub fn stream_name(&self) -> Option<&'a str> {
        match self.kind {
            EventType::Track => self.name,
            EventType::Page => Some("Page Viewed"),
            EventType::Screen => Some("Screen Viewed"),
            EventType::Identify | EventType::Group | EventType::Alias => None,
        }
    }

    /// What stands under a key of it.
    fn field(&self, from: From, key: &str) -> Option<Raw<'a>> {
        match from {
            From::Properties => self.properties.and_then(|properties| properties.get(key)),
            From::Context => self.context.get(key),
        }
    }

    /// The name of a page or screen, which can be read as one of its properties.
    fn own_name(&self, from: From, key: &str) -> Option<&'a str> {
        let asked = match self.kind {
            EventType::Page => "page_name",
            EventType::Screen => "screen_name",
            _ => return None,
        };
        self.name.filter(|_| from == From::Properties && key == asked)
    }
}

/// A key that definitions read of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    from: From,
    key: String,
}

impl Field {
    /// The first key on the way to a source.
    pub(crate) fn of(source: &Source) -> Option<Self> {
        match source.steps.first()? {
            Step::Key(key) => Some(Self { from: source.from, key: key.clone() }),
            // Neither properties nor a context are a list.
            Step::Each => None,
        }
    }
}

/// An event, of which each key is looked for once; those of its properties all together.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    event: &'a Event<'a>,
    fields: &'a [Field],
    /// What stands under each field that is one of properties.
    properties: OnceCell<SmallVec<[Option<Raw<'a>>; 8]>>,
    /// The same of the context, where it was asked for.
    context: SmallVec<[OnceCell<Option<Raw<'a>>>; 4]>,
}

impl<'a> Fields<'a> {
    /// An event, and the keys that will be asked for.
    pub(crate) fn new(event: &'a Event<'a>, fields: &'a [Field]) -> Self {
        Self {
            event,
            fields,
            properties: OnceCell::new(),
            context: fields.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    pub(crate) fn event(&self) -> &'a Event<'a> {
        self.event
    }

    fn field(&self, from: From, key: &str) -> Option<Raw<'a>> {
        let at = self.fields.iter().position(|field| field.from == from && field.key == key);
        match (at, from) {
            (Some(at), From::Properties) => {
                self.properties.get_or_init(|| self.properties()).get(at).copied().flatten()
            }
            (Some(at), From::Context) => match self.context.get(at) {
                Some(known) => *known.get_or_init(|| self.event.field(from, key)),
                None => None,
            },
            (None, _) => self.event.field(from, key),
        }
    }

    /// What stands under the fields that are properties. Where a key is repeated, the last one counts.
    fn properties(&self) -> SmallVec<[Option<Raw<'a>>; 8]> {
        let mut found = SmallVec::from_elem(None, self.fields.len());
        if let Some(properties) = self.event.properties {
            properties.each_field(|key, value| {
                for (field, found) in self.fields.iter().zip(&mut found) {
                    if field.from == From::Properties && field.key == key {
                        *found = Some(value);
                    }
                }
            });
        }
        found
    }

    /// Calls `visit` with every value of a source.
    pub(crate) fn read(&self, source: &Source, visit: &mut impl FnMut(Value<'a>)) {
        let Some((Step::Key(key), rest)) = source.steps.split_first() else { return };
        let value = self.field(source.from, key);
        let own_name = self.event.own_name(source.from, key);
        match own_name.filter(|_| value.is_none() && rest.is_empty()) {
            Some(name) => visit(Value::Text(name.into())),
            None => read(value, rest, visit),
        }
    }
}
