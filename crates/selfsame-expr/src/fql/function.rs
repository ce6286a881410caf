//! The functions of FQL, by name.

/// A function and how it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Contains,
    Match,
    Length,
    Lowercase,
    Uppercase,
    Snakecase,
    Kebabcase,
    Titlecase,
    TypeOf,
    Bool,
    String,
    Number,
    /// Ours: whether an address is in a network.
    CidrMatch,
}

impl Function {
    /// Every function: its name, and how many arguments it has.
    pub(super) const ALL: [(&'static str, Self, usize); 13] = [
        ("contains", Self::Contains, 2),
        ("match", Self::Match, 2),
        ("length", Self::Length, 1),
        ("lowercase", Self::Lowercase, 1),
        ("uppercase", Self::Uppercase, 1),
        ("snakecase", Self::Snakecase, 1),
        ("kebabcase", Self::Kebabcase, 1),
        ("titlecase", Self::Titlecase, 1),
        ("typeof", Self::TypeOf, 1),
        ("bool", Self::Bool, 1),
        ("string", Self::String, 1),
        ("number", Self::Number, 1),
        ("cidrmatch", Self::CidrMatch, 2),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, function, _)| *function == self).map_or("", |(name, ..)| name)
    }
}
