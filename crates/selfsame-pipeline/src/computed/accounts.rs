//! Definitions of accounts: what they come to follows from the account's own traits and from all of its
//! users, each as they are at that moment.
//!
//! ```text
//! event, value or merge of a user -> the user's accounts are marked ┐
//! group call, merge of accounts   -> the account is marked          ├-> a record that names it: evaluated
//! undo                            -> the accounts of whom it changed│
//! the account's own moment comes -----------------------------------┘
//! ```
//!
//! A mark is a moment that has come (ticking.rs appends the record for it). It is no part of the state: it only
//! says what to look at, and one too many is none the worse. Of an account all that happened since it was looked at
//! last is one change.
//!
//! **Invariants:**
//! - what an account comes to is a function of its sections, of those of its users and of their values, as of the record
//!   that names it;
//! - whatever changes one of these marks the account;
//! - every value that is another one is an effect, so that what is folded again takes it from the outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_audience::Query;
use selfsame_event::{Collection, EventType, ProfileId, Time};
use selfsame_identity::{ComponentId, Outcome, Resolution};
use selfsame_log::{Item, Record};
use selfsame_profile::{Limits, Section};
use selfsame_store::{RowKey as _, StoreError};

use super::account::{Account, User, bring_up_to, evaluate_account};
use super::row::{Held, ValueRow, first_moment, with_first};
use super::step::At;
use super::whole::outlines;
use super::whose;
use crate::effect::{Effect, What};
use crate::key::InSpace;
use crate::prepare::Arrival;
use crate::row::{self, Owner};
use crate::state::{State, StateError};
use crate::workspace::{DefinitionKind, references};

/// What there is to know of the definitions of accounts of a space.
#[derive(Debug, Default)]
pub(crate) struct AccountPlans {
    /// Their places, each behind those that it reads.
    ranks: Vec<usize>,
    by_id: BTreeMap<String, usize>,
    /// The streams that they read, in the sections of users.
    streams: BTreeSet<u32>,
    /// The traits of users that they read.
    user_traits: BTreeSet<String>,
}

impl AccountPlans {
    /// Adds a definition.
    pub(super) fn add(&mut self, rank: usize, id: &str, query: &Query, streams: Vec<u32>) {
        self.ranks.push(rank);
        self.by_id.insert(id.to_owned(), rank);
        self.streams.extend(streams);
        self.user_traits.extend(references(query).users);
    }

    /// Their places, each behind those that it reads.
    pub(super) fn ranks(&self) -> impl Iterator<Item = usize> {
        self.ranks.iter().copied()
    }

    /// The place of the definition of that id.
    pub(super) fn rank_named(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// Whether one of them reads a trait of users.
    pub(super) fn reads_of_users(&self, key: &str) -> bool {
        self.user_traits.contains(key)
    }
}

/// The links of a user before an event that may change them.
#[derive(Debug, Default)]
pub(crate) struct LinksBefore(BTreeSet<ProfileId>);

impl State {
    /// The collection of a profile, by its id; users where nobody has it.
    pub(super) fn collection_of(&self, key: InSpace<ProfileId>) -> Result<Collection, StoreError> {
        let key = InSpace { space: key.space, key: key.key.key() };
        let owner = self.tables.identifiers.read(&key, Owner::row)?;
        Ok(owner.map_or(Collection::Users, |owner| owner.component.collection()))
    }

    /// The accounts of every space that has definitions of them.
    pub(crate) fn accounts(&self) -> Result<BTreeSet<InSpace<ProfileId>>, StoreError> {
        let mut all = BTreeSet::new();
        for (space, plans) in (0_u32..).zip(&self.plans) {
            if !plans.accounts.is_empty() {
                all.extend(self.accounts_in(space)?.into_iter().map(|key| InSpace { space, key }));
            }
        }
        Ok(all)
    }

    fn accounts_in(&self, space: u32) -> Result<Vec<ProfileId>, StoreError> {
        let mut accounts = Vec::new();
        self.tables.components.scan(&space.to_be_bytes(), |id, packed| {
            let is_account = InSpace::<ComponentId>::from_bytes(id)
                .is_some_and(|id| id.key.collection() == Collection::Accounts);
            if is_account {
                let row = row::component(packed).filter(|row| row.parent.is_none());
                accounts.extend(row.and_then(|row| row.profile()));
            }
            true
        })?;
        Ok(accounts)
    }

    /// How much of the work of a record it is to evaluate an account: as many users as it has links.
    pub(crate) fn account_weight(&self, key: InSpace<ProfileId>) -> usize {
        let links = || -> Result<usize, StoreError> {
            let root = whose::profile(&self.tables, Collection::Accounts, key)?;
            let Some((_, row)) = root else { return Ok(1) };
            let sections = whose::sections(&self.tables, key.space, &row)?;
            Ok(sections.iter().map(|(_, section)| section.links().count()).sum())
        };
        // Of a table that cannot be read the step will say so.
        links().unwrap_or(1).max(1)
    }

    /// Has an account evaluated soon.
    pub(super) fn mark_account(
        &mut self,
        key: InSpace<ProfileId>,
        now: Time,
    ) -> Result<(), StateError> {
        if self.recall.is_on() {
            self.recall.touch(key, now);
            return Ok(());
        }
        let row = self.tables.moments.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let before = first_moment(&row);
        // Whoever waits longest comes first.
        if before.is_none_or(|before| before > now) {
            self.tables.moments.put(key, &with_first(&row, now));
            self.account_timers.turn(key, before, Some(now));
        }
        Ok(())
    }

    /// Has the accounts of a user evaluated soon.
    pub(super) fn mark_accounts_of(
        &mut self,
        slot: usize,
        user: ProfileId,
        now: Time,
    ) -> Result<(), StateError> {
        if self.plans[slot].accounts.is_empty() {
            return Ok(());
        }
        let space = self.values_key(slot, user).space;
        for account in whose::accounts_of(&self.tables, space, user)? {
            self.mark_account(InSpace { space, key: account }, now)?;
        }
        Ok(())
    }

    /// What a user is linked with before a group call is folded: what it links may displace a link.
    pub(crate) fn links_before(
        &self,
        slot: usize,
        arrival: &Arrival<'_>,
        outcome: &Outcome,
    ) -> Result<LinksBefore, StateError> {
        let Some(user) = outcome.user.as_ref().filter(|_| outcome.link.is_some()) else {
            return Ok(LinksBefore::default());
        };
        if self.plans[slot].accounts.is_empty() || arrival.event.kind != EventType::Group {
            return Ok(LinksBefore::default());
        }
        let space = arrival.origin.space;
        Ok(LinksBefore(whose::accounts_of(&self.tables, space, user.profile)?))
    }

    /// Marks the account that an event names, and those whose link it displaced. Values of accounts that it
    /// made part of another one give way.
    pub(crate) fn mark_named(
        &mut self,
        slot: usize,
        arrival: &Arrival<'_>,
        outcome: &Outcome,
        before: &LinksBefore,
    ) -> Result<(), StateError> {
        let now = arrival.origin.time;
        let Some(account) = &outcome.account else { return Ok(()) };
        if self.plans[slot].accounts.is_empty() {
            return Ok(());
        }
        let mut was_in = BTreeSet::new();
        for merge in &account.merges {
            self.forget_values(slot, merge.child_profile, now, &mut was_in)?;
        }
        let key = self.values_key(slot, account.profile);
        self.mark_account(key, now)?;
        let cause = arrival.at.index;
        if self.recall.is_on() {
            self.recall_accounts(cause)?;
            return self.touch_displaced(slot, outcome, now);
        }
        self.say_out(key, &was_in, At { cause: Some(cause), ..At::moment(now) })?;
        if let Some(user) = outcome.user.as_ref().filter(|_| !before.0.is_empty()) {
            let after = whose::accounts_of(&self.tables, arrival.origin.space, user.profile)?;
            for account in before.0.difference(&after) {
                self.mark_account(self.values_key(slot, *account), now)?;
            }
        }
        Ok(())
    }

    /// Who was told that a part of an account is in an audience is told that the whole is not, where it was
    /// not before either; that it is now is found when it is evaluated.
    fn say_out(
        &mut self,
        key: InSpace<ProfileId>,
        was_in: &BTreeSet<u32>,
        at: At,
    ) -> Result<(), StateError> {
        if was_in.is_empty() {
            return Ok(());
        }
        let slot = usize::try_from(key.space).unwrap_or(usize::MAX);
        let plans = Arc::clone(&self.plans[slot]);
        let written = self.written(key)?;
        let values = written.read();
        for number in was_in {
            let is_told = plans.rank_of(*number).is_some_and(|rank| plans.live[rank].is_told);
            let is_in = values.get(*number).is_some_and(|row| matches!(row.held, Held::In(_)));
            if is_told && !is_in {
                self.emit(key, *number, at, What::Exited);
            }
        }
        Ok(())
    }

    /// What is folded again may have displaced its link already, and nothing says which one it was.
    fn touch_displaced(
        &mut self,
        slot: usize,
        outcome: &Outcome,
        now: Time,
    ) -> Result<(), StateError> {
        let Some(user) = &outcome.user else { return Ok(()) };
        let key = self.values_key(slot, user.profile);
        let Some((_, row)) = whose::profile(&self.tables, Collection::Users, key)? else {
            return Ok(());
        };
        let sections = whose::sections(&self.tables, key.space, &row)?;
        let is_full = |section: &Section| section.links().count() >= Limits::default().links;
        if !sections.iter().any(|(_, section)| is_full(section)) {
            return Ok(());
        }
        let accounts = self.accounts_in(key.space)?;
        for account in accounts {
            self.recall.touch(self.values_key(slot, account), now);
        }
        Ok(())
    }

    /// Marks the accounts of a user where an event changed what they are computed of.
    pub(super) fn mark_for_event(
        &mut self,
        slot: usize,
        arrival: &Arrival<'_>,
        user: &Resolution,
        touched: &[u32],
    ) -> Result<(), StateError> {
        let plans = Arc::clone(&self.plans[slot]);
        let accounts = &plans.accounts;
        if accounts.is_empty() {
            return Ok(());
        }
        let mut is_other = !user.merges.is_empty() || !user.moved.is_empty();
        is_other |= touched.iter().any(|stream| accounts.streams.contains(stream));
        if arrival.event.kind == EventType::Identify
            && let Some(traits) = arrival.event.traits
        {
            traits.each_field(|key, _| is_other |= accounts.user_traits.contains(key));
        }
        if is_other {
            self.mark_accounts_of(slot, user.profile, arrival.origin.time)?;
        }
        Ok(())
    }

    /// Evaluates the accounts that a record names.
    pub(super) fn compute_accounts(
        &mut self,
        slot: usize,
        record: &Record,
    ) -> Result<(), StateError> {
        if self.is_dormant(slot) {
            return Ok(());
        }
        for body in record.items.iter().filter_map(Item::body) {
            let Ok(account) = <[u8; 20]>::try_from(body.as_ref()) else { continue };
            let key = self.values_key(slot, ProfileId::from_bytes(account));
            if self.recall.is_on() {
                self.recall.touch(key, record.time);
            } else {
                self.compute_account(key, record.time)?;
            }
        }
        self.recall_rest()
    }

    /// Evaluates an account, of users as they are by then.
    fn compute_account(&mut self, key: InSpace<ProfileId>, now: Time) -> Result<(), StateError> {
        let InSpace { space, key: profile } = key;
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let root = whose::profile(&self.tables, Collection::Accounts, key)?;
        let Some((_, row)) = root else {
            return self.forget_values(slot, profile, now, &mut BTreeSet::new());
        };
        let plans = Arc::clone(&self.plans[slot]);
        let own = whose::sections(&self.tables, space, &row)?;
        let (users, is_cut) = whose::users_of(&self.tables, space, &own)?;
        let mut written = Vec::with_capacity(users.len());
        for user in &users {
            written.push(self.written(self.values_key(slot, user.profile))?);
        }
        // By rules that were published, some of them may not have been evaluated yet.
        let is_early = self.meta.spaces[slot].computing.reassessing
            && !plans.stored.without(plans.walked).is_empty();
        let users = users.iter().zip(&written).map(|(user, written)| {
            let mut values = written.read();
            values.is_stale |= is_early;
            values.kinds.clone_from(&user.kinds);
            let sections = outlines(user.sections.iter().map(|(_, section)| section));
            bring_up_to(&plans, &mut values, &sections, now);
            User::new(sections, values)
        });
        let users: Vec<User<'_>> = users.collect();
        let own = outlines(own.iter().map(|(_, section)| section));
        let account = Account { sections: &own, users: &users, is_cut };
        let before = self.written_of(Collection::Accounts, key)?;
        let mut values = before.read();
        values.forget_first();
        values.retain_moments(|number| plans.rank_of(number).is_some());
        let changes = evaluate_account(&plans, &mut values, &account, now);
        self.put_values(&before, &values);
        self.announce(key, &plans, &changes, At::moment(now));
        Ok(())
    }

    /// Has an account evaluated soon; of one that is none any more the values are forgotten.
    pub(super) fn mark_or_forget(
        &mut self,
        key: InSpace<ProfileId>,
        now: Time,
    ) -> Result<(), StateError> {
        if whose::profile(&self.tables, Collection::Accounts, key)?.is_some() {
            return self.mark_account(key, now);
        }
        let slot = usize::try_from(key.space).unwrap_or(usize::MAX);
        self.forget_values(slot, key.key, now, &mut BTreeSet::new())
    }

    /// Evaluates an account for definitions that came into force. What those that are no more in force came
    /// to is forgotten.
    pub(super) fn walk_account(
        &mut self,
        key: InSpace<ProfileId>,
        now: Time,
    ) -> Result<(), StateError> {
        self.tidy_account(key)?;
        if self.recall.is_on() {
            self.recall.touch(key, now);
            return Ok(());
        }
        self.compute_account(key, now)
    }

    fn tidy_account(&mut self, key: InSpace<ProfileId>) -> Result<(), StateError> {
        let slot = usize::try_from(key.space).unwrap_or(usize::MAX);
        let plans = Arc::clone(&self.plans[slot]);
        let before = self.written_of(Collection::Accounts, key)?;
        let mut values = before.read();
        values.forget_first();
        values.retain(|number| plans.rank_of(number).is_some());
        self.put_values(&before, &values);
        Ok(())
    }

    /// What the outbox says that a trait of an account came to.
    pub(super) fn recall_account_value(&mut self, effect: &Effect) -> Result<(), StateError> {
        let What::Value(json) = &effect.what else { return Ok(()) };
        let (space, number) = (effect.space, effect.definition);
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let plans = Arc::clone(&self.plans[slot]);
        let plan = plans.rank_of(number).and_then(|rank| plans.live.get(rank));
        let Some(plan) = plan.filter(|plan| plan.kind == DefinitionKind::ComputedTrait) else {
            return Ok(());
        };
        let key = InSpace { space, key: effect.profile };
        let before = self.written_of(Collection::Accounts, key)?;
        let mut values = before.read();
        let is_default = *json == plan.default;
        let held = if is_default { Held::Default } else { Held::Json(json) };
        values.set(&ValueRow { number, held, until: None, is_approximate: false });
        self.put_values(&before, &values);
        Ok(())
    }
}
