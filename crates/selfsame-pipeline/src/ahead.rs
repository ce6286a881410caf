//! What records that are not folded yet say about those before them.
//!
//! * A record may say that another one is passed over: see [`crate::poison`].
//! * A record may publish rules: whatever rules its space had before, these hold from the first record
//!   on. So a fold that begins at the first record reads ahead, and folds with them from there. A state
//!   that was folded without them cannot be folded beyond that record, and gives way to one that was:
//!   see [`crate::Successor`].

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::{Position, RecordKind};
use selfsame_identity::{RuleSet, Rules, TypeNumbers};
use selfsame_log::{LogRead, ReadError, Record};

use crate::workspace::Change;

/// Rules that hold from the first record on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// The offset of the record that published them. Whatever rules are set before it, these hold.
    pub(crate) offset: u64,
    /// The rules.
    pub(crate) rules: RuleSet,
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
}

/// What a record says of a space.
#[derive(Debug)]
enum Said {
    Made(String),
    Published(String, RuleSet),
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
            Some(RecordKind::Config) => {
                self.configured = Some(record.position.next());
                let said = match serde_json::from_slice(&record.head) {
                    Ok(Change::SetSpace { id, rules, .. }) if is_sound(&rules) => Said::Made(id),
                    Ok(Change::PublishRules { space, rules })
                        if record.position < published_until && is_sound(&rules) =>
                    {
                        Said::Published(space, rules)
                    }
                    // What cannot be applied says nothing of what is before it either.
                    _ => return,
                };
                self.said.push((record.position.offset, said));
            }
            _ => {}
        }
    }

    /// Rules that were published, in the order of the log: of spaces that were there, by records that
    /// are not passed over.
    pub(crate) fn published(&self) -> Vec<(&str, Published)> {
        let mut spaces = BTreeSet::new();
        let mut published = Vec::new();
        for (offset, said) in self.said.iter().filter(|(offset, _)| !self.skips.contains(offset)) {
            match said {
                Said::Made(space) => _ = spaces.insert(space),
                Said::Published(space, rules) => {
                    if !self.is_whole || spaces.contains(space) {
                        let published_rules = Published { offset: *offset, rules: rules.clone() };
                        published.push((space.as_str(), published_rules));
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
}

fn is_sound(rules: &RuleSet) -> bool {
    Rules::compile(rules, &mut TypeNumbers::default()).is_ok()
}
