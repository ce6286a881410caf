//! What definitions of accounts came to, as readers see it: an account that was marked since it was evaluated
//! last, or one of whose users a moment has come for, is evaluated for the answer.

use selfsame_event::{ProfileId, Time};

use super::{ComputedValue, Found, LookupError, SpaceRead};
use crate::computed::{
    Account, Held, Linked, SpacePlans, User, Values, bring_up_to, evaluate_account, outlines,
    users_of,
};
use crate::workspace::{Definition, DefinitionKind};

/// The users of an account as a reader found them: the sections, and the rows of values and of moments.
pub(super) struct Users {
    found: Vec<(Linked, [Vec<u8>; 2])>,
    /// Whether the account may have more.
    pub(super) is_cut: bool,
}

impl Users {
    /// The users with their values as of that moment, and whether that is later than what is written for one.
    pub(super) fn at<'u>(
        &'u self,
        read: &SpaceRead,
        plans: &SpacePlans,
        now: Time,
    ) -> (Vec<User<'u>>, bool) {
        let is_early = read.counts().computing.reassessing;
        let mut is_due = is_early;
        let users = self.found.iter().map(|(user, [written, moments])| {
            let mut values = Values::read(written, moments).unwrap_or_default();
            values.is_stale |= is_early;
            is_due |= values.until().is_some_and(|until| until <= now);
            values.kinds.clone_from(&user.kinds);
            let sections = outlines(user.sections.iter().map(|(_, section)| section));
            bring_up_to(plans, &mut values, &sections, now);
            User::new(sections, values)
        });
        (users.collect(), is_due)
    }

    /// Their ids, in the same order.
    pub(super) fn ids(&self) -> impl Iterator<Item = ProfileId> {
        self.found.iter().map(|(user, _)| user.profile)
    }
}

impl SpaceRead {
    fn user_rows(&self, user: ProfileId) -> Result<[Vec<u8>; 2], LookupError> {
        let (key, tables) = (self.in_space(user), &self.view.tables);
        let written = tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        Ok([written, tables.moments.read(&key, <[u8]>::to_vec)?.unwrap_or_default()])
    }
}

impl SpaceRead {
    /// What a definition comes to for an account, if it comes to anything.
    pub(super) fn shown_of_account<'s>(
        &self,
        definition: &'s Definition,
        values: &Values<'_>,
    ) -> Option<ComputedValue<'s>> {
        let row = values.get(definition.number);
        let (value, since) = match row.map(|row| row.held) {
            Some(Held::In(since)) => ("true".to_owned(), Some(since)),
            Some(Held::Out(since)) => ("false".to_owned(), Some(since)),
            Some(Held::Json("null")) => return None,
            Some(Held::Json(json)) => (json.to_owned(), None),
            Some(Held::Default) | None => (self.default_of_account(definition)?, None),
        };
        let is_approximate = row.is_some_and(|row| row.is_approximate);
        Some(ComputedValue { definition, value, since, is_approximate })
    }

    /// What a trait comes to where nothing happened, once every account was evaluated; behind rules that were
    /// published each is, for the answer.
    fn default_of_account(&self, definition: &Definition) -> Option<String> {
        let live = self.progress(definition)?.live.as_ref()?;
        let is_evaluated = live.is_announced || self.counts().computing.reassessing;
        if definition.kind != DefinitionKind::ComputedTrait || !is_evaluated {
            return None;
        }
        let default = self.view.plans.get(self.slot)?.default_of(definition.number);
        Some(default.to_owned()).filter(|json| json != "null")
    }
}

impl Found<'_> {
    /// The users of this account that count in its definitions.
    pub(super) fn users(&self) -> Result<Users, LookupError> {
        let tables = &self.read.view.tables;
        let (users, is_cut) = users_of(tables, self.read.space().number, &self.sections)?;
        let found = users.into_iter().map(|user| {
            let rows = self.read.user_rows(user.profile)?;
            Ok::<_, LookupError>((user, rows))
        });
        Ok(Users { found: found.collect::<Result<_, _>>()?, is_cut })
    }

    /// Evaluates the account for an answer as of now, where that may make a difference.
    pub(super) fn bring_account_up_to(
        &self,
        values: &mut Values<'_>,
        first: Option<Time>,
        now: Time,
    ) -> Result<(), LookupError> {
        let Some(plans) = self.read.view.plans.get(self.read.slot) else { return Ok(()) };
        if plans.accounts.is_empty() {
            return Ok(());
        }
        // What has come by the log's time has come, also where the wall clock was set back.
        let now = now.max(Time::from_micros(self.read.view.meta.log_time));
        let found = self.users()?;
        let (users, is_due) = found.at(self.read, plans, now);
        if is_due || first.is_some_and(|first| first <= now) {
            let own = outlines(self.sections.iter().map(|(_, section)| section));
            let account = Account { sections: &own, users: &users, is_cut: found.is_cut };
            evaluate_account(plans, values, &account, now);
        }
        Ok(())
    }
}
