//! What an event leaves behind besides its profile: which profiles it did not join, and which
//! identifiers it showed together.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{EVIDENCE_SETS, Findings, ResolveError, Step};
use crate::decide::{Breach, Candidate};
use crate::resolution::Refused;
use crate::row::{ComponentId, ComponentRow, EvidenceRow, Fate, Rows, Seen, SetKey};

impl<R: Rows> Step<'_, '_, R> {
    /// Lists the profiles that demotion kept apart from the event's.
    pub(super) fn refuse(
        &self,
        kept: usize,
        component: ComponentId,
        row: &ComponentRow,
        breaches: &[Breach],
        findings: &mut Findings,
    ) -> Result<(), ResolveError<R::Error>> {
        let profile = row.profile().ok_or(ResolveError::Corrupt { component })?;
        for (id, breach) in self.ids[kept..].iter().zip(breaches.iter().rev()) {
            let Some(other) = id.root.filter(|root| *root != component) else { continue };
            if findings.refused.iter().any(|refused| refused.other == other) {
                continue;
            }
            let other_profile =
                self.row(other)?.profile().ok_or(ResolveError::Corrupt { component: other })?;
            findings.refused.push(Refused {
                verdict: breach.verdict,
                component,
                other,
                profile,
                other_profile,
                by: id.claim.key,
            });
        }
        Ok(())
    }

    pub(super) fn seen(&self, kept: usize) -> SmallVec<[Seen; 4]> {
        let fate = |(index, id): (usize, &Candidate<'_>)| match id.root {
            _ if index >= kept => Fate::Demoted,
            Some(_) => Fate::Kept,
            None => Fate::Stopped,
        };
        let ids = self.ids.iter().enumerate();
        ids.map(|one| Seen { number: one.1.claim.number, key: one.1.claim.key, fate: fate(one) })
            .collect()
    }

    /// Records identifiers that are seen together for the first time, under the component that mapped
    /// the anchor: that never changes, so a known set is found again whatever was merged meanwhile.
    pub(super) fn record(
        &mut self,
        anchor: &Candidate<'_>,
        component: ComponentId,
        row: &mut Arc<ComponentRow>,
        seen: &SmallVec<[Seen; 4]>,
        is_dirty: &mut bool,
    ) -> Result<bool, ResolveError<R::Error>> {
        if seen.len() < 2 {
            return Ok(false);
        }
        let home = anchor.home.ok_or(ResolveError::Corrupt { component })?;
        let set = SetKey::of(seen.iter().map(|one| one.key));
        let mut other = match home == component {
            true => None,
            false => {
                Some(self.rows.component(home)?.ok_or(ResolveError::Corrupt { component: home })?)
            }
        };
        let home_row = other.as_mut().unwrap_or(row);
        if home_row.birth().any(|member| member.position == self.at.stamp.position)
            && home_row.has_set(set)
        {
            return Ok(true);
        }
        if home_row.has_set(set) || home_row.has_more_sets() && self.rows.has_evidence(home, set)? {
            return Ok(false);
        }
        let is_full = home_row.sets >= EVIDENCE_SETS;
        if is_full && home_row.sets_overflowed {
            return Ok(false);
        }
        let home_row = Arc::make_mut(home_row);
        if is_full {
            home_row.sets_overflowed = true;
        } else {
            home_row.add_set(set);
            let values = self.ids.iter().zip(seen).filter(|(_, one)| one.fate != Fate::Kept);
            let unmapped = values.map(|(id, _)| id.claim.value.as_ref().into()).collect();
            let first = self.at.stamp;
            let evidence = EvidenceRow { first, identifiers: seen.clone(), unmapped };
            self.rows.set_evidence(home, set, evidence)?;
        }
        match other {
            Some(other) => self.rows.set_component(home, Arc::unwrap_or_clone(other))?,
            None => *is_dirty = true,
        }
        Ok(!is_full)
    }
}
