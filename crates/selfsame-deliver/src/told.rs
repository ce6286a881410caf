//! What receivers were told: of each subject and recipient the value that was announced last.
//!
//! An announcement is the difference of what is to be said and what was said. So that it is never made
//! twice, nobody is told anything while an announcement to the same recipient about the same subject is
//! under way; so that it is never missed, what may have arrived or not counts as unsure, which differs
//! from everything.
//!
//! What the receiver knows without being told (not in the audience, no value) is not kept: about 50 bytes
//! of memory for each recipient, subject and kind that was told something else.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::feed::{Call, Effect, EffectKind};

/// A recipient, as a feed names it: the same bytes for the same recipient for ever.
pub type Recipient = [u8; 16];

/// What a call tells a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling {
    /// Whom.
    pub to: Recipient,
    /// What: a number that stands for the value. [`Telling::NOTHING`] is what everybody knows untold.
    pub value: u64,
}

impl Telling {
    /// What a recipient knows who was told nothing.
    pub const NOTHING: u64 = 0;
    /// What a recipient knows who may have been told something or not.
    pub(crate) const UNSURE: u64 = u64::MAX;
}

/// Of what somebody was told, and who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TellKey {
    pub(crate) kind: EffectKind,
    pub(crate) subject: u32,
    pub(crate) to: Recipient,
}

/// Something that was told, as the ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tell {
    pub(crate) key: TellKey,
    pub(crate) value: u64,
}

/// What a connection's receiver was told. Cheap to share: attempts look it up while they are made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    values: BTreeMap<TellKey, u64>,
    busy: BTreeSet<TellKey>,
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for Told {}

impl Told {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was told.
    pub(crate) fn note(&self, tell: Tell) {
        let mut inner = self.lock();
        match tell.value {
            Telling::NOTHING => inner.values.remove(&tell.key),
            value => inner.values.insert(tell.key, value),
        };
    }

    /// Everything, in order.
    pub(crate) fn all(&self) -> Vec<Tell> {
        let inner = self.lock();
        inner.values.iter().map(|(key, value)| Tell { key: *key, value: *value }).collect()
    }

    /// What was told of an effect's subject.
    pub(crate) fn of(&self, effect: &Effect) -> Heard {
        let topic = effect.subject.map(|subject| (effect.kind, subject));
        let (seen, doubted) = (RefCell::default(), RefCell::default());
        Heard { told: self.clone(), topic, seen, doubted }
    }

    /// Lets nobody else tell these recipients anything about the subject, unless somebody just does, or
    /// one whose knowledge was looked up is just told something, or knows something else by now.
    pub(crate) fn reserve(&self, heard: &Heard, calls: &[Call]) -> Option<Reserved> {
        let tellings = calls.iter().filter_map(|call| call.tells);
        let keys: Vec<_> = tellings.filter_map(|one| heard.key(&one.to)).collect();
        let mut inner = self.lock();
        let seen = heard.seen.borrow();
        let is_as_seen = seen.iter().all(|(key, value)| {
            inner.values.get(key) == value.as_ref() && !inner.busy.contains(key)
        });
        if !is_as_seen || keys.iter().any(|key| inner.busy.contains(key)) {
            return None;
        }
        inner.busy.extend(keys.iter().copied());
        Some(Reserved { told: self.clone(), keys })
    }
}

/// Recipients that only one announcement goes to. Dropped, they are free again.
#[derive(Debug)]
pub(crate) struct Reserved {
    told: Told,
    keys: Vec<TellKey>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut inner = self.told.lock();
        for key in &self.keys {
            inner.busy.remove(key);
        }
    }
}

/// What recipients know of an effect's subject, as the receiver of a connection was told.
#[derive(Debug)]
pub struct Heard {
    told: Told,
    topic: Option<(EffectKind, u32)>,
    seen: RefCell<BTreeMap<TellKey, Option<u64>>>,
    /// Who is unsure since this was asked.
    doubted: RefCell<Vec<Tell>>,
}

impl Heard {
    /// What somebody knows who was told nothing at all.
    pub fn nothing() -> Self {
        Self {
            told: Told::default(),
            topic: None,
            seen: RefCell::default(),
            doubted: RefCell::default(),
        }
    }

    pub(crate) fn key(&self, to: &Recipient) -> Option<TellKey> {
        self.topic.map(|(kind, subject)| TellKey { kind, subject, to: *to })
    }

    fn value(&self, to: &Recipient) -> Option<u64> {
        let key = self.key(to)?;
        let value = self.told.lock().values.get(&key).copied();
        self.seen.borrow_mut().insert(key, value);
        value
    }

    /// Whether a recipient knows that value, for sure.
    pub fn knows(&self, to: &Recipient, value: u64) -> bool {
        self.value(to).unwrap_or(Telling::NOTHING) == value
    }

    /// Whether a recipient may know something that it would not know untold.
    pub fn may_know(&self, to: &Recipient) -> bool {
        self.value(to).is_some()
    }

    /// Notes that a recipient may have been told that, which was not written down. Who knows that for sure
    /// knows it still; everybody else may know one thing or the other, and has to hear what comes next.
    pub fn doubt(&self, telling: Telling) {
        let Some(key) = self.key(&telling.to) else { return };
        let mut inner = self.told.lock();
        let known = inner.values.get(&key).copied().unwrap_or(Telling::NOTHING);
        if known != telling.value && known != Telling::UNSURE {
            inner.values.insert(key, Telling::UNSURE);
            self.doubted.borrow_mut().push(Tell { key, value: Telling::UNSURE });
        }
    }

    /// Who is unsure by that.
    pub(crate) fn into_doubted(self) -> Vec<Tell> {
        self.doubted.into_inner()
    }
}

#[cfg(test)]
mod tests;
