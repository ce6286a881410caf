//! Why two profiles are not one: events that carried identifiers of both, and met a limit or cap.
//!
//! The merge ledger has those on which both were profiles already. Where the identifier that was left
//! out was on no profile then, and got one later, the evidence of the other has it; so it has events
//! that would have joined more than two, of which the ledger names each with the oldest only.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use selfsame_event::{IdentifierKey, ItemPosition};
use selfsame_identity::{ComponentId, EvidenceRow, Fate, LedgerEntry, Stamp};

use super::super::events::Bodies;
use super::{Apart, Decided, Refusal, TypeLimit, WhyBudget, named};
use crate::decision::{Note, NoteKind, Verdict, with_limit};
use crate::reader::{Found, LookupError};
use crate::step::note_kind;

/// An event that kept two profiles apart: the first identifier that it left out, and why.
type Kept = BTreeMap<ItemPosition, (Stamp, IdentifierKey, Option<Rule>)>;

/// What an event met.
type Rule = (NoteKind, Option<TypeLimit>);

impl Found<'_> {
    /// What kept this profile and another one apart.
    pub(super) fn apart(
        &self,
        other: &Self,
        budget: &WhyBudget,
        decided: &Decided<'_>,
        bodies: &mut Bodies<'_>,
    ) -> Result<Apart, LookupError> {
        let sides = [(self, self.components()?), (other, other.components()?)];
        let mut kept = Kept::new();
        let (mut count, mut is_cut) = self.refused(&sides, budget, &mut kept)?;
        let mut left = budget.sets;
        for (index, (side, components)) in sides.iter().enumerate() {
            let (across, _) = &sides[1 - index];
            for component in components {
                let (rows, is_whole) = side.evidence(*component, left)?;
                left -= rows.len();
                is_cut |= !is_whole;
                for row in rows {
                    let Some((left_out, rule)) = left_out(&row, across) else { continue };
                    let at = row.first.position;
                    if let Entry::Vacant(place) = kept.entry(at) {
                        count += 1;
                        place.insert((row.first, left_out, rule));
                    }
                }
            }
        }
        let mut refusals = Vec::new();
        for (at, (stamp, key, rule)) in kept.into_iter().take(budget.refusals) {
            let left_out = self.identifier(key).or_else(|| other.identifier(key));
            let times = (stamp.event_time, stamp.log_time);
            let about = left_out.as_ref();
            // Rows of before do not say which limit it was.
            let is_told = rule.as_ref().is_some_and(|(kind, limit)| {
                let is_limit = matches!(kind, NoteKind::ValueLimit | NoteKind::ValueTimeLimit);
                limit.is_some() || !is_limit
            });
            let noted = || about.and_then(|about| noted(decided, at, about));
            let rule = if is_told { rule } else { noted().or(rule) };
            let (rule, limit) = rule.map_or((None, None), |(rule, limit)| (Some(rule), limit));
            refusals.push(Refusal {
                rule,
                limit,
                left_out,
                event: named(bodies, at, stamp.source, times)?,
            });
        }
        let kinds: Vec<_> =
            self.external_ids().chain(other.external_ids()).map(|id| id.kind).collect();
        let limits = self.read.over_limits(self.collection, &kinds);
        let set_apart = self.apart_from(other)?;
        Ok(Apart { refusals, count, is_cut, set_apart, limits })
    }

    /// The refusals in the ledger between two profiles: the earliest, how many there are, and whether
    /// there may be more.
    fn refused(
        &self,
        sides: &[(&Self, BTreeSet<ComponentId>); 2],
        budget: &WhyBudget,
        kept: &mut Kept,
    ) -> Result<(u64, bool), LookupError> {
        let (mut left, mut is_cut) = (budget.ledger, false);
        let is_between = |one: ComponentId, two: ComponentId| {
            let holds = |side: usize, id| sides[side].1.contains(&id);
            holds(0, one) && holds(1, two) || holds(1, one) && holds(0, two)
        };
        let mut events = BTreeSet::new();
        for component in sides.iter().flat_map(|(_, components)| components) {
            let is_whole = self.ledger(*component, &mut left, |key, row| {
                let LedgerEntry::Refused(refused) = row.entry else { return };
                if is_between(refused.component, refused.other) && events.insert(key.event) {
                    let limit = refused.limit.map(|met| self.read.type_limit(met));
                    let rule = (note_kind(refused.verdict), limit);
                    kept.insert(key.event, (row.stamp, refused.by, Some(rule)));
                }
            })?;
            is_cut |= !is_whole;
        }
        Ok((u64::try_from(events.len()).unwrap_or(u64::MAX), is_cut))
    }
}

/// The first identifier on an event of one profile that another profile has now. One that was not left
/// out had that profile already, and the cap on merges kept the two apart.
fn left_out(row: &EvidenceRow, across: &Found<'_>) -> Option<(IdentifierKey, Option<Rule>)> {
    let seen = row.identifiers.iter().find(|seen| across.holds(seen.key))?;
    Some((seen.key, (seen.fate == Fate::Kept).then_some((NoteKind::MergeLimit, None))))
}

/// What the decision about an event says of an identifier that it left out.
fn noted(decided: &Decided<'_>, at: ItemPosition, id: &selfsame_event::Identifier) -> Option<Rule> {
    let Verdict::Accepted(accepted) = decided(at)?.verdict else { return None };
    let is_about = |note: &Note| {
        let is_limit = matches!(
            note.kind,
            NoteKind::ValueLimit
                | NoteKind::ValueTimeLimit
                | NoteKind::MappingLimit
                | NoteKind::CannotLink
                | NoteKind::Unverified
                | NoteKind::KnownPeople
                | NoteKind::SharedDevice
        );
        is_limit && note.identifier == id.kind && id.value.starts_with(&*note.value)
    };
    let (note, limit) = with_limit(&accepted.notes, is_about)?;
    Some((note.kind, TypeLimit::of(limit)))
}
