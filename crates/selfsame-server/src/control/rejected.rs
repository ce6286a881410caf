//! Events that were set aside when they were received, by source and day.

use std::collections::BTreeMap;

use selfsame_event::{Refusal, Time};
use selfsame_log::LogRead as _;
use selfsame_pipeline::{LIST_LENGTH, ListKey, Listed, View};

use super::Control;
use super::asked::Asked;
use super::problem::Problem;
use super::shape::shape;
use super::sources::find;
use crate::node::Node;

/// The lists of this many days are kept, each in the place of its day modulo their number.
const DAYS: u32 = 30;
const DAY_MICROS: i64 = 86_400_000_000;

shape! {
    /// Events that were set aside, newest first.
    pub(crate) struct Rejected {
        /// How many there ever were, by code.
        counts: BTreeMap<String, u64>,
        /// How many there were on each of the last days.
        days: BTreeMap<String, u64>,
        /// The day that is listed; null where there is none.
        day: Option<String>,
        /// The events.
        data: Vec<RejectedEvent>,
        /// The cursor of what comes next; null at the end.
        next: Option<String>,
    }

    /// An event that was set aside.
    pub(crate) struct RejectedEvent {
        /// Where it is in the log.
        position: String,
        /// When it was received.
        received_at: String,
        /// Why it was set aside.
        code: String,
        /// That, in a sentence.
        sentence: String,
        /// What was sent; null where it is gone.
        raw: Option<String>,
    }
}

/// `GET /api/sources/{id}/rejected`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<Rejected, Problem> {
    let limit = asked.limit(50, 500)?;
    let below = number(&asked, "next")?;
    let day = asked.get("day").map(day_of).transpose()?;
    let view = control.view()?;
    let source = find(&view, asked.id())?;
    let slot = usize::try_from(source.number).unwrap_or(usize::MAX);
    let counts = view.meta.sources.get(slot).cloned().unwrap_or_default();
    let owner = source.number;
    let by_code = counts.rejected.iter().filter_map(|(number, count)| {
        Some((Refusal::from_number(*number)?.code().to_owned(), *count))
    });
    let days = counts.rejected_days.iter().map(|(day, count)| (day_name(*day), *count));
    let (counts_by_code, days) = (by_code.collect(), days.collect());
    let day = day.or_else(|| counts.rejected_days.keys().next_back().copied());
    let total = day.and_then(|day| counts.rejected_days.get(&day).copied()).unwrap_or(0);
    let range = Range { total, below, limit };
    let read = move |node: &Node| {
        let day = day.unwrap_or_default();
        let (rows, next) = range.rows(&view, owner, day % DAYS, false)?;
        // A list may be of a day that took the place of another meanwhile.
        let of_day = rows.into_iter().filter(|row| row.at.micros() / DAY_MICROS == i64::from(day));
        Ok((of_day.map(|row| shown(node, &row)).collect(), next))
    };
    let (data, next) = control.scan(read).await?;
    Ok(Rejected { counts: counts_by_code, days, day: day.map(day_name), data, next })
}

/// Which part of a bounded list to read: the newest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// Entries that the list ever had.
    pub(super) total: u64,
    /// Only those before this one.
    pub(super) below: Option<u64>,
    /// At most so many.
    pub(super) limit: usize,
}

impl Range {
    /// The rows, and the cursor of what comes next. A list keeps the newest [`LIST_LENGTH`].
    pub(super) fn rows(
        self,
        view: &View,
        owner: u32,
        day: u32,
        is_insights: bool,
    ) -> Result<(Vec<Listed>, Option<String>), Problem> {
        let table = if is_insights { &view.tables.insights } else { &view.tables.rejected };
        let first = self.total.saturating_sub(LIST_LENGTH);
        let end = self.below.unwrap_or(self.total).min(self.total);
        let mut rows = Vec::new();
        for number in (first..end).rev() {
            if rows.len() == self.limit {
                return Ok((rows, Some((number + 1).to_string())));
            }
            let slot = u32::try_from(number % LIST_LENGTH).unwrap_or(0);
            rows.extend(table.read(&ListKey { owner, day, number: slot }, |row| *row)?);
        }
        Ok((rows, None))
    }
}

fn shown(node: &Node, row: &Listed) -> RejectedEvent {
    let refusal = Refusal::from_number(row.why);
    let record = node.log.get(row.event.record).ok();
    let raw = record.and_then(|record| {
        let item = record.items.get(usize::try_from(row.event.index).ok()?)?;
        Some(String::from_utf8_lossy(item.body()?).into_owned())
    });
    RejectedEvent {
        position: row.event.to_string(),
        received_at: row.at.to_string(),
        code: refusal.map_or("", Refusal::code).to_owned(),
        sentence: refusal.map_or("", Refusal::sentence).to_owned(),
        raw,
    }
}

pub(super) fn number(asked: &Asked, name: &'static str) -> Result<Option<u64>, Problem> {
    let read = |text: &str| {
        let wrong = || Problem::field(name, format!("`{name}` is not a cursor of this list."));
        text.parse().map_err(|_| wrong())
    };
    asked.get(name).map(read).transpose()
}

fn day_of(text: &str) -> Result<u32, Problem> {
    let wrong = || Problem::field("day", "`day` is a day such as 2026-11-24.");
    let time = Time::parse(text).filter(|_| text.len() == 10).ok_or_else(wrong)?;
    Ok(time.day())
}

pub(super) fn day_name(day: u32) -> String {
    let mut name = Time::from_micros(i64::from(day) * DAY_MICROS).to_string();
    name.truncate(10);
    name
}
