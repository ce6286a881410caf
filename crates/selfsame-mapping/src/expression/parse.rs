//! Reads an expression.

use std::ops::Range;

use regex::RegexBuilder;
use serde_json::{Number, Value};

use crate::limits::{NESTING, TEXT_BYTES};
use crate::problem::{Problem, quoted};

use super::function::{Takes, find, names as function_names};
use super::lex::{Placed, Word, words};
use super::{Call, Choice, Compare, Compute, Each, Field, Node, Part};

/// Most bytes of a compiled pattern.
const PATTERN_BYTES: usize = 1 << 20;
/// Words that JavaScript has and this language has not.
const RESERVED: [&str; 8] =
    ["function", "new", "return", "typeof", "in", "instanceof", "if", "let"];

const COMPARISONS: [(&str, Compare); 8] = [
    ("===", Compare::Equal),
    ("!==", Compare::Unequal),
    ("==", Compare::Equal),
    ("!=", Compare::Unequal),
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("<", Compare::Less),
    (">", Compare::Greater),
];

/// The whole of a text, and the names that it reads.
pub(super) fn whole(text: &str) -> Result<(Node, Vec<String>), Problem> {
    if text.len() > TEXT_BYTES {
        let found = format!("{}", text.len());
        return Err(Problem::within(0..text.len(), format!("at most {TEXT_BYTES} bytes"), found));
    }
    let mut parser =
        Parser { words: words(text)?, at: 0, depth: 0, names: vec![], locals: vec![], text };
    let node = parser.expression()?;
    match parser.peek() {
        Word::End => Ok((node, parser.names)),
        _ => Err(parser.unexpected("the end of the expression")),
    }
}

struct Parser<'t> {
    words: Vec<Placed>,
    at: usize,
    depth: usize,
    names: Vec<String>,
    locals: Vec<String>,
    text: &'t str,
}

type Parsed = Result<Node, Problem>;

impl Parser<'_> {
    fn peek(&self) -> &Word {
        self.words.get(self.at).map_or(&Word::End, |placed| &placed.word)
    }

    fn peek_second(&self) -> &Word {
        self.words.get(self.at + 1).map_or(&Word::End, |placed| &placed.word)
    }

    fn place(&self) -> Range<usize> {
        self.words
            .get(self.at)
            .or_else(|| self.words.last())
            .map_or(0..0, |placed| placed.place.clone())
    }

    fn is_at(&self, sign: &str) -> bool {
        matches!(self.peek(), Word::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let is_there = self.is_at(sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, sign: &str) -> Result<(), Problem> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let place = self.place();
        let found = match self.peek() {
            Word::End => "the end of the text".to_owned(),
            _ => quoted(self.text.get(place.clone()).unwrap_or_default()),
        };
        let problem = Problem::within(place, expected, found);
        match self.peek() {
            Word::Sign("=") => problem.hint("equality is `==`; nothing can be assigned"),
            Word::Sign("&") => problem.hint("did you mean `&&`?"),
            Word::Sign("|") => problem.hint("did you mean `||`?"),
            _ => problem,
        }
    }

    /// Goes one level down, if there may be one more.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == NESTING {
            return Err(self.unexpected(&format!("at most {NESTING} levels of nesting")));
        }
        self.depth += 1;
        let node = inner(self);
        self.depth -= 1;
        node
    }

    fn expression(&mut self) -> Parsed {
        self.nested(|parser| {
            let test = parser.alternative()?;
            if !parser.accept("?") {
                return Ok(test);
            }
            let then = parser.expression()?;
            parser.expect(":")?;
            let other = parser.expression()?;
            Ok(Node::Choice(Box::new(Choice { test, then, other })))
        })
    }

    /// `a ?? b`, or `a || b`; both together need brackets, as in JavaScript.
    fn alternative(&mut self) -> Parsed {
        let start = self.at;
        let mut left = self.either()?;
        let is_mixed = |parser: &Self| {
            let passed = parser.words.get(start..parser.at).unwrap_or_default();
            let mut depth = 0_usize;
            passed.iter().any(|placed| {
                match placed.word {
                    Word::Sign("(" | "[" | "{") => depth += 1,
                    Word::Sign(")" | "]" | "}") => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && matches!(placed.word, Word::Sign("||" | "&&"))
            })
        };
        let mut depth = 0;
        while self.is_at("??") {
            if is_mixed(self) {
                let problem = self.unexpected("brackets around what is joined by `||` or `&&`");
                return Err(problem);
            }
            self.deeper(&mut depth)?;
            self.at += 1;
            let right = self.both()?;
            if self.is_at("||") || is_mixed(self) {
                return Err(self.unexpected("brackets around what is joined by `??`"));
            }
            left = Node::Else(Box::new(left), Box::new(right));
        }
        self.depth -= depth;
        Ok(left)
    }

    /// Operators in a row nest in each other as brackets do.
    fn deeper(&mut self, depth: &mut usize) -> Result<(), Problem> {
        if self.depth >= NESTING {
            return Err(self.unexpected(&format!("at most {NESTING} levels of nesting")));
        }
        self.depth += 1;
        *depth += 1;
        Ok(())
    }

    fn either(&mut self) -> Parsed {
        let mut left = self.both()?;
        let mut depth = 0;
        while self.accept("||") {
            self.deeper(&mut depth)?;
            left = Node::Or(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= depth;
        Ok(left)
    }

    fn both(&mut self) -> Parsed {
        let mut left = self.comparison()?;
        let mut depth = 0;
        while self.accept("&&") {
            self.deeper(&mut depth)?;
            left = Node::And(Box::new(left), Box::new(self.comparison()?));
        }
        self.depth -= depth;
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let Word::Sign(sign) = *self.peek() else { return Ok(left) };
        let Some((_, compare)) = COMPARISONS.iter().find(|(name, _)| *name == sign) else {
            return Ok(left);
        };
        self.at += 1;
        let right = self.sum()?;
        if let Word::Sign(sign) = *self.peek()
            && COMPARISONS.iter().any(|(name, _)| *name == sign)
        {
            let problem = self.unexpected("`&&`, `||` or the end of the comparison");
            return Err(problem.hint("a comparison has two sides"));
        }
        Ok(Node::Compare(*compare, Box::new(left), Box::new(right)))
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        let mut depth = 0;
        loop {
            let compute = match self.peek() {
                Word::Sign("+") => Compute::Add,
                Word::Sign("-") => Compute::Subtract,
                _ => break,
            };
            self.at += 1;
            self.deeper(&mut depth)?;
            left = Node::Compute(compute, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= depth;
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.sign()?;
        let mut depth = 0;
        loop {
            let compute = match self.peek() {
                Word::Sign("*") => Compute::Multiply,
                Word::Sign("/") => Compute::Divide,
                Word::Sign("%") => Compute::Remainder,
                _ => break,
            };
            self.at += 1;
            self.deeper(&mut depth)?;
            left = Node::Compute(compute, Box::new(left), Box::new(self.sign()?));
        }
        self.depth -= depth;
        Ok(left)
    }

    fn sign(&mut self) -> Parsed {
        if self.accept("!") {
            return self.nested(|parser| Ok(Node::Not(Box::new(parser.sign()?))));
        }
        if self.accept("-") {
            return self.nested(|parser| Ok(Node::Negative(Box::new(parser.sign()?))));
        }
        let mut node = self.first()?;
        let mut depth = 0;
        loop {
            if self.accept(".") || self.accept("?.") {
                self.deeper(&mut depth)?;
                let Word::Name(name) = self.peek().clone() else {
                    if self.is_at("[") {
                        continue;
                    }
                    return Err(self.unexpected("the name of a member"));
                };
                self.at += 1;
                if self.is_at("(") {
                    let problem = self.unexpected("no call of a member");
                    return Err(problem.hint(format!("write {name}(value, …)")));
                }
                node = Node::Member(Box::new(node), name.into());
            } else if self.accept("[") {
                self.deeper(&mut depth)?;
                let key = self.expression()?;
                self.expect("]")?;
                node = match key {
                    Node::Constant(Value::String(key)) => Node::Member(Box::new(node), key.into()),
                    key => Node::Element(Box::new(node), Box::new(key)),
                };
            } else {
                break;
            }
        }
        self.depth -= depth;
        Ok(node)
    }

    fn first(&mut self) -> Parsed {
        let word = self.peek().clone();
        match word {
            Word::Text(text) => {
                self.at += 1;
                Ok(Node::Constant(Value::String(text)))
            }
            Word::Number(text) => {
                self.at += 1;
                Ok(Node::Constant(Value::Number(Number::from_string_unchecked(text))))
            }
            Word::Name(name) => self.named(&name),
            Word::Sign("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                if self.is_at("=>") {
                    return Err(self.stray_function());
                }
                Ok(inner)
            }
            Word::Sign("[") => self.list(),
            Word::Sign("{") => self.object(),
            Word::Sign(_) | Word::End => Err(self.unexpected("an expression")),
        }
    }

    fn stray_function(&self) -> Problem {
        self.unexpected("no function here").hint("only functions such as `map` take one")
    }

    fn named(&mut self, name: &str) -> Parsed {
        if matches!(self.peek_second(), Word::Sign("(")) {
            return self.call(name);
        }
        if matches!(self.peek_second(), Word::Sign("=>")) {
            return Err(self.stray_function());
        }
        let constant = match name {
            "true" => Node::Constant(Value::Bool(true)),
            "false" => Node::Constant(Value::Bool(false)),
            "null" => Node::Constant(Value::Null),
            "undefined" => Node::Undefined,
            _ if RESERVED.contains(&name) => return Err(self.unexpected("an expression")),
            _ => {
                self.at += 1;
                return Ok(self.reference(name));
            }
        };
        self.at += 1;
        Ok(constant)
    }

    fn reference(&mut self, name: &str) -> Node {
        if let Some(local) = self.locals.iter().rposition(|local| local == name) {
            return Node::Local(local);
        }
        let known = self.names.iter().position(|known| known == name);
        Node::Name(known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }))
    }

    fn call(&mut self, name: &str) -> Parsed {
        let place = self.place();
        let Some(found) = find(name) else {
            let problem = Problem::within(place, "a function", quoted(name));
            return Err(problem.suggest(name, function_names()));
        };
        self.at += 2;
        let (mut arguments, mut pattern, mut each) = (vec![], None, None);
        while !self.is_at(")") {
            let start = self.place();
            let takes = found.takes.get(arguments.len() + usize::from(each.is_some()));
            match takes.or_else(|| found.takes.last().filter(|takes| **takes == Takes::More)) {
                Some(Takes::Each) => each = Some(self.function()?),
                Some(Takes::Pattern) => {
                    let node = self.expression()?;
                    pattern = Some(self.pattern(&node, start.start)?);
                    arguments.push(node);
                }
                Some(_) => arguments.push(self.expression()?),
                None => {
                    let expected =
                        format!("`)`, as {} takes {} arguments", name, found.takes.len());
                    return Err(self.unexpected(&expected).hint(found.signature));
                }
            }
            if !self.accept(",") {
                break;
            }
        }
        if !self.is_at(")") {
            return Err(self.unexpected("`,` or `)`"));
        }
        let given = arguments.len() + usize::from(each.is_some());
        let needed =
            found.takes.iter().filter(|takes| !matches!(takes, Takes::Maybe | Takes::More));
        if given < needed.count() {
            return Err(self.unexpected("another argument").hint(found.signature));
        }
        self.at += 1;
        Ok(Node::Call(Box::new(Call { name: found.id, arguments, pattern, each })))
    }

    /// A pattern, which has to be written, so that it is read once.
    fn pattern(&self, node: &Node, start: usize) -> Result<regex::Regex, Problem> {
        let end = self.at.checked_sub(1).and_then(|at| self.words.get(at));
        let place = start..end.map_or(start, |placed| placed.place.end);
        let Node::Constant(Value::String(text)) = node else {
            let problem = Problem::within(place, "a regular expression", "something computed");
            return Err(problem.hint("it has to be written as a text"));
        };
        let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
        built.map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Problem::within(place, "a regular expression", quoted(text)).hint(reason)
        })
    }

    /// `x => …` or `(x, y) => …`.
    fn function(&mut self) -> Result<Each, Problem> {
        let around = self.locals.len();
        if self.accept("(") {
            loop {
                self.parameter()?;
                if !self.accept(",") {
                    break;
                }
            }
            self.expect(")")?;
        } else {
            self.parameter()?;
        }
        self.expect("=>").map_err(|problem| problem.hint("a function is written `x => …`"))?;
        let body = self.expression()?;
        let parameters = self.locals.len() - around;
        self.locals.truncate(around);
        Ok(Each { around, parameters, body })
    }

    fn parameter(&mut self) -> Result<(), Problem> {
        let Word::Name(name) = self.peek().clone() else {
            let problem = self.unexpected("a function");
            return Err(problem.hint("a function is written `x => …`"));
        };
        self.at += 1;
        self.locals.push(name);
        Ok(())
    }

    fn list(&mut self) -> Parsed {
        self.expect("[")?;
        let mut parts = vec![];
        while !self.is_at("]") {
            parts.push(if self.accept("...") {
                Part::Spread(self.expression()?)
            } else {
                Part::One(self.expression()?)
            });
            if !self.accept(",") {
                break;
            }
        }
        if !self.accept("]") {
            return Err(self.unexpected("`,` or `]`"));
        }
        Ok(Node::List(parts))
    }

    fn object(&mut self) -> Parsed {
        self.expect("{")?;
        let mut fields = vec![];
        while !self.is_at("}") {
            fields.push(self.field()?);
            if !self.accept(",") {
                break;
            }
        }
        if !self.accept("}") {
            return Err(self.unexpected("`,` or `}`"));
        }
        Ok(Node::Object(fields))
    }

    fn field(&mut self) -> Result<Field, Problem> {
        if self.accept("...") {
            return Ok(Field::Spread(self.expression()?));
        }
        if self.accept("[") {
            let key = self.expression()?;
            self.expect("]")?;
            self.expect(":")?;
            return Ok(Field::Computed(key, self.expression()?));
        }
        let (key, is_name) = match self.peek().clone() {
            Word::Name(name) => (name, true),
            Word::Text(text) | Word::Number(text) => (text, false),
            Word::Sign(_) | Word::End => return Err(self.unexpected("a key or `}`")),
        };
        self.at += 1;
        if self.accept(":") {
            return Ok(Field::Named(key.into(), self.expression()?));
        }
        if !is_name || !(self.is_at(",") || self.is_at("}")) {
            return Err(self.unexpected("`:`"));
        }
        let value = self.reference(&key);
        Ok(Field::Named(key.into(), value))
    }
}
