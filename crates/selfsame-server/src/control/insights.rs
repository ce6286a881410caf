//! Limits, blocks and duplicates that the events of a space met.

use std::collections::BTreeMap;

use selfsame_pipeline::decision::NoteKind;
use selfsame_pipeline::{CHANGED, DUPLICATE, Listed};

use super::Control;
use super::asked::Asked;
use super::decided::EventName;
use super::problem::Problem;
use super::rejected::{Range, number};
use super::shape::shape;
use super::spaces::find;
use crate::node::Node;

shape! {
    /// What events of a space met, newest first. The newest 10,000 are kept.
    pub(crate) struct Insights {
        /// How often each kind ever was met.
        counts: BTreeMap<String, u64>,
        /// Entries that the list ever had.
        total: u64,
        /// The entries.
        data: Vec<Insight>,
        /// The cursor of what comes next; null at the end.
        next: Option<String>,
    }

    /// Something that an event met.
    pub(crate) struct Insight {
        /// What, as a code.
        kind: String,
        /// What, as a sentence.
        sentence: String,
        /// The event's position: `GET /api/trace?position=` shows all of it.
        position: String,
        /// When it was received.
        received_at: String,
        /// The event's message id, unless its body is gone.
        message_id: Option<String>,
    }
}

/// A code and a sentence for each number of the list.
pub(crate) fn words(why: u8) -> (String, &'static str) {
    match why {
        DUPLICATE => ("duplicate".to_owned(), "The same event was there before"),
        CHANGED => (
            "different_content".to_owned(),
            "Another event with the same message id was there before",
        ),
        why => match NoteKind::ALL.iter().find(|kind| **kind as u8 == why) {
            Some(kind) => (kind.sentence().to_ascii_lowercase().replace(' ', "_"), kind.sentence()),
            None => ("unknown".to_owned(), "Unknown"),
        },
    }
}

/// `GET /api/spaces/{id}/insights`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<Insights, Problem> {
    let limit = asked.limit(50, 500)?;
    let mut below = number(&asked, "next")?;
    let kind = asked.get("kind").map(str::to_owned);
    let view = control.view()?;
    let space = find(&view, asked.id())?;
    let slot = usize::try_from(space.number).unwrap_or(usize::MAX);
    let counted = view.meta.spaces.get(slot).cloned().unwrap_or_default();
    let mut counts: BTreeMap<_, _> =
        counted.violations.iter().map(|(why, count)| (words(*why).0, *count)).collect();
    let (mut duplicates, mut changed) = (0, 0);
    let sources = view.meta.workspace.sources.iter().zip(&view.meta.sources);
    for (_, source) in sources.filter(|(source, _)| source.space == space.id) {
        duplicates += source.duplicates;
        changed += source.changed;
    }
    counts.insert(words(DUPLICATE).0, duplicates);
    counts.insert(words(CHANGED).0, changed);
    let known = DUPLICATE..=CHANGED;
    let is_known = |kind: &String| {
        let notes = NoteKind::ALL.iter().filter(|kind| kind.is_violation()).map(|kind| *kind as u8);
        notes.chain(known).any(|why| words(why).0 == *kind)
    };
    if let Some(kind) = kind.as_ref().filter(|kind| !is_known(kind)) {
        return Err(Problem::field("kind", format!("`kind`: there is no `{kind}`.")));
    }
    let (owner, total) = (space.number, counted.insights);
    let read = move |node: &Node| {
        let mut data = Vec::new();
        loop {
            let (rows, next) = Range { total, below, limit }.rows(&view, owner, 0, true)?;
            let mut at = below.unwrap_or(total).min(total);
            for row in rows {
                if data.len() == limit {
                    return Ok((data, Some(at.to_string())));
                }
                at = at.saturating_sub(1);
                if kind.as_ref().is_none_or(|kind| words(row.why).0 == *kind) {
                    data.push(shown(node, &row));
                }
            }
            below = next.as_deref().and_then(|next| next.parse().ok());
            if next.is_none() || data.len() == limit {
                return Ok((data, next));
            }
        }
    };
    let (data, next) = control.scan(read).await?;
    Ok(Insights { counts, total, data, next })
}

fn shown(node: &Node, row: &Listed) -> Insight {
    let (kind, sentence) = words(row.why);
    Insight {
        kind,
        sentence: sentence.to_owned(),
        position: row.event.to_string(),
        received_at: row.at.to_string(),
        message_id: EventName::read(node, row.event).message_id,
    }
}
