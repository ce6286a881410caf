//! Why two profiles are not one: events that carried identifiers of both, and met a limit or cap.

use std::collections::BTreeMap;

use selfsame_identity::{ComponentId, LedgerEntry};

use super::super::events::Bodies;
use super::{Apart, Refusal, WhyBudget, named};
use crate::reader::{Found, LookupError};

impl Found<'_> {
    /// What kept this profile and another one apart.
    pub(super) fn apart(
        &self,
        other: &Self,
        budget: &WhyBudget,
        bodies: &mut Bodies<'_>,
    ) -> Result<Apart, LookupError> {
        let sides = [self.components()?, other.components()?];
        let is_between = |one: ComponentId, two: ComponentId| {
            sides[0].contains(&one) && sides[1].contains(&two)
                || sides[1].contains(&one) && sides[0].contains(&two)
        };
        let (mut left, mut is_cut, mut count) = (budget.ledger, false, 0);
        let mut earliest = BTreeMap::new();
        for component in sides.iter().flatten() {
            let is_whole = self.ledger(*component, &mut left, |key, row| {
                let LedgerEntry::Refused(refused) = row.entry else { return };
                if !is_between(refused.component, refused.other) {
                    return;
                }
                count += 1;
                earliest.insert((key.event, key.number), (refused, row.stamp));
                if earliest.len() > budget.refusals {
                    earliest.pop_last();
                }
            })?;
            is_cut |= !is_whole;
        }
        let mut refusals = Vec::with_capacity(earliest.len());
        for (refused, stamp) in earliest.into_values() {
            let times = (stamp.event_time, stamp.log_time);
            refusals.push(Refusal {
                verdict: refused.verdict,
                by: self.identifier(refused.by).or_else(|| other.identifier(refused.by)),
                event: named(bodies, stamp.position, stamp.source, times)?,
            });
        }
        let kinds: Vec<_> =
            self.external_ids().chain(other.external_ids()).map(|id| id.kind).collect();
        let limits = self.read.over_limits(self.collection, &kinds);
        Ok(Apart { refusals, count, is_cut, limits })
    }
}
