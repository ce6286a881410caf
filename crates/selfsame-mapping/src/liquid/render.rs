//! What a template says.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::budget::Budget;
use crate::item::Item;
use crate::number;
use crate::text::as_index;

use super::filter::{path, stringified};
use super::{Filtered, Operand, Operator, Part, Step};

type Rendered<T> = Result<T, String>;

pub(super) fn text<'e>(
    parts: &'e [Part],
    payload: &Item<'e>,
    budget: &'e Budget,
) -> Rendered<String> {
    let mut rendering = Rendering {
        payload,
        budget,
        assigned: vec![],
        counts: vec![],
        cycles: vec![],
        is_over: false,
    };
    let mut text = String::new();
    rendering.push(parts, &mut text)?;
    Ok(text)
}

/// One rendering of one template.
struct Rendering<'e, 'p> {
    payload: &'p Item<'e>,
    budget: &'p Budget,
    assigned: Vec<(&'e str, Item<'e>)>,
    counts: Vec<(&'e str, f64)>,
    /// Under which name, how many values: which is next.
    cycles: Vec<(String, usize, usize)>,
    /// Whether `break` or `continue` was met: without loops, both end the template.
    is_over: bool,
}

/// A value, which may be one of those that are only for comparing.
#[derive(Debug, Clone)]
enum Compared<'e> {
    Item(Item<'e>),
    Nil,
    Empty,
    Blank,
}

impl<'e> Compared<'e> {
    fn item(&self) -> Item<'e> {
        match self {
            Self::Item(item) => item.clone(),
            Self::Nil => Item::Null,
            Self::Empty | Self::Blank => Item::Text(""),
        }
    }
}

/// Everything but false, null and undefined.
pub(super) fn is_true(item: &Item<'_>) -> bool {
    !item.is_nullish() && !matches!(item, Item::Bool(false))
}

impl<'e> Rendering<'e, '_> {
    fn push(&mut self, parts: &'e [Part], text: &mut String) -> Rendered<()> {
        for part in parts {
            let before = text.len();
            self.push_part(part, text)?;
            let written = text.len().saturating_sub(before);
            self.budget.spend(1 + written).ok_or("what the template says is too large")?;
            if self.is_over {
                break;
            }
        }
        Ok(())
    }

    fn push_part(&mut self, part: &'e Part, text: &mut String) -> Rendered<()> {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Output(value) => {
                let item = self.filtered(value)?;
                text.push_str(&stringified(&item, self.budget));
            }
            Part::Assign(name, value) => {
                let item = self.filtered(value)?;
                self.assign(name, item);
            }
            Part::Capture(name, parts) => {
                let mut captured = String::new();
                self.push(parts, &mut captured)?;
                self.assign(name, Item::made(captured));
            }
            Part::If(branches, other) => {
                for (value, expected, parts) in branches {
                    if is_true(&self.filtered(value)?) == *expected {
                        return self.push(parts, text);
                    }
                }
                self.push(other, text)?;
            }
            Part::Count(name, up) => text.push_str(&self.counted(name, *up)),
            Part::Cycle(group, values) => {
                let group = match group {
                    Some(group) => self.operand(group)?.item().text(self.budget).into_owned(),
                    None => "undefined".to_owned(),
                };
                let next = self.next_in_cycle(group, values.len());
                if let Some(value) = values.get(next) {
                    let item = self.operand(value)?.item();
                    text.push_str(&stringified(&item, self.budget));
                }
            }
            Part::Block(parts) => self.push(parts, text)?,
            Part::Stop => self.is_over = true,
        }
        Ok(())
    }

    fn assign(&mut self, name: &'e str, item: Item<'e>) {
        self.assigned.retain(|(known, _)| *known != name);
        self.assigned.push((name, item));
    }

    /// What `increment` and `decrement` write: the first before, the second after it has counted.
    fn counted(&mut self, name: &'e str, up: bool) -> String {
        let known = self.counts.iter().position(|(known, _)| *known == name);
        let place = known.unwrap_or_else(|| {
            self.counts.push((name, self.payload.member(name).as_number().unwrap_or(0.0)));
            self.counts.len() - 1
        });
        let Some((_, count)) = self.counts.get_mut(place) else { return String::new() };
        let before = *count;
        *count += if up { 1.0 } else { -1.0 };
        number::text(if up { before } else { *count })
    }

    fn next_in_cycle(&mut self, group: String, len: usize) -> usize {
        let known = self.cycles.iter_mut().find(|(name, count, _)| *name == group && *count == len);
        match known {
            Some((_, _, next)) => {
                let now = *next;
                *next = (now + 1) % len;
                now
            }
            None => {
                self.cycles.push((group, len, 1 % len));
                0
            }
        }
    }

    fn filtered(&mut self, filtered: &'e Filtered) -> Rendered<Item<'e>> {
        let mut filters = filtered.filters.iter();
        let mut item =
            match (filtered.value.as_slice(), filters.find(|(filter, _)| !filter.is_raw())) {
                // The words `nil`, `empty` and `blank` are objects to JSON.
                (
                    [Step::Operand(Operand::Nil | Operand::Empty | Operand::Blank)],
                    Some((filter, _)),
                ) if filter.is_json() => Item::object(vec![]),
                (steps, _) => self.value(steps)?,
            };
        for (filter, arguments) in &filtered.filters {
            let mut given = Vec::with_capacity(arguments.len());
            for argument in arguments {
                let value = self.operand(&argument.value)?.item();
                given.push(match &argument.name {
                    Some(name) => Item::list(vec![Item::Text(name), value]),
                    None => value,
                });
            }
            item = filter.apply(item, &given, self.budget)?;
            self.budget.spend(1).ok_or("what the template says is too large")?;
        }
        Ok(item)
    }

    fn value(&mut self, steps: &'e [Step]) -> Rendered<Item<'e>> {
        let mut stack: Vec<Compared<'e>> = vec![];
        let none = || Compared::Item(Item::Undefined);
        for step in steps {
            let made = match step {
                Step::Operand(operand) => self.operand(operand)?,
                Step::Operator(operator) => {
                    let right = stack.pop().unwrap_or_else(none);
                    let truth = if *operator == Operator::Not {
                        !is_true(&right.item())
                    } else {
                        let left = stack.pop().unwrap_or_else(none);
                        holds(*operator, &left, &right, self.budget)
                    };
                    Compared::Item(Item::Bool(truth))
                }
            };
            stack.push(made);
        }
        Ok(stack.first().map_or(Item::Undefined, Compared::item))
    }

    fn operand(&mut self, operand: &'e Operand) -> Rendered<Compared<'e>> {
        Ok(Compared::Item(match operand {
            Operand::Text(text) => Item::Text(text),
            Operand::Number(number) => Item::Number(*number),
            Operand::Bool(truth) => Item::Bool(*truth),
            Operand::Nil => return Ok(Compared::Nil),
            Operand::Empty => return Ok(Compared::Empty),
            Operand::Blank => return Ok(Compared::Blank),
            Operand::Range(low, high) => {
                let low = self.operand(low)?.item().to_number(self.budget);
                let high = self.operand(high)?.item().to_number(self.budget);
                self.range(low, high)?
            }
            Operand::Path(of, keys) => {
                let mut keys = keys.iter();
                let mut found = match of {
                    Some(of) => self.operand(of)?.item(),
                    None => match keys.next() {
                        Some(first) => {
                            let key = self.operand(first)?.item();
                            self.named(&key)
                        }
                        None => Item::Undefined,
                    },
                };
                for key in keys {
                    let key = self.operand(key)?.item();
                    found = property(&found, &key, self.budget);
                }
                found
            }
        }))
    }

    fn range(&self, low: f64, high: f64) -> Rendered<Item<'e>> {
        let mut items = vec![];
        let mut at = low;
        while at < high + 1.0 {
            self.budget.spend(8).ok_or("a range is too large")?;
            items.push(Item::Number(at));
            at += 1.0;
        }
        Ok(Item::list(items))
    }

    fn named(&self, key: &Item<'e>) -> Item<'e> {
        let name = key.text(self.budget);
        if let Some((_, item)) = self.assigned.iter().find(|(known, _)| *known == name) {
            return item.clone();
        }
        if let Some((_, count)) = self.counts.iter().find(|(known, _)| *known == name) {
            return Item::Number(*count);
        }
        property(self.payload, key, self.budget)
    }
}

/// What a key leads to, `size`, `first` and `last` included.
pub(super) fn property<'e>(of: &Item<'e>, key: &Item<'e>, budget: &Budget) -> Item<'e> {
    if of.is_nullish() {
        return of.clone();
    }
    if let (Some(len), number) = (of.len(), key.to_number(budget))
        && number < 0.0
    {
        let index = number::whole(number).and_then(|back| usize::try_from(-back).ok());
        let index = index.and_then(|back| len.checked_sub(back));
        return index.map_or(Item::Undefined, |index| of.element(index, ""));
    }
    let name = key.text(budget);
    let found = match as_index(&name) {
        Some(index) => of.element(index, &name),
        None => of.member(&name),
    };
    match key.as_text() {
        Some("size") if found.is_undefined() => {
            let size = of.as_text().map(crate::text::length).or(of.len());
            let size = size.or_else(|| of.is_object().then(|| of.fields().len()));
            size.map_or(Item::Undefined, |size| Item::Number(number::count(size)))
        }
        Some("first") if of.is_list() => of.element(0, "0"),
        Some("last") if of.is_list() => {
            let last = of.len().and_then(|len| len.checked_sub(1));
            last.map_or(Item::Undefined, |last| of.element(last, ""))
        }
        _ => found,
    }
}

fn holds(operator: Operator, left: &Compared<'_>, right: &Compared<'_>, budget: &Budget) -> bool {
    let ordered = |test: fn(Ordering) -> bool| match (left, right) {
        (Compared::Item(left), Compared::Item(right)) => {
            order(left, right, budget).is_some_and(test)
        }
        _ => false,
    };
    match operator {
        Operator::Equal => equals(left, right, budget),
        Operator::Unequal => !equals(left, right, budget),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::AtLeast => ordered(Ordering::is_ge),
        Operator::AtMost => ordered(Ordering::is_le),
        Operator::And => is_true(&left.item()) && is_true(&right.item()),
        Operator::Or => is_true(&left.item()) || is_true(&right.item()),
        Operator::Not => !is_true(&right.item()),
        Operator::Contains => {
            let left = left.item();
            if left.is_list() {
                let mut elements = left.elements().into_iter();
                return elements.any(|item| equals(&Compared::Item(item), right, budget));
            }
            left.as_text().is_some_and(|text| text.contains(&*right.item().text(budget)))
        }
    }
}

fn equals(left: &Compared<'_>, right: &Compared<'_>, budget: &Budget) -> bool {
    match (left, right) {
        (Compared::Item(left), Compared::Item(right)) => same(left, right, budget),
        (Compared::Nil, other) | (other @ Compared::Item(_), Compared::Nil) => {
            other.item().is_nullish()
        }
        (Compared::Empty, Compared::Item(item)) | (Compared::Item(item), Compared::Empty) => {
            is_empty(item)
        }
        (Compared::Blank, other @ (Compared::Item(_) | Compared::Nil))
        | (other @ Compared::Item(_), Compared::Blank) => {
            let item = other.item();
            let is_space = item.as_text().is_some_and(|text| crate::text::trim(text).is_empty());
            is_space || !is_true(&item) || is_empty(&item)
        }
        (Compared::Empty | Compared::Blank, _) => false,
    }
}

fn is_empty(item: &Item<'_>) -> bool {
    item.as_text() == Some("")
        || item.len() == Some(0)
        || (item.is_object() && item.fields().is_empty())
}

/// JavaScript's `===`, lists being the same if their elements are.
pub(super) fn same(left: &Item<'_>, right: &Item<'_>, budget: &Budget) -> bool {
    if budget.spend(1).is_none() {
        return false;
    }
    match (left, right) {
        (Item::Map(left), Item::Map(right)) => std::ptr::eq(*left, *right),
        (Item::Object(left), Item::Object(right)) => Arc::ptr_eq(left, right),
        _ if left.is_object() || right.is_object() => false,
        _ if left.is_list() && right.is_list() => {
            let (left, right) = (left.elements(), right.elements());
            left.len() == right.len()
                && left.iter().zip(&right).all(|(left, right)| same(left, right, budget))
        }
        _ => left.equals(right, budget),
    }
}

/// JavaScript's order: of two texts by their units, of anything else as numbers.
fn order(left: &Item<'_>, right: &Item<'_>, budget: &Budget) -> Option<Ordering> {
    let is_text = |item: &Item<'_>| item.as_text().is_some() || item.is_list() || item.is_object();
    if is_text(left) && is_text(right) {
        let (left, right) = (left.text(budget), right.text(budget));
        return Some(left.encode_utf16().cmp(right.encode_utf16()));
    }
    left.to_number(budget).partial_cmp(&right.to_number(budget))
}

/// What a path that is written as a text leads to.
pub(super) fn found<'e>(of: &Item<'e>, written: &str, budget: &Budget) -> Item<'e> {
    path(written).fold(of.clone(), |found, key| property(&found, &Item::made(key), budget))
}
