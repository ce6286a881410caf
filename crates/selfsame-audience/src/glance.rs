//! One event, as the streams of its name look at it: what several of them ask is answered once.

use selfsame_event::Raw;
use selfsame_expr::Value;
use smallvec::SmallVec;

use crate::datum::{pack, put_length};
use crate::evaluate::View;
use crate::event::{Event, Field, Fields};
use crate::plan::{Condition, Form, Source, Stream};

/// The streams of a name, and what they ask of an event.
#[derive(Debug, Default)]
pub(crate) struct Named {
    streams: Vec<Wanted>,
    /// Numbers of predicates, each once.
    predicates: Vec<usize>,
    /// Each once.
    sources: Vec<Source>,
    /// What is read of an event, each once.
    fields: Vec<Field>,
}

/// What a stream asks of an event.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Its place among all streams.
    pub(crate) stream: usize,
    /// The number under which rows keep it.
    pub(crate) number: usize,
    /// Places in the list of its name.
    predicates: Vec<usize>,
    columns: Vec<usize>,
}

impl Named {
    /// Adds a stream of that place and number.
    pub(crate) fn add(
        &mut self,
        (place_of_all, number): (usize, usize),
        stream: &Stream,
        all: &[Condition],
    ) {
        let mut read = |source: &Source| {
            if let Some(field) = Field::of(source) {
                place(&mut self.fields, &field);
            }
        };
        stream.columns.iter().for_each(&mut read);
        let conditions = stream.predicates.iter().filter_map(|number| all.get(*number));
        conditions.for_each(|condition| condition.sources(&mut read));
        let predicates = stream.predicates.iter();
        let predicates = predicates.map(|predicate| place(&mut self.predicates, predicate));
        let columns = stream.columns.iter().map(|source| place(&mut self.sources, source));
        let (predicates, columns) = (predicates.collect(), columns.collect());
        let wanted = Wanted { stream: place_of_all, number, predicates, columns };
        let at = self.streams.partition_point(|known| known.number < number);
        self.streams.insert(at, wanted);
    }

    /// By number.
    pub(crate) fn streams(&self) -> &[Wanted] {
        &self.streams
    }
}

fn place<T: PartialEq + Clone>(list: &mut Vec<T>, item: &T) -> usize {
    list.iter().position(|known| known == item).unwrap_or_else(|| {
        list.push(item.clone());
        list.len() - 1
    })
}

/// Bytes of one column or several.
pub(crate) type Body = SmallVec<[u8; 64]>;

/// An event, and what is known of it by now.
pub(crate) struct Glance<'a> {
    event: Fields<'a>,
    named: &'a Named,
    predicates: &'a [Condition],
    met: SmallVec<[Option<bool>; 64]>,
    columns: SmallVec<[Option<Packs>; 8]>,
}

/// A column, packed.
struct Packs {
    bytes: Body,
    /// Whether one of its values is one.
    has_value: bool,
}

impl<'a> Glance<'a> {
    pub(crate) fn new(named: &'a Named, predicates: &'a [Condition], event: &'a Event<'a>) -> Self {
        let met = SmallVec::from_elem(None, named.predicates.len());
        let columns = named.sources.iter().map(|_| None).collect();
        Self { event: Fields::new(event, &named.fields), named, predicates, met, columns }
    }

    /// Whether the event belongs to a stream of its name.
    pub(crate) fn belongs(&mut self, wanted: &Wanted, stream: &Stream) -> bool {
        wanted.predicates.iter().all(|place| self.meets(*place))
            && !stream.exclude.iter().any(|source| source == self.event.event().source)
            && wanted.columns.iter().all(|place| self.read(*place))
            && stream.needs.and_then(|column| wanted.columns.get(column)).is_none_or(|place| {
                let column = self.columns.get(*place).and_then(Option::as_ref);
                column.is_some_and(|column| column.has_value)
            })
    }

    fn meets(&mut self, place: usize) -> bool {
        let Some(known) = self.met.get_mut(place) else { return false };
        *known.get_or_insert_with(|| {
            let number = self.named.predicates.get(place);
            let condition = number.and_then(|number| self.predicates.get(*number));
            condition.is_some_and(|condition| View::meets(&self.event, condition))
        })
    }

    /// Has a column read, and says so.
    fn read(&mut self, place: usize) -> bool {
        if let (Some(known), Some(source)) =
            (self.columns.get_mut(place), self.named.sources.get(place))
        {
            known.get_or_insert_with(|| source.pack(&self.event));
        }
        true
    }

    /// The columns of a stream that the event belongs to.
    pub(crate) fn body(&self, wanted: &Wanted) -> Body {
        let columns = wanted.columns.iter();
        let columns = columns.filter_map(|place| self.columns.get(*place)?.as_ref());
        let mut body = Body::new();
        columns.for_each(|column| body.extend_from_slice(&column.bytes));
        body
    }
}

impl Source {
    /// What an event has there.
    fn pack(&self, event: &Fields<'_>) -> Packs {
        let mut values = Body::new();
        let (mut number, mut has_value) = (0, false);
        let mut add = |value: &Value<'_>| {
            number += 1;
            match pack(&mut values, value) {
                true => has_value = true,
                false => values.push(0),
            }
        };
        match self.form {
            Form::Each => event.read(self, &mut |value| add(&value)),
            Form::Number => event.read(self, &mut |value| {
                add(&value.number().map_or(Value::Null, Value::Number));
            }),
            Form::Text => event.read(self, &mut |value| {
                add(&value.text().map_or(Value::Null, Value::Text));
            }),
            Form::OneList => {
                let mut list = String::new();
                event.read(self, &mut |value| {
                    list.push(if list.is_empty() { '[' } else { ',' });
                    value.push_json(&mut list);
                });
                if !list.is_empty() {
                    list.push(']');
                    add(&Value::Json(Raw::trusted(&list)));
                }
            }
        }
        let mut bytes = Body::new();
        put_length(&mut bytes, number);
        bytes.extend_from_slice(&values);
        Packs { bytes, has_value }
    }
}
