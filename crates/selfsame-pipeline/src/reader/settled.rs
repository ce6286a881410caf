//! What definitions came to when they were evaluated last: what the newest change that was emitted said.

use selfsame_event::{Collection, Time};

use super::{Found, LookupError, SpaceRead};
use crate::computed::{Values, known_text, outlines};
use crate::workspace::Definition;

impl Found<'_> {
    /// What a definition came to for the profile when it was evaluated last, as JSON; nothing where it is
    /// not in force.
    pub fn settled(&self, definition: &Definition) -> Result<Option<String>, LookupError> {
        let key = self.read.in_space(self.id());
        let written = self.read.view.tables.computed.read(&key, <[u8]>::to_vec)?;
        let written = written.unwrap_or_default();
        let mut values = Values::read(&written, &[]).unwrap_or_default();
        if self.read.counts().computing.reassessing {
            let now = Time::from_micros(self.read.view.meta.log_time);
            match self.collection() {
                Collection::Users => {
                    let sections = outlines(self.sections.iter().map(|(_, section)| section));
                    self.bring_up_to(&mut values, &sections, now);
                }
                Collection::Accounts => self.bring_account_up_to(&mut values, None, now)?,
            }
        }
        let plans = self.read.view.plans.get(self.read.slot);
        let plan = plans.and_then(|plans| plans.live.get(plans.rank_of(definition.number)?));
        Ok(plan.map(|plan| known_text(values.get(definition.number), plan).to_owned()))
    }
}

impl SpaceRead {
    /// What a definition in force comes to where nothing happened, as JSON: nobody is in an audience then.
    pub fn of_nothing(&self, definition: &Definition) -> Option<String> {
        let plans = self.view.plans.get(self.slot)?;
        let plan = plans.live.get(plans.rank_of(definition.number)?)?;
        Some(known_text(None, plan).to_owned())
    }
}
