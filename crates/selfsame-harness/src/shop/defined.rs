//! What somebody computes of the shop: a third of it traits, two thirds audiences, of every kind.
//!
//! Every definition says by itself which events it looks at, so that it can be counted how many an
//! event touches. It reads only definitions with a lower number, which are made before it.

use super::deeds::{DEEDS, Deed};

/// A computed trait or an audience.
#[derive(Debug, Clone)]
pub(crate) struct Defined {
    pub(crate) id: String,
    pub(crate) is_audience: bool,
    pub(crate) query: String,
    /// The events that it looks at.
    pub(crate) uses: Vec<Use>,
    /// The trait of an identify call that it looks at.
    pub(crate) custom: Option<&'static str>,
}

/// Events that a definition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// Their place in [`DEEDS`].
    pub(crate) deed: usize,
    pub(crate) filter: Option<Filter>,
}

/// What an event must say, whoever's it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Its number is so high.
    AtLeast(u64),
    /// Its text is this.
    Is(&'static str),
}

/// Kinds of traits, and of audiences.
pub(crate) const KINDS: (u64, u64) = (20, 24);
/// Windows that slide.
const WINDOWS: [&str; 6] = ["30 days", "1 minute", "7 days", "1 day", "90 days", "1 hour"];

/// The first so many definitions.
pub(crate) fn definitions(count: u64) -> Vec<Defined> {
    (0..count).map(definition).collect()
}

fn definition(number: u64) -> Defined {
    match number % 3 {
        0 => computed_trait(number / 3),
        side => audience(number / 3 * 2 + side - 1),
    }
}

/// A definition in the making: each `event` that it writes is noted.
struct Draft {
    /// Its number among those of its sort.
    index: u64,
    /// How often all kinds were there before: each time with other events, windows and numbers.
    cycle: u64,
    uses: Vec<Use>,
    custom: Option<&'static str>,
}

impl Draft {
    fn new(index: u64, kinds: u64) -> Self {
        Self { index, cycle: index / kinds, uses: Vec::new(), custom: None }
    }

    /// The first event that it looks at, or another one.
    fn place(&self, other: u64) -> usize {
        let deeds = DEEDS.len() as u64;
        usize::try_from((self.index + self.cycle + other) % deeds).unwrap_or(0)
    }

    fn deed(&self) -> &'static Deed {
        &DEEDS[self.place(0)]
    }

    /// `event('…')` of the first event, or of the one so many places on.
    fn event(&mut self, other: u64) -> String {
        let deed = self.place(other);
        self.uses.push(Use { deed, filter: None });
        format!("event('{}')", DEEDS[deed].name)
    }

    /// The same of events with a high number.
    fn high(&mut self) -> String {
        let (deed, (low, high)) = (self.place(0), self.deed().range);
        let least = low + (high - low) * (1 + self.cycle % 3) / 4;
        self.uses.push(Use { deed, filter: Some(Filter::AtLeast(least)) });
        let Deed { name, number, .. } = &DEEDS[deed];
        format!("event('{name}').where(property('{number}') >= {least})")
    }

    /// The same of events with one text.
    fn one(&mut self) -> String {
        let (deed, values) = (self.place(0), self.deed().values);
        let value = values[usize::try_from(self.cycle).unwrap_or(0) % values.len()];
        self.uses.push(Use { deed, filter: Some(Filter::Is(value)) });
        let Deed { name, text, .. } = &DEEDS[deed];
        format!("event('{name}').where(property('{text}') = '{value}')")
    }

    fn window(&self) -> &'static str {
        WINDOWS[usize::try_from((self.index / 2 + self.cycle) % 6).unwrap_or(0)]
    }

    fn number(&self) -> &'static str {
        self.deed().number
    }

    fn text(&self) -> &'static str {
        self.deed().text
    }

    /// How often, seldom many times.
    fn times(&self) -> u64 {
        1 + (self.index + self.cycle) % 4
    }

    /// A trait of that kind with a lower number, in half of the steps there are.
    fn earlier(&self, first: u64) -> u64 {
        let last = (self.index / 2).max(first);
        first + (last - first) / KINDS.0 * KINDS.0
    }

    fn done(self, is_audience: bool, query: String) -> Defined {
        let sort = if is_audience { "aud" } else { "trait" };
        let id = format!("{sort}_{}", self.index);
        Defined { id, is_audience, query, uses: self.uses, custom: self.custom }
    }
}

/// The first traits of two kinds that audiences read.
const FIRST_SUM: u64 = 3;
const FIRST_AVERAGE: u64 = 6;

fn computed_trait(index: u64) -> Defined {
    let mut draft = Draft::new(index, KINDS.0);
    let (number, text, window) = (draft.number(), draft.text(), draft.window());
    let number = format!("property('{number}')");
    let text = format!("property('{text}')");
    // So that the first few are of several sorts, too.
    let query = match index * 7 % KINDS.0 {
        0 => format!("{}.count()", draft.event(0)),
        1 => format!("{}.sum({number})", draft.event(0)),
        2 => format!("{}.avg({number})", draft.event(0)),
        3 => format!("{}.min({number})", draft.event(0)),
        4 => format!("{}.max({number})", draft.event(0)),
        5 => format!("{}.mode({text})", draft.event(0)),
        6 => format!("{}.first({text})", draft.event(0)),
        7 => format!("{}.last({text})", draft.event(0)),
        8 => format!("{}.unique({text})", draft.event(0)),
        9 => format!("{}.unique(property('product_id')).count()", draft.event(0)),
        10 => format!("{}.within({window}).count()", draft.event(0)),
        11 => format!("{}.within({window}).sum({number})", draft.event(0)),
        12 => format!("{}.within({window}).avg({number})", draft.event(0)),
        13 => format!("{}.within({window}).mode({text})", draft.event(0)),
        14 => format!("{}.within({window}).unique({text}).count()", draft.event(0)),
        15 => format!("{}.this(month, 'Europe/Berlin').count()", draft.event(0)),
        16 => format!("{}.previous(week).sum({number})", draft.event(0)),
        17 => format!("{}.expires_after(30 minutes).count()", draft.event(0)),
        18 => format!("{}.expires_after(30 minutes).max({number})", draft.event(0)),
        _ => format!("{}.count()", draft.one()),
    };
    draft.done(false, query)
}

fn audience(index: u64) -> Defined {
    let mut draft = Draft::new(index, KINDS.1);
    let (number, text, window) = (draft.number(), draft.text(), draft.window());
    let times = draft.times();
    let middle = draft.deed().range.0.midpoint(draft.deed().range.1);
    let query = match index * 11 % KINDS.1 {
        0 => format!("{}.count() >= {times}", draft.event(0)),
        1 => format!("{}.within({window}).count() >= {times}", draft.event(0)),
        2 => format!("{}.count() = 0", draft.event(0)),
        3 => format!("{}.within({window}).count() = 0", draft.event(0)),
        4 => format!("{}.within({window}).count() = {times}", draft.event(0)),
        5 => format!("{}.count() <= {times} AND {}.count() >= 1", draft.event(0), draft.event(3)),
        6 => format!("{}.between(7 days, 30 days).count() >= {times}", draft.event(0)),
        7 => format!("{}.count() >= {times}", draft.high()),
        8 => format!("{}.within({window}).count() >= 1", draft.one()),
        9 => format!("{}.sum(property('{number}')) > {}", draft.event(0), middle * times),
        10 => format!("{}.within(30 days).avg(property('{number}')) > {middle}", draft.event(0)),
        11 => funnel(&mut draft, ".within(parent: 1 hour).count() >= 1", "within(30 days)"),
        12 => funnel(&mut draft, ".within(parent: 1 day).count() = 0", "within(7 days)"),
        13 => funnel(&mut draft, ".within(parent: 1 hour).count() = 0", "between(1 hour, 30 days)"),
        14 => {
            draft.custom = Some("plan");
            format!("trait('plan') = 'gold' AND {}.count() >= {times}", draft.event(0))
        }
        15 => {
            draft.custom = Some("member_since");
            format!("trait('member_since').within_last({} days)", 365 * times)
        }
        16 => {
            let (one, other) = (index - 8, index - 7);
            format!("trait('aud_{one}') = true AND NOT trait('aud_{other}') = true")
        }
        17 => format!("trait('trait_{}') > {}", draft.earlier(FIRST_SUM), 300 * times),
        18 => format!("{}.this(month).count() >= {times}", draft.event(0)),
        19 => format!("{}.expires_after(30 minutes).count() >= {times}", draft.event(0)),
        20 => format!("{}.unique(property('{text}')).count() >= {}", draft.event(0), 1 + times),
        21 => {
            let average = draft.earlier(FIRST_AVERAGE);
            let event = draft.event(0);
            format!(
                "{event}.where(property('{number}') >= trait('trait_{average}'))\
                 .within(30 days).count() >= 1"
            )
        }
        22 => funnel(
            &mut draft,
            ".where(property('product_id') = property(parent: 'product_id'))\
             .within(parent: 1 day).count() >= 1",
            "within(30 days)",
        ),
        _ => {
            let value = draft.deed().values[0];
            format!("{}.within({window}).last(property('{text}')) = '{value}'", draft.event(0))
        }
    };
    draft.done(true, query)
}

/// One event, and behind it another one, or not.
fn funnel(draft: &mut Draft, then: &str, window: &str) -> String {
    let (first, second) = (draft.event(0), draft.event(5));
    format!("{first}.where({second}{then}).{window}.count() >= 1")
}
