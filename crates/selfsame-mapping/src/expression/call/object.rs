//! Functions of objects.

use std::borrow::Cow;

use crate::budget::Budget;
use crate::item::{Fields, Item, merged};
use crate::path::Path;

use super::{Given, Name, is_empty, scalar};

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    match given.call.name {
        Name::Get => {
            let path = given.argument_text(1)?;
            return Some(Path::read(&path).find(&given.subject));
        }
        Name::Merge => {
            let mut all = vec![given.subject.clone()];
            all.extend(given.others());
            let objects = all.iter().filter(|item| item.is_object());
            let fields: Vec<_> = objects.flat_map(Item::fields).collect();
            given.budget().spend(fields.len())?;
            return Some(Item::object(merged(fields)));
        }
        Name::DropNull | Name::DropEmpty => {
            let drops_empty = given.call.name == Name::DropEmpty;
            return dropped(given.subject.clone(), drops_empty, given.budget());
        }
        Name::FromEntries => return from_entries(given),
        _ if !given.subject.is_object() => return None,
        _ => {}
    }
    let fields = given.subject.fields();
    given.budget().spend(fields.len())?;
    Some(match given.call.name {
        Name::Keys => Item::list(fields.into_iter().map(|(key, _)| Item::made(&*key)).collect()),
        Name::Values => Item::list(fields.into_iter().map(|(_, item)| item).collect()),
        Name::Entries => {
            let entries = fields.into_iter().map(|(key, item)| {
                let key = (Cow::Borrowed("key"), Item::made(&*key));
                Item::object(vec![key, (Cow::Borrowed("value"), item)])
            });
            Item::list(entries.collect())
        }
        Name::Flatten => {
            let between = given.argument_text(1).unwrap_or_else(|| ".".to_owned());
            let mut flat = vec![];
            flatten(fields, "", &between, given.budget(), &mut flat)?;
            Item::object(merged(flat))
        }
        name => {
            let keys = given.others();
            let keys = keys
                .into_iter()
                .flat_map(|key| if key.is_list() { key.elements() } else { vec![key] });
            let keys: Vec<_> =
                keys.filter_map(|key| scalar(&key, given.budget()).map(Cow::into_owned)).collect();
            given.budget().spend(fields.len().saturating_mul(keys.len()))?;
            let is_kept = |key: &str| keys.iter().any(|known| known == key) == (name == Name::Pick);
            Item::object(fields.into_iter().filter(|(key, _)| is_kept(key)).collect())
        }
    })
}

fn from_entries<'s>(given: &Given<'_, 's, '_>) -> Option<Item<'s>> {
    if !given.subject.is_list() {
        return None;
    }
    let mut fields = vec![];
    for entry in given.subject.elements() {
        given.budget().spend(1)?;
        let (key, value) = (entry.member("key"), entry.member("value"));
        if let Some(key) = scalar(&key, given.budget())
            && !value.is_undefined()
        {
            fields.push((Cow::Owned(key.into_owned()), value));
        }
    }
    Some(Item::object(merged(fields)))
}

fn flatten<'s>(
    fields: Fields<'s>,
    prefix: &str,
    between: &str,
    budget: &Budget,
    flat: &mut Fields<'s>,
) -> Option<()> {
    for (key, item) in fields {
        let key =
            if prefix.is_empty() { key.into_owned() } else { format!("{prefix}{between}{key}") };
        budget.spend(1 + key.len())?;
        if item.is_object() {
            flatten(item.fields(), &key, between, budget, flat)?;
        } else {
            flat.push((Cow::Owned(key), item));
        }
    }
    Some(())
}

/// The value without null, and perhaps without what has nothing in it.
fn dropped<'s>(item: Item<'s>, drops_empty: bool, budget: &Budget) -> Option<Item<'s>> {
    budget.spend(1)?;
    let kept = if item.is_object() {
        let fields = item.fields().into_iter();
        let kept =
            fields.filter_map(|(key, item)| Some((key, dropped(item, drops_empty, budget)?)));
        Item::object(kept.collect())
    } else if item.is_list() {
        let items = item.elements().into_iter();
        Item::list(items.filter_map(|item| dropped(item, drops_empty, budget)).collect())
    } else {
        item
    };
    let is_dropped = kept.is_nullish() || (drops_empty && is_empty(&kept));
    (!is_dropped).then_some(kept)
}
