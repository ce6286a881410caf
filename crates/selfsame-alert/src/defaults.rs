//! The rules that are in force unless somebody changes them.

use crate::condition::Condition;
use crate::rule::{Rule, Rules, Severity};
use crate::span::Span;

/// The rules that are in force unless somebody changes them.
pub fn defaults() -> Rules {
    let rules = of_sources().into_iter().chain(of_destinations()).chain(of_the_rest());
    rules.map(|(id, rule)| (id.to_owned(), rule)).collect()
}

type Named = (&'static str, Rule);

fn warning(name: &str, when: Condition) -> Rule {
    Rule::new(name, Severity::Warning, when)
}

fn critical(name: &str, when: Condition) -> Rule {
    Rule::new(name, Severity::Critical, when)
}

fn of_sources() -> [Named; 3] {
    let (sources, within) = (Vec::new, Span::hours(1));
    let silent = Condition::SourceSilent { sources: sources(), after: None };
    let rejected = Condition::EventsRejected { sources: sources(), percent: 5, events: 20, within };
    let repeated =
        Condition::EventsRepeated { sources: sources(), percent: 50, events: 1_000, within };
    [
        ("source-silent", warning("A source is silent", silent)),
        ("events-rejected", warning("Events are rejected", rejected)),
        ("events-repeated", warning("Events are sent again and again", repeated)),
    ]
}

fn of_destinations() -> [Named; 6] {
    let all = Vec::new;
    let failing = Condition::DestinationFailing { destinations: all() };
    let paused = Condition::DestinationPaused { destinations: all() };
    let behind = |percent| Condition::DestinationBehind { destinations: all(), percent, age: None };
    let within = Span::hours(1);
    let dead = Condition::DeadLetters { destinations: all(), percent: 5, letters: 20, within };
    let unaccounted = Condition::Unaccounted { destinations: all() };
    [
        (
            "destination-failing",
            critical("A destination fails", failing).raised_after(Span::minutes(5)),
        ),
        ("destination-paused", critical("A destination is paused", paused)),
        ("destination-behind", warning("A destination has a backlog", behind(50))),
        ("destination-far-behind", critical("A destination is nearly paused", behind(80))),
        ("dead-letters", warning("Deliveries become dead letters", dead)),
        (
            "unaccounted",
            critical("Deliveries do not add up", unaccounted).raised_after(Span::minutes(1)),
        ),
    ]
}

fn of_the_rest() -> [Named; 5] {
    let folding = Condition::FoldBehind { records: 100_000 };
    let disk = Condition::DiskLow { percent: 10, bytes: 0 };
    let (audiences, within) = (Vec::new(), Span::hours(24));
    let size = Condition::AudienceSize { audiences, percent: 50, members: 100, within };
    let identity = Condition::IdentityHealth { spaces: Vec::new(), alarms: Vec::new() };
    let clock = Condition::ClockHeld { by: Span::minutes(1) };
    [
        (
            "fold-behind",
            warning("Events wait to be folded", folding).raised_after(Span::minutes(10)),
        ),
        ("disk-low", critical("The disk is nearly full", disk)),
        ("audience-size", warning("An audience changed its size", size)),
        ("identity-health", warning("Identity deserves a look", identity)),
        ("clock-held", critical("The clock was set back", clock)),
    ]
}
