//! What definitions of accounts came to, as readers see it: an account that was marked since it was evaluated
//! last, or one of whose users a moment has come for, is evaluated for the answer.

use selfsame_event::{ProfileId, Time};

use super::{Found, LookupError, SpaceRead};
use crate::computed::{
    Account, Anchored, SpacePlans, User, Values, bring_up_to, evaluate_account, users_of,
};

/// The users of an account as a reader found them: the sections, and the rows of values and of moments.
pub(super) struct Users {
    found: Vec<(Anchored, [Vec<u8>; 2])>,
    is_cut: bool,
}

impl Users {
    /// The users with their values as of that moment, and whether that is later than what is written for one.
    fn at<'u>(&'u self, plans: &SpacePlans, now: Time) -> (Vec<User<'u>>, bool) {
        let mut is_due = false;
        let users = self.found.iter().map(|(sections, [written, moments])| {
            let mut values = Values::read(written, moments).unwrap_or_default();
            is_due |= values.until().is_some_and(|until| until <= now);
            bring_up_to(plans, &mut values, sections, now);
            User::new(sections, values)
        });
        (users.collect(), is_due)
    }
}

impl SpaceRead {
    fn user_rows(&self, user: ProfileId) -> Result<[Vec<u8>; 2], LookupError> {
        let (key, tables) = (self.in_space(user), &self.view.tables);
        let written = tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        Ok([written, tables.moments.read(&key, <[u8]>::to_vec)?.unwrap_or_default()])
    }
}

impl Found<'_> {
    /// The users of this account that count in its definitions.
    pub(super) fn users(&self) -> Result<Users, LookupError> {
        let tables = &self.read.view.tables;
        let (users, is_cut) = users_of(tables, self.read.space().number, &self.sections)?;
        let found = users
            .into_iter()
            .map(|(user, sections)| Ok::<_, LookupError>((sections, self.read.user_rows(user)?)));
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
        let (users, is_due) = found.at(plans, now);
        if is_due || first.is_some_and(|first| first <= now) {
            let account = Account { sections: &self.sections, users: &users, is_cut: found.is_cut };
            evaluate_account(plans, values, &account, now);
        }
        Ok(())
    }
}
