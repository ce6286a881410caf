//! Chains: what is extracted, narrowed down, reduced.

use selfsame_event::Time;

use super::{Mode, Parser, Place, Read};
use crate::fault::{Fault, place, quoted};
use crate::query::ast::{Literal, Path, Reduce, Scalar, Step, Stream, Subject};
use crate::query::lex::{self, Escapes, Token};
use crate::query::names;

impl Parser<'_> {
    /// A value up to where a test may begin.
    pub(super) fn scalar(&mut self, mode: Mode) -> Read<Scalar> {
        let Token::Word(word) = self.token else { return Err(self.no_value(mode)) };
        let start = self.at.0;
        let subject: fn(String) -> Subject = match word {
            "event" => Subject::Event,
            "entity" => Subject::Entity,
            "trait" | "property" | "context" => {
                let scalar = self.extracted(word)?;
                return self.ends(mode).map(|()| scalar);
            }
            _ => return Err(self.no_value(mode)),
        };
        self.take()?;
        self.expect("(")?;
        let name = self.name()?;
        self.expect(")")?;
        let scalar = self.reduced(subject(name), start)?;
        self.ends(mode).map(|()| scalar)
    }

    fn no_value(&self, mode: Mode) -> Box<Fault> {
        let Token::Word(word) = self.token else {
            let expected = match (mode, self.token) {
                (Mode::Argument, _) => "a value to compare with",
                (_, Token::Text(_) | Token::Number(_) | Token::Time(_)) => {
                    "what is tested first, such as `trait('…')`, then the value it is compared with"
                }
                (Mode::Whole, _) => "`event('…')` or `trait('…')`",
                _ => "a condition, such as `event('…').count() >= 1`",
            };
            return self.unexpected(expected);
        };
        let expected = "`event('…')`, `trait('…')`, `property('…')` or `context('…')`";
        self.unexpected(expected).suggest(word, names::EXTRACTORS)
    }

    /// That nothing is tested where no test may be.
    fn ends(&self, mode: Mode) -> Read<()> {
        let chained = self.sees(".");
        let compared =
            matches!(self.token, Token::Symbol("=" | "==" | "!=" | ">" | ">=" | "<" | "<="));
        match mode {
            Mode::Whole if chained || compared => Err(self.unexpected(
                "the end: a computed trait is a value, and a comparison makes it a condition",
            )),
            Mode::Whole if self.token.is_keyword("AND") || self.token.is_keyword("OR") => {
                Err(self.unexpected("the end: a computed trait is one value"))
            }
            Mode::Argument if chained => Err(self.unexpected(
                "`AND`, `OR`, `,` or the end: what a value is compared with is not tested itself",
            )),
            _ => Ok(()),
        }
    }

    /// `trait('path')`, `context('path')`, `property('path')` and `property(parent: 'path')`.
    pub(super) fn extracted(&mut self, word: &str) -> Read<Scalar> {
        self.take()?;
        self.expect("(")?;
        let of_parent = word == "property" && self.takes_parent()?;
        let Token::Text(raw) = self.token else {
            return Err(self.unexpected("a name in quotes"));
        };
        let path = Path { steps: self.steps(raw)?, place: place(self.at.0, self.at.1) };
        self.take()?;
        self.expect(")")?;
        Ok(match word {
            "trait" => Scalar::Trait(path),
            "context" => Scalar::Context(path),
            _ if of_parent => Scalar::ParentProperty(path),
            _ => Scalar::Property(path),
        })
    }

    /// Takes `parent:`, if it is there.
    pub(super) fn takes_parent(&mut self) -> Read<bool> {
        let sees = matches!(self.token, Token::Word("parent"));
        if sees {
            self.take()?;
            self.expect(":")?;
        }
        Ok(sees)
    }

    /// Filters and the reducer behind a stream.
    fn reduced(&mut self, subject: Subject, start: usize) -> Read<Scalar> {
        let mut stream = Stream { subject, filters: vec![], place: place(start, self.ended) };
        loop {
            if !self.sees(".") {
                return Err(self.unexpected(
                    "`.count()` or another function of the events: events are no value by themselves",
                ));
            }
            self.take()?;
            let Token::Word(name) = self.token else {
                return Err(self.unexpected("the name of a function"));
            };
            if names::FILTERS.contains(&name) {
                let filter = self.filter(name)?;
                stream.filters.push(filter);
                stream.place = place(start, self.ended);
            } else if names::REDUCERS.contains(&name) {
                let aggregate = self.aggregate(name)?;
                return Ok(Scalar::Reduced(Box::new(Reduce { stream, aggregate })));
            } else if names::TESTS.contains(&name) {
                let expected = "a function that makes one value of the events before it is tested, \
                                such as `count()`";
                return Err(self.unexpected(expected));
            } else {
                let names = names::FILTERS.iter().chain(&names::REDUCERS).copied();
                let expected = "a filter such as `where` or a function such as `count`";
                return Err(self.unexpected(expected).suggest(name, names));
            }
        }
    }

    /// A text in quotes.
    pub(super) fn name(&mut self) -> Read<String> {
        let Token::Text(raw) = self.token else {
            return Err(self.unexpected("a name in quotes"));
        };
        let name = self.text(raw)?;
        self.take()?;
        Ok(name)
    }

    /// What the quotes in sight hold.
    pub(super) fn text(&self, raw: &str) -> Read<String> {
        lex::text(raw).map_err(|escape| {
            let found = raw.get(escape.start..escape.end).unwrap_or("\\");
            let expected =
                "one of the escapes \\\\, \\', \\\", \\n, \\r, \\t and \\u with four digits";
            Fault::new(self.inside(escape.start, escape.end), quoted(found), expected)
        })
    }

    /// A place in the text of the quotes in sight.
    fn inside(&self, start: usize, end: usize) -> Place {
        (self.at.0 + 1 + start, self.at.0 + 1 + end)
    }

    pub(super) fn time(&self, text: &str) -> Read<Literal> {
        let time = Time::parse(text).ok_or_else(|| {
            self.unexpected("a date as in 2023-12-07, or a time as in 2023-12-07T18:50:00Z")
        })?;
        Ok(Literal::Time { text: text.to_owned(), time })
    }

    /// Steps of a path: keys between points. A point that belongs to a key has backslashes before
    /// it: two, and it is forgiven if they were doubled on the way or halved.
    pub(super) fn steps(&self, raw: &str) -> Read<Vec<Step>> {
        let mut steps = vec![];
        let mut chars = Escapes { raw, at: 0 };
        let (mut key, mut begun) = (String::new(), 0);
        loop {
            let here = chars.at;
            let slashes = chars.rest().bytes().take_while(|&byte| byte == b'\\').count();
            let next = chars.rest().get(slashes..).and_then(|rest| rest.chars().next());
            match next {
                Some(special @ ('.' | '$')) if slashes > 0 => {
                    if !matches!(slashes, 1 | 2 | 4) {
                        let place = self.inside(here, here + slashes);
                        let found = format!("{slashes} backslashes");
                        let expected = format!(
                            "two backslashes before a `{special}` that belongs to a key (a backslash \
                             of a key is written as \\u005c)"
                        );
                        return Err(Fault::new(place, found, expected));
                    }
                    key.push(special);
                    chars.at += slashes + 1;
                }
                Some('.') | None if slashes == 0 => {
                    if begun == here {
                        let expected = "a key on both sides of each point";
                        let found = if raw.is_empty() { "an empty name" } else { "an empty key" };
                        return Err(Fault::new(self.inside(here, here), found, expected));
                    }
                    // Escaped or not, one step is one run of the text.
                    let is_each = raw.get(begun..here) == Some("$");
                    let key = std::mem::take(&mut key);
                    steps.push(if is_each { Step::Each } else { Step::Key(key) });
                    if next.is_none() {
                        return Ok(steps);
                    }
                    chars.at += 1;
                    begun = chars.at;
                }
                _ => match chars.next() {
                    Some(Ok((char, _))) => key.push(char),
                    Some(Err(_)) | None => {
                        self.text(raw)?;
                        return Err(self.unexpected("a name in quotes"));
                    }
                },
            }
        }
    }
}
