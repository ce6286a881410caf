//! What definitions refer to, and in which order they can be computed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Display};

use crate::query::ast::{Condition, Filter, Path, Reduce, Scalar, Step};

/// The traits that a definition reads, by key. An audience is one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Of the holder of the definition.
    pub own: BTreeSet<String>,
    /// Of the users of an account: what stands under `ANY` and `ALL`.
    pub users: BTreeSet<String>,
}

impl References {
    /// What a condition reads.
    pub fn of_condition(condition: &Condition) -> Self {
        let mut all = Self::default();
        all.condition(condition, false);
        all
    }

    /// What a value reads.
    pub fn of_scalar(scalar: &Scalar) -> Self {
        let mut all = Self::default();
        all.scalar(scalar, false);
        all
    }

    fn condition(&mut self, condition: &Condition, of_users: bool) {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => {
                parts.iter().for_each(|part| self.condition(part, of_users));
            }
            Condition::Not(part) => self.condition(part, of_users),
            Condition::Any(part) | Condition::All(part) => self.condition(part, true),
            Condition::Is(comparison) => {
                self.scalar(&comparison.value, of_users);
                comparison.test.scalars().for_each(|right| self.scalar(right, of_users));
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, of_users: bool) {
        match scalar {
            Scalar::Trait(Path { steps, .. }) => {
                if let Some(Step::Key(key)) = steps.first() {
                    let keys = if of_users { &mut self.users } else { &mut self.own };
                    keys.insert(key.clone());
                }
            }
            Scalar::Reduced(reduce) => self.reduce(reduce, of_users),
            Scalar::Literal(_)
            | Scalar::Property(_)
            | Scalar::ParentProperty(_)
            | Scalar::Context(_) => {}
        }
    }

    fn reduce(&mut self, reduce: &Reduce, of_users: bool) {
        for filter in &reduce.stream.filters {
            if let Filter::Where(condition) = filter {
                self.condition(condition, of_users);
            }
        }
    }
}

/// Definitions refer to each other in a circle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle<K> {
    /// One that refers to the next, and so on, to the first one again.
    pub path: Vec<K>,
}

impl<K: Display> Display for Cycle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("definitions refer to each other in a circle: ")?;
        for (nth, key) in self.path.iter().enumerate() {
            write!(f, "{}`{key}`", if nth == 0 { "" } else { " reads " })?;
        }
        Ok(())
    }
}

impl<K: Display + Debug> std::error::Error for Cycle<K> {}

/// Orders definitions by what they refer to, given what each of them reads: those of a stratum read
/// only those of earlier ones. What is read and is not among them is a plain trait.
///
/// # Errors
///
/// Definitions refer to each other in a circle.
pub fn order<K: Ord + Clone>(reads: &BTreeMap<K, BTreeSet<K>>) -> Result<Vec<Vec<K>>, Cycle<K>> {
    let mut readers: BTreeMap<&K, Vec<&K>> = BTreeMap::new();
    let mut open: BTreeMap<&K, usize> = BTreeMap::new();
    for (key, read) in reads {
        let defined = read.iter().filter(|read| reads.contains_key(read));
        open.insert(key, defined.clone().count());
        for read in defined {
            readers.entry(read).or_default().push(key);
        }
    }
    let mut strata = vec![];
    let mut next: Vec<&K> =
        open.iter().filter(|(_, open)| **open == 0).map(|(key, _)| *key).collect();
    while !next.is_empty() {
        next.sort();
        let mut after = vec![];
        for key in &next {
            open.remove(*key);
            for reader in readers.get(key).into_iter().flatten().copied() {
                if let Some(left) = open.get_mut(reader) {
                    *left -= 1;
                    if *left == 0 {
                        after.push(reader);
                    }
                }
            }
        }
        strata.push(next.into_iter().cloned().collect());
        next = after;
    }
    if open.is_empty() { Ok(strata) } else { Err(circle(reads, &open)) }
}

/// What is left over reads something that is left over, so going on ends where it was before.
fn circle<K: Ord + Clone>(
    reads: &BTreeMap<K, BTreeSet<K>>,
    left: &BTreeMap<&K, usize>,
) -> Cycle<K> {
    let mut path: Vec<&K> = left.keys().copied().take(1).collect();
    let mut seen: BTreeSet<&K> = path.iter().copied().collect();
    while let Some(last) = path.last() {
        let next = reads.get(*last).into_iter().flatten().find(|read| left.contains_key(read));
        let Some(next) = next else { break };
        path.push(next);
        if !seen.insert(next) {
            let start = path.iter().position(|key| *key == next).unwrap_or(0);
            path.drain(..start);
            break;
        }
    }
    Cycle { path: path.into_iter().cloned().collect() }
}
