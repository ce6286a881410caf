//! What a whole run found, as a table.

use std::time::Duration;

use super::carried;
use super::computed;
use super::model::Findings;
use super::traffic::Met;
use crate::accounting::Look;
use crate::print;
use crate::scrape::State;

/// What a whole run found.
pub(super) struct Report {
    pub(super) is_totals_only: bool,
    pub(super) rounds: u64,
    pub(super) restarts: Vec<Duration>,
    pub(super) acknowledged_before: u64,
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) users: u64,
    pub(super) met: Met,
    pub(super) before: Findings,
    pub(super) after: Findings,
    pub(super) state: State,
    /// Where there are definitions.
    pub(super) computed: Option<computed::Findings>,
    /// Where there are a function and a destination of the catalogue.
    pub(super) carried: Option<carried::Findings>,
    pub(super) replays: u64,
    /// Times at which the accounting was looked at and right, and what it came to at the end.
    pub(super) looks: u64,
    pub(super) accounted: Look,
    pub(super) verify: (bool, String),
}

impl Report {
    /// Prints the table; whether all is well.
    pub(super) fn print(&self, took: Duration) -> bool {
        let mut restarts = self.restarts.clone();
        restarts.sort_unstable();
        let middle = restarts.get(restarts.len() / 2).copied().unwrap_or_default();
        let longest = restarts.last().copied().unwrap_or_default();
        let count = |list: fn(&Findings) -> &Vec<String>| {
            if self.is_totals_only {
                return "not read".to_owned();
            }
            format!("{} + {}", list(&self.before).len(), list(&self.after).len())
        };
        let row = |name: &str, text: String| vec![name.to_owned(), text];
        let mut rows = vec![
            row("rounds (kills)", format!("{} in {}", self.rounds, print::duration(took))),
            row(
                "users, events sent",
                format!("{}, {}", print::count(self.users), print::count(self.sent)),
            ),
            row("acknowledged before retries", print::count(self.acknowledged_before)),
            row("acknowledged after retries", print::count(self.acknowledged)),
            row("counted by the server", print::count(self.state.events)),
            row("profiles of the server", print::count(self.state.profiles)),
            row("requests sent again", print::count(self.met.resent)),
            row("duplicates left out", print::count(self.state.duplicates)),
            row("refused for now, broken", format!("{}, {}", self.met.refused, self.met.broken)),
            row("lost (before + after)", count(|f| &f.lost)),
            row("counted twice", count(|f| &f.doubled)),
            row("of nobody", count(|f| &f.foreign)),
            row("users in several profiles", count(|f| &f.split)),
            row("ready after a kill, p50", print::duration(middle)),
            row("ready after a kill, max", print::duration(longest)),
        ];
        if let Some(computed) = &self.computed {
            rows.extend(self.computed_rows(computed));
        }
        if let Some(carried) = &self.carried {
            rows.extend(carried_rows(carried));
        }
        rows.push(row("looks at the accounting, right", print::count(self.looks)));
        let verify = if self.verify.0 { "equal" } else { "NOT EQUAL" };
        rows.push(row("verify", verify.to_owned()));
        print::columns(&rows);
        for line in self.verify.1.lines() {
            print::line(format!("  {line}"));
        }
        for findings in [&self.before, &self.after] {
            let lists = [&findings.lost, &findings.doubled, &findings.foreign, &findings.split];
            for (name, list) in ["lost", "twice", "of nobody", "split"].iter().zip(lists) {
                for id in list.iter().take(5) {
                    print::line(format!("  {name}: {id}"));
                }
            }
        }
        if let Some(computed) = &self.computed {
            let lists = [&computed.missing, &computed.doubled, &computed.foreign, &computed.wrong];
            for (name, list) in ["not told", "told twice", "made up", "wrong"].iter().zip(lists) {
                for one in list.iter().take(5) {
                    print::line(format!("  {name}: {one}"));
                }
            }
        }
        if let Some(carried) = &self.carried {
            let lists = [&carried.missing, &carried.foreign, &carried.miscounted];
            for (name, list) in ["not carried", "made up", "miscounted"].iter().zip(lists) {
                for one in list.iter().take(5) {
                    print::line(format!("  {name}: {one}"));
                }
            }
        }
        let is_exact = self.sent == self.acknowledged
            && self.state.events == self.sent
            && self.state.profiles == self.users
            && self.accounted.accepted == self.sent;
        let is_computed = self.computed.as_ref().is_none_or(computed::Findings::is_clean);
        let is_carried = self.carried.as_ref().is_none_or(carried::Findings::is_clean);
        let is_computed = is_computed && is_carried;
        let is_clean = self.before.is_clean() && self.after.is_clean() && is_computed;
        let is_well = is_clean && is_exact && self.verify.0;
        print::line(if is_well { "all is well" } else { "FAILED" });
        is_well
    }

    fn computed_rows(&self, computed: &computed::Findings) -> [Vec<String>; 6] {
        let row = |name: &str, text: String| vec![name.to_owned(), text];
        let wrong = match self.is_totals_only {
            true => "not read".to_owned(),
            false => computed.wrong.len().to_string(),
        };
        [
            row("changes told, calls that said one again", {
                format!("{}, {}", print::count(computed.told), print::count(computed.again))
            }),
            row("changes not told", computed.missing.len().to_string()),
            row("changes told under two ids", computed.doubled.len().to_string()),
            row("changes that there were not", computed.foreign.len().to_string()),
            row("users whose values are wrong", wrong),
            row("clean replays after kills, equal", self.replays.to_string()),
        ]
    }
}

fn carried_rows(carried: &carried::Findings) -> [Vec<String>; 3] {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    [
        row("carried by function and catalogue, again", {
            format!("{}, {}", print::count(carried.carried), print::count(carried.again))
        }),
        row("events not carried", carried.missing.len().to_string()),
        row("destinations whose counts are wrong", carried.miscounted.len().to_string()),
    ]
}
