//! Globs: patterns that a whole text has to match, letter by letter.

/// Longest pattern, in bytes. Matching takes at most its length times that of the text.
const MOST_BYTES: usize = super::TEXT_BYTES;

/// A pattern that is well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// `*`: any run of characters, `/` among them.
    Any,
    /// `?`: any one.
    One,
    /// That one.
    Same(char),
    /// `[a-z]`: one of these ranges; `[^a-z]`: none of them.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a pattern; `None` where it is malformed, or too long.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        if pattern.len() > MOST_BYTES {
            return None;
        }
        let mut chars = pattern.chars().peekable();
        let mut parts = vec![];
        while let Some(char) = chars.next() {
            parts.push(match char {
                '*' => Part::Any,
                '?' => Part::One,
                '\\' => Part::Same(chars.next()?),
                '[' => {
                    let negated = chars.next_if_eq(&'^').is_some();
                    let mut ranges = vec![];
                    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                        let low = class_char(&mut chars)?;
                        let high = match chars.next_if_eq(&'-') {
                            Some(_) => class_char(&mut chars)?,
                            None => low,
                        };
                        ranges.push((low, high));
                    }
                    Part::Class { negated, ranges }
                }
                same => Part::Same(same),
            });
        }
        Some(Self { parts })
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (mut part, mut rest) = (0, text.chars());
        // Where to go on if this leads nowhere: behind the last `*`, one character further.
        let mut again: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if let Some(Part::Any) = self.parts.get(part) {
                part += 1;
                again = Some((part, rest.clone()));
                continue;
            }
            let mut next = rest.clone();
            let fits = match (self.parts.get(part), next.next()) {
                (None, None) => return true,
                (Some(part), Some(char)) => part.takes(char),
                _ => false,
            };
            if fits {
                (part, rest) = (part + 1, next);
                continue;
            }
            let Some((behind, from)) = &mut again else { return false };
            if from.next().is_none() {
                return false;
            }
            (part, rest) = (*behind, from.clone());
        }
    }
}

impl Part {
    fn takes(&self, char: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Same(same) => *same == char,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&char)) != *negated
            }
        }
    }
}

/// A character of a class; one with a meaning there has a backslash before it.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        other => Some(other),
    }
}
