//! Identity, explained: why two identifiers are one profile or are not, how a profile came to be, and
//! how healthy the graph of a space is.

use std::collections::BTreeMap;

use selfsame_event::{Collection, Identifier, ItemPosition, ProfileId};
use selfsame_log::LogRead as _;
use selfsame_pipeline::decision::{Decision, NoteKind};
use selfsame_pipeline::trend::{DayCounts, DayGraph, is_shared};
use selfsame_pipeline::{
    Apart, ApartPair, Between, Effect, EventRef, Found, HealthBudget, LinkPath, LinkRule,
    LookupError, MergeRow, OverLimit, PathLink, ProfileRef, Refusal, SIZES, SpaceRead, TypeLimit,
    Unmapped, Why, WhyBudget, WhyEnd, WhyQuery,
};

use super::Control;
use super::asked::Asked;
use super::problem::{Code, Problem};
use crate::node::Node;

mod alarms;
mod households;
mod proposals;
mod shown;

pub(crate) use households::{IdentityHouseholds, households};
pub(crate) use proposals::{IdentityProposals, hint, proposals};
pub(crate) use shown::{
    DayGraphShown, DayShown, EventRefShown, IdentifierShown, IdentityHealthShown, IdentityMerges,
    IdentityWhy, LargeProfileShown, LinkShown, MergeShown, MetLimitShown, OverLimitShown,
    RefusalShown, RuleShown, SetApartShown, SizeShown, StoppedShown, WantedShown, WhyEndShown,
};

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Space => Self::new(Code::NotFound, "There is no such space."),
            LookupError::Opening => Self::opening(),
            error => Self::of(error.class(), &error),
        }
    }
}

/// `GET /api/spaces/{id}/identity/why`
pub(crate) async fn why(control: Control, asked: Asked) -> Result<IdentityWhy, Problem> {
    let collection = collection(&asked)?;
    let (from, to) = (identifier(&asked, "from")?, identifier(&asked, "to")?);
    let space = asked.id().to_owned();
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        for (name, id) in [("from", &from), ("to", &to)] {
            check_type(&read, collection, name, id)?;
        }
        let budget = WhyBudget::default();
        let query = WhyQuery { collection, from: &from, to: &to, budget };
        let why = read.why(&query, &|at| decided(node, at))?;
        Ok(shown(&read, why))
    };
    control.scan(work).await
}

/// `GET /api/spaces/{id}/identity/merges`
pub(crate) async fn merges(control: Control, asked: Asked) -> Result<IdentityMerges, Problem> {
    let limit = asked.limit(1_000, 10_000)?;
    let collection = collection(&asked)?;
    let of = asked.get("of").unwrap_or_default().to_owned();
    let wanted = match ProfileId::parse(&of) {
        Some(id) => ProfileRef::Id(id),
        None => {
            let id = identifier(&asked, "of").map_err(|_| {
                let message =
                    "`of` is an identifier such as user_id:42, or the id of a profile (use_…).";
                Problem::field("of", message)
            })?;
            ProfileRef::Identifier { kind: id.kind.into(), value: id.value.into() }
        }
    };
    let space = asked.id().to_owned();
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        if let ProfileRef::Identifier { kind, value } = &wanted {
            check_type(&read, collection, "of", &Identifier::new(&**kind, &**value))?;
        }
        let found = read.find(collection, &wanted)?;
        let found = found.ok_or_else(|| Problem::missing("profile", &of))?;
        let merges = found.merges()?;
        let total = u64::try_from(merges.len()).unwrap_or(u64::MAX);
        let data = merges.into_iter().take(limit).map(|row| merge(&found, &row));
        Ok(IdentityMerges {
            profile_id: found.id().to_string(),
            identifiers: found.external_ids().map(|id| id_shown(id.kind, id.value)).collect(),
            data: data.collect::<Result<_, Problem>>()?,
            total,
        })
    };
    control.scan(work).await
}

/// `GET /api/spaces/{id}/identity/health`
pub(crate) async fn health(control: Control, asked: Asked) -> Result<IdentityHealthShown, Problem> {
    let collection = collection(&asked)?;
    let shown = asked.limit(10, 100)?;
    let view = control.view()?;
    let space = super::spaces::find(&view, asked.id())?;
    let slot = usize::try_from(space.number).unwrap_or(usize::MAX);
    let counts = view.meta.spaces.get(slot).cloned().unwrap_or_default();
    let id = space.id.clone();
    let budget = HealthBudget { shown, ..HealthBudget::default() };
    let work = move |node: &Node| Ok(read(node, &id)?.identity_health(collection, &budget)?);
    let health = control.scan(work).await?;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let violations = counts.violations.iter();
    let cap = space.rules.caps.mappings;
    let graphs = control.node.alerts.graph_days.of(&space.id, collection);
    Ok(IdentityHealthShown {
        profiles: counts.profiles,
        merges: counts.merges,
        events: counts.events,
        unattached: counts.unattached,
        violations: violations
            .map(|(why, count)| (super::insights::words(*why).0, *count))
            .collect(),
        alarms: alarms::of(&health, &counts.days, cap),
        days: days(&counts.days, &graphs),
        sizes: sizes(&health.sizes),
        largest: health
            .largest
            .into_iter()
            .map(|one| LargeProfileShown {
                profile_id: one.profile.to_string(),
                identifiers: one.identifiers,
                merges: one.merges,
            })
            .collect(),
        wanted: health
            .wanted
            .into_iter()
            .map(|one| WantedShown {
                id: of(&one.identifier),
                profile_id: one.profile.to_string(),
                profiles: one.profiles,
                sets: one.sets,
                block: is_shared(one.profiles)
                    .then(|| proposals::block(&space.id, &one.identifier)),
            })
            .collect(),
        over_rules: health.over_rules,
        components_read: number(health.components),
        ledger_read: number(health.ledger),
        cut: health.is_cut || health.is_ledger_cut,
    })
}

fn days(counts: &BTreeMap<u32, DayCounts>, graphs: &BTreeMap<u32, DayGraph>) -> Vec<DayShown> {
    let graph = |graph: &DayGraph| DayGraphShown {
        sizes: sizes(&graph.sizes),
        largest: graph.largest,
        giants: graph.giants,
        shared: graph.shared,
        over_rules: graph.over_rules,
    };
    let days = counts.iter().map(|(day, counts)| DayShown {
        day: super::rejected::day_name(*day),
        events: counts.events,
        unattached: counts.unattached,
        profiles: counts.profiles,
        merges: counts.merges,
        violations: counts.violations,
        graph: graphs.get(day).map(graph),
    });
    days.collect()
}

fn sizes(counts: &[u64]) -> Vec<SizeShown> {
    let starts = std::iter::once(1).chain(SIZES.map(|most| most.saturating_add(1)));
    let sizes = starts.zip(SIZES).zip(counts).map(|((least, most), profiles)| SizeShown {
        least,
        most: (most != u32::MAX).then_some(most),
        profiles: *profiles,
    });
    sizes.collect()
}

/// The space, or that there is none.
pub(super) fn read(node: &Node, space: &str) -> Result<SpaceRead, Problem> {
    node.reader().space(space).map_err(|error| match error {
        LookupError::Space => Problem::missing("space", space),
        error => error.into(),
    })
}

/// The decision about an event, from the outbox.
fn decided(node: &Node, at: ItemPosition) -> Option<Decision> {
    let record = node.outbox.get(at.record).ok()?;
    Decision::decode(record.items.get(usize::try_from(at.index).ok()?)?.body()?)
}

fn collection(asked: &Asked) -> Result<Collection, Problem> {
    collection_named(asked.get("collection"))
}

pub(super) fn collection_named(name: Option<&str>) -> Result<Collection, Problem> {
    let Some(name) = name else { return Ok(Collection::Users) };
    Collection::from_name(name)
        .ok_or_else(|| Problem::field("collection", "`collection` is users or accounts."))
}

/// An identifier of the query: `type:value`, split at the first colon.
pub(super) fn identifier(asked: &Asked, name: &'static str) -> Result<Identifier, Problem> {
    parsed(asked.get(name).unwrap_or_default(), name)
}

/// An identifier of a type that there is.
pub(super) fn identifier_of(
    read: &SpaceRead,
    collection: Collection,
    name: &'static str,
    text: &str,
) -> Result<Identifier, Problem> {
    let id = parsed(text, name)?;
    check_type(read, collection, name, &id)?;
    Ok(id)
}

fn parsed(text: &str, name: &'static str) -> Result<Identifier, Problem> {
    let parts = text.split_once(':');
    match parts.filter(|(kind, value)| !kind.is_empty() && !value.is_empty()) {
        Some((kind, value)) => Ok(Identifier::new(kind.to_ascii_lowercase(), value)),
        None => {
            let message = format!("`{name}` is an identifier such as user_id:42 or email:a@b.c.");
            Err(Problem::field(name, message))
        }
    }
}

pub(super) fn check_type(
    read: &SpaceRead,
    collection: Collection,
    name: &'static str,
    id: &Identifier,
) -> Result<(), Problem> {
    let types = read.types(collection);
    if types.contains(&&*id.kind) {
        return Ok(());
    }
    let kinds = types.join(", ");
    let message = format!("`{name}`: there is no type `{}`; there are {kinds}.", id.kind);
    Err(Problem::field(name, message))
}

fn shown(read: &SpaceRead, why: Why) -> IdentityWhy {
    let is_cut = [&why.from, &why.to]
        .iter()
        .any(|end| end.unmapped.as_ref().is_some_and(|unmapped| unmapped.is_cut));
    let (from, to) = (end(read, why.from), end(read, why.to));
    let (verdict, sentence) = match &why.between {
        Between::Path(LinkPath { links: Some(_), .. }) => {
            ("same_profile", "One profile holds both; these events link them.")
        }
        Between::Path(_) => (
            "same_profile",
            "One profile holds both; the events that link them are not at hand any more.",
        ),
        Between::Apart(Apart { count: 0, .. }) => (
            "different_profiles",
            "Two profiles hold them. No event is recorded that would have joined the two.",
        ),
        Between::Apart(_) => (
            "different_profiles",
            "Two profiles hold them. These events would have joined the two, and met a limit.",
        ),
        Between::Nothing => ("no_profile", "At least one of them is on no profile."),
    };
    let mut answer = IdentityWhy {
        verdict: verdict.to_owned(),
        sentence: sentence.to_owned(),
        from,
        to,
        links: None,
        refusals: Vec::new(),
        refusal_count: 0,
        set_apart: Vec::new(),
        limits: Vec::new(),
        sets_read: 0,
        cut: false,
    };
    match why.between {
        Between::Path(path) => {
            answer.sets_read = u64::try_from(path.sets).unwrap_or(u64::MAX);
            answer.cut = path.is_cut;
            answer.links =
                path.links.map(|links| links.into_iter().map(|one| link(read, one)).collect());
        }
        Between::Apart(apart) => {
            answer.refusals = apart.refusals.into_iter().map(|one| refusal(read, one)).collect();
            answer.refusal_count = apart.count;
            answer.limits = apart.limits.into_iter().map(over).collect();
            answer.set_apart = apart.set_apart.iter().map(pair).collect();
            answer.cut = apart.is_cut;
        }
        Between::Nothing => answer.cut = is_cut,
    }
    answer
}

fn end(read: &SpaceRead, end: WhyEnd) -> WhyEndShown {
    let WhyEnd { identifier, profile, unmapped } = end;
    let (stopped, times) = match unmapped {
        Some(Unmapped { stopped, times, .. }) => (stopped, times),
        None => (None, 0),
    };
    WhyEndShown {
        id: of(&identifier),
        profile_id: profile.map(|id| id.to_string()),
        stopped: stopped.map(|stopped| StoppedShown {
            rule: code(stopped.by),
            sentence: stopped.by.sentence().to_owned(),
            limit: stopped.limit.map(met),
            profile_id: stopped.profile.map(|id| id.to_string()),
            limits: stopped.limits.into_iter().map(over).collect(),
            event: event(read, stopped.event),
        }),
        stopped_count: times,
    }
}

fn link(read: &SpaceRead, link: PathLink) -> LinkShown {
    let (effect, merge) = match link.effect {
        Effect::Mapped => ("mapped", None),
        Effect::Merged { into, other } => ("merged", Some((into, other))),
        Effect::Seen => ("seen", None),
    };
    let LinkRule::Deterministic { from, to } = link.rule;
    let rule = RuleShown { kind: "deterministic".to_owned(), from_priority: from, to_priority: to };
    LinkShown {
        from: of(&link.from),
        to: of(&link.to),
        effect: effect.to_owned(),
        rule,
        into: merge.map(|(into, _)| into.to_string()),
        merged: merge.map(|(_, other)| other.to_string()),
        event: event(read, link.event),
    }
}

fn refusal(read: &SpaceRead, refusal: Refusal) -> RefusalShown {
    let sentence = refusal.rule.map_or("A limit was exceeded", NoteKind::sentence);
    RefusalShown {
        rule: refusal.rule.map(code),
        sentence: sentence.to_owned(),
        limit: refusal.limit.map(met),
        left_out: refusal.left_out.as_ref().map(of),
        event: event(read, refusal.event),
    }
}

fn merge(found: &Found<'_>, row: &MergeRow) -> Result<MergeShown, Problem> {
    let read = found.space();
    let named = read.event_ref(row.event, row.source, (row.event_time, row.log_time))?;
    Ok(MergeShown {
        merged: row.merged,
        into: row.profile.to_string(),
        from: row.other.to_string(),
        device: row.device.as_ref().map(|id| id_shown(&id.kind, &id.value)),
        refused_by: row.refused_by.map(str::to_owned),
        limit: row.limit.clone().map(met),
        identifiers: row.identifiers.iter().map(|id| id_shown(&id.kind, &id.value)).collect(),
        event: event(read, named),
    })
}

pub(super) fn event(read: &SpaceRead, event: EventRef) -> EventRefShown {
    EventRefShown {
        position: event.position.to_string(),
        message_id: event.message_id,
        r#type: event.kind.map(|kind| kind.name().to_owned()),
        name: event.name,
        timestamp: event.event_time.to_string(),
        received_at: event.log_time.to_string(),
        source: read.source_id(event.source).to_owned(),
    }
}

fn over(limit: OverLimit) -> OverLimitShown {
    let OverLimit { kind, limit, window, count } = limit;
    OverLimitShown { r#type: kind, limit, window: window.name().to_owned(), count }
}

fn met(met: TypeLimit) -> MetLimitShown {
    let TypeLimit { kind, limit } = met;
    MetLimitShown { r#type: kind, limit: limit.count, window: limit.window.name().to_owned() }
}

fn pair(pair: &ApartPair) -> SetApartShown {
    let (since, by) = (pair.since.to_string(), pair.by.clone());
    SetApartShown { one: of(&pair.one), other: of(&pair.other), since, by }
}

fn code(kind: NoteKind) -> String {
    super::insights::words(kind as u8).0
}

pub(super) fn of(id: &Identifier) -> IdentifierShown {
    id_shown(&id.kind, &id.value)
}

pub(super) fn id_shown(kind: &str, value: &str) -> IdentifierShown {
    IdentifierShown { r#type: kind.to_owned(), value: value.to_owned() }
}
