//! `selfsame reconcile`: which events of a period two destinations do not agree on, and why.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;

use super::destination::space_of;
use super::plan::send;
use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{
    ReconcileFound, ReconcileRow, ReconcileSide, ReconcileWish, StandingShown, UnitShown,
};
use crate::printable::printable;

/// Compare what became of each event of a period at two destinations: which events differ, and why.
///
/// What the attempts that are kept do not say any more is derived from what is configured now, and marked
/// as derived. Fails if an event differs.
#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// A destination.
    first: String,
    /// Another one of the same space.
    second: String,
    /// From when on it was received: a time, or how long ago, such as 90m, 2h or 7d.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Until when, that moment not included. Default: now.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Which events, as FQL, such as `event = "Order Completed"`. Default: all, and the calls that tell of changes.
    #[arg(long = "where", value_name = "FQL")]
    matching: Option<String>,
    /// How many events that differ are shown. All are counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What one request lists at most.
const PAGE: u32 = 1_000;

impl Reconcile {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        let found = block_on(self.compare(&client))?;
        if self.json {
            say(&serde_json::to_string_pretty(&found)?)?;
        } else {
            lines(&found).iter().try_for_each(|line| say(line))?;
        }
        Ok(if found.differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Goes through the whole period, an answer after the other.
    async fn compare(&self, client: &Client) -> anyhow::Result<ReconcileFound> {
        let space = space_of(client, &self.first).await?;
        let path = format!("/api/spaces/{}/reconcile", part(&space));
        let bar = ProgressBar::new(100);
        bar.set_style(ProgressStyle::with_template("{wide_bar} {percent} %")?);
        let mut all: Option<ReconcileFound> = None;
        loop {
            let listed = all.as_ref().map_or(0, |all| all.data.len());
            let missing = self.limit.saturating_sub(u32::try_from(listed)?);
            let wish = ReconcileWish {
                first: self.first.clone(),
                second: self.second.clone(),
                from: self.from.clone(),
                to: self.to.clone(),
                r#where: self.matching.clone(),
                limit: Some(missing.min(PAGE)),
                next: all.as_ref().and_then(|all| all.next.clone()),
            };
            let found: ReconcileFound = send(client, Method::POST, &path, &wish).await?;
            bar.set_position(u64::from(found.percent));
            let all = match &mut all {
                None => all.insert(found),
                Some(all) => {
                    all.add(found);
                    all
                }
            };
            if all.next.is_none() {
                bar.finish_and_clear();
                return Ok(all.clone());
            }
        }
    }
}

impl ReconcileFound {
    /// Adds what was found behind it.
    fn add(&mut self, next: Self) {
        self.compared += next.compared;
        self.differing += next.differing;
        self.first.add(next.first);
        self.second.add(next.second);
        self.data.extend(next.data);
        (self.percent, self.next) = (next.percent, next.next);
    }
}

impl ReconcileSide {
    fn add(&mut self, other: Self) {
        let all = [
            (&mut self.events, other.events),
            (&mut self.units, other.units),
            (&mut self.filtered_by, other.filtered_by),
            (&mut self.dead_by, other.dead_by),
        ];
        for (to, from) in all {
            from.into_iter().for_each(|(word, count)| *to.entry(word).or_insert(0) += count);
        }
        self.replays += other.replays;
        self.derived += other.derived;
    }
}

fn counts(of: &BTreeMap<String, u64>) -> String {
    let one = |(word, count): (&String, &u64)| format!("{count} {}", printable(word));
    of.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn side(of: &ReconcileSide) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", printable(&of.destination), counts(&of.events))];
    if !of.filtered_by.is_empty() {
        lines.push(format!("  filtered: {}", counts(&of.filtered_by)));
    }
    if !of.dead_by.is_empty() {
        lines.push(format!("  dead: {}", counts(&of.dead_by)));
    }
    if of.replays > 0 {
        lines.push(format!("  {} were replayed too, or only", of.replays));
    }
    if of.derived > 0 {
        lines.push(format!(
            "  of {} it is derived from what is configured now: their attempts are not kept, or never were",
            of.derived
        ));
    }
    lines
}

/// What became of an event, in a few words.
fn standing(of: &StandingShown) -> String {
    let unit = |unit: &UnitShown| {
        let action = unit.action.as_deref().map(|name| format!("{}: ", printable(name)));
        let reason = unit.reason.as_deref().map(|word| format!(" ({word})"));
        let derived = if unit.derived { ", derived" } else { "" };
        let (action, reason) = (action.unwrap_or_default(), reason.unwrap_or_default());
        format!("{action}{}{reason}{derived}", unit.outcome)
    };
    let units = of.units.iter().map(unit).collect::<Vec<_>>().join(", ");
    match of.replayed.as_deref() {
        Some(how) => format!("{units}, replayed: {how}"),
        None => units,
    }
}

fn row(first: &str, second: &str, one: &ReconcileRow) -> Vec<String> {
    let name = one.event.as_deref().map(|name| format!(" \"{}\"", printable(name)));
    let id = one.message_id.as_deref().map(printable).unwrap_or_default();
    let name = name.unwrap_or_default();
    vec![
        format!("{:<14} {}  {}{name}  {id}", one.position, one.received_at, one.r#type),
        format!("  {first}: {}", standing(&one.first)),
        format!("  {second}: {}", standing(&one.second)),
    ]
}

fn lines(found: &ReconcileFound) -> Vec<String> {
    let mut lines = vec![format!(
        "{} events and calls from {} to {}, {} differ",
        found.compared, found.from, found.to, found.differing
    )];
    if found.removed {
        lines.push(
            "  Records of this period are not in the log any more; of those nothing is said."
                .to_owned(),
        );
    }
    lines.extend(side(&found.first));
    lines.extend(side(&found.second));
    let (first, second) =
        (printable(&found.first.destination), printable(&found.second.destination));
    lines.extend(found.data.iter().flat_map(|one| row(&first, &second, one)));
    let listed = u64::try_from(found.data.len()).unwrap_or(u64::MAX);
    if found.differing > listed {
        lines.push(format!(
            "and {} more that differ: give a larger --limit",
            found.differing - listed
        ));
    }
    lines
}
