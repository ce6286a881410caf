//! What is wrong with a definition that cannot be computed.

use selfsame_expr::query::Misuse;

use crate::datum::MOST_VALUE_BYTES;
use crate::demand::MOST_BYTES;

/// A definition that cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// It has no meaning, for these reasons.
    #[error("{}", sentences(.0))]
    Misuse(Vec<Misuse>),
    /// A text is too long to be kept and compared.
    #[error(
        "A text of {bytes} bytes is compared with, and values are kept up to {MOST_VALUE_BYTES} bytes: \
         compare with its beginning (`starts_with`)."
    )]
    Value {
        /// How long it is.
        bytes: usize,
    },
    /// It would keep too much of each person.
    #[error(
        "It could keep {bytes} bytes of each person, and a definition may keep {MOST_BYTES}: make \
         computed traits of parts of it and refer to them with `trait('…')`."
    )]
    Size {
        /// How much it could keep.
        bytes: usize,
    },
}

fn sentences(misuses: &[Misuse]) -> String {
    match misuses {
        [] => "It has no meaning.".to_owned(),
        all => all.iter().map(|one| one.sentence.as_str()).collect::<Vec<_>>().join(" "),
    }
}
