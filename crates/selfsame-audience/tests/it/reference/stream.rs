//! Streams: which events, in which order.

use selfsame_expr::query::{Filter, Relative, Span, Stream, Subject};

use super::calendar::period;
use super::{Event, Kind, Scope, holds_in};

/// The events of a stream, in order. The event at hand, if there is one, is the parent.
pub(crate) fn events<'a>(stream: &Stream, scope: Scope<'a>) -> Vec<&'a Event> {
    let Subject::Event(name) = &stream.subject else { panic!("a definition with tables") };
    let mut events: Vec<&Event> = scope
        .subject
        .events
        .iter()
        .filter(|event| is_named(event, name))
        .filter(|event| stream.filters.iter().all(|filter| leaves(filter, event, scope)))
        .collect();
    events.sort_by_key(|event| event.order());
    for filter in &stream.filters {
        if let Filter::ExpiresAfter(gap) = filter {
            events = last_session(&events, *gap, scope);
        }
    }
    events
}

fn is_named(event: &Event, name: &str) -> bool {
    match event.kind {
        Kind::Track => event.name.as_deref() == Some(name),
        Kind::Page => name == "Page Viewed",
        Kind::Screen => name == "Screen Viewed",
        Kind::Identify | Kind::Group | Kind::Alias => false,
    }
}

fn leaves<'a>(filter: &Filter, event: &'a Event, scope: Scope<'a>) -> bool {
    let time = event.time.micros();
    let now = scope.now.micros();
    let parent = || scope.at.expect("a parent stands only in a where");
    match filter {
        Filter::Where(condition) => holds_in(condition, scope.of(event)),
        Filter::Sources { exclude } => !exclude.contains(&event.source),
        Filter::Within { span, relative: Relative::Now } => now - span.micros() < time,
        Filter::Between { from, to, relative: Relative::Now } => {
            now - to.micros() < time && time <= now - from.micros()
        }
        Filter::Calendar(calendar) => {
            let (begin, end) = period(calendar, scope.now);
            begin <= time && time < end
        }
        Filter::Within { span, relative: Relative::Parent } => {
            parent().order() < event.order() && time - parent().time.micros() < span.micros()
        }
        Filter::Between { from, to, relative: Relative::Parent } => {
            let after = time - parent().time.micros();
            parent().order() < event.order() && from.micros() <= after && after < to.micros()
        }
        // It is applied to what all others leave.
        Filter::ExpiresAfter(_) => true,
    }
}

/// The run at the end in which no two neighbours are more than the gap apart, while it lasts.
fn last_session<'a>(events: &[&'a Event], gap: Span, scope: Scope<'_>) -> Vec<&'a Event> {
    let mut session: Vec<&Event> = Vec::new();
    let mut next = scope.now;
    for event in events.iter().rev() {
        if next.micros() - event.time.micros() > gap.micros() {
            break;
        }
        session.insert(0, event);
        next = event.time;
    }
    session
}
