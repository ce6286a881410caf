//! Tries rules out: what would the graph of a space be, had they been in force from the first record on?
//!
//! The log is resolved twice side by side, with the rules as they are and with those that are tried,
//! and the two graphs are compared. The state in use is neither read nor held up. What was a duplicate is
//! known from the outbox: no rule of identity changes that. Nothing is folded, but in a space with
//! definitions: there, the sections of both are folded with what the definitions keep, and every profile of
//! either is evaluated once at the end.

mod diff;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use selfsame_event::{Class, EventsHead, IdentifierKey, Position, ProfileId, RecordKind};
use selfsame_identity::{RuleSet, find_profile};
use selfsame_log::{Item, LogRead, ReadError, Record};

use crate::ahead::{Ahead, Published};
use crate::checkpoint::{CheckpointError, Checkpointer};
use crate::decision::{Decision, Verdict};
use crate::graph::Graph;
use crate::identity::IdentityChange;
use crate::meta::PENDING;
use crate::prepare::{AT_ONCE, Prepared, warm};
use crate::state::{State, StateConfig, StateError};
use crate::step::{Resolved, read_head};
use crate::tables::MemoryBudget;

pub use diff::{GraphDiff, Regrouped, Sample, SampleProfile};
pub use values::{DefinitionDiff, ProfileChange};

const READ_BYTES: usize = 512 << 10;
/// After how many events the graphs are written back, so that their rows can leave memory.
const CHECKPOINT_EVENTS: u64 = 500_000;
/// The same where sections are folded too.
const CHECKPOINT_FOLDED: u64 = 100_000;

/// What is tried, and how.
#[derive(Debug, Clone)]
pub struct TrialConfig {
    /// The id of the space.
    pub space: String,
    /// The rules that are tried.
    pub rules: RuleSet,
    /// What is set apart and lifted with them.
    pub identity: Option<IdentityChange>,
    /// Up to which record.
    pub until: Position,
    /// An empty folder for the two graphs.
    pub folder: PathBuf,
    /// Memory for the hot rows of each.
    pub memory: MemoryBudget,
}

/// What would be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialReport {
    /// Up to which record the log was looked at.
    pub until: Position,
    /// Events of the space, duplicates not counted.
    pub events: u64,
    /// Those that would belong to the profile of another id.
    pub moved: u64,
    /// Those that belong to nobody, and would belong to somebody.
    pub gained: u64,
    /// Those that belong to somebody, and would belong to nobody.
    pub lost: u64,
    /// The graph of users.
    pub users: GraphDiff,
    /// The graph of accounts.
    pub accounts: GraphDiff,
    /// Merges made, as it is and as it would be.
    pub merges: [u64; 2],
    /// How often each limit, block and cap was met and would have been, by the number of its note.
    pub violations: BTreeMap<u8, [u64; 2]>,
    /// What would be different of each computed trait and audience, in the order in which they were made.
    pub definitions: Vec<DefinitionDiff>,
}

/// Why a trial has no result.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The graphs failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The graphs cannot be written back.
    #[error("the graphs of a trial cannot be written")]
    Checkpoint(#[from] CheckpointError),
    /// The log or the outbox cannot be read.
    #[error("the log cannot be read")]
    Read(#[from] ReadError),
    /// The log has not everything.
    #[error("the log begins at {first}: what was before cannot be resolved again")]
    Trimmed {
        /// Where it begins.
        first: Position,
    },
    /// There is no such space in the log.
    #[error("there is no space `{0}`")]
    Space(String),
    /// The outbox has no decisions for a record.
    #[error("the outbox has no decisions for record {0}")]
    Outbox(Position),
    /// It was told to stop.
    #[error("the trial was stopped")]
    Stopped,
}

impl TrialError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::State(error) => error.class(),
            Self::Checkpoint(_) => Class::Unavailable,
            Self::Read(error) => error.class(),
            Self::Trimmed { .. } | Self::Stopped => Class::Conflict,
            Self::Space(_) => Class::Missing,
            Self::Outbox(_) => Class::Corrupt,
        }
    }
}

/// Tries rules out. `goes_on` is told how far it is, and says whether to go on.
pub fn try_rules(
    log: &dyn LogRead,
    outbox: &dyn LogRead,
    config: &TrialConfig,
    mut goes_on: impl FnMut(Position) -> bool,
) -> Result<TrialReport, TrialError> {
    if log.first().offset > 0 || outbox.first().offset > 0 {
        return Err(TrialError::Trimmed { first: log.first().max(outbox.first()) });
    }
    let ahead = Ahead::look(log, Position::default(), config.until)?;
    let settled = ahead.settled_of(&config.space, config.until.offset);
    let every = if settled.is_some() { CHECKPOINT_FOLDED } else { CHECKPOINT_EVENTS };
    let mut before = Side::open(config, "before", &ahead, None)?;
    let mut after = Side::open(config, "after", &ahead, Some(&config.rules))?;
    let mut tally = Tally::default();
    let (mut next, mut since) = (Position::default(), 0);
    while next < config.until {
        let records = log.read(next, READ_BYTES)?;
        let mut decided = outbox.read(next, READ_BYTES)?.into_iter();
        for record in records.iter().take_while(|record| record.position < config.until) {
            let Some(decisions) = decided.next() else { break };
            if decisions.position != record.position {
                return Err(TrialError::Outbox(record.position));
            }
            let admitted = admitted(record, &decisions)?;
            let anchors = [&mut before, &mut after]
                .map(|side| side.state.resolve_only(record, &admitted, &config.space));
            let [before, after] = anchors;
            let (before, after) = (before?, after?);
            since += u64::try_from(before.len()).unwrap_or(0);
            before.into_iter().zip(after).for_each(|(before, after)| tally.add(before, after));
            next = record.position.next();
        }
        if since >= every {
            since = 0;
            before.write_back()?;
            after.write_back()?;
        }
        if !goes_on(next) {
            return Err(TrialError::Stopped);
        }
    }
    before.write_back()?;
    after.write_back()?;
    let states = [&before.state, &after.state];
    let Some(definitions) = values::compare(states, &config.space, &mut || goes_on(next))? else {
        return Err(TrialError::Stopped);
    };
    report(config, states, &tally, definitions)
}

/// One of the two graphs.
struct Side {
    state: State,
    checkpointer: Checkpointer,
}

impl Side {
    fn open(
        config: &TrialConfig,
        name: &str,
        ahead: &Ahead,
        rules: Option<&RuleSet>,
    ) -> Result<Self, TrialError> {
        let how = StateConfig { memory: config.memory, ..StateConfig::default() };
        let mut state = State::open(&config.folder.join(name), &how)?;
        state.take_ahead(ahead);
        let definitions = config.until.offset;
        state.meta.settled.remove(&config.space);
        if let Some(settled) = ahead.settled_of(&config.space, definitions) {
            state.meta.settled.insert(config.space.clone(), settled);
        }
        if let Some(rules) = rules {
            let apart = ahead.apart_by(&config.space, definitions, config.identity.as_ref());
            let (rules, identity) = (rules.clone(), config.identity.clone());
            let tried = Published { offset: PENDING, rules, definitions, identity };
            state.meta.apart.remove(&config.space);
            state.meta.apart.extend(apart.map(|one| (config.space.clone(), one)));
            state.meta.published.insert(config.space.clone(), PENDING);
            state.published.insert(config.space.clone(), tried);
        }
        let checkpointer = Checkpointer::start(state.tables().clone(), None)?;
        Ok(Self { state, checkpointer })
    }

    fn write_back(&mut self) -> Result<(), CheckpointError> {
        self.checkpointer.run_now(&mut self.state)?;
        self.state.tables.shrink();
        Ok(())
    }
}

/// Which events of a record were admitted: neither refused nor there before.
fn admitted(record: &Record, decisions: &Record) -> Result<Vec<bool>, TrialError> {
    // Of other records the outbox has effects only.
    if RecordKind::from_code(record.kind) != Some(RecordKind::Events) {
        return Ok(Vec::new());
    }
    let no_decision = || TrialError::Outbox(record.position);
    let is_admitted = |item: &Item| {
        let decision = item.body().and_then(|body| Decision::decode(body));
        let verdict = decision.ok_or_else(no_decision)?.verdict;
        Ok(matches!(verdict, Verdict::Accepted(_) | Verdict::Unattached { .. }))
    };
    // Behind the decisions there may be effects.
    decisions.items.iter().take(record.items.len()).map(is_admitted).collect()
}

impl State {
    /// The part of [`State::step`] that decides who is who, and folds what definitions need of it. Gives the
    /// anchor of each admitted event of the space; none of one that is nobody's.
    fn resolve_only(
        &mut self,
        record: &Record,
        admitted: &[bool],
        space: &str,
    ) -> Result<Vec<Option<IdentifierKey>>, StateError> {
        let is_skipped = self.skipped.contains(&record.position.offset);
        let kind = RecordKind::from_code(record.kind);
        if !is_skipped && !matches!(kind, Some(RecordKind::Events | RecordKind::Rejected)) {
            self.step(record)?;
            return Ok(Vec::new());
        }
        let mut anchors = Vec::new();
        if !is_skipped && kind == Some(RecordKind::Events) {
            self.resolve_events(record, admitted, space, &mut anchors)?;
        }
        self.meta.next = record.position.next().offset;
        self.meta.log_time = record.time.micros();
        Ok(anchors)
    }

    fn resolve_events(
        &mut self,
        record: &Record,
        admitted: &[bool],
        space: &str,
        anchors: &mut Vec<Option<IdentifierKey>>,
    ) -> Result<(), StateError> {
        let head: EventsHead = read_head(record)?;
        let origin = self.origin(record, &head)?;
        if self.meta.workspace.spaces.get(origin.slot).is_none_or(|one| one.id != space) {
            return Ok(());
        }
        let items: Vec<_> = (0_u32..).zip(record.items.iter()).zip(admitted).collect();
        for items in items.chunks(AT_ONCE) {
            let admitted = items.iter().filter(|(_, is_admitted)| **is_admitted);
            let bodies = admitted.filter_map(|((index, item), _)| Some((*index, item.body()?)));
            let events: Vec<_> = bodies.map(|(index, body)| (index, head.event(body))).collect();
            let prepare = |(index, event)| self.prepare(origin, index, Some(event));
            let prepared: Vec<_> =
                events.iter().map(|(index, event)| prepare((*index, event))).collect();
            warm(&self.tables, &self.dedupe, (origin.space, false), &prepared);
            for prepared in prepared {
                let Prepared::Event(arrival) = prepared else { continue };
                if !self.plans[origin.slot].is_empty() {
                    let verdict = self.resolve_and_fold(&arrival)?;
                    anchors.push(match verdict {
                        Verdict::Accepted(accepted) => Some(accepted.anchor),
                        _ => None,
                    });
                    continue;
                }
                let Resolved { outcome, notes } = self.resolve(&arrival)?;
                if outcome.user.is_some() {
                    self.list_notes(origin.space, origin.slot, &arrival, &notes);
                }
                anchors.push(outcome.user.map(|user| user.anchor));
            }
        }
        Ok(())
    }
}

/// How many events had each anchor in one graph and in the other.
#[derive(Default)]
struct Tally {
    events: u64,
    same: BTreeMap<IdentifierKey, u64>,
    other: BTreeMap<[IdentifierKey; 2], u64>,
    gained: u64,
    lost: u64,
}

impl Tally {
    fn add(&mut self, before: Option<IdentifierKey>, after: Option<IdentifierKey>) {
        self.events += 1;
        match (before, after) {
            (Some(before), Some(after)) if before == after => {
                *self.same.entry(before).or_default() += 1;
            }
            (Some(before), Some(after)) => *self.other.entry([before, after]).or_default() += 1,
            (None, Some(_)) => self.gained += 1,
            (Some(_), None) => self.lost += 1,
            (None, None) => {}
        }
    }

    /// Events that are of the profile of another id in one graph than in the other.
    fn moved(&self, mut graphs: [Graph<'_>; 2]) -> Result<u64, StateError> {
        let mut moved = 0;
        let same = self.same.iter().map(|(key, events)| ([*key; 2], events));
        let other = self.other.iter().map(|(keys, events)| (*keys, events));
        for ([before, after], events) in same.chain(other) {
            let [old, new] = &mut graphs;
            if profile(old, before)? != profile(new, after)? {
                moved += events;
            }
        }
        Ok(moved)
    }
}

fn profile(graph: &mut Graph<'_>, key: IdentifierKey) -> Result<Option<ProfileId>, StateError> {
    Ok(find_profile(graph, key)?.and_then(|(_, row)| row.profile()))
}

fn report(
    config: &TrialConfig,
    [before, after]: [&State; 2],
    tally: &Tally,
    definitions: Vec<DefinitionDiff>,
) -> Result<TrialReport, TrialError> {
    let space = after.meta.workspace.space(&config.space);
    let space = space.ok_or_else(|| TrialError::Space(config.space.clone()))?.number;
    let slot = usize::try_from(space).unwrap_or(usize::MAX);
    let counts = [before, after].map(|state| &state.meta.spaces[slot]);
    let mut violations: BTreeMap<u8, [u64; 2]> = BTreeMap::new();
    for (side, counts) in counts.iter().enumerate() {
        for (kind, count) in &counts.violations {
            violations.entry(*kind).or_default()[side] = *count;
        }
    }
    let [users, accounts] = diff::compare(before, after, space)?;
    let graph = |state| diff::graph_of(state, space);
    Ok(TrialReport {
        until: config.until,
        events: tally.events,
        moved: tally.moved([graph(before), graph(after)])?,
        gained: tally.gained,
        lost: tally.lost,
        users,
        accounts,
        merges: counts.map(|counts| counts.merges),
        violations,
        definitions,
    })
}
