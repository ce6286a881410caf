//! What an event leaves behind besides its profile: which profiles it did not join, and which
//! identifiers it showed together.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{EVIDENCE_SETS, Findings, ResolveError, Step};
use crate::decide::{Breach, Candidate};
use crate::resolution::Refused;
use crate::row::{ComponentId, ComponentRow, EvidenceRow, Fate, Rows, Seen, SetKey};
use crate::verdict::Verdict;

impl<R: Rows> Step<'_, '_, R> {
    /// Lists the profiles that demotion and doubt kept apart from the event's.
    pub(super) fn refuse(
        &self,
        demoted: Range<usize>,
        component: ComponentId,
        row: &ComponentRow,
        breaches: &[Breach],
        findings: &mut Findings,
    ) -> Result<(), ResolveError<R::Error>> {
        let profile = row.profile().ok_or(ResolveError::Corrupt { component })?;
        let doubted = self.ids[demoted.end..].iter().map(|id| (id, Verdict::Unverified));
        let breaches = breaches.iter().rev().map(|breach| breach.verdict);
        for (id, verdict) in self.ids[demoted].iter().zip(breaches).chain(doubted) {
            let Some(other) = id.root.filter(|root| *root != component) else { continue };
            if findings.refused.iter().any(|refused| refused.other == other) {
                continue;
            }
            let other_profile =
                self.row(other)?.profile().ok_or(ResolveError::Corrupt { component: other })?;
            findings.refused.push(Refused {
                verdict,
                component,
                other,
                profile,
                other_profile,
                by: id.claim.key,
            });
        }
        Ok(())
    }

    pub(super) fn seen(&self, kept: usize, believed: usize) -> SmallVec<[Seen; 4]> {
        let fate = |(index, id): (usize, &Candidate<'_>)| match id.root {
            _ if index >= kept => Fate::Demoted,
            Some(_) => Fate::Kept,
            None => Fate::Stopped,
        };
        let mut ids: SmallVec<[_; 4]> =
            self.ids.iter().enumerate().map(|one| (one.1, fate(one))).collect();
        // Those in doubt back to their places.
        if believed < self.ids.len() {
            ids.sort_by(|(a, _), (b, _)| a.order().cmp(&b.order()));
        }
        let seen = |(id, fate): (&Candidate<'_>, Fate)| Seen {
            number: id.claim.number,
            key: id.claim.key,
            fate,
        };
        ids.into_iter().map(seen).collect()
    }

    /// Records identifiers that are seen together for the first time, under the component that mapped
    /// the anchor: that never changes, so a known set is found again whatever was merged meanwhile.
    pub(super) fn record(
        &mut self,
        anchor: &Candidate<'_>,
        component: ComponentId,
        row: &mut Arc<ComponentRow>,
        (set, seen): (SetKey, &SmallVec<[Seen; 4]>),
        is_dirty: &mut bool,
    ) -> Result<bool, ResolveError<R::Error>> {
        if seen.len() < 2 {
            return Ok(false);
        }
        let home = anchor.home.ok_or(ResolveError::Corrupt { component })?;
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
            let unmapped = seen.iter().filter(|one| one.fate != Fate::Kept);
            let value = |one: &Seen| self.ids.iter().find(|id| id.claim.key == one.key);
            let unmapped = unmapped.filter_map(value).map(|id| id.claim.value.as_ref().into());
            let unmapped = unmapped.collect();
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
