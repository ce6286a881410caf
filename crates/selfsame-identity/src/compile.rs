//! Rules that were checked and made quick to follow.

use std::borrow::Cow;

use selfsame_event::{Class, Collection, Position};

use crate::blocklist::Blocklist;
use crate::household::Households;
use crate::number::{TypeNumber, TypeNumbers};
use crate::people::MOST_PEOPLE;
use crate::rule::{BUILT_IN, Caps, Limit, Options, RuleSet, Strategy, TypeRule};

/// Why rules cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// A type's name is not lower case, or empty, or long.
    #[error("type {name:?}: a name has 1 to 64 of the characters a-z, 0-9, `_`, `.` and `-`")]
    Name { name: String },
    /// A type is listed twice.
    #[error("type `{name}` is listed twice")]
    NameTwice { name: String },
    /// A built-in type is listed under the wrong collection.
    #[error("type `{name}` identifies {collection}; list it with `collection: {collection}`")]
    Collection { name: String, collection: &'static str },
    /// A built-in type has a key.
    #[error("type `{name}` is read from its own place in an event and takes no `key`")]
    Key { name: String },
    /// A custom type has the key of another type.
    #[error("types `{name}` and `{other}` are both read from the key `{key}`")]
    KeyTwice { name: String, other: String, key: String },
    /// A priority of 0.
    #[error("type `{name}`: priorities start at 1, the most trusted")]
    PriorityZero { name: String },
    /// Two types of a collection have one priority.
    #[error("types `{name}` and `{other}` both have priority {priority}")]
    PriorityTwice { name: String, other: String, priority: u16 },
    /// A limit of 0.
    #[error("type `{name}`: a limit is at least 1; to ignore the type, do not list it")]
    LimitZero { name: String },
    /// A cap of 0.
    #[error("`caps.mappings` is at least 1")]
    CapZero,
    /// A number of people that makes no device a shared one, or more than are counted.
    #[error("`shared_devices.people` is 2 to {MOST_PEOPLE}")]
    SharedDevices,
    /// A regular expression that cannot be read.
    #[error("type `{name}`: a blocked regex cannot be used")]
    Regex {
        name: String,
        #[source]
        source: regex::Error,
    },
    /// A trait of cards that no event can have.
    #[error("`households.card` is the name of a trait, of 1 to 512 bytes")]
    Card,
    /// A regular expression of all types that cannot be read.
    #[error("a blocked regex cannot be used")]
    Blocked(#[source] regex::Error),
    /// Every number is taken.
    #[error("the space has named more types than there are numbers")]
    TooManyTypes,
}

impl RuleError {
    /// What the caller can do about it: write other rules.
    pub fn class(&self) -> Class {
        Class::Invalid
    }
}

/// One type, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    pub(crate) number: TypeNumber,
    pub(crate) name: Box<str>,
    pub(crate) collection: Collection,
    pub(crate) priority: u16,
    pub(crate) limit: Limit,
    pub(crate) fold_case: bool,
    pub(crate) blocked: Blocklist,
}

/// A trait or property key, and the type of what it carries.
#[derive(Debug, Clone)]
pub(crate) struct NamedKey {
    pub(crate) key: Box<str>,
    pub(crate) number: TypeNumber,
}

/// The rules of a space, in force.
///
/// Invariants: every type has a number, no two of a collection have the same priority, and limits
/// and caps are at least 1.
#[derive(Debug, Clone)]
pub struct Rules {
    /// By number; none where a type is no longer listed.
    types: Vec<Option<Type>>,
    /// The numbers of listed types, most trusted first.
    by_priority: Vec<TypeNumber>,
    /// Keys of traits that identify users: `email` and custom ones.
    pub(crate) user_keys: Vec<NamedKey>,
    /// Keys of a group's traits that identify accounts.
    pub(crate) account_keys: Vec<NamedKey>,
    pub(crate) reads_device: bool,
    options: Options,
    caps: Caps,
    strategy: Strategy,
    /// With how many people a device is shared.
    shared_devices: Option<usize>,
    has_windows: bool,
    households: Households,
    since: Position,
}

impl Rules {
    /// Checks rules and makes them quick. New types get the next numbers.
    pub fn compile(set: &RuleSet, numbers: &mut TypeNumbers) -> Result<Self, RuleError> {
        check(set)?;
        let mut rules = Self {
            types: Vec::new(),
            by_priority: Vec::new(),
            user_keys: Vec::new(),
            account_keys: Vec::new(),
            reads_device: false,
            options: set.options.clone(),
            caps: set.caps,
            strategy: set.strategy,
            shared_devices: set.shared_devices.and_then(|rule| usize::try_from(rule.people).ok()),
            has_windows: set.types.iter().any(|rule| rule.limit.window.micros().is_some()),
            households: Households::default(),
            since: Position::default(),
        };
        let mut compiled = Vec::with_capacity(set.types.len());
        let mut assigned = numbers.clone();
        for rule in &set.types {
            compiled.push(compile_type(rule, set, &mut assigned)?);
        }
        compiled.sort_by_key(|one| (one.collection, one.priority));
        *numbers = assigned;
        for one in compiled {
            rules.by_priority.push(one.number);
            rules.reads_device |= one.name.starts_with("ios.") || one.name.starts_with("android.");
            let index = usize::from(one.number.0);
            if rules.types.len() <= index {
                rules.types.resize(index + 1, None);
            }
            rules.types[index] = Some(one);
        }
        for rule in &set.types {
            rules.add_keys(rule, numbers);
        }
        rules.households = Households::compile(set)?;
        Ok(rules)
    }

    fn add_keys(&mut self, rule: &TypeRule, numbers: &TypeNumbers) {
        let Some(number) = numbers.number(rule.collection, &rule.name) else { return };
        let keys = match rule.collection {
            Collection::Users => &mut self.user_keys,
            Collection::Accounts => &mut self.account_keys,
        };
        keys.extend(keys_of(rule).into_iter().map(|key| NamedKey { key: key.into(), number }));
    }

    /// The same, in force for records behind that one.
    #[must_use]
    pub fn in_force_since(mut self, record: Position) -> Self {
        self.since = record;
        self
    }

    /// The record that put them in force.
    pub fn since(&self) -> Position {
        self.since
    }

    /// Whether a limit has a window.
    pub(crate) fn has_windows(&self) -> bool {
        self.has_windows
    }

    /// Who is one household.
    pub fn households(&self) -> &Households {
        &self.households
    }

    /// The caps on a profile's graph.
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// What an event does that names two known people.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// With how many people a device no longer identifies.
    pub(crate) fn shared_devices(&self) -> Option<usize> {
        self.shared_devices
    }

    /// Whether a device may leave a profile under them.
    pub(crate) fn moves_devices(&self) -> bool {
        self.strategy == Strategy::Link || self.shared_devices.is_some()
    }

    /// The name of a listed type.
    pub fn name(&self, number: TypeNumber) -> Option<&str> {
        self.of(number).map(|one| &*one.name)
    }

    /// The number of a listed type.
    pub fn number(&self, collection: Collection, name: &str) -> Option<TypeNumber> {
        self.listed()
            .find(|one| one.collection == collection && *one.name == *name)
            .map(|one| one.number)
    }

    /// A value as it is compared, which for e-mail addresses is without outer white space and in
    /// ASCII lower case. Look-ups by value go through here.
    pub fn folded<'v>(&self, number: TypeNumber, value: &'v str) -> Cow<'v, str> {
        match self.of(number) {
            Some(one) if one.fold_case => fold(Cow::Borrowed(value)),
            _ => Cow::Borrowed(value),
        }
    }

    pub(crate) fn of(&self, number: TypeNumber) -> Option<&Type> {
        self.types.get(usize::from(number.0))?.as_ref()
    }

    /// A listed built-in type, by its place in [`BUILT_IN`].
    pub(crate) fn built_in(&self, index: u16) -> Option<TypeNumber> {
        self.of(TypeNumber(index)).map(|one| one.number)
    }

    /// Every listed type, users first, most trusted first.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Type> {
        self.by_priority.iter().filter_map(|number| self.of(*number))
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}

/// ASCII only, so that a newer Unicode table never changes who is who.
pub(crate) fn fold(value: Cow<'_, str>) -> Cow<'_, str> {
    let trimmed = value.trim();
    if trimmed.len() == value.len() && !value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return value;
    }
    Cow::Owned(trimmed.to_ascii_lowercase())
}

fn compile_type(
    rule: &TypeRule,
    set: &RuleSet,
    numbers: &mut TypeNumbers,
) -> Result<Type, RuleError> {
    let fold_case = rule.fold_case.unwrap_or(rule.name == "email");
    let folded = |value: &str| match fold_case {
        true => fold(Cow::Borrowed(value)).into_owned(),
        false => value.to_owned(),
    };
    let blocked = Blocklist::compile([&set.blocked, &rule.blocked], folded)
        .map_err(|source| RuleError::Regex { name: rule.name.clone(), source })?;
    let number = numbers.assign(rule.collection, &rule.name).ok_or(RuleError::TooManyTypes)?;
    Ok(Type {
        number,
        name: rule.name.as_str().into(),
        collection: rule.collection,
        priority: rule.priority,
        limit: rule.limit,
        fold_case,
        blocked,
    })
}

fn check(set: &RuleSet) -> Result<(), RuleError> {
    if set.caps.mappings == 0 {
        return Err(RuleError::CapZero);
    }
    let is_countable = |people| (2..=MOST_PEOPLE).contains(&people);
    let people = set.shared_devices.map(|rule| usize::try_from(rule.people));
    if people.is_some_and(|people| !people.is_ok_and(is_countable)) {
        return Err(RuleError::SharedDevices);
    }
    for (index, rule) in set.types.iter().enumerate() {
        check_type(rule)?;
        for other in &set.types[..index] {
            check_pair(rule, other)?;
        }
    }
    Ok(())
}

fn check_type(rule: &TypeRule) -> Result<(), RuleError> {
    let name = || rule.name.clone();
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-')
    };
    if rule.name.is_empty() || rule.name.len() > 64 || !rule.name.bytes().all(is_plain) {
        return Err(RuleError::Name { name: name() });
    }
    if let Some((collection, _)) = BUILT_IN.iter().find(|(_, one)| *one == rule.name) {
        if *collection != rule.collection {
            return Err(RuleError::Collection { name: name(), collection: collection.name() });
        }
        if rule.key.is_some() {
            return Err(RuleError::Key { name: name() });
        }
    }
    if rule.priority == 0 {
        return Err(RuleError::PriorityZero { name: name() });
    }
    if rule.limit.count == 0 {
        return Err(RuleError::LimitZero { name: name() });
    }
    Ok(())
}

fn check_pair(rule: &TypeRule, other: &TypeRule) -> Result<(), RuleError> {
    if rule.collection != other.collection {
        return Ok(());
    }
    let (name, other_name) = (rule.name.clone(), other.name.clone());
    if name == other_name {
        return Err(RuleError::NameTwice { name });
    }
    if rule.priority == other.priority {
        return Err(RuleError::PriorityTwice { name, other: other_name, priority: rule.priority });
    }
    let others = keys_of(other);
    match keys_of(rule).into_iter().find(|key| others.contains(key)) {
        Some(key) => Err(RuleError::KeyTwice { name, other: other_name, key }),
        None => Ok(()),
    }
}

/// The keys of traits that carry a type: for `app_id`, both `app_id` and `appId`.
fn keys_of(rule: &TypeRule) -> Vec<String> {
    let built_in = BUILT_IN.iter().any(|(_, name)| *name == rule.name);
    let key = match &rule.key {
        _ if rule.name == "email" => return vec!["email".to_owned()],
        _ if built_in => return Vec::new(),
        Some(key) => key,
        None => &rule.name,
    };
    let mut keys = vec![key.clone(), snake_case(key), camel_case(key)];
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn camel_case(key: &str) -> String {
    let mut camel = String::with_capacity(key.len());
    let mut raise = false;
    for letter in key.chars() {
        if letter == '_' && !camel.is_empty() {
            raise = true;
        } else {
            camel.push(if raise { letter.to_ascii_uppercase() } else { letter });
            raise = false;
        }
    }
    camel
}

#[cfg(test)]
mod tests;
