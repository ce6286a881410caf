//! What definitions of accounts come to for one of them: a function of its own sections, of its users as they
//! are at that moment, and of the moment.

use std::cell::OnceCell;

use selfsame_audience::{Evaluated, Plans, Profile, Tally, Traits};
use selfsame_event::{Raw, Time};
use selfsame_expr::Value;
use selfsame_profile::Outline;
use smallvec::SmallVec;

use super::evaluation::{Changed, Custom, evaluate, known_text, membership, with_traits};
use super::plans::SpacePlans;
use super::ranks::Ranks;
use super::row::{Held, ValueRow, Values};
use crate::workspace::DefinitionKind;

/// A user of an account.
#[derive(Debug)]
pub(crate) struct User<'a> {
    /// The sections.
    pub(crate) sections: SmallVec<[Outline<'a>; 4]>,
    /// What is kept of their events.
    pub(crate) rows: Vec<&'a [u8]>,
    /// What definitions came to for the user by the moment at hand.
    pub(crate) values: Values<'a>,
}

impl<'a> User<'a> {
    /// A user with these sections.
    pub(crate) fn new(sections: SmallVec<[Outline<'a>; 4]>, values: Values<'a>) -> Self {
        let rows = sections.iter().map(|section| section.computed).collect();
        Self { sections, rows, values }
    }
}

/// An account, with what it is evaluated by.
#[derive(Debug)]
pub(crate) struct Account<'b, 'a> {
    /// Its own sections.
    pub(crate) sections: &'b [Outline<'a>],
    /// Its users.
    pub(crate) users: &'b [User<'a>],
    /// Whether it may have more users than these.
    pub(crate) is_cut: bool,
}

/// The traits of an account: what its definitions came to, then what group calls set.
struct OwnTraits<'a> {
    plans: &'a SpacePlans,
    /// Of definitions that were evaluated just now.
    computed: Vec<OnceCell<Box<str>>>,
    values: &'a Values<'a>,
    custom: Custom<'a>,
}

impl Traits for OwnTraits<'_> {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        let Some(rank) = self.plans.accounts.rank_named(key) else { return self.custom.get(key) };
        if let Some(json) = self.computed.get(rank).and_then(OnceCell::get) {
            return Some(Raw::trusted(json));
        }
        let plan = self.plans.live.get(rank)?;
        Some(Raw::trusted(known_text(self.values.get(plan.number), plan)))
    }
}

/// Shows all traits of an account.
pub(crate) fn with_own_traits<T>(
    plans: &SpacePlans,
    values: &Values<'_>,
    sections: &[Outline<'_>],
    read: impl FnOnce(&dyn Traits) -> T,
) -> T {
    read(&OwnTraits { plans, computed: Vec::new(), values, custom: Custom::new(sections) })
}

/// What the users of an account were asked, and what they answered.
struct Answers {
    tally: Tally,
    /// By condition: the first moment at which an answer may be another one, and whether one is approximate.
    of_each: Vec<(Option<Time>, bool)>,
}

impl Answers {
    fn new(plans: &Plans, others: &SpacePlans, users: &[User<'_>], now: Time) -> Self {
        let conditions = plans.of_users().len();
        let mut answers =
            Self { tally: Tally::default(), of_each: vec![(None, false); conditions] };
        for user in users {
            let profile = plans.profile(&user.rows, now);
            answers.tally.join();
            with_traits(others, &user.values, &user.sections, now, |traits| {
                for (number, (until, is_approximate)) in answers.of_each.iter_mut().enumerate() {
                    let Some(answer) = profile.meets(number, traits) else { continue };
                    *until = earlier(*until, answer.until);
                    *is_approximate |= answer.is_approximate;
                    let holds = answer.value.value() == Value::Bool(true);
                    answers.tally.change(number, false, holds);
                }
            });
        }
        answers
    }
}

fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    one.into_iter().chain(other).min()
}

/// Brings what definitions came to for a user up to a moment: what may have changed by then is evaluated, each at
/// its moment.
pub(crate) fn bring_up_to(
    plans: &SpacePlans,
    values: &mut Values<'_>,
    sections: &[Outline<'_>],
    now: Time,
) {
    while let Some(until) = values.until().filter(|until| *until <= now) {
        let (wanted, at): (Ranks, _) = if values.is_stale {
            values.is_stale = false;
            (plans.stored, now)
        } else {
            let due = values.due(until).filter_map(|number| plans.rank_of(number));
            (due.collect(), until)
        };
        values.retain(|number| plans.is_stored(number));
        evaluate(plans, wanted, values, sections, at);
    }
}

/// What is kept of the events of all users.
fn rows<'a>(users: &[User<'a>]) -> Vec<&'a [u8]> {
    users.iter().flat_map(|user| user.rows.iter().copied()).collect()
}

/// The value of the definition of that place, with what follows from the users' answers.
fn value(
    (plans, profile, place): (&Plans, &Profile<'_>, usize),
    traits: &dyn Traits,
    answers: &Answers,
    is_cut: bool,
) -> Option<Evaluated> {
    let mut evaluated = profile.evaluate_account(place, traits, &answers.tally)?;
    let asks = plans.asks(place);
    for (until, is_approximate) in asks.iter().filter_map(|number| answers.of_each.get(*number)) {
        evaluated.until = earlier(evaluated.until, *until);
        evaluated.is_approximate |= *is_approximate;
    }
    let reads_users = !asks.is_empty() || plans.streams_of(place).next().is_some();
    evaluated.is_approximate |= is_cut && reads_users;
    Some(evaluated)
}

/// What a definition that is none yet comes to for an account.
pub(crate) fn account_value_of(
    plans: &Plans,
    others: &SpacePlans,
    values: &Values<'_>,
    account: &Account<'_, '_>,
    now: Time,
) -> Option<Evaluated> {
    let answers = Answers::new(plans, others, account.users, now);
    let rows = rows(account.users);
    let profile = plans.profile(&rows, now);
    with_own_traits(others, values, account.sections, |traits| {
        value((plans, &profile, 0), traits, &answers, account.is_cut)
    })
}

/// Evaluates every definition of accounts for one of them.
pub(crate) fn evaluate_account(
    plans: &SpacePlans,
    values: &mut Values<'_>,
    account: &Account<'_, '_>,
    now: Time,
) -> Vec<Changed> {
    let answers = Answers::new(&plans.plans, plans, account.users, now);
    let rows = rows(account.users);
    let profile = plans.plans.profile(&rows, now);
    let computed = vec![OnceCell::new(); plans.live.len()];
    let custom = Custom::new(account.sections);
    let known = OwnTraits { plans, computed, values, custom };
    let (mut changes, mut set) = (Vec::new(), Vec::new());
    for rank in plans.accounts.ranks() {
        let Some(plan) = plans.live.get(rank) else { continue };
        let of = (&plans.plans, &profile, plan.place);
        let Some(evaluated) = value(of, &known, &answers, account.is_cut) else { continue };
        let json = evaluated.value.json();
        // A moment that has come is over.
        let until = evaluated.until.map(|until| until.max(now.plus_micros(1)));
        let was = known.values.get(plan.number);
        if known_text(was, plan) != json {
            changes.push(Changed { rank, value: json.as_str().into() });
        }
        let held = match plan.kind {
            DefinitionKind::Audience => membership(json == "true", was, now),
            DefinitionKind::ComputedTrait => Held::Default,
        };
        let (number, is_approximate) = (plan.number, evaluated.is_approximate);
        let is_said = plan.kind == DefinitionKind::ComputedTrait && json != *plan.default;
        let text = is_said.then(|| json.clone());
        set.push((ValueRow::<'static> { number, held, until, is_approximate }, text));
        if let Some(place) = known.computed.get(rank) {
            place.get_or_init(|| json.into());
        }
    }
    drop(known);
    for (row, text) in &set {
        let held = text.as_deref().map_or(row.held, Held::Json);
        values.set(&ValueRow { held, ..*row });
    }
    changes
}
