//! How many definitions an event of the shop touches: counted over events as they are sent.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use selfsame_event::Time;
use serde_json::Value;

use super::Shop;
use super::deeds::DEEDS;
use super::defined::{Defined, Filter, Use};
use super::events::{Times, Visits};

/// What was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touched {
    /// How many definitions name the event that the fewest name.
    pub(crate) least_named: u64,
    /// How many definitions the average event touches, in hundredths: those of which a stream takes
    /// it, by its name and by what it must say, and those that read a trait that it sets.
    pub(crate) average: u64,
}

/// Counts over so many events of a shop like this one.
pub(crate) fn count(definitions: &[Defined], shop: &Shop, events: u64) -> Result<Touched> {
    let shop = Arc::new(Shop::new(shop.people(), shop.seed));
    let mut visits = Visits::of(&shop, 0, &Times::Now, (1, 1));
    let visits = visits.first_mut().context("no visits")?;
    let mut touches = 0;
    for _ in 0..events {
        let event = serde_json::from_slice(visits.alone(Time::EPOCH.micros()))?;
        touches += definitions.iter().filter(|one| one.is_touched_by(&event)).count() as u64;
    }
    let names = |deed: usize| {
        let names = |one: &&Defined| one.uses.iter().any(|used| used.deed == deed);
        definitions.iter().filter(names).count() as u64
    };
    let least_named = (0..DEEDS.len()).map(names).min().unwrap_or(0);
    Ok(Touched { least_named, average: touches * 100 / events.max(1) })
}

impl Defined {
    fn is_touched_by(&self, event: &Value) -> bool {
        let is_set = |name: &str| !event["traits"][name].is_null() && event["type"] == "identify";
        self.uses.iter().any(|used| used.takes(event)) || self.custom.is_some_and(is_set)
    }
}

impl Use {
    fn takes(&self, event: &Value) -> bool {
        let Some(deed) = DEEDS.get(self.deed) else { return false };
        let is_it = match event["type"].as_str() {
            Some("page") => deed.name == "Page Viewed",
            Some("track") => event["event"] == deed.name,
            _ => false,
        };
        is_it
            && match self.filter {
                None => true,
                Some(Filter::Is(text)) => event["properties"][deed.text] == text,
                Some(Filter::AtLeast(least)) => {
                    let number = event["properties"][deed.number].as_f64();
                    number.is_some_and(|number| number >= least as f64)
                }
            }
    }
}
