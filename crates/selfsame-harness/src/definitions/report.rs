//! The table.

use std::time::Duration;

use super::backfill::Backfill;
use super::measure::{Footprint, Measured};
use crate::print;

const ENTERED: Duration = Duration::from_millis(250);
const LEFT: Duration = Duration::from_secs(1);

/// A measure: its value, and its target with whether it was met.
struct Row {
    measure: &'static str,
    value: String,
    target: Option<(&'static str, bool)>,
}

impl Row {
    fn plain(measure: &'static str, value: impl Into<String>) -> Self {
        Self { measure, value: value.into(), target: None }
    }

    fn target(self, target: &'static str, met: bool) -> Self {
        Self { target: Some((target, met)), ..self }
    }
}

/// The rows of the whole shop, and whether every target was met.
pub(super) fn rows(measured: &Measured) -> (Vec<Vec<String>>, bool) {
    let rows = all(measured);
    let mut cells = vec![["measure", "selfsame", "target", ""].map(str::to_owned).to_vec()];
    for Row { measure, value, target } in &rows {
        let (target, verdict) = target.map_or(("", ""), |(text, met)| (text, print::verdict(met)));
        cells.push(vec![
            (*measure).to_owned(),
            value.clone(),
            target.to_owned(),
            verdict.to_owned(),
        ]);
    }
    (cells, rows.iter().all(|row| row.target.is_none_or(|(_, met)| met)))
}

/// The same measures of smaller shops, side by side.
pub(super) fn growth(grown: &[Measured]) -> Vec<Vec<String>> {
    let columns: Vec<Vec<Row>> = grown.iter().map(all).collect();
    let Some(first) = columns.first() else { return Vec::new() };
    let line = |(index, row): (usize, &Row)| {
        let mut cells = vec![row.measure.to_owned()];
        cells.extend(columns.iter().filter_map(|column| Some(column.get(index)?.value.clone())));
        cells
    };
    first.iter().enumerate().map(line).collect()
}

fn all(measured: &Measured) -> Vec<Row> {
    let mut rows = shop(measured);
    rows.extend(speed(measured));
    rows.extend(told(measured));
    rows.extend(room(measured));
    rows
}

fn shop(measured: &Measured) -> Vec<Row> {
    let (size, touched) = (measured.size, measured.touched);
    let audiences = size.definitions - measured.traits;
    vec![
        Row::plain("definitions", format!("{} (and 4 of the bench)", size.definitions)),
        Row::plain("  traits, audiences", format!("{}, {audiences}", measured.traits)),
        Row::plain("  every event is named by, at least", touched.least_named.to_string())
            .target("20 or more", touched.least_named >= 20),
        Row::plain("  the average event touches", hundredths(touched.average))
            .target("15 or more", touched.average >= 1_500),
        Row::plain("people, profiles at the end", {
            format!("{}, {}", print::count(size.people), print::count(measured.profiles))
        }),
        Row::plain("events of the history", print::count(size.events)),
    ]
}

fn speed(measured: &Measured) -> Vec<Row> {
    let share = print::ratio(measured.with as f64, measured.without as f64);
    let rate = |rate: u64| format!("{}/s", print::count(rate));
    let mut rows = vec![
        Row::plain("history folded, without definitions", rate(measured.history)),
        Row::plain("events at full load, without definitions", rate(measured.without)),
        Row::plain("events at full load, with definitions", rate(measured.with)),
        Row::plain("  share of the speed without", format!("{share:.2}"))
            .target("0.60 or more", share >= 0.6),
    ];
    rows.extend(backfill("all computed over the history", &measured.all));
    rows.extend(backfill("one more computed, beside live events", &measured.one));
    rows.push(Row::plain("  live events meanwhile", rate(measured.beside)));
    rows
}

fn backfill(measure: &'static str, backfill: &Backfill) -> [Row; 2] {
    let stages = backfill.stages.iter();
    let stages: Vec<_> =
        stages.map(|(stage, took)| format!("{stage} {}", print::duration(*took))).collect();
    [
        Row::plain(measure, format!("{} events/s", print::count(backfill.rate()))),
        Row::plain("  of it", stages.join(", ")),
    ]
}

fn told(measured: &Measured) -> Vec<Row> {
    let (entered, left) = (&measured.latency, &measured.exits);
    let times = |histogram: &crate::histogram::Histogram| {
        let parts = [histogram.quantile(500), histogram.quantile(990), histogram.max()];
        parts.map(print::duration).join(", ")
    };
    let (p99, longest) = (entered.took.quantile(990), left.written.max());
    let is_heard = entered.missing == 0 && entered.sent > 0;
    let is_fast = left.heard > 0 && longest <= LEFT;
    vec![
        Row::plain("acknowledged to `Audience Entered`, p50", {
            print::duration(entered.took.quantile(500))
        }),
        Row::plain("  p99", print::duration(p99)).target("under 250 ms", is_heard && p99 < ENTERED),
        Row::plain("  longest", print::duration(entered.took.max())),
        Row::plain("  at other events (wanted)", {
            format!("{}/s ({}/s)", print::count(entered.rate), print::count(entered.wanted))
        }),
        Row::plain("  entered, not heard of, records behind", {
            format!("{}, {}, {}", print::count(entered.sent), entered.missing, entered.lag)
        }),
        Row::plain("window ends for 20,000 people a second", print::count(left.members)),
        Row::plain("  left a second", format!("{}/s", print::count(left.rate()))),
        Row::plain("  to the record: p50, p99, longest", times(&left.written))
            .target("1 s", is_fast),
        Row::plain("  to the webhook: p50, p99, longest", times(&left.arrived)),
        Row::plain("  told that they were in, heard to leave", {
            let rate = print::per_second(left.heard, left.hearing);
            let (told, heard) = (print::count(left.told), print::count(left.heard));
            format!("{told}, {heard} ({}/s)", print::count(rate))
        })
        .target("all", left.told == left.members && left.heard == left.told),
        Row::plain(
            "  reads behind the moment, still in",
            format!("{}, {}", left.reads, left.stale),
        )
        .target("0", left.reads > 0 && left.stale == 0),
    ]
}

fn room(measured: &Measured) -> Vec<Row> {
    let (before, after) = (&measured.before, &measured.after);
    let profiles = measured.profiles.max(1);
    let each =
        |bytes: u64| format!("{} ({} B a profile)", print::mebibytes(bytes), bytes / profiles);
    let part = |footprint: &Footprint| {
        let top = footprint.parts.iter().take(4);
        let top = top.map(|(name, bytes)| format!("{name} {}", print::mebibytes(*bytes)));
        top.collect::<Vec<_>>().join(", ")
    };
    vec![
        Row::plain("memory without definitions", each(before.memory.now)),
        Row::plain("memory with definitions", each(after.memory.now)),
        Row::plain("  most", print::mebibytes(after.memory.peak)),
        Row::plain("  most of it before", part(before)),
        Row::plain("  most of it with", part(after)),
        Row::plain("state on disk without definitions", each(before.state)),
        Row::plain("state on disk with definitions", each(after.state)),
    ]
}

fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}
