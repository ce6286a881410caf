//! The code of a function, and what is wrong with it.

use std::fmt;
use std::sync::Arc;

use selfsame_event::Class;
use serde::{Deserialize, Serialize};

use crate::sandbox::Sandbox;
use crate::{Fault, Limits};

/// Most bytes of a function's code.
pub const CODE_BYTES: usize = 64 << 10;

/// Where a function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Before the log: it makes events of requests.
    Source,
    /// Before one destination: it changes or drops what that gets.
    Insert,
    /// It is the destination.
    Destination,
    /// Nobody's function: what the program has of somebody else, called with a value for a value.
    Program,
}

impl Kind {
    /// Every kind of functions.
    pub const ALL: [Self; 3] = [Self::Source, Self::Insert, Self::Destination];

    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Insert => "insert",
            Self::Destination => "destination",
            Self::Program => "program",
        }
    }

    /// The kind of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The handlers that a function of this kind may have.
    pub const fn handlers(self) -> &'static [Handler] {
        match self {
            Self::Source => &[Handler::Request],
            Self::Insert | Self::Destination => Handler::OF_EVENTS,
            Self::Program => &[Handler::Call],
        }
    }
}

macro_rules! handlers {
    ($($handler:ident $name:literal;)+) => {
        /// What a function may define.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Handler {
            $(#[doc = concat!("`", $name, "`")] $handler,)+
        }

        impl Handler {
            /// Every handler.
            pub const ALL: &[Self] = &[$(Self::$handler),+];

            /// Its name in the function.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$handler => $name,)+
                }
            }
        }
    };
}

handlers! {
    Request "onRequest";
    Track "onTrack";
    Identify "onIdentify";
    Page "onPage";
    Screen "onScreen";
    Group "onGroup";
    Alias "onAlias";
    Delete "onDelete";
    Batch "onBatch";
    Call "onCall";
}

impl Handler {
    /// Those of destination and insert functions.
    const OF_EVENTS: &'static [Self] = &[
        Self::Track,
        Self::Identify,
        Self::Page,
        Self::Screen,
        Self::Group,
        Self::Alias,
        Self::Delete,
        Self::Batch,
    ];
}

/// The code of a function. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    kind: Kind,
    text: Arc<str>,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Why a text is no function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It is too long.
    #[error("the code has {size} bytes; a function has at most {CODE_BYTES}")]
    TooLong {
        /// How long it is.
        size: usize,
    },
    /// It cannot be read, or its top level fails.
    #[error("{}", at(.0))]
    Fails(Fault),
    /// It defines no handler of its kind.
    #[error("a function of this kind defines {}; this one defines none of them", names(*.0))]
    NoHandler(Kind),
}

impl CodeError {
    /// What the one who wrote it can do.
    pub fn class(&self) -> Class {
        Class::Invalid
    }
}

/// What a fault says, with its place.
fn at(fault: &Fault) -> String {
    let place = fault.stack.lines().next().map(str::trim).unwrap_or_default();
    let text = format!("{}: {}", fault.name, fault.message);
    if place.is_empty() { text } else { format!("{text} ({place})") }
}

fn names(kind: Kind) -> String {
    let names: Vec<&str> = kind.handlers().iter().map(|handler| handler.name()).collect();
    names.join(", ")
}

impl Code {
    /// The code of a function. It is not looked at: see [`Code::check`].
    pub fn new(kind: Kind, text: &str) -> Self {
        Self { kind, text: text.into() }
    }

    /// Where the function stands.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The code.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is the very same text, as far as that can be said without reading it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }

    /// The handlers that it defines. Runs its top level, on this thread, within the limits.
    pub fn check(&self, limits: &Limits) -> Result<Vec<Handler>, CodeError> {
        if self.text.len() > CODE_BYTES {
            return Err(CodeError::TooLong { size: self.text.len() });
        }
        let sandbox = Sandbox::new(self, limits).map_err(CodeError::Fails)?;
        let mut found = sandbox.handlers().to_vec();
        found.retain(|handler| self.kind.handlers().contains(handler));
        if found.is_empty() { Err(CodeError::NoHandler(self.kind)) } else { Ok(found) }
    }
}
