//! What of the health of identity deserves a look.

use std::collections::BTreeMap;

use selfsame_pipeline::IdentityHealth;
use selfsame_pipeline::trend::{DayCounts, Rate, is_giant, is_shared, unusual};

use super::shown::AlarmShown;
use crate::control::rejected::day_name;

/// The alarms, in words. They name profiles, and no value of an identifier.
pub(super) fn of(
    health: &IdentityHealth,
    days: &BTreeMap<u32, DayCounts>,
    cap: u32,
) -> Vec<AlarmShown> {
    let giants = health.largest.iter().filter(|one| is_giant(one.identifiers, cap));
    let giants = giants.map(|one| AlarmShown {
        kind: "giant_profile".to_owned(),
        message: format!(
            "{} has {} identifiers and {} merges: see what joined them with `identity merges`, block \
             or limit it, and undo",
            one.profile, one.identifiers, one.merges
        ),
    });
    let shared = health.wanted.iter().filter(|one| is_shared(one.profiles));
    let shared = shared.map(|one| AlarmShown {
        kind: "shared_identifier".to_owned(),
        message: format!(
            "a value of {} that {} holds came with identifiers of {} other profiles: if it is nobody's, \
             block it. `wanted` has the command that tries that out",
            one.identifier.kind, one.profile, one.profiles
        ),
    });
    let rates = unusual(days).into_iter().map(|one| {
        let (kind, what) = match one.rate {
            Rate::Merges => ("merges", "merges"),
            Rate::Violations => ("violations", "limits, blocks and vetoes met"),
            Rate::Unattached => ("unattached", "events of nobody"),
        };
        let (day, now, before) = (day_name(one.day), one.per_thousand, one.before);
        AlarmShown {
            kind: kind.to_owned(),
            message: format!(
                "{what}: {now} on a thousand events on {day}, and {before} on the days before"
            ),
        }
    });
    giants.chain(shared).chain(rates).collect()
}
