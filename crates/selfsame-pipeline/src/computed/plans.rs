//! The definitions of a space, compiled together, and what follows for whom when something changes.

use std::collections::BTreeMap;

use selfsame_audience::{Evaluated, Numbered, Plans, Profile, Query, Sway, Tally, Traits};
use selfsame_event::{Collection, Raw, Time};
use selfsame_expr::query::order;
use selfsame_identity::{Kinds, TypeNumber, TypeNumbers};

use super::accounts::AccountPlans;
use super::facts::Computing;
use super::ranks::Ranks;
use crate::workspace::{
    Definition, DefinitionKind, definition_query, holder, reads_among, references,
};

/// The definitions of a space, compiled.
#[derive(Debug, Default)]
pub(crate) struct SpacePlans {
    /// What is kept: of versions in force, and of those that are being computed.
    pub(crate) plans: Plans,
    /// The definitions in force, each behind those that it reads.
    pub(crate) live: Vec<LivePlan>,
    /// What there is to know of those of accounts.
    pub(crate) accounts: AccountPlans,
    /// The streams of versions that are computed without being in force.
    next: BTreeMap<u32, Vec<u32>>,
    /// By the number of the stream, what its events may do to whom.
    by_stream: Vec<Vec<Touch>>,
    by_trait: BTreeMap<String, Vec<usize>>,
    /// Audiences that choose a type of identifiers.
    by_kind: BTreeMap<TypeNumber, Vec<usize>>,
    /// Of those of users.
    by_id: BTreeMap<String, usize>,
    /// By the number of the definition.
    by_number: Vec<Option<usize>>,
    /// Of each in force, those that read it.
    readers: Vec<Vec<usize>>,
    /// Those that are something else than nothing where nothing happened.
    at_creation: Ranks,
    /// Those that are evaluated whenever they may have changed. The others are evaluated when they are asked for.
    pub(crate) stored: Ranks,
    /// Those that somebody waits for. Of some of them no value is kept: traits that nothing but events change
    /// have those evaluated that read them.
    awaited: Ranks,
    /// Audiences that nobody enters by an event but by having it, while traits stay as they are.
    pub(crate) made_by_one: Ranks,
    /// Those of which every profile was evaluated since they are in force.
    pub(crate) walked: Ranks,
    /// Computed traits that one of these reads, in order.
    pub(crate) read_traits: Vec<usize>,
}

/// What an event may do to a definition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touch {
    /// Its place.
    pub(crate) rank: usize,
    /// What it may do while traits stay as they are.
    pub(crate) sway: Sway,
    /// Whether it may change a trait that the definition reads.
    pub(crate) by_trait: bool,
}

/// A definition in force.
#[derive(Debug)]
pub(crate) struct LivePlan {
    pub(crate) id: Box<str>,
    pub(crate) number: u32,
    pub(crate) kind: DefinitionKind,
    pub(crate) collection: Collection,
    /// Whether a destination is told of its changes.
    pub(crate) is_told: bool,
    /// What it comes to where nothing happened, as JSON.
    pub(crate) default: Box<str>,
    /// Of an audience: the types of identifiers of which its members have one. Nothing where anybody may be in it.
    pub(crate) filter: Option<Kinds>,
    /// Its place among the plans.
    pub(super) place: usize,
}

/// What definitions come to where nothing happened, and no other trait.
struct Nothing<'a>(&'a BTreeMap<String, Box<str>>);

impl Traits for Nothing<'_> {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        self.0.get(key).map(|json| Raw::trusted(json))
    }
}

/// The types of identifiers that an audience chooses. One that the space never had is nobody's.
pub(crate) fn chosen(names: &[String], numbers: &TypeNumbers) -> Option<Kinds> {
    let kinds = names.iter().filter_map(|name| numbers.number(Collection::Users, name));
    (!names.is_empty()).then(|| kinds.collect())
}

/// Whether a profile with identifiers of these types has one of those that are chosen, if any are.
pub(crate) fn admits(chosen: Option<&Kinds>, kinds: &[TypeNumber]) -> bool {
    chosen.is_none_or(|chosen| chosen.iter().any(|kind| kinds.contains(kind)))
}

impl SpacePlans {
    /// Compiles the definitions of a space. Streams that have no number yet get the next ones. Where none is
    /// to be evaluated yet, all that they need is kept.
    pub(crate) fn compile(
        definitions: &[&Definition],
        computing: &mut Computing,
        numbers: &TypeNumbers,
        are_evaluated: bool,
    ) -> Self {
        let mut versions = Vec::new();
        for &definition in definitions {
            let Some(progress) = computing.definitions.get(&definition.number) else { continue };
            let (live, next) = (progress.live.as_ref(), progress.next.as_ref());
            let both = live
                .map(|one| (one, are_evaluated))
                .into_iter()
                .chain(next.map(|one| (one, false)));
            for (version, is_live) in both {
                // A version is checked before it is one.
                if let Ok(query) =
                    definition_query(definition.kind, definition.collection, &version.query)
                {
                    versions.push((definition, version.streams.clone(), is_live, query));
                }
            }
        }
        let numbered: Vec<_> = versions
            .iter()
            .map(|(definition, streams, _, query)| {
                let holder = holder(definition.collection);
                Numbered { query, holder, streams: streams.as_slice() }
            })
            .collect();
        let Ok(plans) = Plans::numbered(&numbered, &mut computing.next_stream) else {
            debug_assert!(false, "each was compiled before it was taken");
            return Self::default();
        };
        let mut compiled = Self { plans, ..Self::default() };
        let mut live = BTreeMap::new();
        for (place, (definition, _, is_live, query)) in versions.iter().enumerate() {
            let streams: Vec<u32> = compiled.plans.streams_of(place).collect();
            if *is_live {
                live.insert(definition.id.clone(), (place, *definition, query, streams));
            } else {
                compiled.next.insert(definition.number, streams);
            }
        }
        let collection_of = |id: &str| {
            let definition = definitions.iter().find(|definition| definition.id == id);
            definition.map(|definition| definition.collection)
        };
        let reads = live.iter().map(|(id, (_, definition, query, _))| {
            (id.clone(), reads_among(query, definition.collection, collection_of))
        });
        // Of changes that are under way, some may be in force and make a circle with others that are
        // not replaced yet. Those of the circle wait.
        let strata = order(&reads.collect()).unwrap_or_default();
        for id in strata.into_iter().flatten() {
            let Some((place, definition, query, streams)) = live.remove(&id) else { continue };
            let rank = compiled.live.len();
            match definition.collection {
                Collection::Users => compiled.add_of_users(rank, &id, query, place),
                Collection::Accounts => compiled.accounts.add(rank, &id, query, streams),
            }
            let filter = chosen(&definition.filter_by_external_ids, numbers);
            for kind in filter.iter().flatten() {
                compiled.by_kind.entry(*kind).or_default().push(rank);
            }
            let number = usize::try_from(definition.number).unwrap_or(usize::MAX);
            if compiled.by_number.len() <= number {
                compiled.by_number.resize(number + 1, None);
            }
            compiled.by_number[number] = Some(rank);
            compiled.live.push(LivePlan {
                id: id.into(),
                number: definition.number,
                kind: definition.kind,
                collection: definition.collection,
                is_told: !definition.destinations.is_empty(),
                default: "null".into(),
                filter,
                place,
            });
        }
        let readers = compiled.live.iter().map(|plan| match plan.collection {
            Collection::Users => compiled.of_trait(&plan.id).collect(),
            // All of an account's are evaluated together.
            Collection::Accounts => Vec::new(),
        });
        compiled.readers = readers.collect();
        compiled.find_stored();
        compiled.find_defaults();
        compiled
    }

    fn add_of_users(&mut self, rank: usize, id: &str, query: &Query, place: usize) {
        for (stream, sway) in self.plans.sways(place) {
            self.add_touch(stream, Touch { rank, sway, by_trait: false });
        }
        for key in references(query).own {
            self.by_trait.entry(key).or_default().push(rank);
        }
        self.by_id.insert(id.to_owned(), rank);
    }

    fn add_touch(&mut self, stream: u32, touch: Touch) {
        let stream = usize::try_from(stream).unwrap_or(usize::MAX);
        if self.by_stream.len() <= stream {
            self.by_stream.resize_with(stream + 1, Vec::new);
        }
        self.by_stream[stream].push(touch);
    }

    /// Audiences have members, and destinations are told of changes; a trait that is neither told nor read
    /// by any of these is not looked at before somebody asks for it. Of one that is read and not told, and that
    /// changes by its events alone, no value is kept either: its events are those of who reads it.
    fn find_stored(&mut self) {
        let (mut awaited, mut stored) = <(Ranks, Ranks)>::default();
        let mut touches = Vec::new();
        for (rank, plan) in self.live.iter().enumerate().rev() {
            if plan.collection == Collection::Accounts {
                continue;
            }
            let is_audience = plan.kind == DefinitionKind::Audience;
            let is_read = self.readers_of(rank).any(|reader| awaited.has(reader));
            if is_read && !is_audience {
                self.read_traits.push(rank);
            }
            let is_asked = self.accounts.reads_of_users(&plan.id);
            if !(is_audience || plan.is_told || is_read || is_asked) {
                continue;
            }
            awaited.insert(rank);
            if is_audience || plan.is_told || is_asked || !self.plans.is_of_events(plan.place) {
                stored.insert(rank);
                continue;
            }
            for stream in self.plans.streams_of(plan.place) {
                let touch = |rank| (stream, Touch { rank, sway: Sway::ANY, by_trait: true });
                touches.extend(self.readers_of(rank).map(touch));
            }
        }
        self.read_traits.reverse();
        (self.awaited, self.stored) = (awaited, stored);
        for (stream, touch) in touches {
            self.add_touch(stream, touch);
        }
        let by_one = |(_, plan): &(usize, &LivePlan)| self.plans.is_made_by_one(plan.place);
        self.made_by_one =
            self.live.iter().enumerate().filter(by_one).map(|(rank, _)| rank).collect();
        let of_streams = self.by_stream.iter_mut();
        of_streams.for_each(|list| list.retain(|touch| stored.has(touch.rank)));
        let lists = self.by_trait.values_mut().chain(&mut self.readers);
        lists.for_each(|list| list.retain(|rank| stored.has(*rank)));
    }

    /// Takes up of which definitions every profile was evaluated.
    pub(crate) fn note_walked(&mut self, computing: &Computing) {
        let is_walked = |plan: &LivePlan| {
            let progress = computing.definitions.get(&plan.number);
            let live = progress.and_then(|progress| progress.live.as_ref());
            live.is_some_and(|live| live.is_announced)
        };
        let live = self.live.iter().enumerate().filter(|(_, plan)| is_walked(plan));
        self.walked = live.map(|(rank, _)| rank).collect();
    }

    /// Whether the value of a definition is kept for each profile: those of accounts all are.
    pub(crate) fn is_stored(&self, number: u32) -> bool {
        self.is_among(&self.stored, number)
    }

    /// Whether every profile is to be evaluated when a definition comes into force.
    pub(crate) fn is_awaited(&self, number: u32) -> bool {
        self.is_among(&self.awaited, number)
    }

    fn is_among(&self, ranks: &Ranks, number: u32) -> bool {
        let is_of_accounts = self.collection_of(number) == Some(Collection::Accounts);
        is_of_accounts || self.rank_of(number).is_some_and(|rank| ranks.has(rank))
    }

    fn find_defaults(&mut self) {
        let (mut of_users, mut of_accounts) = (BTreeMap::new(), BTreeMap::new());
        for rank in 0..self.live.len() {
            let plan = &self.live[rank];
            let profile = self.plans.profile(&[], Time::EPOCH);
            let (evaluated, known) = match plan.collection {
                Collection::Users => {
                    (profile.evaluate(plan.place, &Nothing(&of_users)), &mut of_users)
                }
                Collection::Accounts => {
                    let nothing = Nothing(&of_accounts);
                    let evaluated =
                        profile.evaluate_account(plan.place, &nothing, &Tally::default());
                    (evaluated, &mut of_accounts)
                }
            };
            let json = evaluated.map(|one| one.value.json());
            let default: Box<str> = json.unwrap_or_else(|| "null".to_owned()).into();
            known.insert(plan.id.to_string(), default.clone());
            let is_of_users = plan.collection == Collection::Users;
            if is_of_users && plan.kind == DefinitionKind::Audience && &*default == "true" {
                self.at_creation.insert(rank);
            }
            self.live[rank].default = default;
        }
    }

    /// Those in force of a collection, with their places.
    pub(crate) fn of(&self, collection: Collection) -> impl Iterator<Item = (usize, &LivePlan)> {
        self.live.iter().enumerate().filter(move |(_, plan)| plan.collection == collection)
    }

    /// Whether there is nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.next.is_empty()
    }

    /// The streams of the version of a definition that is being computed.
    pub(crate) fn next_streams(&self, number: u32) -> Option<&[u32]> {
        self.next.get(&number).map(Vec::as_slice)
    }

    /// The place of a definition in [`Self::live`].
    pub(crate) fn rank_of(&self, number: u32) -> Option<usize> {
        self.by_number.get(usize::try_from(number).ok()?).copied().flatten()
    }

    /// Whether a destination is told of a definition in force.
    pub(crate) fn is_told(&self, number: u32) -> bool {
        let plan = self.rank_of(number).and_then(|rank| self.live.get(rank));
        plan.is_some_and(|plan| plan.is_told)
    }

    /// The collection of a definition in force.
    pub(crate) fn collection_of(&self, number: u32) -> Option<Collection> {
        self.live.get(self.rank_of(number)?).map(|plan| plan.collection)
    }

    /// What a definition comes to where nothing happened, as JSON.
    pub(crate) fn default_of(&self, number: u32) -> &str {
        let plan = self.rank_of(number).and_then(|rank| self.live.get(rank));
        plan.map_or("null", |plan| &plan.default)
    }

    /// The place of the definition of users of that id.
    pub(crate) fn rank_named(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// What events of a stream may do to whom.
    pub(crate) fn of_stream(&self, stream: u32) -> impl Iterator<Item = Touch> {
        let place = usize::try_from(stream).unwrap_or(usize::MAX);
        self.by_stream.get(place).into_iter().flatten().copied()
    }

    /// The definitions that read a trait.
    pub(crate) fn of_trait(&self, key: &str) -> impl Iterator<Item = usize> {
        self.by_trait.get(key).into_iter().flatten().copied()
    }

    /// The audiences that somebody may enter by getting the first identifier of a type.
    pub(crate) fn of_kind(&self, kind: TypeNumber) -> impl Iterator<Item = usize> {
        self.by_kind.get(&kind).into_iter().flatten().copied()
    }

    /// The definitions that read the one of a place.
    pub(crate) fn readers_of(&self, rank: usize) -> impl Iterator<Item = usize> {
        self.readers.get(rank).into_iter().flatten().copied()
    }

    /// Those that hold of a profile of which nothing is known, and what has to do with them.
    pub(crate) fn at_creation(&self) -> Ranks {
        self.at_creation
    }

    /// Whether somebody who is not in an audience enters it by an event of that time.
    pub(crate) fn evaluate_by(
        &self,
        rank: usize,
        profile: &Profile<'_>,
        traits: &dyn Traits,
        event: Time,
    ) -> Option<Evaluated> {
        profile.evaluate_by(self.live.get(rank)?.place, traits, event)
    }

    /// What a definition comes to.
    pub(crate) fn evaluate(
        &self,
        rank: usize,
        profile: &Profile<'_>,
        traits: &dyn Traits,
    ) -> Option<Evaluated> {
        profile.evaluate(self.live.get(rank)?.place, traits)
    }
}
