//! The lists that audiences are at tools: who needs one, and what came of making it.
//!
//! A manifest may say how a list is looked for and made, and which of its actions put people in and take them
//! out. Where a mapping of such an action is in use, an audience that the destination is told of has to have a
//! list there; until it has, its changes wait (`activation.rs`). The id of the list is part of what the destination is told.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_pipeline::workspace::{Definition, DefinitionKind, Destination, Workspace};

use crate::manifests::Manifests;

/// How long it is waited after the first failure, and at most.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));

/// Whether an audience needs a list at a destination and has none.
pub(crate) fn is_missing(
    destination: &Destination,
    definition: &Definition,
    manifests: &Manifests,
) -> bool {
    let Some(tool) = &destination.tool else { return false };
    if definition.kind != DefinitionKind::Audience || tool.audiences.contains_key(&definition.id) {
        return false;
    }
    let Some(manifest) = manifests.get(&destination.kind) else { return false };
    let Some((add, remove)) = manifest.audience_actions().filter(|_| manifest.keeps_lists()) else {
        return false;
    };
    tool.mappings.iter().any(|one| one.enabled && (one.action == add || one.action == remove))
}

/// The lists that are missing: their destinations and audiences.
pub(crate) fn missing<'w>(
    workspace: &'w Workspace,
    manifests: &Manifests,
) -> Vec<(&'w Destination, &'w Definition)> {
    let of = |destination: &'w Destination| {
        let definitions = workspace.definitions.iter();
        let told = definitions.filter(|one| {
            one.space == destination.space
                && one.destinations.iter().any(|told| told.destination == destination.id)
                && is_missing(destination, one, manifests)
        });
        told.map(|one| (destination, one)).collect::<Vec<_>>()
    };
    workspace.destinations.iter().filter(|one| one.enabled).flat_map(of).collect()
}

/// Why lists were not made, and when that is tried again.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<BTreeMap<(String, String), Trouble>>);

#[derive(Debug)]
struct Trouble {
    why: String,
    /// In microseconds of the monotonic clock.
    again_at: u64,
    wait: Duration,
}

impl Lists {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to make one.
    pub(crate) fn is_due(&self, destination: &str, audience: &str, now: u64) -> bool {
        let key = (destination.to_owned(), audience.to_owned());
        self.lock().get(&key).is_none_or(|trouble| trouble.again_at <= now)
    }

    /// It was not made.
    pub(crate) fn failed(&self, destination: &str, audience: &str, why: String, now: u64) {
        let key = (destination.to_owned(), audience.to_owned());
        let mut all = self.lock();
        let (first, most) = WAITS;
        let wait = all.get(&key).map_or(first, |before| (before.wait * 2).min(most));
        let again_at = now + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
        all.insert(key, Trouble { why, again_at, wait });
    }

    /// Forgets those that are not missing any more.
    pub(crate) fn keep(&self, is_missing: impl Fn(&str, &str) -> bool) {
        self.lock().retain(|(destination, audience), _| is_missing(destination, audience));
    }

    /// What a destination waits for.
    pub(crate) fn of(&self, destination: &str) -> Option<String> {
        let all = self.lock();
        let mut of = all.iter().filter(|((whose, _), _)| whose == destination);
        of.next().map(|((_, audience), trouble)| {
            format!("changes of the audience `{audience}` wait for its list: {}", trouble.why)
        })
    }
}
