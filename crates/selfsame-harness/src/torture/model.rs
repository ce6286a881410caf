//! What must be true of the server's profiles, from what was sent and acknowledged alone.
//!
//! **Invariants:** an event acknowledged is counted once; an event sent is counted at most once; no
//! profile shows an event of another user, or one that was never sent. None of it depends on the
//! order in which events came.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

/// Browsers of a user.
pub(super) const DEVICES: u64 = 2;

/// One event and what is known of it.
#[derive(Debug, Clone, Copy)]
struct Event {
    user: u64,
    /// Only tracks are sure to be listed among a profile's events.
    is_track: bool,
    is_acknowledged: bool,
}

/// All that was sent, and what of it was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Model {
    seed: u64,
    events: Vec<Event>,
    /// Which browsers of a user were sent as theirs, by bit.
    linked: Vec<u64>,
    acknowledged: u64,
}

/// What one profile shows that it should not, or does not show that it should.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    /// Acknowledged and not there.
    pub(super) lost: Vec<String>,
    /// There more than once.
    pub(super) doubled: Vec<String>,
    /// Of another user, or never sent.
    pub(super) foreign: Vec<String>,
    /// Users whose ids do not all lead to one profile.
    pub(super) split: Vec<String>,
}

impl Findings {
    pub(super) fn is_clean(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.foreign.extend(other.foreign);
        self.split.extend(other.split);
    }
}

impl Model {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// A new user's number.
    pub(super) fn add_user(&mut self) -> u64 {
        self.linked.push(0);
        self.users() - 1
    }

    /// A new event's message id; it counts as sent from now on.
    pub(super) fn add_event(&mut self, user: u64, is_track: bool) -> u64 {
        self.events.push(Event { user, is_track, is_acknowledged: false });
        self.events.len() as u64 - 1
    }

    /// Notes that an event says that the browser is the user's.
    pub(super) fn link(&mut self, user: u64, device: u64) {
        if let Some(linked) = self.linked.get_mut(index(user)) {
            *linked |= 1 << device;
        }
    }

    pub(super) fn is_linked(&self, user: u64, device: u64) -> bool {
        self.linked.get(index(user)).is_some_and(|linked| linked & (1 << device) != 0)
    }

    /// Notes that events were acknowledged, once or again; how many were not before.
    pub(super) fn acknowledge(&mut self, events: &[u64]) -> u64 {
        let mut fresh = 0;
        for event in events {
            if let Some(event) = self.events.get_mut(index(*event))
                && !event.is_acknowledged
            {
                event.is_acknowledged = true;
                fresh += 1;
            }
        }
        self.acknowledged += fresh;
        fresh
    }

    pub(super) fn users(&self) -> u64 {
        self.linked.len() as u64
    }

    pub(super) fn sent(&self) -> u64 {
        self.events.len() as u64
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) fn message_id(&self, event: u64) -> String {
        format!("t{:x}-{event}", self.seed)
    }

    pub(super) fn user_id(&self, user: u64) -> String {
        format!("t{:x}-u{user}", self.seed)
    }

    pub(super) fn anonymous_id(&self, user: u64, device: u64) -> String {
        format!("t{:x}-u{user}-d{device}", self.seed)
    }

    /// The tracks of each user that were acknowledged.
    pub(super) fn expected(&self) -> BTreeMap<u64, BTreeSet<u64>> {
        let mut expected: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for (number, event) in (0..).zip(&self.events) {
            if event.is_track && event.is_acknowledged {
                expected.entry(event.user).or_default().insert(number);
            }
        }
        expected
    }

    /// The message ids of what was acknowledged and is no track: a browser that is somebody's.
    pub(super) fn introduced(&self) -> BTreeSet<String> {
        let all = (0..).zip(&self.events);
        let introduced = all.filter(|(_, event)| !event.is_track && event.is_acknowledged);
        introduced.map(|(number, _)| self.message_id(number)).collect()
    }

    /// Judges the event lists found under the ids of one user: the same list again and again where
    /// the ids are one profile's. When `is_final`, all of them must be.
    pub(super) fn judge(
        &self,
        user: u64,
        expected: &BTreeSet<u64>,
        lists: &[Vec<String>],
        is_final: bool,
    ) -> Findings {
        let mut findings = Findings::default();
        let sorted = |list: &Vec<String>| {
            let mut list = list.clone();
            list.sort_unstable();
            list
        };
        let profiles: BTreeSet<Vec<String>> = lists.iter().map(sorted).collect();
        if is_final && profiles.len() > 1 {
            findings.split.push(self.user_id(user));
        }
        let mut times: BTreeMap<&String, u64> = BTreeMap::new();
        for id in profiles.iter().flatten() {
            *times.entry(id).or_default() += 1;
        }
        let mut found = BTreeSet::new();
        for (id, times) in times {
            match self.number(id).filter(|(_, event)| event.user == user) {
                Some((number, _)) => found.insert(number),
                None => {
                    findings.foreign.push(id.clone());
                    continue;
                }
            };
            if times > 1 {
                findings.doubled.push(id.clone());
            }
        }
        findings.lost = expected.difference(&found).map(|event| self.message_id(*event)).collect();
        findings
    }

    fn number(&self, id: &str) -> Option<(u64, &Event)> {
        let number = id.strip_prefix(&format!("t{:x}-", self.seed))?.parse().ok()?;
        Some((number, self.events.get(index(number))?))
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
