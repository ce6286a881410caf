//! What was counted at earlier moments, of everything that conditions compare with.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sample::{DestinationSample, DestinationState, Sample};
use crate::series::{Rhythm, Series};

/// Counts of earlier moments, by ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) sources: BTreeMap<String, OfSource>,
    pub(crate) destinations: BTreeMap<String, OfDestination>,
    pub(crate) audiences: BTreeMap<String, OfAudience>,
}

/// Those of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct OfSource {
    pub(crate) events: Series,
    pub(crate) rejected: Series,
    pub(crate) repeated: Series,
    pub(crate) rhythm: Rhythm,
}

/// Those of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct OfDestination {
    pub(crate) delivered: Series,
    pub(crate) dead: Series,
}

/// Those of an audience.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct OfAudience {
    version: u64,
    pub(crate) members: Series,
}

impl Counts {
    /// Notes a sample. What is in it no more is forgotten.
    pub(crate) fn note(&mut self, now: i64, sample: &Sample) {
        let ids: BTreeSet<&String> = sample.sources.iter().map(|one| &one.id).collect();
        self.sources.retain(|id, _| ids.contains(id));
        for one in &sample.sources {
            let counts = self.sources.entry(one.id.clone()).or_default();
            counts.events.note(now, one.events);
            counts.rejected.note(now, one.rejected);
            counts.repeated.note(now, one.repeated);
            counts.rhythm.note(now, one.events);
        }
        let ids: BTreeSet<&String> = sample.destinations.iter().map(|one| &one.id).collect();
        self.destinations.retain(|id, _| ids.contains(id));
        let known = |one: &&DestinationSample| one.state != DestinationState::Unknown;
        for one in sample.destinations.iter().filter(known) {
            let counts = self.destinations.entry(one.id.clone()).or_default();
            counts.delivered.note(now, one.delivered);
            counts.dead.note(now, one.dead);
        }
        let ids: BTreeSet<&String> = sample.audiences.iter().map(|one| &one.id).collect();
        self.audiences.retain(|id, _| ids.contains(id));
        for one in &sample.audiences {
            let counts = self.audiences.entry(one.id.clone()).or_default();
            if counts.version != one.version {
                // Another definition has another size.
                counts.members.clear();
                counts.version = one.version;
            }
            counts.members.note(now, one.members);
        }
    }

    /// Nobody looked for so many seconds.
    pub(crate) fn skip(&mut self, seconds: i64) {
        self.sources.values_mut().for_each(|counts| counts.rhythm.skip(seconds));
    }
}
