//! Streams: what they are of, their filters, what they are reduced to.

use super::{Checker, Scope};
use crate::query::ast::{
    Aggregate, Calendar, Filter, Place, Quantity, Reduce, Relative, Scalar, Span, Stream, Subject,
    Unit,
};
use crate::query::{limits, zone};

impl Checker {
    /// A stream and its function.
    pub(super) fn reduce(&mut self, reduce: &Reduce, scope: Scope) {
        self.expressions += 1;
        let stream = &reduce.stream;
        if scope.streams > limits::STREAMS {
            let sentence = format!(
                "Events stand in the `where` of others at most {} levels deep: make a computed trait of \
                 the inner ones and refer to it with `trait('…')`.",
                limits::STREAMS
            );
            return self.misuse(stream.place, sentence);
        }
        self.subject(stream);
        self.windows(stream, scope);
        for filter in &stream.filters {
            self.filter(filter, stream.place, scope);
        }
        self.aggregate(&reduce.aggregate, stream.place);
    }

    /// Of a list, nothing but its length can be tested.
    pub(super) fn no_list(&mut self, reduce: &Reduce) {
        if let Aggregate::Unique(_) = reduce.aggregate {
            let sentence =
                "`unique` makes a list, of which only the number can be tested: add `.count()`.";
            self.misuse(reduce.stream.place, sentence);
        }
    }

    fn subject(&mut self, stream: &Stream) {
        match &stream.subject {
            Subject::Entity(_) => self.misuse(
                stream.place,
                "`entity()` needs tables, which this version does not have: send what the table holds \
                 as traits or events.",
            ),
            Subject::Event(name) if name.is_empty() => {
                self.misuse(stream.place, "Every event has a name: write it between the quotes.");
            }
            Subject::Event(_) => {}
        }
    }

    /// How many windows there are, and whether they count from something.
    fn windows(&mut self, stream: &Stream, scope: Scope) {
        let (mut from_now, mut from_parent) = (vec![], vec![]);
        let mut from = |relative, name| match relative {
            Relative::Now => from_now.push(name),
            Relative::Parent => from_parent.push(name),
        };
        for filter in &stream.filters {
            match filter {
                Filter::Within { relative, .. } => from(*relative, "within"),
                Filter::Between { relative, .. } => from(*relative, "between"),
                Filter::ExpiresAfter(_) => from(Relative::Now, "expires_after"),
                Filter::Calendar(calendar) => from(Relative::Now, calendar.which.name()),
                Filter::Where(_) | Filter::Sources { .. } => {}
            }
        }
        for (windows, start) in [(&from_now, "now"), (&from_parent, "the parent")] {
            if let [first, second, ..] = windows[..] {
                let sentence = format!(
                    "Events have at most one window that counts from {start}: keep `{first}` or \
                     `{second}`."
                );
                self.misuse(stream.place, sentence);
            }
        }
        if !from_parent.is_empty() && scope.streams == 0 {
            self.misuse(
                stream.place,
                "`parent:` counts from the event around this one, and there is none: it can stand behind \
                 an `event` that itself stands in a `where`.",
            );
        }
        if from_now.contains(&"expires_after") && scope.streams > 0 {
            self.misuse(
                stream.place,
                "`expires_after` cannot stand in a `where`: a session is one of the profile's, not of an \
                 event's.",
            );
        }
    }

    fn filter(&mut self, filter: &Filter, place: Place, scope: Scope) {
        match filter {
            Filter::Where(condition) => {
                let inside = Scope { streams: scope.streams + 1, ..scope.deeper() };
                self.condition(condition, inside);
            }
            Filter::Sources { exclude } => {
                if exclude.is_empty() || exclude.len() > limits::LIST {
                    let sentence = format!(
                        "`sources` excludes one source at least and {} at most.",
                        limits::LIST
                    );
                    self.misuse(place, sentence);
                }
            }
            Filter::Within { span, .. } => self.span(*span, place, "within"),
            Filter::ExpiresAfter(span) => self.span(*span, place, "expires_after"),
            Filter::Between { from, to, .. } => {
                self.span(*to, place, "between");
                if from.micros() >= to.micros() {
                    let sentence = format!(
                        "`between` names the shorter time first: {from} is not less than {to}, so no event \
                         is between them."
                    );
                    self.misuse(place, sentence);
                }
            }
            Filter::Calendar(calendar) => self.calendar(calendar, place),
        }
    }

    fn span(&mut self, span: Span, place: Place, name: &str) {
        if span.count == 0 {
            let sentence =
                format!("`{name}` with no time in it leaves no event: write 1 at least.");
            self.misuse(place, sentence);
        }
        if span.micros() > limits::WINDOW_DAYS * Unit::Day.micros() {
            let sentence = format!(
                "A window is at most five years long ({} days), and `{name}` has {span}: leave the window \
                 out to take all events there are.",
                limits::WINDOW_DAYS
            );
            self.misuse(place, sentence);
        }
    }

    fn calendar(&mut self, calendar: &Calendar, place: Place) {
        if let Some(name) = &calendar.zone
            && zone(name).is_none()
        {
            let sentence = format!(
                "There is no time zone `{name}`: use a name of the IANA database, such as Europe/Berlin."
            );
            self.misuse(place, sentence);
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate, place: Place) {
        match aggregate.of() {
            None => {}
            Some(Scalar::Property(path) | Scalar::Context(path)) => self.path(path),
            Some(_) => {
                let sentence = format!(
                    "`{}` takes a `property('…')` or a `context('…')` of the events it is a function of.",
                    aggregate.name()
                );
                self.misuse(place, sentence);
            }
        }
        match aggregate {
            Aggregate::Min(_, Quantity::List) | Aggregate::Max(_, Quantity::List) => {
                let sentence = "`min` and `max` compare `as number` or `as string`.";
                self.misuse(place, sentence);
            }
            Aggregate::Mode { at_least: Some(0), .. } => {
                let sentence =
                    "`mode` wants a value that was there once at least: write 1 or more.";
                self.misuse(place, sentence);
            }
            _ => {}
        }
    }
}
