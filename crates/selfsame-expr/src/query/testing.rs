//! Random definitions for tests: valid conditions and scalars of users' definitions.
//!
//! What is drawn passes every check of the language and speaks of a small alphabet, so that random
//! histories over the same alphabet often decide it. [`Shape`] says how large a definition may be
//! and which parts of the language it may use; [`Words`] is the alphabet.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;
use selfsame_event::Time;

use crate::query::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Period, Place, Quantity,
    Reduce, Relative, Scalar, Span, Step, Stream, Subject, Test, Unit, Which,
};

/// How large a random definition may be, and what it may use.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Most comparisons that `AND`, `OR` and `NOT` put together at the top, 1 to 4. A `where` has
    /// one or two of them, within another `where` one.
    pub comparisons: usize,
    /// How deep streams may stand in the `where` of another stream, 0 to 2. Without them there is
    /// no `parent:` either.
    pub nesting: u32,
    /// Windows that count from now: `within`, `between`, `expires_after`.
    pub windows: bool,
    /// `this` and `previous`, which need time zones.
    pub calendar: bool,
    /// Tests that compare with now: `within_last` and its like.
    pub clocks: bool,
    /// Values that are computed on the right of a comparison, not only written.
    pub dynamic: bool,
    /// Paths with `$`.
    pub lists: bool,
    /// How likely a stream has a `where`, from 0 to 1.
    pub where_share: f64,
    /// How likely it has a window, and one that counts from its parent.
    pub window_share: f64,
    /// Of which names and values it speaks.
    pub words: Words,
}

impl Default for Shape {
    /// Everything there is.
    fn default() -> Self {
        Self {
            comparisons: 3,
            nesting: 2,
            windows: true,
            calendar: true,
            clocks: true,
            dynamic: true,
            lists: true,
            where_share: 0.6,
            window_share: 0.3,
            words: Words::default(),
        }
    }
}

/// The alphabet of random definitions. No list may be empty.
#[derive(Debug, Clone)]
pub struct Words {
    /// Names of events.
    pub events: Vec<String>,
    /// Paths into `properties`.
    pub properties: Vec<Vec<Step>>,
    /// Paths into `context`.
    pub contexts: Vec<Vec<Step>>,
    /// Paths into traits.
    pub traits: Vec<Vec<Step>>,
    /// Texts that values are compared with.
    pub texts: Vec<String>,
    /// Numbers, as they are written.
    pub numbers: Vec<String>,
    /// Dates and times, as they are written.
    pub times: Vec<String>,
    /// Ids of sources.
    pub sources: Vec<String>,
    /// Lengths of windows, in ascending order.
    pub spans: Vec<Span>,
    /// Time zones.
    pub zones: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let spans = [
            (30, Unit::Second),
            (10, Unit::Minute),
            (1, Unit::Hour),
            (6, Unit::Hour),
            (1, Unit::Day),
            (3, Unit::Day),
            (1, Unit::Week),
            (30, Unit::Day),
        ];
        Self {
            events: texts(&["A", "B", "C", "Page Viewed"]),
            properties: paths(&["n", "s", "at", "o/k", "l/$", "os/$/k", "a.b"]),
            contexts: paths(&["locale", "page/url"]),
            traits: paths(&["plan", "score", "seen", "vip", "tags/$", "o/k"]),
            texts: texts(&["", "a", "b", "ab", "10", "true", "it's \"so\""]),
            numbers: texts(&["0", "1", "2", "10", "-1", "0.5", "1e2"]),
            times: texts(&["2026-01-01", "2026-01-03T12:00:00Z", "2026-01-10T00:00:00+02:00"]),
            sources: texts(&["web", "server"]),
            spans: spans.map(|(count, unit)| Span { count, unit }).to_vec(),
            zones: texts(&["Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
        }
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Steps are parted by `/`, so that a key may have a point.
fn paths(paths: &[&str]) -> Vec<Vec<Step>> {
    let step = |step| if step == "$" { Step::Each } else { Step::Key(str::to_owned(step)) };
    paths.iter().map(|path| path.split('/').map(step).collect()).collect()
}

/// Definitions of audiences of users.
pub fn condition(shape: &Shape) -> BoxedStrategy<Condition> {
    let drawing = Drawing { shape: shape.clone(), depth: 0, inside: false };
    drawing.junctions(shape.comparisons.clamp(1, 4), drawing.comparison())
}

/// Definitions of computed traits of users: what a stream is reduced to.
pub fn scalar(shape: &Shape) -> BoxedStrategy<Scalar> {
    let drawing = Drawing { shape: shape.clone(), depth: 0, inside: false };
    let of = drawing.reducible();
    let aggregate = prop_oneof![
        8 => drawing.aggregate(),
        1 => of.prop_map(Aggregate::Unique),
    ];
    drawing.reduced(aggregate.boxed())
}

/// Draws parts of a definition at one place of it.
#[derive(Clone)]
struct Drawing {
    shape: Shape,
    /// How many streams are around this place.
    depth: u32,
    /// Whether this place is inside a `where`.
    inside: bool,
}

impl Drawing {
    /// Up to so many conditions, put together in any way.
    fn junctions(&self, most: usize, one: BoxedStrategy<Condition>) -> BoxedStrategy<Condition> {
        let one =
            prop_oneof![5 => one.clone(), 1 => one.prop_map(|it| Condition::Not(Box::new(it)))];
        let parts = vec((one, any::<bool>(), any::<bool>()), 1..=most);
        let join = |parts: Vec<(Condition, bool, bool)>| {
            let mut parts = parts.into_iter();
            let (mut all, _, negated) = parts.next().expect("at least one");
            for (next, both, swapped) in parts {
                all = match (all, both) {
                    (all, true) if swapped => Condition::And(vec![next, all]),
                    (all, false) if swapped => Condition::Or(vec![next, all]),
                    (Condition::And(mut of), true) => {
                        of.push(next);
                        Condition::And(of)
                    }
                    (Condition::Or(mut of), false) => {
                        of.push(next);
                        Condition::Or(of)
                    }
                    (all, true) => Condition::And(vec![all, next]),
                    (all, false) => Condition::Or(vec![all, next]),
                };
            }
            let joined = matches!(all, Condition::And(_) | Condition::Or(_));
            if joined && negated { Condition::Not(Box::new(all)) } else { all }
        };
        parts.prop_map(join).boxed()
    }

    fn comparison(&self) -> BoxedStrategy<Condition> {
        let plain = (self.plain(), self.test());
        // At the top there is nothing but streams and traits.
        let drawn = if self.inside && self.depth > self.shape.nesting {
            plain.boxed()
        } else {
            let counted = (self.reduced(Just(Aggregate::Count).boxed()), self.count_test());
            let computed = (self.reduced(self.aggregate()), self.test());
            let plain_weight = if self.inside { 3 } else { 2 };
            prop_oneof![3 => counted, 1 => computed, plain_weight => plain].boxed()
        };
        drawn
            .prop_map(|(value, test)| {
                Condition::Is(Comparison { value, test, place: Place::default() })
            })
            .boxed()
    }

    /// A value without a stream.
    fn plain(&self) -> BoxedStrategy<Scalar> {
        let from_trait = self.path(&self.shape.words.traits).prop_map(Scalar::Trait);
        if !self.inside {
            return from_trait.boxed();
        }
        let property = self.reducible();
        if self.depth < 2 {
            return prop_oneof![1 => from_trait, 4 => property].boxed();
        }
        let parent = self.path(&self.shape.words.properties).prop_map(Scalar::ParentProperty);
        prop_oneof![1 => from_trait, 3 => property, 1 => parent].boxed()
    }

    fn reducible(&self) -> BoxedStrategy<Scalar> {
        let property = self.path(&self.shape.words.properties).prop_map(Scalar::Property);
        let context = self.path(&self.shape.words.contexts).prop_map(Scalar::Context);
        prop_oneof![5 => property, 1 => context].boxed()
    }

    fn path(&self, among: &[Vec<Step>]) -> BoxedStrategy<Path> {
        let mut among = among.to_vec();
        if !self.shape.lists {
            among.retain(|steps| !steps.contains(&Step::Each));
        }
        select(among).prop_map(|steps| Path { steps, place: Place::default() }).boxed()
    }

    fn reduced(&self, aggregate: BoxedStrategy<Aggregate>) -> BoxedStrategy<Scalar> {
        (self.stream(), aggregate)
            .prop_map(|(stream, aggregate)| Scalar::Reduced(Box::new(Reduce { stream, aggregate })))
            .boxed()
    }

    fn aggregate(&self) -> BoxedStrategy<Aggregate> {
        let quantity = || prop_oneof![3 => Just(Quantity::Number), 1 => Just(Quantity::Text)];
        let kind = option::of(select(vec![Quantity::Number, Quantity::Text, Quantity::List]));
        let mode = (self.reducible(), kind, option::of(1..=3_u32));
        prop_oneof![
            2 => Just(Aggregate::Count),
            1 => self.reducible().prop_map(Aggregate::Sum),
            1 => self.reducible().prop_map(Aggregate::Average),
            1 => (self.reducible(), quantity()).prop_map(|(of, as_what)| Aggregate::Min(of, as_what)),
            1 => (self.reducible(), quantity()).prop_map(|(of, as_what)| Aggregate::Max(of, as_what)),
            1 => mode.prop_map(|(of, kind, at_least)| Aggregate::Mode { of, kind, at_least }),
            1 => self.reducible().prop_map(Aggregate::First),
            1 => self.reducible().prop_map(Aggregate::Last),
            1 => self.reducible().prop_map(Aggregate::UniqueCount),
        ]
        .boxed()
    }

    fn stream(&self) -> BoxedStrategy<Stream> {
        let within = Self { depth: self.depth + 1, inside: true, ..self.clone() };
        let most = if self.depth == 0 { 2 } else { 1 };
        let one = if self.depth < self.shape.nesting {
            within.comparison()
        } else {
            within.comparison_of_the_event()
        };
        let Shape { where_share, window_share, .. } = self.shape;
        let mut filters =
            vec![(where_share, within.junctions(most, one).prop_map(Filter::Where).boxed())];
        filters.push((window_share, self.window_from_now()));
        if self.inside {
            filters.push((window_share, self.window_from_parent()));
        }
        let exclude = vec(select(self.shape.words.sources.clone()), 1..=2);
        filters.push((0.2, exclude.prop_map(|exclude| Filter::Sources { exclude }).boxed()));
        // Each of them is there or not, in an order that is drawn too.
        let kept = filters
            .into_iter()
            .map(|(share, filter)| (option::weighted(share, filter), any::<u8>()))
            .collect::<Vec<_>>();
        (select(self.shape.words.events.clone()), kept)
            .prop_map(|(event, mut filters)| {
                filters.sort_by_key(|(_, rank)| *rank);
                let filters = filters.into_iter().filter_map(|(filter, _)| filter).collect();
                Stream { subject: Subject::Event(event), filters, place: Place::default() }
            })
            .boxed()
    }

    /// In a `where` that may hold no streams.
    fn comparison_of_the_event(&self) -> BoxedStrategy<Condition> {
        Self { shape: Shape { nesting: 0, ..self.shape.clone() }, ..self.clone() }.comparison()
    }

    fn span(&self) -> BoxedStrategy<Span> {
        select(self.shape.words.spans.clone()).boxed()
    }

    /// Two spans, the shorter one first.
    fn two_spans(&self) -> BoxedStrategy<(Span, Span)> {
        let spans = self.shape.words.spans.clone();
        let last = spans.len() - 1;
        (0..last)
            .prop_flat_map(move |from| (Just(from), from + 1..=last))
            .prop_map(move |(from, to)| (spans[from], spans[to]))
            .boxed()
    }

    /// A window that counts from now; the `sources` of nobody where the shape has none.
    fn window_from_now(&self) -> BoxedStrategy<Filter> {
        let (shape, relative) = (&self.shape, Relative::Now);
        let mut among = vec![];
        if shape.windows {
            among.push(self.span().prop_map(move |span| Filter::Within { span, relative }).boxed());
            let two = self.two_spans();
            among.push(
                two.prop_map(move |(from, to)| Filter::Between { from, to, relative }).boxed(),
            );
            if !self.inside {
                among.push(self.span().prop_map(Filter::ExpiresAfter).boxed());
            }
        }
        if shape.calendar {
            let which = select(vec![Which::This, Which::Previous]);
            let period = select(vec![Period::Day, Period::Week, Period::Month]);
            let zone = option::of(select(shape.words.zones.clone()));
            let calendar = (which, period, zone).prop_map(|(which, period, zone)| {
                Filter::Calendar(Calendar { which, period, zone })
            });
            among.push(calendar.boxed());
        }
        if among.is_empty() {
            let exclude = vec![self.shape.words.sources[0].clone()];
            among.push(Just(Filter::Sources { exclude }).boxed());
        }
        (0..among.len()).prop_flat_map(move |nth| among[nth].clone()).boxed()
    }

    fn window_from_parent(&self) -> BoxedStrategy<Filter> {
        let relative = Relative::Parent;
        let within = self.span().prop_map(move |span| Filter::Within { span, relative });
        let two = self.two_spans();
        let between = two.prop_map(move |(from, to)| Filter::Between { from, to, relative });
        prop_oneof![2 => within, 1 => between].boxed()
    }

    fn count_test(&self) -> BoxedStrategy<Test> {
        let number = || (0..=4_u32).prop_map(|n| Scalar::Literal(Literal::Number(n.to_string())));
        prop_oneof![
            2 => number().prop_map(Test::Equals),
            1 => number().prop_map(Test::Differs),
            1 => number().prop_map(Test::GreaterThan),
            4 => number().prop_map(Test::AtLeast),
            1 => number().prop_map(Test::LessThan),
            2 => number().prop_map(Test::AtMost),
        ]
        .boxed()
    }

    fn text(&self) -> BoxedStrategy<Literal> {
        select(self.shape.words.texts.clone()).prop_map(Literal::Text).boxed()
    }

    fn time(&self) -> BoxedStrategy<Literal> {
        select(self.shape.words.times.clone())
            .prop_map(|text| {
                let time = Time::parse(&text).expect("the words hold times");
                Literal::Time { text, time }
            })
            .boxed()
    }

    fn literal(&self) -> BoxedStrategy<Literal> {
        let number = select(self.shape.words.numbers.clone()).prop_map(Literal::Number);
        prop_oneof![
            4 => self.text(),
            4 => number,
            1 => any::<bool>().prop_map(Literal::Bool),
            1 => self.time(),
        ]
        .boxed()
    }

    /// What stands on the right: written, read, or counted.
    fn right(&self, written: BoxedStrategy<Literal>) -> BoxedStrategy<Scalar> {
        let written = written.prop_map(Scalar::Literal);
        if !self.shape.dynamic {
            return written.boxed();
        }
        if self.inside {
            return prop_oneof![4 => written, 1 => self.plain()].boxed();
        }
        let bare = Self { shape: Shape { nesting: 0, ..self.shape.clone() }, ..self.clone() };
        let counted = bare.bare_stream().prop_map(|stream| {
            Scalar::Reduced(Box::new(Reduce { stream, aggregate: Aggregate::Count }))
        });
        prop_oneof![8 => written, 1 => self.plain(), 1 => counted].boxed()
    }

    fn bare_stream(&self) -> BoxedStrategy<Stream> {
        select(self.shape.words.events.clone())
            .prop_map(|event| Stream {
                subject: Subject::Event(event),
                filters: vec![],
                place: Place::default(),
            })
            .boxed()
    }

    fn test(&self) -> BoxedStrategy<Test> {
        let value = || self.right(self.literal());
        let text = || self.right(self.text());
        let texts = || vec(self.right(self.text()), 1..=2);
        let literals = || vec(self.literal(), 1..=3);
        let time = || self.right(self.time());
        let still = prop_oneof![
            2 => value().prop_map(Test::Equals),
            2 => value().prop_map(Test::Differs),
            1 => value().prop_map(Test::GreaterThan),
            1 => value().prop_map(Test::AtLeast),
            1 => value().prop_map(Test::LessThan),
            1 => value().prop_map(Test::AtMost),
            1 => Just(Test::Absent),
            1 => Just(Test::Exists),
            1 => texts().prop_map(Test::Contains),
            1 => text().prop_map(Test::Omits),
            1 => text().prop_map(Test::StartsWith),
            1 => text().prop_map(Test::EndsWith),
            1 => literals().prop_map(Test::OneOf),
            1 => literals().prop_map(Test::NoneOf),
            1 => time().prop_map(Test::BeforeDate),
            1 => time().prop_map(Test::AfterDate),
        ];
        if !self.shape.clocks {
            return still.boxed();
        }
        prop_oneof![
            18 => still,
            1 => self.span().prop_map(Test::WithinLast),
            1 => self.span().prop_map(Test::WithinNext),
            1 => self.span().prop_map(Test::BeforeLast),
            1 => self.span().prop_map(Test::AfterNext),
        ]
        .boxed()
    }
}
