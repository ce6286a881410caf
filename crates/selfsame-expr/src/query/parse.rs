//! From text to a definition.
//!
//! A definition is read from left to right with one token of sight. Nesting is bounded, and so is
//! the text, so no input takes more than a little stack and time.

mod call;
mod value;

use crate::fault::{Fault, ParseError, place, quoted};
use crate::query::ast::{Comparison, Condition, Literal, Scalar, Step, Test};
use crate::query::lex::{Lexer, Token};
use crate::query::limits;

/// Reads the definition of an audience.
///
/// # Errors
///
/// The text is no condition of the query language.
pub fn condition(text: &str) -> Result<Condition, ParseError> {
    whole(text, |parser| {
        let condition = parser.condition()?;
        match parser.token {
            Token::End => Ok(condition),
            Token::Word(word) => {
                Err(parser.unexpected("`AND`, `OR` or the end").suggest(word, ["AND", "OR"]))
            }
            _ => Err(parser.unexpected("`AND`, `OR` or the end")),
        }
    })
}

/// Reads the definition of a computed trait.
///
/// # Errors
///
/// The text is no value of the query language.
pub fn scalar(text: &str) -> Result<Scalar, ParseError> {
    whole(text, |parser| {
        let begins = parser.token;
        if ["NOT", "ANY", "ALL"].iter().any(|word| begins.is_keyword(word))
            || matches!(begins, Token::Symbol("(" | "{"))
        {
            return Err(parser.unexpected(
                "a value, such as `event('…').count()`: a computed trait is not a condition",
            ));
        }
        parser.scalar(Mode::Whole)
    })
}

/// Reads a path as it stands between quotes. On failure, a sentence that says why.
pub(super) fn path(raw: &str) -> Result<Vec<Step>, String> {
    let read = || Parser::new("")?.steps(raw);
    read().map_err(|fault| fault.within(raw).sentence())
}

fn whole<T>(
    text: &str,
    read: impl FnOnce(&mut Parser<'_>) -> Result<T, Box<Fault>>,
) -> Result<T, ParseError> {
    let read = || {
        if text.len() > limits::TEXT_BYTES {
            let found = format!("{} bytes", text.len());
            let expected = format!("at most {} bytes", limits::TEXT_BYTES);
            return Err(Fault::new((limits::TEXT_BYTES, text.len()), found, expected));
        }
        let mut parser = Parser::new(text)?;
        let read = read(&mut parser)?;
        match parser.token {
            Token::End => Ok(read),
            _ => Err(parser.unexpected("the end")),
        }
    };
    read().map_err(|fault| fault.within(text))
}

type Place = (usize, usize);
type Read<T> = Result<T, Box<Fault>>;

/// What may stand behind a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A test.
    Tested,
    /// Nothing: it is the definition.
    Whole,
    /// Nothing: it is on the right of a comparison.
    Argument,
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token in sight.
    token: Token<'a>,
    /// Where that is.
    at: Place,
    /// Where the token before it has ended.
    ended: usize,
    /// How many brackets, `NOT` and `where` are open.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Read<Self> {
        let mut lexer = Lexer::new(text);
        let (token, at) = lexer.next()?;
        Ok(Self { lexer, token, at, ended: 0, depth: 0 })
    }

    /// Takes the token in sight.
    fn take(&mut self) -> Read<Token<'a>> {
        let (next, at) = self.lexer.next()?;
        self.ended = self.at.1;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn unexpected(&self, expected: impl Into<String>) -> Box<Fault> {
        Fault::new(self.at, self.token.named(), expected)
    }

    fn sees(&self, symbol: &str) -> bool {
        matches!(self.token, Token::Symbol(seen) if seen == symbol)
    }

    /// Takes the symbol if it is in sight.
    fn takes(&mut self, symbol: &str) -> Read<bool> {
        let sees = self.sees(symbol);
        if sees {
            self.take()?;
        }
        Ok(sees)
    }

    fn expect(&mut self, symbol: &'static str) -> Read<()> {
        if self.takes(symbol)? { Ok(()) } else { Err(self.unexpected(quoted(symbol))) }
    }

    fn takes_keyword(&mut self, keyword: &str) -> Read<bool> {
        let sees = self.token.is_keyword(keyword);
        if sees {
            self.take()?;
        }
        Ok(sees)
    }

    /// One level further down.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth == limits::NESTING {
            let found = format!("{}, one level of nesting too many", self.token.named());
            return Err(Fault::new(
                self.at,
                found,
                format!("at most {} levels of brackets, `NOT` and `where`", limits::NESTING),
            ));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Parts joined by `OR`.
    fn condition(&mut self) -> Read<Condition> {
        let first = self.conjunction()?;
        if !self.token.is_keyword("OR") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.takes_keyword("OR")? {
            parts.push(self.conjunction()?);
        }
        Ok(Condition::Or(parts))
    }

    /// Parts joined by `AND`.
    fn conjunction(&mut self) -> Read<Condition> {
        let first = self.negation()?;
        if !self.token.is_keyword("AND") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.takes_keyword("AND")? {
            parts.push(self.negation()?);
        }
        Ok(Condition::And(parts))
    }

    /// A part behind any number of `NOT`, `ANY` and `ALL`.
    fn negation(&mut self) -> Read<Condition> {
        for (keyword, wrap) in [
            ("NOT", Condition::Not as fn(Box<Condition>) -> Condition),
            ("ANY", Condition::Any),
            ("ALL", Condition::All),
        ] {
            if self.token.is_keyword(keyword) {
                return self.deeper(|parser| {
                    parser.take()?;
                    Ok(wrap(Box::new(parser.negation()?)))
                });
            }
        }
        if self.sees("(") {
            return self.deeper(|parser| {
                parser.take()?;
                let condition = parser.condition()?;
                if !parser.takes(")")? {
                    return Err(parser.unexpected("`AND`, `OR` or `)`"));
                }
                Ok(condition)
            });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Read<Condition> {
        let start = self.at.0;
        let value = self.scalar(Mode::Tested)?;
        let test = self.test(&value)?;
        let place = place(start, self.ended);
        Ok(Condition::Is(Comparison { value, test, place }))
    }

    /// The test behind a value.
    fn test(&mut self, value: &Scalar) -> Read<Test> {
        let symbolic: fn(Scalar) -> Test = match self.token {
            Token::Symbol("=" | "==") => Test::Equals,
            Token::Symbol("!=") => Test::Differs,
            Token::Symbol(">") => Test::GreaterThan,
            Token::Symbol(">=") => Test::AtLeast,
            Token::Symbol("<") => Test::LessThan,
            Token::Symbol("<=") => Test::AtMost,
            Token::Symbol(".") => {
                self.take()?;
                let test = self.test_by_name()?;
                return if self.sees(".") {
                    Err(self.unexpected("`AND`, `OR` or the end: a test ends a chain"))
                } else {
                    Ok(test)
                };
            }
            _ => {
                let expected = match value {
                    Scalar::Reduced(_) => "a comparison, such as `>= 1`",
                    _ => "a comparison, such as `= true` or `.exists()`",
                };
                return Err(self.unexpected(expected));
            }
        };
        self.take()?;
        let right = self.argument()?;
        if matches!(self.token, Token::Symbol("=" | "==" | "!=" | ">" | ">=" | "<" | "<=")) {
            return Err(self.unexpected("`AND`, `OR` or the end: a comparison has two sides"));
        }
        Ok(symbolic(right))
    }

    /// What a value is compared with.
    fn argument(&mut self) -> Read<Scalar> {
        if let Some(literal) = self.literal()? {
            return Ok(Scalar::Literal(literal));
        }
        self.scalar(Mode::Argument)
    }

    /// What is written, if it is a value at all.
    fn literal(&mut self) -> Read<Option<Literal>> {
        let wrapped = matches!(self.token, Token::Word("literal"));
        if wrapped {
            self.take()?;
            self.expect("(")?;
        }
        let literal = match self.token {
            Token::Text(raw) => Some(Literal::Text(self.text(raw)?)),
            Token::Number(text) => Some(Literal::Number(text.to_owned())),
            Token::Time(text) => Some(self.time(text)?),
            token if token.is_keyword("true") => Some(Literal::Bool(true)),
            token if token.is_keyword("false") => Some(Literal::Bool(false)),
            token if token.is_keyword("null") => {
                return Err(self.unexpected(
                    "a value: whether there is one is asked with `.exists()` and `.absent()`",
                ));
            }
            _ => None,
        };
        if literal.is_some() {
            self.take()?;
        } else if wrapped {
            return Err(self.unexpected("a text, a number, a date, `true` or `false`"));
        }
        if wrapped {
            self.expect(")")?;
        }
        Ok(literal)
    }
}
