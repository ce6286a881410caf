//! Why two identifiers are one profile, or why they are not.
//!
//! ```text
//! one profile    the shortest path of links between the two, each an event that carried both ends
//! two profiles   the events that would have joined them, and the limit or cap that each met
//! no profile     the event on which the identifier was blocked, too long, demoted or refused
//! ```
//!
//! **Invariants:**
//! - every link names an event that carried both of its identifiers, and after which one profile had
//!   both;
//! - the same state gives the same answer: of paths of one length, the one whose first link is the
//!   earliest, then the second, and so on;
//! - what is read is bounded by a [`WhyBudget`], and an answer that is not of everything says so.

mod apart;
mod links;
mod stopped;

use selfsame_event::{
    Collection, EventType, Identifier, IdentifierKey, ItemPosition, ProfileId, SourceNumber, Time,
};
use selfsame_identity::MetLimit;
use selfsame_identity::rule::{Limit, Window};
use selfsame_profile::EntryKey;

use super::events::Bodies;
use super::{ApartPair, Found, LookupError, SpaceRead};
use crate::decision::{Decision, NoteKind};

/// How much one answer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhyBudget {
    /// Sets of identifiers seen together.
    pub sets: usize,
    /// Events read for links of which no set is kept.
    pub events: usize,
    /// Rows of the merge ledger.
    pub ledger: usize,
    /// Entries of the list of insights.
    pub insights: usize,
    /// How many events that kept two profiles apart are shown.
    pub refusals: usize,
}

impl Default for WhyBudget {
    fn default() -> Self {
        Self { sets: 10_000, events: 1_000, ledger: 100_000, insights: 10_000, refusals: 20 }
    }
}

/// What is asked: two identifiers of one collection.
#[derive(Debug, Clone, Copy)]
pub struct WhyQuery<'q> {
    /// Users or accounts.
    pub collection: Collection,
    /// Where the path begins.
    pub from: &'q Identifier,
    /// Where it ends.
    pub to: &'q Identifier,
    /// How much to read.
    pub budget: WhyBudget,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The first identifier.
    pub from: WhyEnd,
    /// The second.
    pub to: WhyEnd,
    /// What there is between them.
    pub between: Between,
}

/// One of the two identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyEnd {
    /// The identifier, as the profile has it.
    pub identifier: Identifier,
    /// The profile that holds it.
    pub profile: Option<ProfileId>,
    /// Where no profile holds it, what the list of insights says.
    pub unmapped: Option<Unmapped>,
}

/// What there is between two identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Between {
    /// They are of one profile.
    Path(LinkPath),
    /// They are of two profiles.
    Apart(Apart),
    /// At least one is on no profile.
    Nothing,
}

/// The links from one identifier to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPath {
    /// The links in order; none where nothing that was read leads there.
    pub links: Option<Vec<PathLink>>,
    /// How many sets of identifiers were looked at.
    pub sets: usize,
    /// Whether there are more, so that there may be a shorter path.
    pub is_cut: bool,
}

/// Two identifiers that one event carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathLink {
    /// The end that is nearer to the beginning of the path.
    pub from: Identifier,
    /// The other end.
    pub to: Identifier,
    /// What the event did.
    pub effect: Effect,
    /// By which rule.
    pub rule: LinkRule,
    /// The event.
    pub event: EventRef,
}

/// What an event did to two identifiers that it carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It made them one profile's by adding at least one of them to it.
    Mapped,
    /// Each had a profile of its own, and these became one.
    Merged {
        /// The profile that survived.
        into: ProfileId,
        /// The profile that became part of it.
        other: ProfileId,
    },
    /// They were of one profile already.
    Seen,
}

/// Why identifiers that come together are one profile's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRule {
    /// Both were on one event, and no limit, block or cap was met.
    Deterministic {
        /// The priority of the first one's type in the rules of now; none where they do not list it.
        from: Option<u16>,
        /// The priority of the other's.
        to: Option<u16>,
    },
}

/// An event, as an explanation names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    /// Where it is in the log.
    pub position: ItemPosition,
    /// Its message id, where it is known.
    pub message_id: Option<String>,
    /// Its type, where its body is there.
    pub kind: Option<EventType>,
    /// Its name, of a track call.
    pub name: Option<String>,
    /// When it happened.
    pub event_time: Time,
    /// When it was received.
    pub log_time: Time,
    /// Its source.
    pub source: SourceNumber,
}

/// Why two profiles are not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The earliest events that would have joined them.
    pub refusals: Vec<Refusal>,
    /// How many such events are recorded: every one on which both were profiles already, and the
    /// first of each set of identifiers on which one was not yet.
    pub count: u64,
    /// Whether there are more rows than were read.
    pub is_cut: bool,
    /// Identifiers of the two that somebody set apart.
    pub set_apart: Vec<ApartPair>,
    /// What joining them would exceed, by the rules of now. A window is not looked at: within one,
    /// fewer may count.
    pub limits: Vec<OverLimit>,
}

/// An event that would have joined two profiles, and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The limit or cap that it met; none where it is no longer known which limit it was.
    pub rule: Option<NoteKind>,
    /// Of limits on a type, which it was, as it was then; none where that is not kept.
    pub limit: Option<TypeLimit>,
    /// The identifier that was left out: the event is one profile's, and this the other's.
    pub left_out: Option<Identifier>,
    /// The event.
    pub event: EventRef,
}

/// A type and its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeLimit {
    /// The type, of which there would have been too many values.
    pub kind: String,
    /// How many one profile may have.
    pub limit: Limit,
}

/// A type of which a profile would have too many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverLimit {
    /// The type.
    pub kind: String,
    /// How many values a profile may have.
    pub limit: u32,
    /// Within which window.
    pub window: Window,
    /// How many it would have.
    pub count: u32,
}

/// Why an identifier is on no profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The last event on which something stopped it; none where no entry of the list is about it.
    pub stopped: Option<Stopped>,
    /// How many entries of the list are about it.
    pub times: u64,
    /// Whether there were older entries, which are not kept or were not read.
    pub is_cut: bool,
}

/// An event on which an identifier was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// What stopped it.
    pub by: NoteKind,
    /// Of limits on a type, which it was, as it was then; none where that is not kept.
    pub limit: Option<TypeLimit>,
    /// The event.
    pub event: EventRef,
    /// The profile that the event was folded into.
    pub profile: Option<ProfileId>,
    /// What joining everything on the event would exceed, by the rules of now, windows not looked at.
    pub limits: Vec<OverLimit>,
}

/// Finds the decision about an event.
pub type Decided<'d> = dyn Fn(ItemPosition) -> Option<Decision> + 'd;

impl SpaceRead {
    /// The names of a collection's types, in the order in which they came to be.
    pub fn types(&self, collection: Collection) -> Vec<&str> {
        let all = (0..=u16::MAX)
            .map_while(|number| self.type_name(selfsame_identity::TypeNumber(number)));
        all.filter(|(of, _)| *of == collection).map(|(_, name)| name).collect()
    }

    /// Why two identifiers are one profile, or are not. `decided` looks into the outbox.
    pub fn why(&self, query: &WhyQuery<'_>, decided: &Decided<'_>) -> Result<Why, LookupError> {
        let find = |wanted: &Identifier| -> Result<_, LookupError> {
            let Some(key) = self.held(query.collection, &wanted.kind, &wanted.value)? else {
                return Ok(None);
            };
            Ok(self.find_key(query.collection, key)?.map(|found| (key, found)))
        };
        let mut from = find(query.from)?;
        let to = find(query.to)?;
        let component = |found: &Option<(_, Found<'_>)>| found.as_ref().map(|one| one.1.component);
        if component(&from) != component(&to) {
            // They may have become one between the two reads.
            from = find(query.from)?;
        }
        let mut bodies = Bodies::new(&*self.log);
        let between = match (&from, &to) {
            (Some((from, found)), Some((to, other))) if found.component == other.component => {
                // Of two reads of one profile, the later one has both identifiers.
                let found = if found.holds(*to) { found } else { other };
                Between::Path(found.path(*from, *to, &query.budget, &mut bodies)?)
            }
            (Some((_, found)), Some((_, other))) => {
                Between::Apart(found.apart(other, &query.budget, decided, &mut bodies)?)
            }
            _ => Between::Nothing,
        };
        let end =
            |found: Option<(IdentifierKey, Found<'_>)>, wanted: &Identifier, bodies: &mut _| {
                let identifier = found.as_ref().and_then(|(key, found)| found.identifier(*key));
                let profile = found.map(|(_, found)| found.id());
                let unmapped = match profile {
                    Some(_) => None,
                    None => Some(self.unmapped(query, wanted, decided, bodies)?),
                };
                let identifier = identifier.unwrap_or_else(|| wanted.clone());
                Ok::<_, LookupError>(WhyEnd { identifier, profile, unmapped })
            };
        let from = end(from, query.from, &mut bodies)?;
        Ok(Why { from, to: end(to, query.to, &mut bodies)?, between })
    }

    /// An event as explanations name it; what its body says is left out where it is gone.
    pub fn event_ref(
        &self,
        position: ItemPosition,
        source: SourceNumber,
        times: (Time, Time),
    ) -> Result<EventRef, LookupError> {
        named(&mut Bodies::new(&*self.log), position, source, times)
    }

    /// The priority of a type in the rules of now.
    pub(super) fn priority(&self, collection: Collection, kind: &str) -> Option<u16> {
        let mut rules = self.compiled.set.types.iter();
        let rule = rules.find(|rule| rule.collection == collection && *rule.name == *kind);
        rule.map(|rule| rule.priority)
    }

    /// A limit that was met, by the name of its type.
    pub(super) fn type_limit(&self, met: MetLimit) -> TypeLimit {
        let kind = self.type_name(met.number).map_or("", |(_, name)| name);
        TypeLimit { kind: kind.to_owned(), limit: met.limit }
    }

    /// The types of which there are more values than the rules of now allow one profile.
    fn over_limits(&self, collection: Collection, values: &[&str]) -> Vec<OverLimit> {
        let rules = self.compiled.set.types.iter().filter(|rule| rule.collection == collection);
        let over = rules.filter_map(|rule| {
            let count = values.iter().filter(|kind| **kind == rule.name).count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            (count > rule.limit.count).then(|| OverLimit {
                kind: rule.name.clone(),
                limit: rule.limit.count,
                window: rule.limit.window,
                count,
            })
        });
        over.collect()
    }
}

impl TypeLimit {
    fn of(met: Option<(&str, Limit)>) -> Option<Self> {
        met.map(|(kind, limit)| Self { kind: kind.to_owned(), limit })
    }
}

impl Found<'_> {
    /// One of its identifiers.
    pub(super) fn identifier(&self, key: IdentifierKey) -> Option<Identifier> {
        let id = self.external_ids().find(|id| id.key == key)?;
        Some(Identifier::new(id.kind, id.value))
    }
}

/// Reads what an event's body says about it. The times are when it happened and was received.
fn named(
    bodies: &mut Bodies<'_>,
    position: ItemPosition,
    source: SourceNumber,
    (event_time, log_time): (Time, Time),
) -> Result<EventRef, LookupError> {
    let mut event = EventRef {
        position,
        message_id: None,
        kind: None,
        name: None,
        event_time,
        log_time,
        source,
    };
    let found = bodies.event(entry_at(position, event_time))?;
    if let Some(json) = found.as_ref().and_then(|found| found.json()) {
        event.message_id = Some(json.message_id.to_string());
        event.kind = Some(json.event.kind);
        event.name = json.event.event.as_deref().map(str::to_owned);
    }
    Ok(event)
}

/// The entry of an event, to read its body by.
fn entry_at(position: ItemPosition, time: Time) -> EntryKey {
    EntryKey { time, tie: [0; 3], item: position.index, position: position.record }
}
