//! Why a change of the configuration has no effect.

/// Why a change was not applied. The record stays, without effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A name that does not exist.
    #[error("there is no {kind} `{id}`")]
    Unknown {
        /// Of what kind.
        kind: &'static str,
        /// Which.
        id: String,
    },
    /// Something that is already there.
    #[error("{what} is taken")]
    Taken {
        /// What.
        what: &'static str,
    },
    /// A change of who is who that cannot be made.
    #[error("nothing was set apart or lifted: {reason}")]
    Identity {
        /// Why.
        reason: String,
    },
    /// A definition that has no meaning.
    #[error("the definition is not valid: {reason}")]
    Definition {
        /// What is wrong, and where.
        reason: String,
    },
    /// A function that is used where it cannot be, or removed while it is used.
    #[error("{reason}")]
    Function {
        /// Why.
        reason: String,
    },
    /// Rules that do not compile.
    #[error("the identity rules are not valid: {reason}")]
    Rules {
        /// The compiler's words.
        reason: String,
    },
}
