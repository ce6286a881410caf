//! People, their events and their definitions, kept by the engine and by the reference side by side.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use selfsame_audience::{Event as Folded, Keeps, Loose, Moment, Plans, Query, Traits, When};
use selfsame_event::{Context, EventType, Raw, RecordId, Time};
use selfsame_expr::query::{self, References};
use serde_json::Value as Json;

use super::SECTIONS;
use super::draw::{Case, Length, What, key};
use crate::reference::{self, Collection, Definition, Event, History, Kind, advance, all, windows};

type Values = BTreeMap<String, Json>;

/// What belongs to one anchor.
#[derive(Debug, Clone, Default)]
struct Section {
    row: Vec<u8>,
    /// The same, each part by itself.
    loose: Loose,
    events: Vec<Event>,
    traits: serde_json::Map<String, Json>,
    /// The audiences that its person has been in, whoever that was.
    ever: BTreeSet<String>,
    /// Whose it is.
    person: usize,
}

impl Section {
    /// What it keeps, as a row or each part by itself.
    fn keeps(&self, is_row: bool) -> Keeps<'_> {
        if is_row { Keeps::Row(&self.row) } else { Keeps::Loose(&self.loose) }
    }
}

struct World {
    plans: Plans,
    definitions: Vec<Definition>,
    /// The numbers of the definitions, each after those that it reads.
    ordered: Vec<usize>,
    sections: Vec<Section>,
    /// The lengths of time that definitions have, each once.
    windows: Vec<i64>,
    now: Time,
}

/// Lets a case happen, and compares all the way. Whether time passes from step to step with all that
/// happens on its way decides on who was in an audience in between.
pub(super) fn agree(case: &Case, is_live: bool) -> Result<(), TestCaseError> {
    let mut world = World::new(case);
    for step in &case.steps {
        let before = world.now;
        world.now = before.plus_micros(step.after.micros(&world.windows));
        if is_live {
            world.people().into_iter().try_for_each(|person| world.pass(person, before))?;
        }
        world.happen(&step.what)?;
        for person in world.people() {
            world.look(person, &step.probes)?;
        }
    }
    Ok(())
}

/// Traits as the engine reads them.
#[derive(Debug, Default)]
pub(super) struct Known(pub(super) Vec<(String, String)>);

impl Traits for Known {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        // The value of a definition stands behind a trait of the same name.
        let (_, json) = self.0.iter().rev().find(|(known, _)| known == key)?;
        Some(Raw::trusted(json))
    }
}

impl World {
    fn new(case: &Case) -> Self {
        let queries = &case.queries;
        let definition = |(number, query): (usize, &Query)| Definition {
            key: key(number),
            collection: Collection::Users,
            query: match query {
                Query::Audience(condition) => reference::Query::Audience(condition.clone()),
                Query::Trait(scalar) => reference::Query::Trait(scalar.clone()),
            },
        };
        let reads = |(number, query): (usize, &Query)| {
            let reads = match query {
                Query::Audience(condition) => References::of_condition(condition),
                Query::Trait(scalar) => References::of_scalar(scalar),
            };
            (key(number), reads.own)
        };
        let strata = query::order(&queries.iter().enumerate().map(reads).collect());
        let strata = strata.expect("they read only those before them");
        let number = |known: &String| (0..queries.len()).find(|number| key(*number) == *known);
        let definitions: Vec<_> = queries.iter().enumerate().map(definition).collect();
        Self {
            windows: windows(&definitions),
            plans: Plans::compile(queries).expect("valid definitions compile"),
            definitions,
            ordered: strata.iter().flatten().filter_map(number).collect(),
            sections: vec![Section::default(); SECTIONS],
            now: Time::parse("2026-01-01T00:00:00Z").expect("a time"),
        }
    }

    fn people(&self) -> BTreeSet<usize> {
        self.sections.iter().map(|section| section.person).collect()
    }

    fn of(&self, person: usize) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(move |section| section.person == person)
    }

    fn happen(&mut self, what: &What) -> Result<(), TestCaseError> {
        let now = self.now;
        match what {
            What::Event { event, section, late } => {
                let event = Event {
                    time: now.plus_micros(-late.micros(&self.windows)),
                    ..Event::clone(event)
                };
                let (time, person) = (event.time, self.sections[*section].person);
                let before = self.audiences(person);
                let section = &mut self.sections[*section];
                let touched = fold(&self.plans, &mut section.row, &event, now);
                let is_same = fold_loose(&self.plans, &mut section.loose, &event, now) == touched;
                let mut put_together = Vec::new();
                section.loose.put(&mut put_together);
                prop_assert!(is_same && put_together == section.row, "{:?}", &event);
                section.events.push(event);
                self.look_at_event(person, &before, (time, &touched))?;
            }
            What::Traits { section, traits } => self.sections[*section].traits.clone_from(traits),
            What::People(people) => {
                for (section, person) in self.sections.iter_mut().zip(people) {
                    section.person = *person;
                }
            }
        }
        Ok(())
    }

    /// The traits that events set.
    fn custom(&self, person: usize) -> Known {
        let traits = self.of(person).flat_map(|section| &section.traits);
        Known(traits.map(|(key, json)| (key.clone(), json.to_string())).collect())
    }

    /// Of each audience, whether somebody is in it, and until when.
    fn audiences(&self, person: usize) -> Vec<(usize, bool, Moment)> {
        let rows: Vec<&[u8]> = self.of(person).map(|section| section.row.as_slice()).collect();
        let is_audience = |number: &&usize| {
            matches!(self.definitions[**number].query, reference::Query::Audience(_))
        };
        let custom = self.custom(person);
        let found = self.ordered.iter().filter(is_audience).map(|number| {
            let found = self.plans.evaluate(*number, &rows, &custom, self.now);
            let found = found.expect("there is one");
            (*number, found.value.json() == "true", found.until)
        });
        found.collect()
    }

    /// An event does to an audience what events of its streams may do, and what it alone makes of one is what all
    /// events do.
    fn look_at_event(
        &self,
        person: usize,
        before: &[(usize, bool, Moment)],
        (event, touched): (Time, &[u32]),
    ) -> Result<(), TestCaseError> {
        let rows: Vec<&[u8]> = self.of(person).map(|section| section.row.as_slice()).collect();
        let (custom, profile) = (self.custom(person), self.plans.profile(&rows, self.now));
        for ((number, was_in, until), (_, is_in, _)) in before.iter().zip(self.audiences(person)) {
            let sways = self.plans.sways(*number).into_iter();
            let sways = sways.filter(|(stream, _)| touched.contains(stream));
            let mut sways = sways.map(|(_, sway)| if *was_in { sway.ends } else { sway.begins });
            let may_change = sways.any(|may| may);
            prop_assert!(may_change || *was_in == is_in, "{} by {}", number, event);
            let mut untils = Vec::from_iter(*until);
            if may_change && !*was_in && self.plans.is_made_by_one(*number) {
                let found = profile.evaluate_by(*number, &custom, event);
                let found = found.expect("it is an audience");
                prop_assert_eq!(found.value.json() == "true", is_in, "{} by {}", number, event);
                untils.extend(found.until);
            } else if may_change {
                continue;
            }
            // Until the first of the moments that are known it stays what it is.
            if let Some(until) = untils.into_iter().min() {
                let later = until.plus_micros(-1).max(self.now);
                let later = self.plans.evaluate(*number, &rows, &custom, later);
                let later = later.expect("there is one").value.json();
                prop_assert_eq!(later == "true", is_in, "{} before {}", number, until);
            }
        }
        Ok(())
    }

    /// What the reference knows of somebody.
    fn history(&self, person: usize) -> History {
        let mut history = History::default();
        for section in self.of(person) {
            history.events.extend(section.events.iter().cloned());
            history.traits.extend(section.traits.clone());
            history.ever.extend(section.ever.iter().cloned());
        }
        history
    }

    /// What the engine says of somebody who has been in these audiences, and until when.
    fn values(
        &self,
        person: usize,
        ever: &BTreeSet<String>,
        now: Time,
    ) -> Result<(Values, Moment), TestCaseError> {
        let sections = self.of(person).enumerate();
        let mut sections: Vec<_> = sections
            .map(|(place, section)| section.keeps(now.micros() >> place & 2 == 0))
            .collect();
        // In which order they are combined does not matter.
        if now.micros() % 2 == 0 {
            sections.reverse();
        }
        let mut traits = self.custom(person);
        let (mut values, mut until) = (Values::new(), Moment::None);
        let profile = self.plans.profile_of(sections, now);
        for number in &self.ordered {
            let found = profile.evaluate(*number, &traits).expect("there is one");
            prop_assert!(!found.is_approximate);
            prop_assert!(found.until.is_none_or(|until| until > now), "{now}: {:?}", found.until);
            let definition = &self.definitions[*number];
            let json = match &definition.query {
                reference::Query::Trait(_) => found.value.json(),
                reference::Query::Audience(_) => match found.value.json().as_str() {
                    "false" if !ever.contains(&definition.key) => "null".to_owned(),
                    json => json.to_owned(),
                },
            };
            until = until.into_iter().chain(found.until).min();
            values.insert(definition.key.clone(), serde_json::from_str(&json).expect("JSON"));
            traits.0.push((definition.key.clone(), json));
        }
        Ok((values, until))
    }

    /// Time passes: the engine looks when it said that it would have to, the reference all the time.
    fn pass(&mut self, person: usize, from: Time) -> Result<(), TestCaseError> {
        let mut history = self.history(person);
        let mut ever = history.ever.clone();
        advance(&self.definitions, &mut history, from, self.now);
        let mut at = from;
        loop {
            let (values, until) = self.values(person, &ever, at)?;
            note(&values, &mut ever);
            match until.filter(|until| *until <= self.now) {
                Some(until) => at = until,
                None => break,
            }
        }
        prop_assert_eq!(&ever, &history.ever, "from {} to {}: {:?}", from, self.now, &history);
        self.remember(person, &ever);
        Ok(())
    }

    /// Compares what both say of somebody, now and at moments to come if nothing happens.
    fn look(&mut self, person: usize, probes: &[Length]) -> Result<(), TestCaseError> {
        let now = self.now;
        let history = self.history(person);
        let (first, until) = self.values(person, &history.ever, now)?;
        let mut probes: Vec<Time> =
            probes.iter().map(|after| now.plus_micros(after.micros(&self.windows))).collect();
        probes.extend(until.into_iter().flat_map(|until| [until, until.plus_micros(-1)]));
        probes.push(now);
        for probe in probes {
            let (found, _) = self.values(person, &history.ever, probe)?;
            let expected = all(&self.definitions, &history, probe);
            prop_assert_eq!(&found, &expected, "at {}, of {:?}", probe, &history);
            if until.is_none_or(|until| probe < until) {
                prop_assert_eq!(&found, &first, "{} is before {:?}", probe, until);
            }
        }
        let mut ever = history.ever;
        note(&first, &mut ever);
        self.remember(person, &ever);
        Ok(())
    }

    fn remember(&mut self, person: usize, ever: &BTreeSet<String>) {
        for section in self.sections.iter_mut().filter(|section| section.person == person) {
            section.ever.clone_from(ever);
        }
    }
}

/// What is kept of the events of a case, folded at its end in that order.
pub(super) fn kept(case: &Case, order: &dyn Fn(&mut Vec<Event>)) -> Vec<u8> {
    let world = World::new(case);
    let mut now = world.now;
    let mut events = Vec::new();
    for step in &case.steps {
        now = now.plus_micros(step.after.micros(&world.windows));
        if let What::Event { event, late, .. } = &step.what {
            let time = now.plus_micros(-late.micros(&world.windows));
            events.push(Event { time, ..Event::clone(event) });
        }
    }
    order(&mut events);
    let mut row = Vec::new();
    for event in &events {
        fold(&world.plans, &mut row, event, now);
    }
    row
}

fn note(values: &Values, ever: &mut BTreeSet<String>) {
    let is_in = values.iter().filter(|(_, value)| **value == Json::Bool(true));
    ever.extend(is_in.map(|(key, _)| key.clone()));
}

/// Folds an event, and says into which streams.
pub(super) fn fold(plans: &Plans, row: &mut Vec<u8>, event: &Event, now: Time) -> Vec<u32> {
    let mut touched = Vec::new();
    let fold = |event: &Folded<'_>| plans.fold_some(row, event, now, |_| true, &mut touched);
    if let Some(written) = with_folded(event, fold) {
        *row = written;
    }
    touched
}

/// The same where each part is by itself.
fn fold_loose(plans: &Plans, loose: &mut Loose, event: &Event, now: Time) -> Vec<u32> {
    let mut touched = Vec::new();
    with_folded(event, |event| plans.fold_loose(loose, event, now, (|_| true, &mut touched)));
    touched
}

fn with_folded<T>(event: &Event, fold: impl FnOnce(&Folded<'_>) -> T) -> T {
    let (properties, context) = (event.properties.to_string(), event.context.to_string());
    fold(&Folded {
        kind: match event.kind {
            Kind::Page => EventType::Page,
            _ => EventType::Track,
        },
        name: event.name.as_deref(),
        when: When::new(event.time, RecordId(event.record), event.item),
        source: &event.source,
        properties: Some(Raw::trusted(&properties)),
        context: Context { own: Some(Raw::trusted(&context)), shared: None },
    })
}
