//! Why an identifier is on no profile: what the list of insights says of events that carried it.

use std::collections::BTreeSet;

use selfsame_event::{Collection, Identifier, IdentifierKey, ItemPosition};

use super::super::events::Bodies;
use super::{Decided, OverLimit, Stopped, TypeLimit, Unmapped, WhyQuery, entry_at, named};
use crate::decision::{Note, NoteKind, Verdict, with_limit};
use crate::key::ListKey;
use crate::reader::{LookupError, SpaceRead};
use crate::row::Listed;
use crate::step::LIST_LENGTH;

/// What keeps an identifier off a profile. A cap on merges does not: it is about two that are on one.
const STOPS: [NoteKind; 9] = [
    NoteKind::ValueBlocked,
    NoteKind::ValueTooLong,
    NoteKind::ValueLimit,
    NoteKind::ValueTimeLimit,
    NoteKind::MappingLimit,
    NoteKind::CannotLink,
    NoteKind::Unverified,
    NoteKind::KnownPeople,
    NoteKind::SharedDevice,
];

impl SpaceRead {
    /// The newest entry about an identifier, and how many there are.
    pub(super) fn unmapped(
        &self,
        query: &WhyQuery<'_>,
        wanted: &Identifier,
        decided: &Decided<'_>,
        bodies: &mut Bodies<'_>,
    ) -> Result<Unmapped, LookupError> {
        let kind = wanted.kind.to_ascii_lowercase();
        let number = self.numbers().number(query.collection, &kind);
        let folded = number.map(|number| self.compiled.rules.folded(number, &wanted.value));
        let folded = folded.as_deref().unwrap_or(&wanted.value);
        let values =
            [folded, &wanted.value].map(|value| Note::new(NoteKind::NoIdentifier, "", value));
        let is_about = |note: &Note, why: u8| {
            note.kind as u8 == why
                && *note.identifier == *kind
                && values.iter().any(|wanted| wanted.value == note.value)
        };
        let total = self.counts().insights;
        let budget = u64::try_from(query.budget.insights).unwrap_or(u64::MAX);
        let first = total.saturating_sub(LIST_LENGTH.min(budget));
        let mut unmapped = Unmapped { stopped: None, times: 0, is_cut: first > 0 };
        for number in (first..total).rev() {
            let Some(listed) = self.listed(number)? else { continue };
            let Some(by) = STOPS.into_iter().find(|kind| *kind as u8 == listed.why) else {
                continue;
            };
            let Some(decision) = decided(listed.event) else { continue };
            let (notes, profile) = match decision.verdict {
                Verdict::Accepted(accepted) => (accepted.notes, Some(accepted.profile)),
                Verdict::Unattached { notes, .. } => (notes, None),
                _ => continue,
            };
            let about = with_limit(&notes, |note| is_about(note, listed.why));
            let Some((_, limit)) = about else { continue };
            unmapped.times += 1;
            if unmapped.stopped.is_none() {
                let is_limit = matches!(by, NoteKind::ValueLimit | NoteKind::ValueTimeLimit);
                let limits = match is_limit {
                    true => self.limits_met(query.collection, listed.event, bodies)?,
                    false => Vec::new(),
                };
                // The list has no event time; the body has, as long as it is there.
                let mut event =
                    named(bodies, listed.event, Default::default(), (listed.at, listed.at))?;
                if let Some(found) = bodies.event(entry_at(listed.event, listed.at))? {
                    event.source = found.source();
                    event.event_time = found.json().map_or(listed.at, |json| json.timestamp);
                }
                unmapped.stopped =
                    Some(Stopped { by, limit: TypeLimit::of(limit), event, profile, limits });
            }
        }
        Ok(unmapped)
    }

    fn listed(&self, number: u64) -> Result<Option<Listed>, LookupError> {
        let number = u32::try_from(number % LIST_LENGTH).unwrap_or(0);
        let key = ListKey { owner: self.space().number, day: 0, number };
        Ok(self.view.tables.insights.read(&key, |row| *row)?)
    }

    /// What joining all identifiers of an event, and all profiles that hold one, would exceed.
    fn limits_met(
        &self,
        collection: Collection,
        at: ItemPosition,
        bodies: &mut Bodies<'_>,
    ) -> Result<Vec<OverLimit>, LookupError> {
        let Some(found) = bodies.event(entry_at(at, Default::default()))? else {
            return Ok(Vec::new());
        };
        let Some(json) = found.json() else { return Ok(Vec::new()) };
        let claims = self.claims(&json.event);
        let side = match collection {
            Collection::Users => claims.users.as_slice(),
            Collection::Accounts => claims.accounts.as_slice(),
        };
        let (mut keys, mut kinds) = (BTreeSet::<IdentifierKey>::new(), Vec::new());
        for claim in side {
            if let Some(profile) = self.find_key(collection, claim.key)? {
                for id in profile.external_ids() {
                    if keys.insert(id.key) {
                        kinds.push(id.kind.to_owned());
                    }
                }
            } else if keys.insert(claim.key) {
                let name = self.type_name(claim.number).map_or("", |(_, name)| name);
                kinds.push(name.to_owned());
            }
        }
        let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
        Ok(self.over_limits(collection, &kinds))
    }
}
