//! The same as the crate says, in maps: for each thing, the greatest or the least of all that was said.

use std::collections::BTreeMap;

use selfsame_event::{EventType, IdentifierKey, RecordId, SourceNumber, Time};
use selfsame_profile::{ProfileView, Role, Stamp};

use crate::history::Spec;

/// Event time, message id, record, item, source.
type When = (i64, String, RecordId, u32, u32);

#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Naive {
    pub(crate) traits: BTreeMap<String, (When, Option<String>)>,
    pub(crate) first: Option<When>,
    pub(crate) last: Option<When>,
    pub(crate) links: BTreeMap<IdentifierKey, (Time, SourceNumber)>,
    pub(crate) events: u64,
}

pub(crate) fn fold<'s>(events: impl IntoIterator<Item = (usize, &'s Spec)>, role: Role) -> Naive {
    let mut all = Naive::default();
    for (index, spec) in events {
        let item = u32::try_from(index).expect("few");
        let when: When =
            (spec.micros, spec.message_id.clone(), spec.record_id(), item, spec.source);
        all.events += 1;
        all.first =
            Some(all.first.take().map_or_else(|| when.clone(), |old| old.min(when.clone())));
        all.last = Some(all.last.take().map_or_else(|| when.clone(), |old| old.max(when.clone())));
        if spec.kind == EventType::Group {
            let link = (Time::from_micros(spec.micros), SourceNumber(spec.source));
            let known = all.links.entry(spec.anchor()).or_insert(link);
            *known = link.min(*known);
        }
        let sets = if role == Role::User { EventType::Identify } else { EventType::Group };
        if spec.kind != sets || spec.from_us {
            continue;
        }
        for (key, value) in &spec.traits {
            let value = Some(value.clone()).filter(|value| value != "null");
            let old = all.traits.get(key);
            if old.is_none_or(|(old, _)| *old <= when) {
                all.traits.insert(key.clone(), (when.clone(), value));
            }
        }
    }
    all
}

fn when(stamp: Stamp<'_>) -> When {
    let Stamp { time, message_id, record, item, source } = stamp;
    (time.micros(), message_id.to_string(), record, item, source.0)
}

/// What a view says, in the same form.
pub(crate) fn of(view: &ProfileView<'_>) -> Naive {
    let value = |register: &selfsame_profile::Trait<'_>| {
        let text = register.value.map(|value| value.text().to_owned());
        (register.key.to_owned(), (when(register.stamp), text))
    };
    Naive {
        traits: view.registers.iter().map(value).collect(),
        first: view.first.map(when),
        last: view.last.map(when),
        links: view.links.iter().map(|link| (link.anchor, (link.since, link.source))).collect(),
        events: view.events,
    }
}
