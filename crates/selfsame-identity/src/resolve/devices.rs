//! Devices that leave a profile by an event: under [`Strategy::Link`] for the person whom the event
//! names, and where they are shared for a profile of their own.
//!
//! The device's identifier row names the component that it enters. Its member leaves the row of the root
//! and that of the component that mapped it, and enters the new one with the place and time of the event
//! that moved it: for limits and ids it is new there. It keeps its section, and loses its proof: that it
//! is verified was said of somebody else. A profile that a device leaves keeps another identifier, so none
//! ever becomes empty; a component that was merged away may.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_event::{Collection, IdentifierKey, ProfileId};
use smallvec::SmallVec;

use super::{Findings, ResolveError, Step};
use crate::apart::{Pair, meet};
use crate::decide::{Breach, Candidate, breach_by_one};
use crate::resolution::{Merge, MovedDevice, Relocated};
use crate::row::{
    ComponentId, ComponentRow, EvidenceRow, Fate, IdentifierRow, Member, Rows, Seen, SetKey,
};
use crate::rule::Strategy;
use crate::skeleton::EVIDENCE_SETS;
use crate::undo::mapped_by;
use crate::verdict::Verdict;

/// Most devices that one event gives profiles of their own: their components are numbered after it.
const ALONE: usize = 15;

impl<R: Rows> Step<'_, '_, R> {
    /// Counts who came with the devices, gives shared ones profiles of their own, and puts them behind
    /// the identifiers that take part in matching, of which it gives the number. Where nothing else is
    /// left, the most trusted one takes part: an event is never nobody's because of this.
    pub(super) fn leave_out_shared(
        &mut self,
        believed: usize,
    ) -> Result<usize, ResolveError<R::Error>> {
        let Some(most) = self.rules.shared_devices() else { return Ok(believed) };
        let users: SmallVec<[IdentifierKey; 1]> = self.ids[..believed]
            .iter()
            .filter(|id| !id.is_previous && self.trust.counts(id.claim))
            .map(|id| id.claim.key)
            .collect();
        let mut shared: SmallVec<[bool; 4]> = SmallVec::new();
        for index in 0..believed {
            let claim = self.ids[index].claim;
            let is_shared =
                claim.number.is_device() && self.count_people(claim.key, &users)? >= most;
            if is_shared {
                self.part(index)?;
            }
            shared.push(is_shared);
        }
        if !shared.contains(&false) {
            shared[0] = false;
        }
        let mut parts = [SmallVec::<[Candidate<'_>; 4]>::new(), SmallVec::new()];
        for (mut id, is_shared) in self.ids.drain(..believed).zip(shared) {
            id.left_out = is_shared.then_some(Verdict::SharedDevice);
            parts[usize::from(is_shared)].push(id);
        }
        let [first, rest] = parts;
        let count = first.len();
        self.ids.insert_many(0, first.into_iter().chain(rest));
        Ok(count)
    }

    /// With how many people the device came, these included.
    fn count_people(
        &mut self,
        device: IdentifierKey,
        users: &[IdentifierKey],
    ) -> Result<usize, ResolveError<R::Error>> {
        let mut row = self.rows.people(device)?.unwrap_or_default();
        let mut is_new = false;
        users.iter().for_each(|user| is_new |= row.add(*user));
        let count = row.count();
        if is_new {
            self.rows.set_people(device, row)?;
        }
        Ok(count)
    }

    /// Gives a shared device a profile of its own, unless it has one.
    fn part(&mut self, index: usize) -> Result<(), ResolveError<R::Error>> {
        let id = &self.ids[index];
        let Some(root) = id.root else { return Ok(()) };
        let row = self.row(root)?;
        let is_taken = row.is_verified() && !self.trust.may_take(id.claim, id.is_previous);
        if row.members.len() < 2 || is_taken || self.moved.len() >= ALONE {
            return Ok(());
        }
        let (key, position) = (id.claim.key, self.at.stamp.position);
        let number = u8::try_from(self.moved.len()).unwrap_or(u8::MAX);
        let component = ComponentId::left_over(position, Collection::Users, number);
        let (member, from) = self.take(index)?;
        let row = ComponentRow { members: vec![member], ..ComponentRow::default() };
        let owner = self.entered(key, component)?;
        self.rows.set_component(component, row.clone())?;
        self.rows.set_identifier(key, owner)?;
        // At once: the event may merge what the device left, and writes that row then.
        self.write_left()?;
        self.enter(index, component, from, row.profile(), true)?;
        let place = self.roots.partition_point(|(other, _)| *other < component);
        self.roots.insert(place, (component, Arc::new(row)));
        Ok(())
    }

    /// Moves devices of other people that matching left out to the profile of the event, if that is of
    /// a known person and its most trusted identifier is not a device itself. A limit, a cap or a pair that
    /// is set apart forbids it. Gives whether the profile's row changed.
    pub(super) fn relink(
        &mut self,
        kept: usize,
        component: ComponentId,
        row: &mut Arc<ComponentRow>,
        findings: &mut Findings,
    ) -> Result<bool, ResolveError<R::Error>> {
        let is_name = |id: &Candidate<'_>| !id.claim.number.is_device();
        let most_trusted = self.ids.iter().min_by(|one, other| one.order().cmp(&other.order()));
        if self.rules.strategy() != Strategy::Link
            || !most_trusted.is_some_and(is_name)
            || !row.is_known()
        {
            return Ok(false);
        }
        let mut is_dirty = false;
        for index in kept..self.ids.len() {
            let id = &self.ids[index];
            let Some(root) = id.root.filter(|root| *root != component) else { continue };
            if is_name(id) || id.left_out == Some(Verdict::SharedDevice) {
                continue;
            }
            let other = self.row(root)?;
            let is_taken = other.is_verified() && !self.trust.may_take(id.claim, id.is_previous);
            if is_taken || !other.is_known() {
                continue;
            }
            let (number, key) = (id.claim.number, id.claim.key);
            if let Some(Breach { verdict, limit, pair }) = self.forbids(index, component, row)? {
                let about = findings.violations.iter_mut().find(|one| one.key == key);
                about.into_iter().for_each(|one| (one.verdict, one.limit) = (verdict, limit));
                let pair = pair.filter(|pair| !findings.met.contains(pair));
                meet(pair.as_slice(), self.at.stamp, self.rows)?;
                findings.met.extend(pair);
                continue;
            }
            let (member, from) = self.take(index)?;
            debug_assert_eq!(member.number, number, "the row is the identifier's");
            Arc::make_mut(row).members.push(member);
            let owner = self.entered(key, component)?;
            *self.owner(key, component)? = owner;
            self.enter(index, component, from, row.profile(), false)?;
            findings.violations.retain(|one| one.key != key);
            is_dirty = true;
        }
        Ok(is_dirty)
    }

    /// What forbids the event's profile to take a device.
    fn forbids(
        &mut self,
        index: usize,
        component: ComponentId,
        row: &Arc<ComponentRow>,
    ) -> Result<Option<Breach>, ResolveError<R::Error>> {
        let (number, key) = (self.ids[index].claim.number, self.ids[index].claim.key);
        let profile = (component, Arc::clone(row));
        let limit = breach_by_one(number, &profile, self.at.stamp.event_time, self.rules);
        if limit.is_some() {
            return Ok(limit);
        }
        if let Some(apart) = self.rows.apart(key)? {
            let mut keys = row.members.iter().map(|member| member.key);
            let pair = keys.find(|other| apart.from(*other).is_some());
            if let Some(pair) = pair.and_then(|other| Pair::new(key, other)) {
                let (verdict, pair) = (Verdict::CannotLink, Some(pair));
                return Ok(Some(Breach { verdict, limit: None, pair }));
            }
        }
        let cap = usize::try_from(self.rules.caps().mappings).unwrap_or(usize::MAX);
        let verdict = Verdict::MappingLimit;
        Ok((row.members.len() >= cap).then_some(Breach { verdict, limit: None, pair: None }))
    }

    /// Takes a device out of the profile that holds it. Gives it as the event brings it to another, and
    /// the id that the profile had.
    fn take(&mut self, index: usize) -> Result<(Member, ProfileId), ResolveError<R::Error>> {
        let Candidate { claim, home, root, .. } = &self.ids[index];
        let (key, Some(home), Some(root)) = (claim.key, *home, *root) else {
            return Err(ResolveError::Corrupt { component: ComponentId::default() });
        };
        let corrupt = || ResolveError::Corrupt { component: root };
        let mut row = self.row(root)?;
        let from = row.profile().ok_or_else(corrupt)?;
        let place = row.members.iter().position(|member| member.key == key);
        let place = place.ok_or_else(corrupt)?;
        if home == root {
            self.keep_birth(home, &mut row, key)?;
        } else {
            let known = match self.left.remove(&home) {
                Some(row) => Some(row),
                None => self.rows.component(home)?,
            };
            let mut own = known.ok_or(ResolveError::Corrupt { component: home })?;
            self.keep_birth(home, &mut own, key)?;
            Arc::make_mut(&mut own).members.retain(|member| member.key != key);
            self.left.insert(home, own);
        }
        let member = Arc::make_mut(&mut row).members.remove(place);
        if let Some(slot) = self.roots.iter_mut().find(|(other, _)| *other == root) {
            slot.1 = Arc::clone(&row);
        }
        self.left.insert(root, row);
        let stamp = self.at.stamp;
        let member = Member {
            rank: u8::try_from(index).unwrap_or(u8::MAX),
            verified: false,
            mapped_at: stamp.log_time,
            event_time: stamp.event_time,
            position: stamp.position,
            source: stamp.source,
            message_id: self.at.message_id.map(Box::from),
            ..member
        };
        Ok((member, from))
    }

    /// The identifiers that a component began with are a set that no evidence names. Before one of them
    /// leaves, it is written down.
    fn keep_birth(
        &mut self,
        id: ComponentId,
        row: &mut Arc<ComponentRow>,
        leaving: IdentifierKey,
    ) -> Result<(), ResolveError<R::Error>> {
        let seen =
            |member: &Member| Seen { number: member.number, key: member.key, fate: Fate::Kept };
        let identifiers: SmallVec<[Seen; 4]> = row.birth().map(seen).collect();
        let is_leaving = identifiers.iter().any(|one| one.key == leaving);
        let Some(first) = row.members.first().filter(|_| is_leaving && identifiers.len() > 1)
        else {
            return Ok(());
        };
        let first = mapped_by(first);
        let set = SetKey::of(identifiers.iter().map(|one| one.key));
        let evidence = match self.rows.evidence(id, set)? {
            Some(known) if known.first.position <= first.position => return Ok(()),
            Some(mut known) => {
                let later = std::mem::replace(&mut known.first, first);
                known.again.insert(0, later);
                known
            }
            None if row.sets >= EVIDENCE_SETS => {
                Arc::make_mut(row).sets_overflowed = true;
                return Ok(());
            }
            None => {
                Arc::make_mut(row).add_set(set);
                EvidenceRow { first, identifiers, ..EvidenceRow::default() }
            }
        };
        Ok(self.rows.set_evidence(id, set, evidence)?)
    }

    /// The row of a device as it enters a component.
    fn entered(
        &mut self,
        key: IdentifierKey,
        component: ComponentId,
    ) -> Result<IdentifierRow, ResolveError<R::Error>> {
        let row = self.rows.identifier(key)?.ok_or(ResolveError::Corrupt { component })?;
        let mapped_at = self.at.stamp.log_time;
        Ok(IdentifierRow { component, verified: false, mapped_at, ..row })
    }

    /// Notes that a device is of another profile now.
    fn enter(
        &mut self,
        index: usize,
        component: ComponentId,
        from: ProfileId,
        to: Option<ProfileId>,
        is_alone: bool,
    ) -> Result<(), ResolveError<R::Error>> {
        let to = to.ok_or(ResolveError::Corrupt { component })?;
        let id = &mut self.ids[index];
        let left = id.root.ok_or(ResolveError::Corrupt { component })?;
        let (number, key) = (id.claim.number, id.claim.key);
        (id.home, id.root, id.verified) = (Some(component), Some(component), false);
        if !is_alone {
            (id.left_out, id.is_moved) = (None, true);
        }
        let entered = component;
        self.moved.push(MovedDevice { number, key, from, to, left, entered, is_alone });
        Ok(())
    }

    /// Writes the rows that devices left.
    pub(super) fn write_left(&mut self) -> Result<(), ResolveError<R::Error>> {
        for (id, row) in std::mem::take(&mut self.left) {
            self.rows.set_component(id, Arc::unwrap_or_clone(row))?;
        }
        Ok(())
    }

    /// Identifiers under which events were folded before, and whose profile has another id now. A profile
    /// may get another id when its earliest identifier leaves it, too.
    pub(super) fn relocated(
        &self,
        component: ComponentId,
        row: &Arc<ComponentRow>,
        merges: &[Merge],
    ) -> Vec<Relocated> {
        if merges.is_empty() && self.moved.is_empty() {
            return Vec::new();
        }
        let is_child = |root: &ComponentId| merges.iter().any(|merge| merge.child == *root);
        let others = self.roots.iter().filter(|(root, _)| !is_child(root) && *root != component);
        let rows = others.map(|(_, row)| row).chain([row]);
        let mut now = BTreeMap::new();
        for row in rows {
            let Some(profile) = row.profile() else { continue };
            now.extend(row.members.iter().map(|member| (member.key, profile)));
        }
        let mut relocated = Vec::new();
        for (_, row) in &self.before {
            let Some(from) = row.profile() else { continue };
            for key in row.members.iter().filter(|member| member.anchored).map(|one| one.key) {
                let to = now.get(&key).copied().filter(|to| *to != from);
                relocated.extend(to.map(|to| Relocated { key, from, to }));
            }
        }
        relocated
    }
}
