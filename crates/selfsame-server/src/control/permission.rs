//! What may be done, and which role may do it: one table.

use selfsame_pipeline::workspace::Role;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Nothing: signing in, and asking who one is.
    Open,
    /// See configuration and counts.
    Read,
    /// See the content of events and profiles: what is of persons.
    Events,
    /// Make, change and preview audiences and computed traits.
    Audiences,
    /// Say who is one person: undo merges, set identifiers apart.
    Identity,
    /// Change the rest of the configuration or add events, without seeing a secret.
    Write,
    /// Make a change whose answer has a new secret.
    Secrets,
    /// List, make and revoke tokens.
    Tokens,
    /// List, add, change and remove members.
    Members,
    /// See who did what.
    Audit,
    /// Write to the server's disk: backups.
    Operate,
}

impl Permission {
    /// Every permission that a role can have.
    pub(crate) const ALL: [Self; 10] = [
        Self::Read,
        Self::Events,
        Self::Audiences,
        Self::Identity,
        Self::Write,
        Self::Secrets,
        Self::Tokens,
        Self::Members,
        Self::Audit,
        Self::Operate,
    ];

    /// The word in the document.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Open => "none",
            Self::Read => "read",
            Self::Events => "events",
            Self::Audiences => "audiences",
            Self::Identity => "identity",
            Self::Write => "write",
            Self::Secrets => "secrets",
            Self::Tokens => "tokens",
            Self::Members => "members",
            Self::Audit => "audit",
            Self::Operate => "operate",
        }
    }

    /// What it is, as a sentence.
    #[cfg(test)]
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Open => "Sign in, and ask who one is",
            Self::Read => "See configuration and counts, nothing of persons",
            Self::Events => "See the content of events and profiles: what is of persons",
            Self::Audiences => "Make, change and preview audiences and computed traits",
            Self::Identity => "Say who is one person: undo merges, set identifiers apart",
            Self::Write => {
                "Change the rest of the configuration or add events, without seeing a secret"
            }
            Self::Secrets => "Make a change whose answer has a new secret",
            Self::Tokens => "List, make and revoke tokens",
            Self::Members => "List, add, change and remove members",
            Self::Audit => "See who did what",
            Self::Operate => "Write to the server's disk: backups",
        }
    }
}

/// What a role may do.
pub(crate) const fn granted(role: Role) -> &'static [Permission] {
    match role {
        Role::Owner | Role::Admin => &Permission::ALL,
        Role::Editor => &[
            Permission::Read,
            Permission::Events,
            Permission::Audiences,
            Permission::Identity,
            Permission::Write,
            Permission::Secrets,
        ],
        Role::Analyst => &[Permission::Read, Permission::Events, Permission::Audiences],
        Role::Viewer => &[Permission::Read],
        Role::PrivacyOfficer => {
            &[Permission::Read, Permission::Events, Permission::Identity, Permission::Audit]
        }
    }
}

/// Whether a role may do that.
pub(crate) fn may(role: Role, wanted: Permission) -> bool {
    wanted == Permission::Open || granted(role).contains(&wanted)
}

/// Whether one role has all that another one has. Owners alone are above administrators.
pub(crate) fn covers(role: Role, other: Role) -> bool {
    let all = granted(other).iter().all(|one| granted(role).contains(one));
    all && (other != Role::Owner || role == Role::Owner)
}
