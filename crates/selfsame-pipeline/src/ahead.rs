//! What records that are not folded yet say about those before them.
//!
//! * A record may say that another one is passed over: see [`crate::poison`].
//! * A record may publish rules: whatever rules its space had before, these hold from the first record
//!   on. So a fold that begins at the first record reads ahead, and folds with them from there. A state
//!   that was folded without them cannot be folded beyond that record, and gives way to one that was:
//!   see [`crate::Successor`]. What the definitions of then keep is kept from the first record on too, and what
//!   was set apart by then is apart from the first record on: see [`crate::apart`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::{Position, RecordKind, Time};
use selfsame_identity::{RuleSet, Rules, TypeNumbers};
use selfsame_log::{LogRead, ReadError, Record};

use crate::apart::ApartAhead;
use crate::computed::Settled;
use crate::identity::IdentityChange;
use crate::workspace::{Change, Workspace};

/// Rules that hold from the first record on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// The offset of the record that published them. Whatever rules are set before it, these hold.
    pub(crate) offset: u64,
    /// The rules.
    pub(crate) rules: RuleSet,
    /// Up to which record the definitions count that hold with them.
    pub(crate) definitions: u64,
    /// What the record sets apart and lifts.
    pub(crate) identity: Option<IdentityChange>,
}

/// What records that are not folded yet say about folding.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// The offsets that are passed over.
    pub(crate) skips: BTreeSet<u64>,
    /// Behind the last change of the configuration.
    pub(crate) configured: Option<Position>,
    /// Whether the first record of all was looked at.
    is_whole: bool,
    /// What was said of spaces, in the order of the log.
    said: Vec<(u64, Said)>,
    /// Of a whole log, the changes that definitions depend on.
    defined: Vec<(u64, Change)>,
    /// Of a whole log, what was set apart and lifted.
    parted: Vec<(u64, Time, IdentityChange)>,
}

/// What a record says of a space.
#[derive(Debug)]
enum Said {
    Made(String),
    Published(String, Box<Published>),
}

impl Ahead {
    /// Looks at the records from a position on. What is published counts up to another one.
    pub(crate) fn look(
        log: &dyn LogRead,
        from: Position,
        published_until: Position,
    ) -> Result<Self, ReadError> {
        const READ_BYTES: usize = 4 << 20;
        let mut ahead = Self { is_whole: from.offset == 0, ..Self::default() };
        let mut next = from;
        while next < log.end() {
            for record in log.read(next, READ_BYTES)? {
                next = record.position.next();
                ahead.note(&record, published_until);
            }
        }
        Ok(ahead)
    }

    fn note(&mut self, record: &Record, published_until: Position) {
        match RecordKind::from_code(record.kind) {
            Some(RecordKind::Skip) => {
                let offset = record.head.first_chunk();
                self.skips.extend(offset.map(|offset| u64::from_le_bytes(*offset)));
            }
            Some(RecordKind::Identity) if self.is_whole => {
                if let Ok(change) = serde_json::from_slice(&record.head) {
                    self.parted.push((record.position.offset, record.time, change));
                }
            }
            Some(RecordKind::Config) => {
                self.configured = Some(record.position.next());
                let Ok(change) = serde_json::from_slice(&record.head) else { return };
                let offset = record.position.offset;
                if self.is_whole && is_of_definitions(&change) {
                    self.defined.push((offset, Change::clone(&change)));
                }
                let said = match change {
                    Change::SetSpace { id, rules, .. } if is_sound(&rules) => Said::Made(id),
                    Change::PublishRules { space, rules, definitions, identity, .. }
                        if record.position < published_until
                            && is_sound(&rules)
                            && identity.as_ref().is_none_or(|one| one.is_sound_in(&space)) =>
                    {
                        if let Some(identity) = identity.clone().filter(|_| self.is_whole) {
                            self.parted.push((offset, record.time, identity));
                        }
                        Said::Published(
                            space,
                            Box::new(Published { offset, rules, definitions, identity }),
                        )
                    }
                    // What cannot be applied says nothing of what is before it either.
                    _ => return,
                };
                self.said.push((offset, said));
            }
            _ => {}
        }
    }

    /// Rules that were published, in the order of the log: of spaces that were there, by records that
    /// are not passed over.
    pub(crate) fn published(&self) -> Vec<(&str, Published)> {
        let mut spaces = BTreeSet::new();
        let mut published = Vec::new();
        for (_, said) in self.said.iter().filter(|(offset, _)| !self.skips.contains(offset)) {
            match said {
                Said::Made(space) => _ = spaces.insert(space),
                Said::Published(space, one) => {
                    if !self.is_whole || spaces.contains(space) {
                        published.push((space.as_str(), Published::clone(one)));
                    }
                }
            }
        }
        published
    }

    /// For each space the record whose rules hold from the beginning.
    pub(crate) fn last_published(&self) -> BTreeMap<String, u64> {
        let published = self.published().into_iter();
        published.map(|(space, published)| (space.to_owned(), published.offset)).collect()
    }

    /// The definitions that hold from the first record on with rules that these records published.
    pub(crate) fn settled(
        &self,
        published: &BTreeMap<String, u64>,
    ) -> BTreeMap<String, Arc<Settled>> {
        let is_it = |(space, one): &(&str, Published)| published.get(*space) == Some(&one.offset);
        let held = self.published().into_iter().filter(is_it).filter_map(|(space, one)| {
            Some((space.to_owned(), self.settled_of(space, one.definitions)?))
        });
        held.collect()
    }

    /// What is apart from the first record on with rules that these records published.
    pub(crate) fn apart(
        &self,
        published: &BTreeMap<String, u64>,
    ) -> BTreeMap<String, Arc<ApartAhead>> {
        let is_it = |(space, one): &(&str, Published)| published.get(*space) == Some(&one.offset);
        let held = self.published().into_iter().filter(is_it).filter_map(|(space, one)| {
            Some((space.to_owned(), self.apart_by(space, one.offset, one.identity.as_ref())?))
        });
        held.collect()
    }

    /// What is apart in a space by the records before one, and by what that one says itself. Of a whole log
    /// only.
    pub(crate) fn apart_by(
        &self,
        space: &str,
        until: u64,
        own: Option<&IdentityChange>,
    ) -> Option<Arc<ApartAhead>> {
        let mut apart = ApartAhead::default();
        let before = self.parted.iter().take_while(|(offset, ..)| *offset < until);
        for (_, time, change) in before.filter(|(offset, ..)| !self.skips.contains(offset)) {
            if change.space == space {
                apart.take(change, *time);
            }
        }
        // When it will be said, is not known before it is.
        own.iter().for_each(|change| apart.take(change, Time::default()));
        (!apart.is_empty()).then(|| Arc::new(apart))
    }

    /// The definitions of a space as they were before a record, if there were any. Of a whole log only.
    pub(crate) fn settled_of(&self, space: &str, until: u64) -> Option<Arc<Settled>> {
        let mut workspace = Workspace::default();
        let before = self.defined.iter().take_while(|(offset, _)| *offset < until);
        for (_, change) in before.filter(|(offset, _)| !self.skips.contains(offset)) {
            // What cannot be applied changes nothing here either.
            drop(workspace.apply(change.clone()));
        }
        let definitions: Vec<_> = workspace.definitions_of(space).cloned().collect();
        (!definitions.is_empty()).then(|| Arc::new(Settled { until, definitions }))
    }
}

/// Whether definitions depend on a change: on spaces and destinations being there, and on each other.
fn is_of_definitions(change: &Change) -> bool {
    matches!(
        change,
        Change::SetSpace { .. }
            | Change::SetDestination(_)
            | Change::RemoveDestination { .. }
            | Change::SetDefinition(_)
            | Change::RemoveDefinition { .. }
    )
}

fn is_sound(rules: &RuleSet) -> bool {
    Rules::compile(rules, &mut TypeNumbers::default()).is_ok()
}
