//! What a definition says, whichever form it was written in.
//!
//! The tree keeps the order and the grouping that were written, so that a definition is printed the
//! way its author knows it. Places point into the text for messages; two trees that say the same are
//! equal wherever they stood.

use selfsame_event::Time;

/// Something that holds or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Each of them, at least two.
    And(Vec<Self>),
    /// Any of them, at least two.
    Or(Vec<Self>),
    /// Not that one.
    Not(Box<Self>),
    /// Of an account: it holds for one of the account's users or more.
    Any(Box<Self>),
    /// Of an account: it holds for every one of its users, and there is one.
    All(Box<Self>),
    /// A value passes a test.
    Is(Comparison),
}

/// A value and the test it has to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What is tested.
    pub value: Scalar,
    /// The test.
    pub test: Test,
    /// Where it stands.
    pub place: Place,
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `= x`
    Equals(Scalar),
    /// `!= x`: there is a value, and it is another one.
    Differs(Scalar),
    /// `> x`
    GreaterThan(Scalar),
    /// `>= x`
    AtLeast(Scalar),
    /// `< x`
    LessThan(Scalar),
    /// `<= x`
    AtMost(Scalar),
    /// There is none, or it is null.
    Absent,
    /// There is one that is not null.
    Exists,
    /// One of these, at least one, is a part of its text.
    Contains(Vec<Scalar>),
    /// That is no part of its text.
    Omits(Scalar),
    /// Its text begins so.
    StartsWith(Scalar),
    /// Its text ends so.
    EndsWith(Scalar),
    /// It equals one of these, at least one.
    OneOf(Vec<Literal>),
    /// There is a value, and it equals none of these.
    NoneOf(Vec<Literal>),
    /// A time before that one.
    BeforeDate(Scalar),
    /// A time after that one.
    AfterDate(Scalar),
    /// A time that is at most so long ago, and not to come.
    WithinLast(Span),
    /// A time that is at most so far ahead, and not past.
    WithinNext(Span),
    /// A time that is so long ago, or longer.
    BeforeLast(Span),
    /// A time that is so far ahead, or further.
    AfterNext(Span),
}

/// One value, a list, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// What is written.
    Literal(Literal),
    /// `trait('key')`: of the profile, or of the account. An audience's key is the key of a trait.
    Trait(Path),
    /// `property('path')` of the event at hand.
    Property(Path),
    /// `property(parent: 'path')` of the event around the one at hand.
    ParentProperty(Path),
    /// `context('path')` of the event at hand.
    Context(Path),
    /// What becomes of the events of a stream.
    Reduced(Box<Reduce>),
}

/// A stream and what it is reduced to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduce {
    /// Which events.
    pub stream: Stream,
    /// What of them.
    pub aggregate: Aggregate,
}

/// Events, narrowed down by filters in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Of what it is made.
    pub subject: Subject,
    /// Its filters.
    pub filters: Vec<Filter>,
    /// Where it begins.
    pub place: Place,
}

/// What a stream is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// `event('name')`
    Event(String),
    /// `entity('slug')`: rows of a table. It can be written, and is refused.
    Entity(String),
}

/// What narrows a stream down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `.where(condition)`: events for which it holds.
    Where(Condition),
    /// `.sources({exclude: ['id']})`: not those of these sources.
    Sources {
        /// Their ids.
        exclude: Vec<String>,
    },
    /// `.within(7 days)`: less than that long before now, or after the parent.
    Within {
        /// How long.
        span: Span,
        /// Counted from when.
        relative: Relative,
    },
    /// `.between(7 days, 10 days)`: at least the one and less than the other before now, or after
    /// the parent.
    Between {
        /// The shorter one.
        from: Span,
        /// The longer one.
        to: Span,
        /// Counted from when.
        relative: Relative,
    },
    /// `.expires_after(1 hour)`: the last session, while it lasts. A session ends where nothing
    /// happens for longer than that.
    ExpiresAfter(Span),
    /// `.this(month, 'Europe/Berlin')` and `.previous(month, 'Europe/Berlin')`
    Calendar(Calendar),
}

/// What a window is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relative {
    /// Back from now.
    Now,
    /// On from the event around this one.
    Parent,
}

/// A period of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The current one or the one before it.
    pub which: Which,
    /// How long it is.
    pub period: Period,
    /// Name of the time zone in the IANA database; `None` is UTC.
    pub zone: Option<String>,
}

/// Which period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that now lies in.
    This,
    /// The one before it.
    Previous,
}

/// Days, weeks that begin on a Monday, months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
}

/// What a stream is reduced to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// How many events.
    Count,
    /// The sum of a number.
    Sum(Scalar),
    /// Its average.
    Average(Scalar),
    /// The least value.
    Min(Scalar, Quantity),
    /// The greatest value.
    Max(Scalar, Quantity),
    /// The most frequent value, if it was there so many times.
    Mode {
        /// What is looked at.
        of: Scalar,
        /// How it is looked at; `None` is as text.
        kind: Option<Quantity>,
        /// The least number of times, at least 1; `None` is 1.
        at_least: Option<u32>,
    },
    /// The value of the earliest event that has one.
    First(Scalar),
    /// The value of the latest event that has one.
    Last(Scalar),
    /// Every value once, in order.
    Unique(Scalar),
    /// How many different values.
    UniqueCount(Scalar),
}

/// How values are ordered or told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// As numbers.
    Number,
    /// As texts.
    Text,
    /// A list as one text, not value by value.
    List,
}

/// A value that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `'text'`
    Text(String),
    /// A number, as it was written: decimal digits, perhaps a sign, a point and an exponent.
    Number(String),
    /// `true` or `false`
    Bool(bool),
    /// `2023-12-07` or `2023-12-07T18:50:00Z`
    Time {
        /// As it was written.
        text: String,
        /// When that is.
        time: Time,
    },
}

/// How to get from a value to one of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The steps, at least one.
    pub steps: Vec<Step>,
    /// Where it stands.
    pub place: Place,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value under that key of an object.
    Key(String),
    /// `$`: every element of a list, each by itself.
    Each,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
}

impl Unit {
    /// Its length in microseconds.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Minute => 60 * Self::Second.micros(),
            Self::Hour => 60 * Self::Minute.micros(),
            Self::Day => 24 * Self::Hour.micros(),
            Self::Week => 7 * Self::Day.micros(),
        }
    }
}

impl Span {
    /// Its length in microseconds; it cannot overflow.
    pub const fn micros(self) -> i64 {
        // The count is a u32, and the longest unit has 40 bits.
        (self.count as i64).saturating_mul(self.unit.micros())
    }
}

/// A stretch of the text, in bytes. It takes no part in comparisons.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Where it begins.
    pub start: u32,
    /// Where it has ended.
    pub end: u32,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}
