//! What an expression comes to.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::budget::Budget;
use crate::item::{Item, merged};

use super::{Compare, Compute, Each, Field, Node, Part, Scope};

/// One evaluation of one expression.
#[derive(Debug)]
pub(super) struct Evaluation<'s, 'b> {
    scope: &'b Scope<'s>,
    names: &'s [String],
    pub(super) budget: &'b Budget,
    /// The parameters that are in force.
    locals: Vec<Item<'s>>,
}

impl<'s, 'b> Evaluation<'s, 'b> {
    pub(super) fn new(scope: &'b Scope<'s>, names: &'s [String], budget: &'b Budget) -> Self {
        Self { scope, names, budget, locals: vec![] }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.scope.now_ms
    }

    pub(super) fn item(&mut self, node: &'s Node) -> Item<'s> {
        match self.budget.spend(1) {
            Some(()) => self.made(node).unwrap_or(Item::Undefined),
            None => Item::Undefined,
        }
    }

    fn made(&mut self, node: &'s Node) -> Option<Item<'s>> {
        Some(match node {
            Node::Constant(value) => Item::of(value),
            Node::Undefined => return None,
            Node::Name(_) | Node::Local(_) | Node::Member(..) => self.look(node).into_owned(),
            Node::Element(of, key) => {
                let (of, key) = (self.item(of), self.item(key));
                if key.is_nullish() {
                    return None;
                }
                of.member(&key.text(self.budget))
            }
            Node::List(parts) => self.list(parts)?,
            Node::Object(fields) => self.object(fields)?,
            Node::Not(of) => Item::Bool(!self.look(of).is_true()),
            Node::Negative(of) => Item::Number(-self.item(of).as_number()?),
            Node::And(left, right) => {
                let left = self.look(left);
                if left.is_true() { self.item(right) } else { left.into_owned() }
            }
            Node::Or(left, right) => {
                let left = self.look(left);
                if left.is_true() { left.into_owned() } else { self.item(right) }
            }
            Node::Else(left, right) => {
                let left = self.look(left);
                if left.is_nullish() { self.item(right) } else { left.into_owned() }
            }
            Node::Choice(choice) => {
                let is_met = self.look(&choice.test).is_true();
                self.item(if is_met { &choice.then } else { &choice.other })
            }
            Node::Compare(compare, left, right) => {
                let (left, right) = (self.look(left), self.look(right));
                Item::Bool(self.compares(*compare, &left, &right))
            }
            Node::Compute(compute, left, right) => {
                let (left, right) = (self.item(left), self.item(right));
                self.computed(*compute, &left, &right)?
            }
            Node::Call(call) => self.call(call)?,
        })
    }

    /// The same, without a copy of what a name or a member of it stands for.
    fn look(&mut self, node: &'s Node) -> Cow<'b, Item<'s>> {
        if self.budget.spend(1).is_none() {
            return Cow::Owned(Item::Undefined);
        }
        match node {
            Node::Name(place) => {
                let found = self.names.get(*place).and_then(|name| self.scope.look(name));
                found.map_or(Cow::Owned(Item::Undefined), Cow::Borrowed)
            }
            Node::Local(place) => {
                Cow::Owned(self.locals.get(*place).cloned().unwrap_or(Item::Undefined))
            }
            Node::Member(of, key) => match self.look(of) {
                Cow::Borrowed(of) => of.look(key),
                Cow::Owned(of) => Cow::Owned(of.member(key)),
            },
            node => Cow::Owned(self.made(node).unwrap_or(Item::Undefined)),
        }
    }

    fn list(&mut self, parts: &'s [Part]) -> Option<Item<'s>> {
        let mut items = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::One(node) => {
                    let item = self.item(node);
                    if !item.is_undefined() {
                        items.push(item);
                    }
                }
                Part::Spread(node) => {
                    let all = self.item(node).elements();
                    self.budget.spend(all.len())?;
                    items.extend(all);
                }
            }
        }
        Some(Item::list(items))
    }

    fn object(&mut self, parts: &'s [Field]) -> Option<Item<'s>> {
        let mut fields = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Field::Named(key, node) => fields.push((Cow::Borrowed(&**key), self.item(node))),
                Field::Computed(key, node) => {
                    let (key, item) = (self.item(key), self.item(node));
                    if !key.is_nullish() {
                        fields.push((Cow::Owned(key.text(self.budget).into_owned()), item));
                    }
                }
                Field::Spread(node) => {
                    let spread = self.item(node);
                    if spread.is_object() {
                        let all = spread.fields();
                        self.budget.spend(all.len())?;
                        fields.extend(all);
                    }
                }
            }
        }
        // What is undefined hides nothing that is there.
        fields.retain(|(_, item)| !item.is_undefined());
        Some(Item::object(merged(fields)))
    }

    fn compares(&self, compare: Compare, left: &Item<'s>, right: &Item<'s>) -> bool {
        let order = || order(left, right);
        match compare {
            Compare::Equal => left.equals(right, self.budget),
            Compare::Unequal => !left.equals(right, self.budget),
            Compare::Less => order() == Some(Ordering::Less),
            Compare::AtMost => order().is_some_and(Ordering::is_le),
            Compare::Greater => order() == Some(Ordering::Greater),
            Compare::AtLeast => order().is_some_and(Ordering::is_ge),
        }
    }

    fn computed(&self, compute: Compute, left: &Item<'s>, right: &Item<'s>) -> Option<Item<'s>> {
        if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
            let number = match compute {
                Compute::Add => left + right,
                Compute::Subtract => left - right,
                Compute::Multiply => left * right,
                Compute::Divide => left / right,
                Compute::Remainder => left % right,
            };
            return number.is_finite().then_some(Item::Number(number));
        }
        let is_text = left.as_text().is_some() || right.as_text().is_some();
        if compute != Compute::Add || !is_text || left.is_nullish() || right.is_nullish() {
            return None;
        }
        let (left, right) = (left.text(self.budget), right.text(self.budget));
        self.budget.spend(left.len() + right.len())?;
        Some(Item::made(format!("{left}{right}")))
    }

    /// What a function of one element gives for it.
    pub(super) fn apply(&mut self, each: &'s Each, item: Item<'s>, second: Item<'s>) -> Item<'s> {
        self.locals.truncate(each.around);
        let arguments = [item, second];
        self.locals.extend(arguments.into_iter().take(each.parameters));
        self.locals.resize(each.around + each.parameters, Item::Undefined);
        let given = self.item(&each.body);
        self.locals.truncate(each.around);
        given
    }
}

/// Numbers have an order, and texts have one by their code points; nothing else has.
pub(super) fn order(left: &Item<'_>, right: &Item<'_>) -> Option<Ordering> {
    match (left.as_number(), right.as_number()) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        (None, None) => Some(left.as_text()?.cmp(right.as_text()?)),
        _ => None,
    }
}
