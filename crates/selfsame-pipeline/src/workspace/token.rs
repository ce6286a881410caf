//! Tokens of the APIs, and what one is for. What each role may do is said by who serves requests, not here.

use serde::{Deserialize, Serialize};

/// A token of the APIs. Only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The id that APIs show.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// SHA-256 of the token, in hex.
    pub hash: String,
    /// Whether it is no longer accepted.
    #[serde(default)]
    pub revoked: bool,
    /// What it is for. Left out where it is an owner's, as in records from before there were roles.
    #[serde(default, skip_serializing_if = "Role::is_owner")]
    pub role: Role,
}

/// What a token or a member is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything; also what tokens are from before there were roles.
    #[default]
    Owner,
    /// May do everything but what concerns owners.
    Admin,
    /// Configures, and sees everything.
    Editor,
    /// Sees everything, and makes audiences and computed traits.
    Analyst,
    /// Sees the configuration and numbers, nothing of persons.
    Viewer,
    /// Sees everything and who did what, and takes apart who is one person.
    PrivacyOfficer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Owner, Self::Admin, Self::Editor, Self::Analyst, Self::Viewer, Self::PrivacyOfficer];

    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Analyst => "analyst",
            Self::Viewer => "viewer",
            Self::PrivacyOfficer => "privacy_officer",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_owner(&self) -> bool {
        *self == Self::Owner
    }
}
