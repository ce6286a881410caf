//! Who sends to a source, and with what.

use serde::{Deserialize, Serialize};

/// Who sends to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Not said.
    #[default]
    Any,
    /// Browsers.
    Browser,
    /// Apps on phones.
    Mobile,
    /// Servers, which send for many customers.
    Server,
}

impl SourceKind {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Browser => "browser",
            Self::Mobile => "mobile",
            Self::Server => "server",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// Which script browsers of a source get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrowserSdk {
    /// Segment's `analytics-next`: what every source had before there was ours.
    #[default]
    Official,
    /// Ours.
    Selfsame,
}

impl BrowserSdk {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn is_official(&self) -> bool {
        *self == Self::Official
    }
}
