//! What is extracted and what is written.

use super::{Checker, Scope};
use crate::Decimal;
use crate::query::ast::{Literal, Path, Place, Scalar, Step};
use crate::query::{lex, limits};
use selfsame_event::Time;

impl Checker {
    /// A value that is neither written nor made of events.
    pub(super) fn extracted(&mut self, scalar: &Scalar, scope: Scope) {
        match scalar {
            Scalar::Literal(_) | Scalar::Reduced(_) => {}
            Scalar::Trait(path) => self.path(path),
            Scalar::Property(path) | Scalar::Context(path) => {
                self.path(path);
                if scope.streams == 0 {
                    self.misuse(
                        path.place,
                        "Only an event has properties and a context: they can stand in a `where`, or in \
                         a function such as `sum`; a profile has traits.",
                    );
                }
            }
            Scalar::ParentProperty(path) => {
                self.path(path);
                if scope.streams < 2 {
                    self.misuse(
                        path.place,
                        "`parent:` reads the event around this one, and there is none: it can stand in \
                         the `where` of an `event` that itself stands in a `where`.",
                    );
                }
            }
        }
    }

    pub(super) fn path(&mut self, path: &Path) {
        let steps = &path.steps;
        let is_key = |step: &Step| matches!(step, Step::Key(key) if !key.is_empty());
        if !steps.first().is_some_and(is_key)
            || !steps.iter().all(|step| *step == Step::Each || is_key(step))
        {
            let sentence = "A path begins with a key, and no key is empty.";
            self.misuse(path.place, sentence);
        }
        if steps.len() > limits::STEPS {
            let (most, all) = (limits::STEPS, steps.len());
            let sentence = format!("A path has at most {most} steps, and this one has {all}.");
            self.misuse(path.place, sentence);
        }
    }

    pub(super) fn literal(&mut self, literal: &Literal, place: Place) {
        match literal {
            Literal::Number(text) => {
                if lex::number_length(text) != text.len() || text.is_empty() {
                    let sentence = format!("`{text}` is no number: write digits, as in -12.5.");
                    self.misuse(place, sentence);
                } else if Decimal::parse(text).is_none() {
                    let sentence = format!("`{text}` is too large: numbers go up to 1.7e29.");
                    self.misuse(place, sentence);
                }
            }
            Literal::Time { text, time } => {
                if !lex::is_time(text) || Time::parse(text) != Some(*time) {
                    let sentence =
                        format!("`{text}` is no date or time: write 2023-12-07T18:50:00Z.");
                    self.misuse(place, sentence);
                }
            }
            Literal::Text(_) | Literal::Bool(_) => {}
        }
    }

    /// What a time is compared with.
    pub(super) fn date(&mut self, literal: &Literal, place: Place) {
        let written = match literal {
            Literal::Time { .. } => return,
            Literal::Text(text) if Time::parse(text).is_some() => return,
            Literal::Text(text) | Literal::Number(text) => text.as_str(),
            Literal::Bool(true) => "true",
            Literal::Bool(false) => "false",
        };
        self.misuse(
            place,
            format!(
                "`{written}` is no date, so nothing is before or after it: write 2023-12-07 or \
                 2023-12-07T18:50:00Z."
            ),
        );
    }
}
