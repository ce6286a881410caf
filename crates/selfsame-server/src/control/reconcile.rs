//! What became of each event of a period at two destinations, and which events differ.
//!
//! A request looks at a bounded number of events and says where to go on, so a long period needs neither
//! memory nor a job. What it finds is added up by whoever asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_deliver::{Effect, Fate, Outcome, Standing, Unit};
use selfsame_event::{EventType, ItemPosition};
use selfsame_log::LogRead as _;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::Destination;

use super::Control;
use super::asked::{Asked, item};
use super::decided::EventName;
use super::destinations::{deliverer, find};
use super::problem::Problem;
use super::replays::wish;
use super::shape::shape;
use super::trace::mapping_name;
use crate::destination::connection_id;
use crate::node::Node;

/// Events that are looked at together, and how often one request does that.
const TOGETHER: usize = 8_192;
const LOOKS: usize = 4;
/// Events that differ which one request lists.
const LISTED: usize = 100;
const MOST_LISTED: usize = 1_000;

shape! {
    /// What to compare.
    #[serde(deny_unknown_fields)]
    pub(crate) struct ReconcileWish {
        /// A destination.
        first: String,
        /// Another one of the same space.
        second: String,
        /// From when on it was received: a time such as 2026-11-24T10:00:00Z, or how long ago, such as 90m, 2h or 7d.
        from: String,
        /// Until when, that moment not included; now where it is not given.
        to: Option<String>,
        /// Which events, as FQL; where it is not given all, and the calls that tell of changes.
        r#where: Option<String>,
        /// How many events that differ are listed at most; those beyond are left to the next request. 100 where it is
        /// not given; with 0 they are only counted.
        limit: Option<u32>,
        /// Where to go on: `next` of the answer before.
        next: Option<String>,
    }

    /// What was found in the part of the period that was looked at.
    pub(crate) struct ReconcileFound {
        /// From when on.
        from: String,
        /// Until when.
        to: String,
        /// Whether records of the period are not in the log any more: of those nothing is said.
        removed: bool,
        /// Events, and calls that tell of changes, in this part.
        compared: u64,
        /// Those that one of the two has and the other has not, or that wait or were given up at one only.
        differing: u64,
        /// What became of them at the first.
        first: ReconcileSide,
        /// What became of them at the second.
        second: ReconcileSide,
        /// Those that differ, in the order of the log.
        data: Vec<ReconcileRow>,
        /// How much of the period was looked at, in hundredths.
        percent: u32,
        /// What to give as `next` to go on; null at the end.
        next: Option<String>,
    }

    /// What became of events at one destination.
    pub(crate) struct ReconcileSide {
        /// The destination.
        destination: String,
        /// Events by outcome: `delivered`, `replayed` (by a replay only), `filtered`, `before` (it began later), `pending`,
        /// `dead`, `missed` (in a dead range), `unknown`.
        events: BTreeMap<String, u64>,
        /// Units by outcome: one for each event and action that wants it. Replays are not among them.
        units: BTreeMap<String, u64>,
        /// Units that were filtered, by reason.
        filtered_by: BTreeMap<String, u64>,
        /// Units that were given up, by failure.
        dead_by: BTreeMap<String, u64>,
        /// Events of which a replay is kept.
        replays: u64,
        /// Events of which the outcome is derived from what is configured now: what became of them is not
        /// kept any more.
        derived: u64,
    }

    /// An event that differs.
    pub(crate) struct ReconcileRow {
        /// Its position.
        position: String,
        /// When it was received.
        received_at: String,
        /// Its message id.
        message_id: Option<String>,
        /// Its type; `change` for a call that tells of a change.
        r#type: String,
        /// Its name, of a track call.
        event: Option<String>,
        /// Whose it is.
        profile_id: String,
        /// What became of it at the first.
        first: StandingShown,
        /// What became of it at the second.
        second: StandingShown,
    }

    /// What became of an event at a destination.
    pub(crate) struct StandingShown {
        /// The outcome.
        outcome: String,
        /// Its units.
        units: Vec<UnitShown>,
        /// How the newest replay of it ended, as long as that is kept.
        replayed: Option<String>,
    }

    /// A unit, and what became of it.
    pub(crate) struct UnitShown {
        /// The action, by the name of its mapping.
        action: Option<String>,
        /// delivered, filtered, pending, dead, missed, before or unknown.
        outcome: String,
        /// Why it was filtered or given up.
        reason: Option<String>,
        /// Whether that is derived from what is configured now.
        derived: bool,
    }
}

/// What an outcome means for who compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Has,
    HasNot,
    Waits,
    Lost,
    Unknown,
}

/// The outcome of an event with these units.
fn outcome(standing: &Standing) -> (&'static str, Class) {
    let words = standing.units.iter().map(|unit| word(unit.fate).0);
    let worst = ["pending", "dead", "missed", "delivered", "unknown", "before", "filtered"];
    let found = worst.into_iter().find(|wanted| words.clone().any(|word| word == *wanted));
    let is_replayed = matches!(standing.replayed, Some((_, Outcome::Delivered { .. })));
    match found.unwrap_or("unknown") {
        "delivered" => ("delivered", Class::Has),
        _ if is_replayed => ("replayed", Class::Has),
        word @ "pending" => (word, Class::Waits),
        word @ ("dead" | "missed") => (word, Class::Lost),
        word @ ("before" | "filtered") => (word, Class::HasNot),
        word => (word, Class::Unknown),
    }
}

/// The word of a fate, and its reason.
fn word(fate: Fate) -> (&'static str, Option<&'static str>) {
    match fate {
        Fate::Before => ("before", None),
        Fate::Pending => ("pending", None),
        Fate::Delivered => ("delivered", None),
        Fate::Unasked => ("filtered", Some("type")),
        Fate::Filtered(reason) => ("filtered", Some(reason.label())),
        Fate::Dead(failure) => ("dead", Some(failure.label())),
        Fate::Missed => ("missed", None),
        Fate::Unknown => ("unknown", None),
    }
}

impl ReconcileSide {
    fn of(destination: &str) -> Self {
        Self {
            destination: destination.to_owned(),
            events: BTreeMap::new(),
            units: BTreeMap::new(),
            filtered_by: BTreeMap::new(),
            dead_by: BTreeMap::new(),
            replays: 0,
            derived: 0,
        }
    }

    fn count(&mut self, standing: &Standing) {
        let add = |to: &mut BTreeMap<String, u64>, word: &str| {
            *to.entry(word.to_owned()).or_insert(0) += 1;
        };
        add(&mut self.events, outcome(standing).0);
        for unit in &standing.units {
            let (outcome, reason) = word(unit.fate);
            add(&mut self.units, outcome);
            match (outcome, reason) {
                ("filtered", Some(reason)) => add(&mut self.filtered_by, reason),
                ("dead", Some(failure)) => add(&mut self.dead_by, failure),
                _ => {}
            }
        }
        self.replays += u64::from(standing.replayed.is_some());
        self.derived += u64::from(standing.units.iter().any(|unit| unit.is_derived));
    }
}

fn shown(destination: &Destination, standing: &Standing) -> StandingShown {
    let unit = |unit: &Unit| {
        let (outcome, reason) = word(unit.fate);
        UnitShown {
            action: unit.action.map(|number| mapping_name(destination, number)),
            outcome: outcome.to_owned(),
            reason: reason.map(str::to_owned),
            derived: unit.is_derived,
        }
    };
    StandingShown {
        outcome: outcome(standing).0.to_owned(),
        units: standing.units.iter().map(unit).collect(),
        replayed: standing.replayed.map(|(_, outcome)| outcome.label().to_owned()),
    }
}

/// Two destinations of one space.
fn pair<'v>(
    view: &'v View,
    asked: &Asked,
    wanted: &ReconcileWish,
) -> Result<(&'v Destination, &'v Destination), Problem> {
    let of_space = |field: &'static str, id: &str| {
        let found = find(view, id)?;
        if found.space != asked.id() {
            let message = format!("`{field}`: `{id}` is of the space `{}`.", found.space);
            return Err(Problem::field(field, message));
        }
        Ok(found)
    };
    let pair = (of_space("first", &wanted.first)?, of_space("second", &wanted.second)?);
    if pair.0.id == pair.1.id {
        return Err(Problem::field("second", "`second` is the same destination as `first`."));
    }
    Ok(pair)
}

/// Where to look: from there, and before that.
fn part(next: &str) -> Option<(ItemPosition, ItemPosition)> {
    let (at, end) = next.split_once("..")?;
    Some((item(at)?, item(end)?))
}

/// `POST /api/spaces/{id}/reconcile`
pub(crate) async fn reconcile(
    control: Control,
    asked: Asked,
    wanted: ReconcileWish,
) -> Result<ReconcileFound, Problem> {
    let view = control.view()?;
    super::spaces::find(&view, asked.id())?;
    let (first, second) = pair(&view, &asked, &wanted)?;
    let handle = deliverer(&control, &view, first).ok_or_else(Problem::opening)?;
    let limit = wanted.limit.map_or(LISTED, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if limit > MOST_LISTED {
        return Err(Problem::field("limit", format!("`limit` is at most {MOST_LISTED}.")));
    }
    let wish = wish(&control, &wanted.from, wanted.to.as_deref(), wanted.r#where.clone(), None);
    let wish = wish.await?;
    let wrong = || Problem::field("next", "`next` is a cursor of this answer.");
    let asked_for = wanted.next.as_deref().map(|next| part(next).ok_or_else(wrong)).transpose()?;
    let engine = control.node.shared.folded().item(0);
    let (mut at, to) = asked_for.unwrap_or_else(|| (wish.from, wish.to.min(engine)));
    let since = wish.since;
    let removed = control.scan(move |node| is_removed(node, since)).await?;
    let (mut sides, mut rows) = ([first, second].map(|one| ReconcileSide::of(&one.id)), Vec::new());
    let (mut compared, mut differing) = (0, 0);
    for _ in 0..LOOKS {
        if at >= to || (limit > 0 && rows.len() == limit) {
            break;
        }
        let page = handle.effects((at, to), Arc::clone(&wish.matching), TOGETHER).await?;
        let effects: Arc<[Effect]> = page.effects.into();
        let of = |one: &Destination| {
            let id = connection_id(&one.id);
            handle.standings(id, Arc::clone(&effects))
        };
        let both = (of(first).await?, of(second).await?);
        at = page.next;
        for (effect, one, other) in pairs(&effects, &both) {
            let differs = outcome(one).1 != outcome(other).1;
            if differs && limit > 0 && rows.len() == limit {
                at = effect.at;
                break;
            }
            compared += 1;
            sides.iter_mut().zip([one, other]).for_each(|(side, of)| side.count(of));
            if differs {
                differing += 1;
                if limit > 0 {
                    rows.push((*effect, shown(first, one), shown(second, other)));
                }
            }
        }
    }
    let data = control.scan(move |node| Ok(rows.into_iter().map(|one| row(node, one)).collect()));
    let [first, second] = sides;
    Ok(ReconcileFound {
        from: wish.since.to_string(),
        to: wish.until.to_string(),
        removed,
        compared,
        differing,
        first,
        second,
        data: data.await?,
        percent: super::replays::share(wish.from, at, to),
        next: (at < to).then(|| format!("{at}..{to}")),
    })
}

fn pairs<'a>(
    effects: &'a [Effect],
    (first, second): &'a (Vec<Standing>, Vec<Standing>),
) -> impl Iterator<Item = (&'a Effect, &'a Standing, &'a Standing)> {
    effects.iter().zip(first).zip(second).map(|((effect, one), other)| (effect, one, other))
}

/// Whether records from that time on are not in the log any more.
fn is_removed(node: &Node, since: selfsame_event::Time) -> Result<bool, Problem> {
    let first = node.log.first();
    Ok(first.offset > 0 && node.log.get(first)?.time > since)
}

fn row(
    node: &Node,
    (effect, first, second): (Effect, StandingShown, StandingShown),
) -> ReconcileRow {
    let is_event = effect.subject.is_none();
    let name = is_event.then(|| EventName::read(node, effect.at));
    let kind = EventType::from_code(effect.kind.0).filter(|_| is_event);
    ReconcileRow {
        position: effect.at.to_string(),
        received_at: effect.log_time.to_string(),
        message_id: name.as_ref().and_then(|name| name.message_id.clone()),
        r#type: kind.map_or("change", EventType::name).to_owned(),
        event: name.and_then(|name| name.event),
        profile_id: effect.profile.to_string(),
        first,
        second,
    }
}
