//! From the text of a filter to what is evaluated.

use super::function::Function;
use super::glob::Glob;
use super::lex::{Lexer, Token};
use super::{Compare, Literal, NESTING, Node, Pattern, TEXT_BYTES};
use crate::decimal::Decimal;
use crate::fault::{Fault, ParseError, quoted};

type Read<T> = Result<T, Box<Fault>>;

pub(super) fn whole(text: &str) -> Result<Node, ParseError> {
    let read = || {
        if text.len() > TEXT_BYTES {
            let found = format!("{} bytes", text.len());
            let expected = format!("at most {TEXT_BYTES} bytes");
            return Err(Fault::new((TEXT_BYTES, text.len()), found, expected));
        }
        let mut parser = Parser::new(text)?;
        let node = parser.alternatives()?;
        match &parser.token {
            Token::End => Ok(node),
            Token::Word(word) => {
                Err(parser.unexpected("`and`, `or` or the end").suggest(word, ["and", "or", "in"]))
            }
            _ => Err(parser.unexpected("an operator, `and`, `or` or the end")),
        }
    };
    read().map_err(|fault| fault.within(text))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    text: &'a str,
    token: Token<'a>,
    at: (usize, usize),
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Read<Self> {
        let mut lexer = Lexer::new(text);
        let (token, at) = lexer.next()?;
        Ok(Self { lexer, text, token, at, depth: 0 })
    }

    fn take(&mut self) -> Read<Token<'a>> {
        let (next, at) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn unexpected(&self, expected: impl Into<String>) -> Box<Fault> {
        let found = match self.token {
            Token::End => "the end".to_owned(),
            _ => quoted(self.text.get(self.at.0..self.at.1).unwrap_or("")),
        };
        Fault::new(self.at, found, expected)
    }

    fn sees(&self, symbol: &str) -> bool {
        matches!(self.token, Token::Symbol(seen) if seen == symbol)
    }

    fn takes(&mut self, symbol: &str) -> Read<bool> {
        let sees = self.sees(symbol);
        if sees {
            self.take()?;
        }
        Ok(sees)
    }

    fn takes_word(&mut self, word: &str) -> Read<bool> {
        let sees = matches!(self.token, Token::Word(seen) if seen == word);
        if sees {
            self.take()?;
        }
        Ok(sees)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth == NESTING {
            let expected = format!("at most {NESTING} brackets, functions and `!` in each other");
            return Err(self.unexpected(expected));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn alternatives(&mut self) -> Read<Node> {
        let mut parts = vec![self.conjunction()?];
        while self.takes_word("or")? {
            parts.push(self.conjunction()?);
        }
        Ok(one_or(parts, Node::Or))
    }

    fn conjunction(&mut self) -> Read<Node> {
        let mut parts = vec![self.negation()?];
        while self.takes_word("and")? {
            parts.push(self.negation()?);
        }
        Ok(one_or(parts, Node::And))
    }

    fn negation(&mut self) -> Read<Node> {
        if self.sees("!") {
            return self.deeper(|parser| {
                parser.take()?;
                Ok(Node::Not(Box::new(parser.negation()?)))
            });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Read<Node> {
        let left = self.term()?;
        let compare = match self.token {
            Token::Symbol(symbol) => Compare::named(symbol),
            Token::Word("in") => Some(Compare::In),
            _ => None,
        };
        let Some(compare) = compare else { return Ok(left) };
        self.take()?;
        let at = self.at;
        let right = self.term()?;
        if compare == Compare::In && !matches!(right, Node::List(_) | Node::Path(_)) {
            let found = quoted(self.text.get(at.0..at.1).unwrap_or(""));
            return Err(Fault::new(at, found, "a list in brackets, or a path to one"));
        }
        let next = match self.token {
            Token::Symbol(symbol) => Compare::named(symbol),
            _ => None,
        };
        if next.is_some() {
            return Err(self.unexpected("`and`, `or` or the end: a comparison has two sides"));
        }
        Ok(Node::Compare(compare, Box::new(left), Box::new(right)))
    }

    fn term(&mut self) -> Read<Node> {
        if let Some(literal) = self.literal()? {
            return Ok(Node::Literal(literal));
        }
        if self.sees("(") {
            return self.deeper(|parser| {
                parser.take()?;
                let node = parser.alternatives()?;
                if parser.takes(")")? {
                    return Ok(node);
                }
                Err(parser.unexpected("an operator, `and`, `or` or `)`"))
            });
        }
        if self.takes("[")? {
            return self.list();
        }
        let at = self.at;
        match self.token {
            Token::Word("and" | "or" | "in") => {
                Err(self.unexpected("a path, a text, a number, a list or a function"))
            }
            Token::Word(word) => {
                self.take()?;
                if self.sees("(") {
                    self.call(word, at)
                } else {
                    Ok(Node::Path(vec![word.to_owned()]))
                }
            }
            Token::Path(_) => match self.take()? {
                Token::Path(keys) => Ok(Node::Path(keys)),
                _ => Err(self.unexpected("a path")),
            },
            _ => Err(self.unexpected("a path, a text, a number, a list or a function")),
        }
    }

    fn literal(&mut self) -> Read<Option<Literal>> {
        let literal = match &self.token {
            Token::Text(text) => Literal::Text(text.clone().into_owned()),
            Token::Number(text) => {
                let number = Decimal::parse(text);
                let number = number.ok_or_else(|| self.unexpected("a smaller number"))?;
                Literal::Number { text: (*text).to_owned(), number }
            }
            Token::Word("true") => Literal::Bool(true),
            Token::Word("false") => Literal::Bool(false),
            Token::Word("null") => Literal::Null,
            _ => return Ok(None),
        };
        self.take()?;
        Ok(Some(literal))
    }

    /// Behind the opening bracket.
    fn list(&mut self) -> Read<Node> {
        let mut values = vec![];
        if self.takes("]")? {
            return Ok(Node::List(values));
        }
        loop {
            let value = self.literal()?;
            values.push(
                value.ok_or_else(|| {
                    self.unexpected("a text, a number, `true`, `false` or `null`")
                })?,
            );
            if self.takes("]")? {
                return Ok(Node::List(values));
            }
            if !self.takes(",")? {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn call(&mut self, name: &str, at: (usize, usize)) -> Read<Node> {
        let found = Function::ALL.iter().find(|(known, ..)| *known == name);
        let Some((_, function, count)) = found else {
            let names = Function::ALL.iter().map(|(name, ..)| *name);
            return Err(Fault::new(at, quoted(name), "the name of a function").suggest(name, names));
        };
        let mut arguments = self.deeper(Self::arguments)?;
        if arguments.len() != *count {
            let found = format!("{} of them", arguments.len());
            let expected =
                format!("{count} argument{} of `{name}`", if *count == 1 { "" } else { "s" });
            return Err(Fault::new(at, found, expected));
        }
        if *function == Function::Match
            && let Some(Node::Literal(Literal::Text(text))) = arguments.get(1)
        {
            let pattern = Pattern { text: text.clone(), glob: Glob::parse(text) };
            return Ok(Node::Match(Box::new(arguments.swap_remove(0)), pattern));
        }
        Ok(Node::Call(*function, arguments))
    }

    fn arguments(&mut self) -> Read<Vec<Node>> {
        self.take()?;
        let mut arguments = vec![];
        if self.takes(")")? {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.term()?);
            if self.takes(")")? {
                return Ok(arguments);
            }
            if !self.takes(",")? {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }
}

fn one_or(mut parts: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    if parts.len() == 1 { parts.swap_remove(0) } else { many(parts) }
}
