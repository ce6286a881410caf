//! What identifies somebody: a type and a value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which kind of profile an identifier belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Collection {
    /// People.
    Users = 0,
    /// Accounts (groups): companies, teams, households.
    Accounts = 1,
}

impl Collection {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Accounts => "accounts",
        }
    }

    /// The collection of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Users, Self::Accounts].into_iter().find(|collection| collection.name() == name)
    }
}

/// One external id: `(type, value)`, the type in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// The type's name, such as `user_id`.
    pub kind: Box<str>,
    /// The value, as it is matched.
    pub value: Box<str>,
}

impl Identifier {
    /// An identifier of that type and value.
    pub fn new(kind: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

/// `type:value`, as the Profile API writes it.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// Values are personal data: `Debug` shows the type only.
impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({}:…)", self.kind)
    }
}
