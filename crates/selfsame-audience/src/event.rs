//! An event as definitions see it.

use selfsame_event::{Context, EventType, Raw};
use selfsame_expr::query::Step;
use selfsame_expr::{Value, read};

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

    /// Calls `visit` with every value of a source.
    pub(crate) fn read(&self, source: &Source, visit: &mut impl FnMut(Value<'a>)) {
        let Some((first, rest)) = source.steps.split_first() else { return };
        // Neither properties nor a context are a list.
        let Step::Key(key) = first else { return };
        let value = match source.from {
            From::Properties => self.properties.and_then(|properties| properties.get(key)),
            From::Context => self.context.get(key),
        };
        match self.own_name(source.from, key).filter(|_| value.is_none() && rest.is_empty()) {
            Some(name) => visit(Value::Text(name.into())),
            None => read(value, rest, visit),
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
