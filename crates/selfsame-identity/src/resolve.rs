//! Finds whose event it is: looks its identifiers up, decides what may be joined, joins it.
//!
//! ```text
//! identifiers, most trusted first
//!   -> leave out those of verified profiles that nothing proves  (`trust`)
//!   -> leave out shared devices, which identify nobody           (`devices`)
//!   -> demote from the end while joining would exceed a limit   (`decide`)
//!   -> merge the matched profiles into the oldest, up to the cap
//!   -> map what is new to the profile of the most trusted known identifier, up to the cap
//!   -> move devices of other people to that profile, if a known person's event names them  (`devices`)
//!   -> anchor = the most trusted identifier that is mapped
//! ```
//!
//! Choices where the documented algorithm leaves room, each of which keeps the event with its anchor:
//! * Of two identifiers with one type, the larger value is demoted first; an alias call's `previousId`
//!   before any other of its type.
//! * When the cap on merges refuses a merge, the event stays with its most trusted known identifier,
//!   and new identifiers go there too. Merges are counted over the whole profile, so that no profile
//!   ever consists of more than the cap allows.
//! * The cap on mappings refuses mappings, not merges.

mod devices;
mod join;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_event::{Class, IdentifierKey};
use smallvec::SmallVec;

use crate::apart::{Pair, Standing, meet, name};
use crate::claim::{Claim, Claims, Previous, Trust};
use crate::compile::Rules;
use crate::decide::{Candidate, Root, decide};
use crate::find::find_root;
use crate::known::resolve_known;
use crate::resolution::{
    Link, Mapped, Merge, MovedDevice, Outcome, Refused, Resolution, Violation,
};
use crate::row::{ComponentId, ComponentRow, IdentifierRow, Member, Rows, Stamp};
use crate::skeleton::Repeat;
use crate::trust::set_apart;
use crate::verdict::Verdict;

use record::Profile;

/// The event that is resolved, apart from its identifiers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Occurrence<'m> {
    /// Where and when.
    pub stamp: Stamp,
    /// The event's message id.
    pub message_id: Option<&'m str>,
}

/// Why an event could not be resolved. Nothing that was set meanwhile may be kept.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError<E> {
    /// The rows failed.
    #[error("a row of the identity graph cannot be read or written")]
    Rows(#[from] E),
    /// The rows contradict each other.
    #[error("the row of component {} contradicts the rows that name it", component.0)]
    Corrupt { component: ComponentId },
}

impl<E> ResolveError<E> {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Rows(_) => Class::Unavailable,
            Self::Corrupt { .. } => Class::Corrupt,
        }
    }
}

/// Resolves one event: its user, its account, and the link between the two.
pub fn resolve<R: Rows>(
    claims: &Claims<'_>,
    at: &Occurrence<'_>,
    rules: &Rules,
    rows: &mut R,
) -> Result<Outcome, ResolveError<R::Error>> {
    let previous = claims.previous.as_deref();
    let users = Side { claims: &claims.users, previous, trust: claims.trust };
    // Accounts are not persons: nobody is taken over with one.
    let accounts = Side { claims: &claims.accounts, previous: None, trust: Trust::Unguarded };
    let (user, left_out) = resolve_side(&users, at, rules, rows)?;
    let (account, _) = resolve_side(&accounts, at, rules, rows)?;
    let link = match (&user, &account) {
        (Some(user), Some(account)) if claims.links => {
            Some(Link { user_anchor: user.anchor, account_anchor: account.anchor })
        }
        _ => None,
    };
    Ok(Outcome { user, account, link, left_out })
}

/// The claims of one collection, which are in order.
pub(crate) struct Side<'c> {
    pub(crate) claims: &'c [Claim<'c>],
    pub(crate) previous: Option<&'c Previous<'c>>,
    pub(crate) trust: Trust,
}

/// Whose an event is, and if it is nobody's, what was left out of it.
type Whose = (Option<Resolution>, Vec<Violation>);

/// Resolves the claims of one collection; nobody's if there are none.
pub(crate) fn resolve_side<'c, R: Rows>(
    side: &Side<'c>,
    at: &Occurrence<'_>,
    rules: &Rules,
    rows: &mut R,
) -> Result<Whose, ResolveError<R::Error>> {
    let Side { claims, previous, trust } = *side;
    let mut found = SmallVec::new();
    for claim in claims {
        found.push(rows.identifier(claim.key)?);
    }
    if previous.is_none()
        && let Some(known) = resolve_known(claims, &found, trust, rules, rows)?
    {
        return Ok((Some(known), Vec::new()));
    }
    let mut step = Step {
        at,
        rules,
        trust,
        rows,
        ids: SmallVec::new(),
        previous,
        roots: SmallVec::new(),
        before: SmallVec::new(),
        owners: SmallVec::new(),
        moved: Vec::new(),
        left: BTreeMap::new(),
    };
    for (claim, row) in claims.iter().zip(found) {
        step.push(claim, row, false)?;
    }
    if let Some(previous) = previous {
        step.look_up_previous(previous)?;
    }
    let believed = set_apart(&mut step.ids, &step.roots, trust);
    if believed == 0 {
        name(&step.ids, step.rows)?;
        let left_out = step.ids.iter().filter_map(left_out).collect();
        return Ok((None, left_out));
    }
    // Otherwise no profile gets another id, and the only row is changed without a copy.
    if step.roots.len() > 1 || rules.moves_devices() {
        step.before.clone_from(&step.roots);
    }
    let believed = step.leave_out_shared(believed)?;
    name(&step.ids[believed..], step.rows)?;
    Ok((Some(step.run(believed)?), Vec::new()))
}

/// What is said of an identifier that takes no part in matching.
fn left_out(id: &Candidate<'_>) -> Option<Violation> {
    let (number, key) = (id.claim.number, id.claim.key);
    Some(Violation { verdict: id.left_out?, limit: None, number, key })
}

/// The work on one event in one collection.
pub(crate) struct Step<'s, 'c, R> {
    pub(crate) at: &'s Occurrence<'s>,
    pub(crate) rules: &'s Rules,
    trust: Trust,
    pub(crate) rows: &'s mut R,
    /// Most trusted first; those that take no part in matching behind all others.
    pub(crate) ids: SmallVec<[Candidate<'c>; 4]>,
    /// Of an alias call, what its `previousId` may be.
    pub(crate) previous: Option<&'c Previous<'c>>,
    /// Every root that an identifier is in, the oldest first; in the end without that of the event.
    roots: SmallVec<[Root; 2]>,
    /// The same as they were before the event, if it may give a profile another id.
    before: SmallVec<[Root; 2]>,
    /// Rows of identifiers that are written last: whoever reads one finds its component.
    owners: SmallVec<[(IdentifierKey, IdentifierRow); 4]>,
    /// Devices that moved.
    moved: Vec<MovedDevice>,
    /// Rows that devices left, to be written behind those that they enter.
    left: BTreeMap<ComponentId, Arc<ComponentRow>>,
}

/// What was found out so far.
#[derive(Default)]
struct Findings {
    mapped: Vec<Mapped>,
    verified: Vec<Mapped>,
    violations: Vec<Violation>,
    merges: Vec<Merge>,
    refused: Vec<Refused>,
    met: Vec<Pair>,
}

impl<'c, R: Rows> Step<'_, 'c, R> {
    fn look_up_previous(
        &mut self,
        previous: &'c Previous<'c>,
    ) -> Result<(), ResolveError<R::Error>> {
        for claim in [&previous.anonymous, &previous.user].into_iter().flatten() {
            if self.ids.iter().any(|id| id.claim.key == claim.key) {
                return Ok(());
            }
            if let Some(row) = self.rows.identifier(claim.key)? {
                return self.push(claim, Some(row), true);
            }
        }
        match &previous.anonymous {
            Some(claim) => self.push(claim, None, true),
            None => Ok(()),
        }
    }

    fn push(
        &mut self,
        claim: &'c Claim<'c>,
        row: Option<IdentifierRow>,
        is_previous: bool,
    ) -> Result<(), ResolveError<R::Error>> {
        let home = row.map(|row| row.component);
        let root = match home {
            Some(home) => Some(self.root_of(home)?),
            None => None,
        };
        let anchored = row.is_some_and(|row| row.anchored);
        let verified = row.is_some_and(|row| row.verified);
        let order = |id: &Candidate<'_>| {
            (id.claim.priority, id.is_previous) <= (claim.priority, is_previous)
        };
        let index = self.ids.iter().take_while(|id| order(id)).count();
        let (left_out, is_moved) = (None, false);
        self.ids.insert(
            index,
            Candidate { claim, home, root, anchored, verified, is_previous, left_out, is_moved },
        );
        Ok(())
    }

    fn root_of(&mut self, home: ComponentId) -> Result<ComponentId, ResolveError<R::Error>> {
        if let Some(same) = self.ids.iter().find(|id| id.home == Some(home)).and_then(|id| id.root)
        {
            return Ok(same);
        }
        let (root, row) = find_root(self.rows, home)?;
        let index = self.roots.partition_point(|(other, _)| *other < root);
        if self.roots.get(index).is_none_or(|(other, _)| *other != root) {
            self.roots.insert(index, (root, row));
        }
        Ok(root)
    }

    fn run(mut self, believed: usize) -> Result<Resolution, ResolveError<R::Error>> {
        let at = self.at.stamp;
        let (ids, others) = self.ids.split_at(believed);
        let standing = Standing::find(ids, &self.roots, self.rows)?;
        let (kept, breaches) = decide(ids, &self.roots, at.event_time, self.rules, &standing);
        let mut findings = Findings::default();
        findings.violations.extend(others.iter().filter_map(left_out));
        for (id, breach) in ids.iter().rev().zip(&breaches) {
            findings.met.extend(breach.pair.filter(|pair| !findings.met.contains(pair)));
            findings.violations.push(Violation {
                verdict: breach.verdict,
                limit: breach.limit,
                number: id.claim.number,
                key: id.claim.key,
            });
        }
        meet(&findings.met, at, self.rows)?;
        self.merge(kept, &mut findings)?;
        let known = self.ids[..kept].iter().find_map(|id| id.root);
        let (component, mut row) = match known {
            Some(root) => (root, self.take_row(root)?),
            None => (self.new_component()?, Arc::default()),
        };
        let mut is_dirty = self.map(kept, component, &mut row, &standing, &mut findings)?;
        is_dirty |= self.relink(kept, component, &mut row, &mut findings)?;
        let anchor = self.ids[..kept].iter().find(|id| id.root.is_some());
        let anchor = anchor.ok_or(ResolveError::Corrupt { component })?.clone();
        if !anchor.anchored {
            self.open_section(&anchor, component, &mut row)?;
            is_dirty = true;
        }
        is_dirty |= self.verify(kept, component, &mut row, &mut findings)?;
        let profile = row.profile().ok_or(ResolveError::Corrupt { component })?;
        self.refuse(kept..believed, component, &row, &breaches, &mut findings)?;
        let identifiers = self.seen(kept, believed);
        let repeat = Repeat {
            changed: !findings.mapped.is_empty()
                || !findings.merges.is_empty()
                || !self.moved.is_empty()
                || !anchor.anchored,
            refused: !findings.violations.is_empty(),
            is_alias: false,
            is_in_doubt: self.ids.iter().any(|id| id.left_out == Some(Verdict::Unverified)),
        };
        let mut profile_row = Profile { component, row: &mut row, is_dirty: &mut is_dirty };
        let recorded = self.record(&anchor, &identifiers, repeat, &mut profile_row)?;
        if !recorded.is_kept {
            findings.refused.clear();
        }
        let listed = self.moved.iter().filter(|_| recorded.is_kept);
        let handed = listed.flat_map(MovedDevice::handed).collect();
        let relocated = self.relocated(component, &row, &findings.merges);
        if is_dirty {
            self.rows.set_component(component, Arc::unwrap_or_clone(row))?;
        }
        for (key, owner) in std::mem::take(&mut self.owners) {
            self.rows.set_identifier(key, owner)?;
        }
        self.write_left()?;
        Ok(Resolution {
            component,
            profile,
            anchor: anchor.claim.key,
            anchor_number: anchor.claim.number,
            created: known.is_none(),
            opens_section: !anchor.anchored,
            identifiers,
            mapped: findings.mapped,
            verified: findings.verified,
            violations: findings.violations,
            merges: findings.merges,
            refused: findings.refused,
            met: findings.met,
            handed,
            moved: self.moved,
            relocated,
            is_evidence: recorded.is_new,
        })
    }

    /// The number of the component that the event creates.
    fn new_component(&self) -> Result<ComponentId, ResolveError<R::Error>> {
        let position = self.at.stamp.position;
        let number = self.ids.first().and_then(|id| self.rules.of(id.claim.number));
        let corrupt = ResolveError::Corrupt { component: ComponentId::default() };
        let collection = number.ok_or(corrupt)?.collection;
        Ok(ComponentId::created_at(position, collection))
    }

    fn row(&self, root: ComponentId) -> Result<Arc<ComponentRow>, ResolveError<R::Error>> {
        let found = self.roots.iter().find(|(other, _)| *other == root);
        found.map(|(_, row)| Arc::clone(row)).ok_or(ResolveError::Corrupt { component: root })
    }

    /// Takes the row of the event's profile out of the roots, so that it is changed without a copy.
    fn take_row(&mut self, root: ComponentId) -> Result<Arc<ComponentRow>, ResolveError<R::Error>> {
        let place = self.roots.iter().position(|(other, _)| *other == root);
        let place = place.ok_or(ResolveError::Corrupt { component: root })?;
        Ok(self.roots.remove(place).1)
    }

    /// Maps new identifiers to the component. Gives whether its row changed.
    fn map(
        &mut self,
        kept: usize,
        component: ComponentId,
        row: &mut Arc<ComponentRow>,
        standing: &Standing,
        findings: &mut Findings,
    ) -> Result<bool, ResolveError<R::Error>> {
        let cap = usize::try_from(self.rules.caps().mappings).unwrap_or(usize::MAX);
        let stamp = self.at.stamp;
        for (index, id) in self.ids[..kept].iter_mut().enumerate() {
            if id.root.is_some() {
                continue;
            }
            let (number, key) = (id.claim.number, id.claim.key);
            if row.members.len() >= cap {
                let verdict = Verdict::MappingLimit;
                findings.violations.push(Violation { verdict, limit: None, number, key });
                continue;
            }
            let mapped_at = stamp.log_time;
            Arc::make_mut(row).members.push(Member {
                number,
                rank: u8::try_from(index).unwrap_or(u8::MAX),
                anchored: false,
                verified: false,
                is_apart: standing.is_new_and_apart(key),
                key,
                value: id.claim.value.as_ref().into(),
                mapped_at,
                event_time: stamp.event_time,
                position: stamp.position,
                source: stamp.source,
                message_id: self.at.message_id.map(Box::from),
            });
            let mapping =
                IdentifierRow { component, number, anchored: false, verified: false, mapped_at };
            self.owners.push((key, mapping));
            (id.home, id.root) = (Some(component), Some(component));
            findings.mapped.push(Mapped { number, key });
        }
        Ok(!findings.mapped.is_empty())
    }

    /// Notes that events are folded under the anchor from now on.
    fn open_section(
        &mut self,
        anchor: &Candidate<'_>,
        component: ComponentId,
        row: &mut Arc<ComponentRow>,
    ) -> Result<(), ResolveError<R::Error>> {
        let key = anchor.claim.key;
        self.owner(key, component)?.anchored = true;
        member(row, key).ok_or(ResolveError::Corrupt { component })?.anchored = true;
        Ok(())
    }

    /// Notes what the event verifies of its profile. Gives whether the profile's row changed.
    fn verify(
        &mut self,
        kept: usize,
        component: ComponentId,
        row: &mut Arc<ComponentRow>,
        findings: &mut Findings,
    ) -> Result<bool, ResolveError<R::Error>> {
        let moved = self.ids[kept..].iter().filter(|id| id.is_moved);
        let new = self.ids[..kept].iter().chain(moved).filter(|id| {
            !id.verified
                && id.root == Some(component)
                && self.trust.verifies(id.claim, id.is_previous)
        });
        findings
            .verified
            .extend(new.map(|id| Mapped { number: id.claim.number, key: id.claim.key }));
        for Mapped { key, .. } in &findings.verified {
            self.owner(*key, component)?.verified = true;
            member(row, *key).ok_or(ResolveError::Corrupt { component })?.verified = true;
        }
        Ok(!findings.verified.is_empty())
    }

    /// The row of an identifier, to be changed and written last.
    fn owner(
        &mut self,
        key: IdentifierKey,
        component: ComponentId,
    ) -> Result<&mut IdentifierRow, ResolveError<R::Error>> {
        let place = match self.owners.iter().position(|(new, _)| *new == key) {
            Some(place) => place,
            None => {
                let known = self.rows.identifier(key)?;
                self.owners.push((key, known.ok_or(ResolveError::Corrupt { component })?));
                self.owners.len() - 1
            }
        };
        Ok(&mut self.owners[place].1)
    }
}

/// The root's own copy of a member.
fn member(row: &mut Arc<ComponentRow>, key: IdentifierKey) -> Option<&mut Member> {
    Arc::make_mut(row).members.iter_mut().find(|member| member.key == key)
}
