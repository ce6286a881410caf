//! Definitions as they are evaluated: every path, window and test resolved to what is kept.

use std::slice;

use selfsame_expr::Decimal;
use selfsame_expr::query::{Step, Which};

use crate::calendar::Calendar;
use crate::datum::Datum;
use crate::elements::{self, Room};
use crate::periods::MOST_PERIODS;
use crate::runs::MOST_RUNS;
use crate::slots;
use crate::total::Kind;

/// Where in an event a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) from: From,
    pub(crate) steps: Vec<Step>,
    pub(crate) form: Form,
}

/// As what values are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are, each by itself.
    Each,
    /// Those under `$` as one list.
    OneList,
    /// As numbers; others are none.
    Number,
    /// As texts.
    Text,
}

/// Which part of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Properties,
    Context,
}

/// A set of events that definitions look at, and what is kept of them in every section. Equal ones are
/// shared by all definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The events' name.
    pub(crate) name: String,
    /// Conditions that each event meets, which depend on nothing else: indexes of predicates.
    pub(crate) predicates: Vec<usize>,
    /// Sources that it does not come from.
    pub(crate) exclude: Vec<String>,
    /// The values that are read of each event.
    pub(crate) columns: Vec<Source>,
    /// Of that column, an event has a value; others do not count.
    pub(crate) needs: Option<usize>,
    /// What is kept.
    pub(crate) keep: Keep,
}

/// What is kept of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keep {
    /// One total; of values seen, only those of the last so many microseconds.
    Total { kind: Kind, horizon: Option<i64> },
    /// The newest events, of the last so many microseconds.
    Elements { room: Room, horizon: Option<i64> },
    /// What happened when in the last so many microseconds, added up where that is too much.
    Slots { kind: Kind, horizon: i64 },
    /// Sessions.
    Runs { kind: Kind, gap: i64 },
    /// The newest periods of a calendar.
    Periods { kind: Kind, calendar: Calendar },
}

impl Keep {
    /// For how many microseconds something may count; for ever without.
    pub(crate) fn horizon(&self) -> Option<i64> {
        match self {
            Self::Total { horizon, .. } | Self::Elements { horizon, .. } => *horizon,
            Self::Slots { horizon, .. } => Some(*horizon),
            Self::Runs { .. } | Self::Periods { .. } => None,
        }
    }

    /// Most bytes that it takes of a section, where numbers and times are as long as they usually are.
    pub(crate) fn most_bytes(&self, columns: usize) -> usize {
        match self {
            Self::Total { kind, .. } => kind.most_bytes(),
            Self::Elements { room, .. } if columns == 0 => room.events * elements::BARE_BYTES,
            Self::Elements { room, .. } => room.bytes,
            Self::Slots { kind, .. } if kind.is_small() => slots::SMALL_BYTES,
            Self::Slots { .. } => slots::LARGE_BYTES,
            Self::Runs { kind, .. } => MOST_RUNS * kind.most_bytes(),
            Self::Periods { kind, .. } => MOST_PERIODS * kind.most_bytes(),
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Is(Operand, Check),
    /// Of an account: the condition on users with that number holds for these.
    Users(Quantifier, usize),
}

/// For how many users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// For one or more.
    Any,
    /// For all, and there is one.
    All,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    Literal(Datum),
    Trait(Vec<Step>),
    /// Of the event that is being folded.
    Event(Source),
    /// Of the kept event at hand, or of the one so many levels around it.
    Column {
        depth: usize,
        column: usize,
    },
    Leaf(Box<Leaf>),
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    Equals(Operand),
    Differs(Operand),
    Order(Order, Operand),
    Absent,
    Exists,
    Contains(Vec<Operand>),
    Omits(Operand),
    StartsWith(Operand),
    EndsWith(Operand),
    OneOf(Vec<Datum>),
    NoneOf(Vec<Datum>),
    BeforeDate(Operand),
    AfterDate(Operand),
    WithinLast(i64),
    WithinNext(i64),
    BeforeLast(i64),
    AfterNext(i64),
}

/// How a value is ordered against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    AtMost,
    AtLeast,
    Greater,
}

/// What an event may do to an audience for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sway {
    /// Whoever is out may enter.
    pub begins: bool,
    /// Whoever is in may leave.
    pub ends: bool,
}

impl Sway {
    /// Either.
    pub const ANY: Self = Self { begins: true, ends: true };
    /// What more of something does that is asked for.
    pub(crate) const BEGINS: Self = Self { begins: true, ends: false };

    fn turned(self) -> Self {
        Self { begins: self.ends, ends: self.begins }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self { begins: self.begins || other.begins, ends: self.ends || other.ends }
    }
}

/// A value of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Index of the stream.
    pub(crate) stream: usize,
    pub(crate) of: Of,
    pub(crate) read: Read,
}

/// Of which of the kept events it is the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// Of all: the total.
    Total,
    /// Of the total, what happened less than so many microseconds ago.
    TotalWithin(i64),
    /// The last session.
    Session { gap: i64 },
    /// A period.
    Period { which: Which, calendar: Calendar },
    /// Of those slots that the window leaves.
    Slots(Window),
    /// Of those elements that are selected.
    Elements(Selection),
}

/// Which elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// By how long ago they happened.
    pub(crate) window: Option<Window>,
    /// By how many microseconds they happened behind the parent: at least the one, less than the other.
    pub(crate) behind: Option<(i64, i64)>,
    /// What else holds for each.
    pub(crate) condition: Option<Condition>,
    /// What is made of them.
    pub(crate) kind: Kind,
    /// Of which column.
    pub(crate) column: Option<usize>,
    /// More of them make no difference.
    pub(crate) most: Option<u64>,
    /// Whether an event that was none of them becomes one by one event alone.
    pub(crate) is_made_by_one: bool,
}

/// A window that counts from now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Window {
    Within(i64),
    Between(i64, i64),
    Calendar(Which, Calendar),
    Session(i64),
}

/// What is read of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    Count,
    Sum,
    Average,
    Best,
    Edge,
    Mode(u64),
    Unique,
    UniqueCount,
}

impl Condition {
    /// Every stream that it reads, in the order in which it names them.
    pub(crate) fn each_stream(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().for_each(|one| one.each_stream(visit)),
            Self::Not(one) => one.each_stream(visit),
            // What is asked of users is kept in their own sections.
            Self::Users(..) => {}
            Self::Is(operand, check) => {
                operand.each_stream(visit);
                check.operands().iter().for_each(|operand| operand.each_stream(visit));
            }
        }
    }

    /// What it asks of the users of an account: each number once, in the order in which it has them.
    pub(crate) fn asked(&self) -> Vec<usize> {
        let mut asked = Vec::new();
        self.each_asked(&mut |number| {
            if !asked.contains(&number) {
                asked.push(number);
            }
        });
        asked
    }

    fn each_asked(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().for_each(|one| one.each_asked(visit)),
            Self::Not(one) => one.each_asked(visit),
            Self::Users(_, number) => visit(*number),
            Self::Is(..) => {}
        }
    }

    /// What events of each stream that it reads may do to it while traits stay as they are, given what it does.
    pub(crate) fn each_sway(&self, sway: Sway, visit: &mut dyn FnMut(usize, Sway)) {
        match self {
            Self::And(list) | Self::Or(list) => {
                list.iter().for_each(|one| one.each_sway(sway, visit));
            }
            Self::Not(one) => one.each_sway(sway.turned(), visit),
            Self::Is(operand, check) => {
                if let Operand::Leaf(leaf) = operand {
                    let sway = match leaf.only_grows() {
                        true if check.asks_for_more() => sway,
                        true if check.asks_for_less() => sway.turned(),
                        _ => Sway::ANY,
                    };
                    leaf.each_sway(sway, visit);
                }
                for operand in check.operands() {
                    if let Operand::Leaf(leaf) = operand {
                        leaf.each_sway(Sway::ANY, visit);
                    }
                }
            }
            // What is asked of users is kept in their own sections.
            Self::Users(..) => {}
        }
    }

    /// Whether, where it does not hold and traits stay as they are, an event can only make it hold by having a part
    /// in that itself: then the others need not be looked at.
    pub(crate) fn is_made_by_one(&self) -> bool {
        match self {
            Self::Or(list) => list.iter().all(Self::is_made_by_one),
            // Of two that events make, one may have held before.
            Self::And(list) => {
                let mut changing = list.iter().filter(|one| !one.is_fixed());
                changing.next().is_none_or(Self::is_made_by_one) && changing.next().is_none()
            }
            Self::Is(Operand::Leaf(leaf), check) => match &leaf.of {
                // Of the others, each was looked at when it or what is behind it happened.
                Of::Elements(selection) => {
                    let is_one = selection.most == Some(1) && leaf.read == Read::Count;
                    // Sessions join.
                    let is_session = matches!(selection.window, Some(Window::Session(_)));
                    is_one && !is_session && check.asks_for_more() && selection.reach().is_some()
                }
                _ => check.operands().iter().all(|operand| !matches!(operand, Operand::Leaf(_))),
            },
            Self::Not(_) | Self::Is(..) | Self::Users(..) => self.is_fixed(),
        }
    }

    /// Whether events have no part in it.
    fn is_fixed(&self) -> bool {
        let is_leaf = |operand: &Operand| matches!(operand, Operand::Leaf(_));
        match self {
            Self::And(list) | Self::Or(list) => list.iter().all(Self::is_fixed),
            Self::Not(one) => one.is_fixed(),
            Self::Is(operand, check) => !is_leaf(operand) && !check.operands().iter().any(is_leaf),
            Self::Users(..) => false,
        }
    }

    /// How many microseconds behind an event there may be one that has to do with it; nothing where there is no
    /// end to that.
    fn reach(&self) -> Option<i64> {
        match self {
            Self::And(list) | Self::Or(list) => {
                list.iter().try_fold(0, |most, one| Some(one.reach()?.max(most)))
            }
            Self::Not(one) => one.reach(),
            Self::Is(Operand::Leaf(leaf), _) => match &leaf.of {
                Of::Elements(inner) => {
                    let (_, to) = inner.behind?;
                    to.checked_add(inner.reach()?)
                }
                _ => None,
            },
            // Its own values, and traits, which events of others do not change.
            Self::Is(..) => Some(0).filter(|_| self.is_fixed()),
            Self::Users(..) => None,
        }
    }

    /// Calls `visit` with what it reads of the event itself.
    pub(crate) fn sources(&self, visit: &mut impl FnMut(&Source)) {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().for_each(|one| one.sources(visit)),
            Self::Not(one) => one.sources(visit),
            Self::Users(..) => {}
            Self::Is(operand, check) => {
                let mut operand_sources = |operand: &Operand| {
                    if let Operand::Event(source) = operand {
                        visit(source);
                    }
                };
                operand_sources(operand);
                check.operands().iter().for_each(operand_sources);
            }
        }
    }
}

impl Selection {
    /// How many microseconds behind an element an event may be that decides on it; nothing where any may.
    pub(crate) fn reach(&self) -> Option<i64> {
        self.condition.as_ref().map_or(Some(0), Condition::reach)
    }
}

impl Leaf {
    /// Whether it is a number of which more is never less. That holds of a session too: by the time at which another
    /// one can begin it is over.
    fn only_grows(&self) -> bool {
        matches!(self.read, Read::Count | Read::UniqueCount)
    }

    /// What events of its stream, and of those that its elements are held against, may do, given what more of it does.
    fn each_sway(&self, sway: Sway, visit: &mut dyn FnMut(usize, Sway)) {
        visit(self.stream, sway);
        if let Of::Elements(Selection { condition: Some(condition), .. }) = &self.of {
            condition.each_sway(sway, visit);
        }
    }
}

impl Operand {
    pub(crate) fn each_stream(&self, visit: &mut dyn FnMut(usize)) {
        let Self::Leaf(leaf) = self else { return };
        visit(leaf.stream);
        if let Of::Elements(Selection { condition: Some(condition), .. }) = &leaf.of {
            condition.each_stream(visit);
        }
    }
}

impl Check {
    /// Whether a number that passes it still does when it is greater.
    fn asks_for_more(&self) -> bool {
        matches!(self, Self::Order(Order::AtLeast | Order::Greater, Operand::Literal(_)))
    }

    /// Whether a number that passes it still does when it is less.
    fn asks_for_less(&self) -> bool {
        match self {
            Self::Order(Order::AtMost | Order::Less, Operand::Literal(_)) => true,
            // No number is less.
            Self::Equals(Operand::Literal(datum)) => *datum == Datum::Number(Decimal(0)),
            _ => false,
        }
    }

    /// What the value is held against.
    fn operands(&self) -> &[Operand] {
        match self {
            Self::Equals(one) | Self::Differs(one) | Self::Order(_, one) => slice::from_ref(one),
            Self::Omits(one) | Self::StartsWith(one) | Self::EndsWith(one) => slice::from_ref(one),
            Self::BeforeDate(one) | Self::AfterDate(one) => slice::from_ref(one),
            Self::Contains(list) => list,
            Self::Absent | Self::Exists | Self::OneOf(_) | Self::NoneOf(_) => &[],
            Self::WithinLast(_) | Self::WithinNext(_) => &[],
            Self::BeforeLast(_) | Self::AfterNext(_) => &[],
        }
    }
}
