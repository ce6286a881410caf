//! The links of one profile, and the shortest path over them.
//!
//! A link is an event that carried two of the profile's identifiers. Most are rows of evidence. What
//! these do not say is added: the identifiers that one event mapped, those of an event that merged,
//! and, from the log, those of an event that mapped an identifier although its set was known from
//! before, when a limit kept the identifier out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use selfsame_event::{Collection, IdentifierKey, ItemPosition, ProfileId, SourceNumber, Time};
use selfsame_identity::{ComponentId, EvidenceRow, Fate, LedgerEntry, LedgerRow, Seen, Stamp};
use selfsame_store::{RowKey, StoreError, Table};

use super::super::events::Bodies;
use super::{Effect, LinkPath, LinkRule, PathLink, WhyBudget, entry_at, named};
use crate::key::{EvidenceKey, LedgerKey};
use crate::reader::{Found, LookupError};
use crate::row;

/// An event, and which members of the profile it carried.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Together {
    position: ItemPosition,
    /// By their places in the profile's row, ascending.
    members: Vec<usize>,
    event_time: Time,
    log_time: Time,
    source: SourceNumber,
}

/// How a component became part of another.
#[derive(Debug, Clone, Copy)]
struct Joined {
    into: ComponentId,
    /// By which event; none where the ledger does not say.
    at: Option<ItemPosition>,
    profiles: Option<(ProfileId, ProfileId)>,
}

/// What is known of how a profile came to be.
struct Links<'f> {
    found: &'f Found<'f>,
    budget: &'f WhyBudget,
    /// The component that mapped each member.
    homes: Vec<ComponentId>,
    places: BTreeMap<IdentifierKey, usize>,
    joined: BTreeMap<ComponentId, Joined>,
    together: BTreeSet<Together>,
    sets: usize,
    is_cut: bool,
}

impl Found<'_> {
    /// The shortest path of links between two of its identifiers.
    pub(in crate::reader) fn path(
        &self,
        from: IdentifierKey,
        to: IdentifierKey,
        budget: &WhyBudget,
        bodies: &mut Bodies<'_>,
    ) -> Result<LinkPath, LookupError> {
        let places: BTreeMap<_, _> =
            self.row.members.iter().map(|member| member.key).zip(0..).collect();
        let (Some(start), Some(end)) = (places.get(&from).copied(), places.get(&to).copied())
        else {
            return Ok(LinkPath { links: None, sets: 0, is_cut: true });
        };
        let mut links = Links {
            found: self,
            budget,
            homes: self.homes()?,
            places,
            joined: BTreeMap::new(),
            together: BTreeSet::new(),
            sets: 0,
            is_cut: false,
        };
        links.read([start, end], bodies)?;
        let found = match links.shortest(start, end) {
            Some(steps) => Some(links.shown(&steps, bodies)?),
            None => None,
        };
        // A set may have been recorded without its row, or its event may be gone from the log.
        let is_cut = links.is_cut || found.is_none();
        Ok(LinkPath { links: found, sets: links.sets, is_cut })
    }

    /// The component that mapped each of its identifiers.
    pub(in crate::reader) fn homes(&self) -> Result<Vec<ComponentId>, LookupError> {
        let table = &self.read.view.tables.identifiers;
        let home = |member: &selfsame_identity::Member| {
            let home =
                table.read(&self.read.in_space(member.key), |owner| owner.row().component)?;
            Ok(home.unwrap_or(self.component))
        };
        self.row.members.iter().map(home).collect()
    }

    /// Itself and every component that was merged into it.
    pub(in crate::reader) fn components(&self) -> Result<BTreeSet<ComponentId>, LookupError> {
        let mut components: BTreeSet<_> = self.homes()?.into_iter().collect();
        components.insert(self.component);
        Ok(components)
    }

    /// Shows rows of the merge ledger under a component, of at most `left` rows. Says whether these
    /// were all.
    pub(super) fn ledger(
        &self,
        component: ComponentId,
        left: &mut usize,
        mut visit: impl FnMut(LedgerKey, LedgerRow),
    ) -> Result<bool, LookupError> {
        let prefix = LedgerKey::prefix(self.read.space().number, component);
        let (mut is_damaged, mut is_whole) = (false, true);
        self.read.view.tables.ledger.scan(&prefix, |key, packed| {
            is_whole = *left > 0;
            *left = left.saturating_sub(1);
            match (LedgerKey::from_bytes(key), row::ledger(packed)) {
                (Some(key), Some(row)) if is_whole => visit(key, row),
                (Some(_), Some(_)) => {}
                _ => is_damaged = true,
            }
            is_whole && !is_damaged
        })?;
        match is_damaged {
            true => Err(StoreError::Row { table: Table::Ledger.name() }.into()),
            false => Ok(is_whole),
        }
    }
}

impl Found<'_> {
    /// The sets of identifiers that are recorded under a component, at most so many, and whether these
    /// are all.
    pub(super) fn evidence(
        &self,
        component: ComponentId,
        limit: usize,
    ) -> Result<(Vec<EvidenceRow>, bool), LookupError> {
        let (mut rows, mut is_damaged, mut is_whole) = (Vec::new(), false, true);
        let prefix = EvidenceKey::prefix(self.read.space().number, component);
        self.read.view.tables.evidence.scan(&prefix, |_, packed| {
            is_whole = rows.len() < limit;
            match row::evidence(packed) {
                Some(row) if is_whole => rows.push(row),
                Some(_) => {}
                None => is_damaged = true,
            }
            is_whole && !is_damaged
        })?;
        match is_damaged {
            true => Err(StoreError::Row { table: Table::Evidence.name() }.into()),
            false => Ok((rows, is_whole)),
        }
    }
}

impl Links<'_> {
    fn read(&mut self, ends: [usize; 2], bodies: &mut Bodies<'_>) -> Result<(), LookupError> {
        let mut components: BTreeSet<_> = self.homes.iter().copied().collect();
        components.insert(self.found.component);
        let rows = self.read_ledger(&components)?;
        // Those of the ends first: where not all are read, these say the most.
        let mut order: Vec<_> = ends.iter().map(|end| self.homes[*end]).collect();
        order.extend(components);
        let mut done = BTreeSet::new();
        for component in order.into_iter().filter(|component| done.insert(*component)) {
            self.read_component(component)?;
        }
        for row in &rows {
            self.add_seen(&row.stamp, &row.identifiers);
        }
        self.add_mapped_together();
        self.read_log(bodies)
    }

    /// When and how its components became one, and the events that did it.
    fn read_ledger(
        &mut self,
        components: &BTreeSet<ComponentId>,
    ) -> Result<Vec<LedgerRow>, LookupError> {
        let (mut left, mut merges) = (self.budget.ledger, BTreeMap::new());
        for component in components {
            let is_whole = self.found.ledger(*component, &mut left, |key, row| {
                if matches!(row.entry, LedgerEntry::Merged(_)) {
                    merges.insert((key.event, key.number), row);
                }
            })?;
            self.is_cut |= !is_whole;
        }
        for row in merges.values() {
            if let LedgerEntry::Merged(merge) = row.entry {
                let (into, profiles) =
                    (merge.parent, Some((merge.parent_profile, merge.child_profile)));
                let joined = Joined { into, at: Some(row.stamp.position), profiles };
                self.joined.insert(merge.child, joined);
            }
        }
        Ok(merges.into_values().collect())
    }

    /// The sets of identifiers that are recorded under a component, and what it was merged into.
    fn read_component(&mut self, component: ComponentId) -> Result<(), LookupError> {
        let read = self.found.read;
        let damaged = |table: Table| StoreError::Row { table: table.name() };
        let key = read.in_space(component);
        let row = read.view.tables.components.read(&key, row::component)?;
        let row = row.flatten().ok_or_else(|| damaged(Table::Components))?;
        if let Some(into) = row.parent {
            let unknown = Joined { into, at: None, profiles: None };
            self.joined.entry(component).or_insert(unknown);
        }
        self.is_cut |= row.sets_overflowed;
        let sets = usize::try_from(row.sets).unwrap_or(usize::MAX);
        if sets > self.budget.sets.saturating_sub(self.sets) {
            self.is_cut = true;
            return Ok(());
        }
        let (rows, is_whole) = self.found.evidence(component, usize::MAX)?;
        self.is_cut |= !is_whole;
        self.sets += rows.len();
        for row in rows {
            self.add_seen(&row.first, &row.identifiers);
        }
        Ok(())
    }

    /// The identifiers of an event that it left in one profile.
    fn add_seen(&mut self, stamp: &Stamp, identifiers: &[Seen]) {
        let kept = identifiers.iter().filter(|seen| seen.fate == Fate::Kept);
        let members: Vec<_> = kept.filter_map(|seen| self.place(seen.key)).collect();
        self.add(stamp.position, (stamp.event_time, stamp.log_time), stamp.source, &members);
    }

    fn place(&self, key: IdentifierKey) -> Option<usize> {
        self.places.get(&key).copied()
    }

    /// Adds an event that carried these members: those that were of one profile behind it. A cap on
    /// merges can leave the identifiers of one event in several.
    fn add(
        &mut self,
        position: ItemPosition,
        (event_time, log_time): (Time, Time),
        source: SourceNumber,
        members: &[usize],
    ) {
        let mut of_root: BTreeMap<ComponentId, Vec<usize>> = BTreeMap::new();
        for member in members {
            if self.found.row.members[*member].position <= position {
                let is_done = |at: ItemPosition| at <= position;
                of_root.entry(self.root(*member, is_done)).or_default().push(*member);
            }
        }
        for (_, mut members) in of_root {
            members.sort_unstable();
            members.dedup();
            if members.len() > 1 {
                self.together.insert(Together { position, members, event_time, log_time, source });
            }
        }
    }

    /// The root of a member's component when the merges for which `is_done` holds were made.
    fn root(&self, member: usize, is_done: impl Fn(ItemPosition) -> bool) -> ComponentId {
        let mut root = self.homes[member];
        // Parents are older, so this ends.
        while let Some(joined) = self.joined.get(&root)
            && joined.into < root
            && joined.at.is_none_or(&is_done)
        {
            root = joined.into;
        }
        root
    }

    /// Identifiers that one event mapped came together on it.
    fn add_mapped_together(&mut self) {
        let mut mapped: BTreeMap<ItemPosition, Vec<usize>> = BTreeMap::new();
        for (place, member) in self.found.row.members.iter().enumerate() {
            mapped.entry(member.position).or_default().push(place);
        }
        for (position, members) in mapped {
            let first = &self.found.row.members[members[0]];
            let times = (first.event_time, first.mapped_at);
            self.add(position, times, first.source, &members);
        }
    }

    /// Links of identifiers that were mapped by an event of which nothing is recorded, because its set
    /// was known or there were too many sets: these are read from the log.
    fn read_log(&mut self, bodies: &mut Bodies<'_>) -> Result<(), LookupError> {
        let members = &self.found.row.members;
        let is_older = |place: &usize, than: ItemPosition| members[*place].position < than;
        let mut told: BTreeSet<_> = self
            .together
            .iter()
            .filter(|one| one.members.iter().any(|place| is_older(place, one.position)))
            .map(|one| one.position)
            .collect();
        let mut born = BTreeSet::new();
        for (place, member) in members.iter().enumerate() {
            // The first event of a component is not missing anything.
            if born.insert(self.homes[place]) {
                told.insert(member.position);
            }
        }
        let missing: BTreeMap<_, _> = members
            .iter()
            .filter(|member| !told.contains(&member.position))
            .map(|member| (member.position, (member.event_time, member.mapped_at, member.source)))
            .collect();
        self.is_cut |= missing.len() > self.budget.events;
        for (position, (event_time, log_time, source)) in
            missing.into_iter().take(self.budget.events)
        {
            let Some(event) = bodies.event(entry_at(position, event_time))? else { continue };
            let Some(json) = event.json() else { continue };
            let carried = self.carried(&json.event, position);
            self.add(position, (event_time, log_time), source, &carried);
        }
        Ok(())
    }

    /// The members on an event that mapped one of them, down to the least trusted that it surely
    /// kept: those that it mapped, and the first that was known.
    fn carried(&self, event: &selfsame_event::Event<'_>, position: ItemPosition) -> Vec<usize> {
        let claims = self.found.read.claims(event);
        let side = match self.found.collection {
            Collection::Users => claims.users.as_slice(),
            Collection::Accounts => claims.accounts.as_slice(),
        };
        let of_users = self.found.collection == Collection::Users;
        let previous = claims.previous.as_deref().filter(|_| of_users);
        let previous = previous.and_then(|previous| {
            let known = [&previous.anonymous, &previous.user].into_iter().flatten();
            known.into_iter().find(|claim| self.place(claim.key).is_some())
        });
        let mut ids: Vec<_> = side.iter().map(|claim| (claim.priority, false, claim.key)).collect();
        ids.extend(previous.map(|claim| (claim.priority, true, claim.key)));
        ids.sort_by_key(|(priority, is_previous, _)| (*priority, *is_previous));
        let mapped_at = |place: usize| self.found.row.members[place].position;
        let places: Vec<_> = ids.iter().filter_map(|(.., key)| self.place(*key)).collect();
        let known = places.iter().position(|place| mapped_at(*place) < position);
        let mapped = places.iter().rposition(|place| mapped_at(*place) == position);
        let last = known.max(mapped).map_or(0, |last| last + 1);
        places[..last].to_vec()
    }

    /// The events of a shortest path, each with the member that it leads to. Breadth first, the
    /// earliest events first: so of shortest paths it is the one with the earliest evidence.
    fn shortest(&self, start: usize, end: usize) -> Option<Vec<(usize, &Together, usize)>> {
        let count = self.found.row.members.len();
        let together: Vec<&Together> = self.together.iter().collect();
        let mut events_of: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (number, event) in together.iter().enumerate() {
            event.members.iter().for_each(|member| events_of[*member].push(number));
        }
        let mut before: Vec<Option<(usize, usize)>> = vec![None; count];
        let mut is_done = vec![false; together.len()];
        let mut next = VecDeque::from([start]);
        while let Some(member) = next.pop_front() {
            if member == end {
                break;
            }
            for number in &events_of[member] {
                if std::mem::replace(&mut is_done[*number], true) {
                    continue;
                }
                for other in &together[*number].members {
                    if *other != start && before[*other].is_none() {
                        before[*other] = Some((member, *number));
                        next.push_back(*other);
                    }
                }
            }
        }
        let (mut steps, mut member) = (Vec::new(), end);
        while member != start {
            let (from, number) = before[member]?;
            steps.push((from, together[number], member));
            member = from;
        }
        steps.reverse();
        Some(steps)
    }

    fn shown(
        &self,
        steps: &[(usize, &Together, usize)],
        bodies: &mut Bodies<'_>,
    ) -> Result<Vec<PathLink>, LookupError> {
        let found = self.found;
        let shown = |(from, event, to): &(usize, &Together, usize)| {
            let ends = [*from, *to].map(|place| &found.row.members[place]);
            let ids = ends.map(|member| {
                let id = found.external_id(member);
                selfsame_event::Identifier::new(id.kind, id.value)
            });
            let [from_priority, to_priority] =
                [0, 1].map(|end| found.read.priority(found.collection, &ids[end].kind));
            let times = (event.event_time, event.log_time);
            let mut named = named(bodies, event.position, event.source, times)?;
            if named.message_id.is_none() {
                let mapped = ends.iter().find(|member| member.position == event.position);
                named.message_id =
                    mapped.and_then(|member| member.message_id.as_deref().map(str::to_owned));
            }
            let effect = self.effect([*from, *to], event.position);
            let rule = LinkRule::Deterministic { from: from_priority, to: to_priority };
            let [from, to] = ids;
            Ok(PathLink { from, to, effect, rule, event: named })
        };
        steps.iter().map(shown).collect()
    }

    /// What an event did to two members that it carried.
    fn effect(&self, ends: [usize; 2], position: ItemPosition) -> Effect {
        let is_new = |place: &usize| self.found.row.members[*place].position == position;
        if ends.iter().any(is_new) {
            return Effect::Mapped;
        }
        let roots = ends.map(|place| self.root(place, |at| at < position));
        if roots[0] == roots[1] {
            return Effect::Seen;
        }
        let merge = roots.iter().filter_map(|root| self.joined.get(root));
        let merge = merge.filter(|joined| joined.at == Some(position));
        let merge = merge.filter_map(|joined| joined.profiles).next();
        merge.map_or(Effect::Seen, |(into, other)| Effect::Merged { into, other })
    }
}
