//! Who may want an event, looked up by its type and name.
//!
//! The cost is that of those who may want it: connections that cannot are never looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use selfsame_event::ItemPosition;

use super::{CHANGE, PART, Page};
use crate::connection::{Connection, ConnectionId};
use crate::feed::{Effect, EffectKind, Feed, FeedError, FeedPage};
use crate::tool::Interest;

/// Kinds of effects are below this.
const KINDS: u8 = 64;

/// Connections, by what they may want.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) version: u64,
    /// By kind: who may want all of them, and who may want some.
    kinds: BTreeMap<u8, [Vec<ConnectionId>; 2]>,
    /// By name: who may want it, of these kinds (a bit for each).
    names: HashMap<String, Vec<(u64, ConnectionId)>>,
    /// Kinds of which somebody wants some names only.
    named: u64,
}

fn bit(kind: u8) -> u64 {
    1_u64.checked_shl(u32::from(kind)).unwrap_or(0)
}

impl Index {
    pub(super) fn of(connections: &[Connection], version: u64) -> Self {
        let mut index = Self { version, ..Self::default() };
        for connection in connections {
            let interests = match &connection.tool {
                Some(tool) => tool.0.interests(),
                None => vec![Interest::all()],
            };
            index.add(connection, &interests);
        }
        index
    }

    fn add(&mut self, connection: &Connection, interests: &[Interest]) {
        let mut names: BTreeMap<&str, u64> = BTreeMap::new();
        for kind in (0..KINDS).filter(|kind| connection.filter.accepts(EffectKind(*kind))) {
            let of_kind = || interests.iter().filter(|one| one.has_kind(EffectKind(kind)));
            if of_kind().next().is_none() {
                continue;
            }
            let [all, some] = self.kinds.entry(kind).or_default();
            if of_kind().any(|one| one.names.is_none()) {
                all.push(connection.id);
                continue;
            }
            some.push(connection.id);
            self.named |= bit(kind);
            let of_kind: BTreeSet<&str> =
                of_kind().flat_map(|one| one.names.iter().flatten()).map(String::as_str).collect();
            of_kind.into_iter().for_each(|name| *names.entry(name).or_default() |= bit(kind));
        }
        for (name, kinds) in names {
            self.names.entry(name.to_owned()).or_default().push((kinds, connection.id));
        }
    }

    /// Whether it routes as another one does.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.kinds == other.kinds && self.names == other.names
    }

    /// Who may want an event; of one whose name cannot be read, everybody who may want its kind.
    fn wanting(&self, kind: EffectKind, name: Name<'_>) -> impl Iterator<Item = ConnectionId> {
        let [all, some] = match self.kinds.get(&kind.0) {
            Some([all, some]) => [all.as_slice(), some.as_slice()],
            None => [&[][..], &[][..]],
        };
        let (some, named) = match name {
            Name::Unknown => (some, &[][..]),
            Name::None => (&[][..], &[][..]),
            Name::Is(name) => (&[][..], self.names.get(name).map_or(&[][..], Vec::as_slice)),
        };
        let is_of_kind = move |kinds: u64| kinds & bit(kind.0) != 0;
        let named = named.iter().filter(move |(kinds, _)| is_of_kind(*kinds)).map(|(_, id)| *id);
        all.iter().chain(some).copied().chain(named)
    }

    /// Routes what was read from a place on.
    pub(super) fn page(
        &self,
        feed: &dyn Feed,
        from: ItemPosition,
        page: FeedPage,
    ) -> Result<Page, FeedError> {
        let FeedPage { effects, next } = page;
        let mut routed = Routed::default();
        let is_named =
            |effect: &Effect| effect.subject.is_none() && self.named & bit(effect.kind.0) != 0;
        let mut names: Vec<Option<Vec<ConnectionId>>> = vec![None; effects.len()];
        if effects.iter().any(is_named) {
            let numbers: Vec<usize> =
                (0..effects.len()).filter(|number| is_named(&effects[*number])).collect();
            let asked: Vec<Effect> = numbers.iter().map(|number| effects[*number]).collect();
            feed.names(&asked, &mut |place, name| {
                if let Some(number) = numbers.get(place) {
                    let wanting = self.wanting(effects[*number].kind, name);
                    names[*number] = Some(wanting.collect());
                }
            })?;
        }
        for (number, effect) in (0_u64..).zip(&effects) {
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            match names[place].take() {
                _ if effect.subject.is_some() => routed.keep_change(number, effect),
                Some(wanting) => routed.keep(number, effect, wanting.into_iter()),
                None => {
                    let name = if is_named(effect) { Name::Unknown } else { Name::None };
                    routed.keep(number, effect, self.wanting(effect.kind, name));
                }
            }
        }
        let Routed { kept, wanted, changes } = routed;
        let bodies = (0..kept.len().div_ceil(PART)).map(|_| Default::default()).collect();
        let kind = |effect: &Effect| effect.subject.map_or(effect.kind.0, |_| CHANGE);
        let (total, kinds) = (effects.len() as u64, effects.iter().map(kind).collect());
        Ok(Page { from, next, total, kept, wanted, changes, kinds, bodies, version: self.version })
    }
}

/// What is known of the name of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'n> {
    /// Its body cannot be read.
    Unknown,
    /// It has none.
    None,
    /// It is this.
    Is(&'n str),
}

#[derive(Default)]
struct Routed {
    kept: Vec<(u64, Effect)>,
    wanted: HashMap<ConnectionId, Vec<u32>>,
    changes: Vec<u32>,
}

impl Routed {
    fn place(&self) -> u32 {
        u32::try_from(self.kept.len()).unwrap_or(u32::MAX)
    }

    fn keep(&mut self, number: u64, effect: &Effect, wanting: impl Iterator<Item = ConnectionId>) {
        let (place, mut is_wanted) = (self.place(), false);
        for connection in wanting {
            self.wanted.entry(connection).or_default().push(place);
            is_wanted = true;
        }
        if is_wanted {
            self.kept.push((number, *effect));
        }
    }

    fn keep_change(&mut self, number: u64, effect: &Effect) {
        self.changes.push(self.place());
        self.kept.push((number, *effect));
    }
}
