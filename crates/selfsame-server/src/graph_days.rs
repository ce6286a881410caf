//! How large profiles were on each of the newest days: the trend of what `identity health` looks at.
//!
//! The graph is of now; how it was is kept here, by day of log time, the last look of each. It is no part of
//! the fold, and made from nothing: a file that is lost begins anew.
//!
//! ```text
//! DIR/graph-days.json    {"space/collection": {"day since 1970-01-01": {…}}}, replaced whole
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use metrics::gauge;
use selfsame_event::Collection;
use selfsame_pipeline::SIZES;
use selfsame_pipeline::trend::{DAYS_KEPT, DayGraph};

use crate::measures;
use crate::whole_file;

/// The days of each collection of each space.
type Days = BTreeMap<String, BTreeMap<u32, DayGraph>>;

/// How large profiles were.
#[derive(Debug)]
pub(crate) struct GraphDays {
    file: PathBuf,
    days: Mutex<Days>,
}

impl GraphDays {
    /// As they were left. What cannot be read begins anew.
    pub(crate) fn open(file: PathBuf) -> Self {
        let days = std::fs::read(&file).ok().map(|text| serde_json::from_slice(&text));
        let days = days.transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, "how large profiles were cannot be read, and is kept anew");
            None
        });
        Self { file, days: Mutex::new(days.unwrap_or_default()) }
    }

    /// The days of a collection.
    pub(crate) fn of(&self, space: &str, collection: Collection) -> BTreeMap<u32, DayGraph> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.get(&name(space, collection)).cloned().unwrap_or_default()
    }

    /// Notes what was seen.
    pub(crate) fn note(&self, seen: &[(String, Collection, u32, DayGraph)]) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        for (space, collection, day, graph) in seen {
            let days = days.entry(name(space, *collection)).or_default();
            days.insert(*day, graph.clone());
            while days.len() > DAYS_KEPT {
                days.pop_first();
            }
            observe(space, *collection, graph);
        }
        let kept = serde_json::to_vec(&*days).map_err(std::io::Error::from);
        drop(days);
        if let Err(error) = kept.and_then(|text| whole_file::replace(&self.file, &text)) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "how large profiles are could not be kept");
        }
    }
}

fn name(space: &str, collection: Collection) -> String {
    format!("{space}/{}", collection.name())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats; these are shown, not added up")]
fn observe(space: &str, collection: Collection, graph: &DayGraph) {
    let of = [("space", space.to_owned()), ("collection", collection.name().to_owned())];
    for (most, profiles) in SIZES.iter().zip(&graph.sizes) {
        let most = if *most == u32::MAX { "more".to_owned() } else { most.to_string() };
        let labels = [of[0].clone(), of[1].clone(), ("identifiers", most)];
        gauge!(measures::GRAPH_PROFILES, &labels).set(*profiles as f64);
    }
    gauge!(measures::GRAPH_LARGEST, &of).set(f64::from(graph.largest));
    gauge!(measures::GRAPH_GIANTS, &of).set(graph.giants as f64);
    gauge!(measures::GRAPH_SHARED, &of).set(graph.shared as f64);
    gauge!(measures::GRAPH_OVER_RULES, &of).set(graph.over_rules as f64);
}

#[cfg(test)]
mod tests;
