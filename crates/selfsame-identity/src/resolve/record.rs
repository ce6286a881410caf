//! What an event leaves behind besides its profile: which profiles it did not join, and which
//! identifiers it showed together.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Findings, ResolveError, Step};
use crate::decide::{Breach, Candidate};
use crate::resolution::Refused;
use crate::row::{ComponentId, ComponentRow, EvidenceRow, Fate, Rows, Seen, SetKey, Sighting};
use crate::skeleton::{EVIDENCE_SETS, PreviousSeen, Repeat};

/// The profile that the event belongs to.
pub(super) struct Profile<'p> {
    pub(super) component: ComponentId,
    pub(super) row: &'p mut Arc<ComponentRow>,
    /// Whether the row is to be written.
    pub(super) is_dirty: &'p mut bool,
}

/// What became of an event as evidence.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recorded {
    /// Whether it shows identifiers together that were not seen so before.
    pub(super) is_new: bool,
    /// Whether something of it is kept. What it did not join is listed only then: the same identifiers
    /// again, refused as before, say nothing new, and there may be very many of them.
    pub(super) is_kept: bool,
}

impl<R: Rows> Step<'_, '_, R> {
    /// Lists the profiles that demotion, doubt and shared devices kept apart from the event's.
    pub(super) fn refuse(
        &self,
        demoted: Range<usize>,
        component: ComponentId,
        row: &ComponentRow,
        breaches: &[Breach],
        findings: &mut Findings,
    ) -> Result<(), ResolveError<R::Error>> {
        let profile = row.profile().ok_or(ResolveError::Corrupt { component })?;
        let others =
            self.ids[demoted.end..].iter().filter_map(|id| Some((id, (id.left_out?, None))));
        let breaches = breaches.iter().rev().map(|breach| (breach.verdict, breach.limit));
        for (id, (verdict, limit)) in self.ids[demoted].iter().zip(breaches).chain(others) {
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
                limit,
            });
        }
        Ok(())
    }

    pub(super) fn seen(&self, kept: usize, believed: usize) -> SmallVec<[Seen; 4]> {
        let fate = |(index, id): (usize, &Candidate<'_>)| match id.root {
            _ if index >= kept && !id.is_moved => Fate::Demoted,
            Some(_) => Fate::Kept,
            None => Fate::Stopped,
        };
        let mut ids: SmallVec<[_; 4]> =
            self.ids.iter().enumerate().map(|one| (one.1, fate(one))).collect();
        // Those that took no part back to their places.
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
    /// the anchor: that never changes, so a known set is found again whatever was merged meanwhile. Of
    /// a known set, records what a later look needs. An identifier alone is recorded where nothing else
    /// says that it came: it has its first event, and another one mapped it.
    pub(super) fn record(
        &mut self,
        anchor: &Candidate<'_>,
        seen: &SmallVec<[Seen; 4]>,
        repeat: Repeat,
        profile: &mut Profile<'_>,
    ) -> Result<Recorded, ResolveError<R::Error>> {
        let previous = self.previous.and_then(|previous| self.previous_seen(previous));
        let repeat = Repeat { is_alias: previous.is_some(), ..repeat };
        if seen.len() < 2 && anchor.anchored && previous.is_none() {
            return Ok(Recorded::default());
        }
        let component = profile.component;
        let home = anchor.home.ok_or(ResolveError::Corrupt { component })?;
        let set = set_of(seen, previous.as_ref());
        let set = if repeat.is_in_doubt { set.in_doubt() } else { set };
        let mut other = match home == component {
            true => None,
            false => {
                Some(self.rows.component(home)?.ok_or(ResolveError::Corrupt { component: home })?)
            }
        };
        let home_row = other.as_mut().unwrap_or(profile.row);
        let is_new = home_row.birth().any(|member| member.position == self.at.stamp.position);
        if is_new && previous.is_none() && home_row.is_born_with(set) {
            return Ok(Recorded { is_new: seen.len() > 1, is_kept: true });
        }
        let is_known = home_row.has_set(set)
            || home_row.has_more_sets() && self.rows.has_evidence(home, set)?;
        if is_known && !repeat.may_count(self.rules, home_row) {
            return Ok(Recorded::default());
        }
        let known = if is_known { self.rows.evidence(home, set)? } else { None };
        if let Some(mut row) = known {
            let is_kept = repeat.counts(self.rules, &row, &self.at.stamp) && row.add(self.at.stamp);
            if is_kept {
                self.rows.set_evidence(home, set, row)?;
            }
            return Ok(Recorded { is_new: false, is_kept });
        }
        let is_full = home_row.sets >= EVIDENCE_SETS;
        if is_full && home_row.sets_overflowed {
            return Ok(Recorded::default());
        }
        let home_row = Arc::make_mut(home_row);
        if is_full {
            home_row.sets_overflowed = true;
        } else {
            home_row.add_set(set);
            self.sight(home, set, component, previous.as_ref())?;
            let evidence = self.evidence_row(seen, previous);
            self.rows.set_evidence(home, set, evidence)?;
        }
        match other {
            Some(other) => self.rows.set_component(home, Arc::unwrap_or_clone(other))?,
            None => *profile.is_dirty = true,
        }
        Ok(Recorded { is_new: !is_full && !is_known && seen.len() > 1, is_kept: true })
    }

    fn evidence_row(
        &self,
        seen: &SmallVec<[Seen; 4]>,
        previous: Option<PreviousSeen>,
    ) -> EvidenceRow {
        let value = |one: &Seen| {
            let id = self.ids.iter().find(|id| id.claim.key == one.key);
            id.map_or_else(Box::default, |id| id.claim.value.as_ref().into())
        };
        let unmapped = seen.iter().filter(|one| one.fate != Fate::Kept).map(value);
        EvidenceRow {
            first: self.at.stamp,
            again: Vec::new(),
            is_cut: false,
            identifiers: seen.clone(),
            unmapped: unmapped.collect(),
            previous: previous.map(Box::new),
        }
    }

    /// What the `previousId` may be; none where the event names it anyway.
    fn previous_seen(&self, previous: &crate::claim::Previous<'_>) -> Option<PreviousSeen> {
        let chosen = self.ids.iter().find(|id| id.is_previous).map(|id| id.claim.key);
        let claims = |key| {
            let mut claimed = self.ids.iter().filter(|id| !id.is_previous);
            claimed.any(|id| id.claim.key == key)
        };
        let readings = PreviousSeen::of(previous, chosen);
        let is_named = readings.anonymous.as_ref().is_some_and(|one| claims(one.key));
        Some(readings).filter(|readings| !is_named && readings.readings().next().is_some())
    }

    /// Notes the set for the identifiers on it that the profile does not hold.
    fn sight(
        &mut self,
        home: ComponentId,
        set: SetKey,
        profile: ComponentId,
        previous: Option<&PreviousSeen>,
    ) -> Result<(), ResolveError<R::Error>> {
        let is_own = |key| {
            let mut ids = self.ids.iter();
            ids.any(|id| id.claim.key == key && id.root == Some(profile))
        };
        let claimed = self.ids.iter().map(|id| id.claim.key);
        let readings = previous.into_iter().flat_map(PreviousSeen::readings);
        let keys = claimed.chain(readings.map(|reading| reading.key));
        let others: SmallVec<[_; 2]> = keys.filter(|key| !is_own(*key)).collect();
        for key in others {
            self.rows.set_sighting(Sighting { key, component: home, set })?;
        }
        Ok(())
    }
}

impl EvidenceRow {
    /// Whether identifiers of the set were left out as not verified.
    pub(crate) fn is_in_doubt(&self, set: SetKey) -> bool {
        set_of(&self.identifiers, self.previous.as_deref()) != set
    }
}

/// The key of the set of an event.
fn set_of(seen: &[Seen], previous: Option<&PreviousSeen>) -> SetKey {
    let chosen = previous.and_then(|previous| previous.chosen);
    let claimed = seen.iter().map(|one| one.key).filter(|key| Some(*key) != chosen);
    let set = SetKey::of(claimed);
    previous.map_or(set, |previous| set.of_alias(previous))
}
