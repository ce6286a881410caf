//! From a definition to its text.
//!
//! There is one text for each definition. It is one line where that has at most 100 characters;
//! else it is broken in front of `AND` and `OR`, and in front of the functions of a chain.

use std::fmt::{self, Write};

use crate::query::ast::{
    Aggregate, Calendar, Comparison, Condition, Filter, Literal, Path, Quantity, Reduce, Relative,
    Scalar, Span, Step, Stream, Subject, Test,
};

/// Most characters of a line that can be broken.
const WIDTH: usize = 100;

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&laid_out(|out| write_condition(out, self, Tightness::Or)))
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&laid_out(|out| write_scalar(out, self)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.name();
        write!(f, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, step) in self.steps.iter().enumerate() {
            if nth > 0 {
                f.write_char('.')?;
            }
            match step {
                Step::Each => f.write_char('$')?,
                Step::Key(key) if key == "$" => f.write_str("\\\\$")?,
                Step::Key(key) => {
                    for char in key.chars() {
                        match char {
                            '.' => f.write_str("\\\\.")?,
                            // Behind a backslash, a point would be one of the key.
                            '\\' => f.write_str("\\u005c")?,
                            other => f.write_char(other)?,
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Text that grows, line by line.
#[derive(Debug, Default)]
struct Layout {
    text: String,
    /// Whether nothing is broken, however long it gets.
    flat: bool,
    /// How many spaces a new line begins with.
    indent: usize,
}

impl Layout {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', self.indent));
    }

    /// How many characters the last line has.
    fn column(&self) -> usize {
        self.text.rsplit('\n').next().unwrap_or("").chars().count()
    }

    /// What it would be on one line, if that fits behind what is there.
    fn fits(&self, write: impl FnOnce(&mut Self)) -> Option<String> {
        let mut flat = Self { flat: true, ..Self::default() };
        write(&mut flat);
        let fits = self.flat || self.column() + flat.text.chars().count() <= WIDTH;
        fits.then_some(flat.text)
    }

    fn deeper(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 2;
        write(self);
        self.indent -= 2;
    }
}

fn laid_out(write: impl FnOnce(&mut Layout)) -> String {
    let mut out = Layout::default();
    write(&mut out);
    out.text
}

/// What may stand at a place without brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Not,
}

fn write_condition(out: &mut Layout, condition: &Condition, least: Tightness) {
    if !out.flat
        && let Some(text) = out.fits(|flat| write_condition(flat, condition, least))
    {
        return out.push(&text);
    }
    match condition {
        Condition::Or(parts) => write_parts(out, parts, "OR ", Tightness::Or, least),
        Condition::And(parts) => write_parts(out, parts, "AND ", Tightness::And, least),
        Condition::Not(part) => write_behind(out, "NOT ", part),
        Condition::Any(part) => write_behind(out, "ANY ", part),
        Condition::All(part) => write_behind(out, "ALL ", part),
        Condition::Is(comparison) => write_comparison(out, comparison),
    }
}

fn write_behind(out: &mut Layout, keyword: &str, part: &Condition) {
    out.push(keyword);
    write_condition(out, part, Tightness::Not);
}

fn write_parts(
    out: &mut Layout,
    parts: &[Condition],
    word: &str,
    own: Tightness,
    least: Tightness,
) {
    let inner = if own == Tightness::Or { Tightness::And } else { Tightness::Not };
    let write = |out: &mut Layout| {
        for (nth, part) in parts.iter().enumerate() {
            if nth > 0 {
                if out.flat {
                    out.push(" ");
                } else {
                    out.line();
                }
                out.push(word);
            }
            write_condition(out, part, inner);
        }
    };
    if own < least {
        write_bracketed(out, "(", write, ")");
    } else {
        write(out);
    }
}

/// On lines of its own, one step to the right.
fn write_bracketed(out: &mut Layout, open: &str, write: impl FnOnce(&mut Layout), close: &str) {
    out.push(open);
    if out.flat {
        write(out);
    } else {
        out.deeper(|out| {
            out.line();
            write(out);
        });
        out.line();
    }
    out.push(close);
}

fn write_comparison(out: &mut Layout, comparison: &Comparison) {
    match &comparison.value {
        // It does not fit together with its test, even if it would without.
        Scalar::Reduced(reduce) => {
            write_chain(out, reduce);
            out.deeper(|out| write_test(out, &comparison.test));
        }
        other => {
            write_scalar(out, other);
            write_test(out, &comparison.test);
        }
    }
}

fn write_test(out: &mut Layout, test: &Test) {
    let (symbol, right) = match test {
        Test::Equals(right) => ("=", right),
        Test::Differs(right) => ("!=", right),
        Test::GreaterThan(right) => (">", right),
        Test::AtLeast(right) => (">=", right),
        Test::LessThan(right) => ("<", right),
        Test::AtMost(right) => ("<=", right),
        named => return write_named_test(out, named),
    };
    out.push(&format!(" {symbol} "));
    write_scalar(out, right);
}

fn write_named_test(out: &mut Layout, test: &Test) {
    let name = test.name();
    out.push(&format!(".{name}("));
    match test {
        Test::Absent | Test::Exists => {}
        Test::Contains(parts) => write_all(out, parts, write_scalar),
        Test::OneOf(values) | Test::NoneOf(values) => write_all(out, values, write_literal),
        Test::WithinLast(span)
        | Test::WithinNext(span)
        | Test::BeforeLast(span)
        | Test::AfterNext(span) => out.push(&span.to_string()),
        Test::Equals(right)
        | Test::Differs(right)
        | Test::GreaterThan(right)
        | Test::AtLeast(right)
        | Test::LessThan(right)
        | Test::AtMost(right)
        | Test::Omits(right)
        | Test::StartsWith(right)
        | Test::EndsWith(right)
        | Test::BeforeDate(right)
        | Test::AfterDate(right) => write_scalar(out, right),
    }
    out.push(")");
}

/// On one line behind what is there, or each on a line of its own.
fn write_all<T>(out: &mut Layout, values: &[T], write: impl Fn(&mut Layout, &T)) {
    let all = |out: &mut Layout, between: fn(&mut Layout)| {
        for (nth, value) in values.iter().enumerate() {
            if nth > 0 {
                out.push(",");
                between(out);
            }
            write(out, value);
        }
    };
    // The longest that closes a list, so that it stays on the line.
    let closing = "]})".len();
    match out.fits(|flat| all(flat, |out| out.push(" "))) {
        Some(text) if out.flat || out.column() + text.chars().count() + closing <= WIDTH => {
            out.push(&text);
        }
        _ => write_bracketed(out, "", |out| all(out, Layout::line), ""),
    }
}

fn write_scalar(out: &mut Layout, scalar: &Scalar) {
    let (word, path) = match scalar {
        Scalar::Literal(literal) => return write_literal(out, literal),
        Scalar::Reduced(reduce) => return write_reduce(out, reduce),
        Scalar::Trait(path) => ("trait(", path),
        Scalar::Property(path) => ("property(", path),
        Scalar::ParentProperty(path) => ("property(parent: ", path),
        Scalar::Context(path) => ("context(", path),
    };
    out.push(word);
    // Backslashes of the path are its own.
    write_quoted(out, &path.to_string(), false);
    out.push(")");
}

fn write_reduce(out: &mut Layout, reduce: &Reduce) {
    if !out.flat
        && let Some(text) = out.fits(|flat| write_reduce(flat, reduce))
    {
        return out.push(&text);
    }
    write_chain(out, reduce);
}

fn write_chain(out: &mut Layout, reduce: &Reduce) {
    let Stream { subject, filters, .. } = &reduce.stream;
    let (word, name) = match subject {
        Subject::Event(name) => ("event(", name),
        Subject::Entity(slug) => ("entity(", slug),
    };
    out.push(word);
    write_quoted(out, name, true);
    out.push(")");
    out.deeper(|out| {
        for filter in filters {
            if !out.flat {
                out.line();
            }
            write_filter(out, filter);
        }
        if !out.flat {
            out.line();
        }
        write_aggregate(out, &reduce.aggregate);
    });
}

fn write_filter(out: &mut Layout, filter: &Filter) {
    let counted = |relative: &Relative| match relative {
        Relative::Now => "",
        Relative::Parent => "parent: ",
    };
    match filter {
        Filter::Where(condition) => {
            let text = out.fits(|flat| {
                flat.push(".where(");
                write_condition(flat, condition, Tightness::Or);
                flat.push(")");
            });
            match text {
                Some(text) => out.push(&text),
                None => {
                    let write = |out: &mut Layout| write_condition(out, condition, Tightness::Or);
                    write_bracketed(out, ".where(", write, ")");
                }
            }
        }
        Filter::Sources { exclude } => {
            out.push(".sources({exclude: [");
            write_all(out, exclude, |out, id| write_quoted(out, id, true));
            out.push("]})");
        }
        Filter::Within { span, relative } => {
            out.push(&format!(".within({}{span})", counted(relative)));
        }
        Filter::Between { from, to, relative } => {
            out.push(&format!(".between({}{from}, {to})", counted(relative)));
        }
        Filter::ExpiresAfter(gap) => out.push(&format!(".expires_after({gap})")),
        Filter::Calendar(Calendar { which, period, zone }) => {
            out.push(&format!(".{}({}", which.name(), period.name()));
            if let Some(zone) = zone {
                out.push(", ");
                write_quoted(out, zone, true);
            }
            out.push(")");
        }
    }
}

fn write_aggregate(out: &mut Layout, aggregate: &Aggregate) {
    out.push(&format!(".{}(", aggregate.name()));
    if let Some(of) = aggregate.of() {
        write_scalar(out, of);
    }
    match aggregate {
        Aggregate::Min(_, Quantity::Text) | Aggregate::Max(_, Quantity::Text) => {
            out.push(" as string");
        }
        Aggregate::Mode { kind, at_least, .. } => {
            if let Some(kind) = kind {
                out.push(&format!(" as {}", kind.name()));
            }
            if let Some(times) = at_least {
                out.push(&format!(", {times}"));
            }
        }
        _ => {}
    }
    out.push(")");
    if let Aggregate::UniqueCount(_) = aggregate {
        out.push(".count()");
    }
}

fn write_literal(out: &mut Layout, literal: &Literal) {
    match literal {
        Literal::Text(text) => write_quoted(out, text, true),
        Literal::Number(text) | Literal::Time { text, .. } => out.push(text),
        Literal::Bool(true) => out.push("true"),
        Literal::Bool(false) => out.push("false"),
    }
}

/// In the quotes that need no escape, if there are such.
fn write_quoted(out: &mut Layout, text: &str, escape_backslashes: bool) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.text.push(quote);
    for char in text.chars() {
        match char {
            '\\' if escape_backslashes => out.push("\\\\"),
            '\n' => out.push("\\n"),
            '\r' => out.push("\\r"),
            '\t' => out.push("\\t"),
            same if same == quote => {
                out.text.push('\\');
                out.text.push(same);
            }
            control if control.is_control() => {
                out.push(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.text.push(other),
        }
    }
    out.text.push(quote);
}
