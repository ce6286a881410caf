//! Segment's mappings: a JSON tree in which objects with a key such as `@path` are directives.
//!
//! The semantics are those of `@segment/actions-core`, quirks included; `docs/reference/mappings.md`
//! has them, and where ours differ and why. A mapping is compiled once: paths are split, templates are
//! read, and what has no directive in it is one constant.

mod compile;
mod directive;
mod placeholders;
mod replace;
mod resolve;

use std::fmt;

use serde_json::Value;

use crate::budget::Budget;
use crate::item::Item;
use crate::liquid::Liquid;
use crate::path::Path;
use crate::problem::Problem;

use placeholders::Placeholders;
use replace::Replace;

/// A compiled mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    root: Node,
    sync_mode: Option<String>,
    matching_key: Option<String>,
}

/// Why an event cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// JSON pointer to the directive.
    pub pointer: String,
    /// What is wrong with what it got.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, reason } = self;
        if pointer.is_empty() { f.write_str(reason) } else { write!(f, "{pointer}: {reason}") }
    }
}

impl std::error::Error for Failure {}

impl Mapping {
    /// Compiles a mapping.
    ///
    /// # Errors
    ///
    /// What is wrong with it: unknown and malformed directives, and those that would fail for every event.
    pub fn compile(mapping: &Value) -> Result<Self, Vec<Problem>> {
        let root = compile::root(mapping)?;
        let internal = |name: &str| Some(mapping.get(name)?.as_str()?.to_owned());
        Ok(Self {
            root,
            sync_mode: internal("__segment_internal_sync_mode"),
            matching_key: internal("__segment_internal_matching_key"),
        })
    }

    /// The payload that an event becomes. A directive that fails is undefined: its key is left out.
    pub fn resolve(&self, event: &Value) -> Value {
        let budget = Budget::new();
        let resolved = self.root.resolve(&Item::of(event), &budget);
        resolved.into_value(&budget).unwrap_or(Value::Null)
    }

    /// The same, or the first failure.
    ///
    /// # Errors
    ///
    /// What Segment's engine throws, with which it refuses the event; or what the event becomes is too
    /// large.
    pub fn try_resolve(&self, event: &Value) -> Result<Value, Failure> {
        let budget = Budget::new();
        let resolved = self.root.resolve(&Item::of(event), &budget);
        let resolved = resolved.into_value(&budget).unwrap_or(Value::Null);
        match budget.failure() {
            Some(failure) => Err(failure),
            None => Ok(resolved),
        }
    }

    /// The same without copying what is of the event.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn item<'e>(&'e self, event: &Item<'e>) -> Result<Item<'e>, Failure> {
        let budget = Budget::new();
        let resolved = self.root.resolve(event, &budget).settled(&budget).unwrap_or(Item::Null);
        match budget.failure() {
            Some(failure) => Err(failure),
            None => Ok(resolved),
        }
    }

    /// How a destination that knows several ways is to sync: `__segment_internal_sync_mode`.
    pub fn sync_mode(&self) -> Option<&str> {
        self.sync_mode.as_deref()
    }

    /// By which field it finds what it syncs: `__segment_internal_matching_key`.
    pub fn matching_key(&self) -> Option<&str> {
        self.matching_key.as_deref()
    }
}

/// A part of a mapping.
#[derive(Debug, Clone)]
enum Node {
    /// What has no directive in it.
    Constant(Value),
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    Path(Path),
    Template(Placeholders),
    /// A path or a template that is itself computed.
    Computed(Box<Computed>),
    If(Box<If>),
    Case {
        upper: bool,
        value: Box<Self>,
    },
    Replace(Box<Replace>),
    Each(Box<Each>),
    Merge {
        objects: Vec<Self>,
        left: bool,
    },
    Transform(Box<Transform>),
    Json {
        encode: bool,
        value: Box<Self>,
    },
    Flatten {
        value: Box<Self>,
        separator: String,
        omits_arrays: bool,
    },
    WithoutNulls(Box<Self>),
    Liquid(Box<Written>),
    /// What is left out whatever the event.
    Undefined,
}

#[derive(Debug, Clone)]
struct Computed {
    of: Node,
    is_path: bool,
    pointer: String,
}

#[derive(Debug, Clone)]
struct If {
    test: Node,
    /// Whether `''`, `0` and `false` count as none.
    is_blank: bool,
    then: Option<Node>,
    other: Option<Node>,
}

/// `@arrayPath`: each element of `root` is the payload of `shape`.
#[derive(Debug, Clone)]
struct Each {
    root: Node,
    shape: Option<Node>,
}

/// `@transform`: what `apply` comes to is the payload of `mapping`.
#[derive(Debug, Clone)]
struct Transform {
    apply: Node,
    mapping: Node,
    pointer: String,
}

#[derive(Debug, Clone)]
struct Written {
    liquid: Liquid,
    pointer: String,
}

#[cfg(test)]
mod tests;
