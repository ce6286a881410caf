//! What a definition would come to, without making it: its streams are folded over the history aside, and
//! every profile is held against it once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use selfsame_audience::{Evaluated, Numbered, Output, Plans, Query, Tally, Traits};
use selfsame_event::{Class, Collection, Position, ProfileId, Raw, Time};
use selfsame_identity::{ComponentId, ComponentRow, Kinds};
use selfsame_log::LogRead;
use selfsame_store::{RowKey, StoreError};

use super::account::{Account, User, account_value_of};
use super::evaluation::{traits_of, value_of};
use super::history::{History, HistoryError};
use super::plans::{admits, chosen};
use super::row::{Held, Values};
use super::whole::outlines;
use super::whose::{Anchored, sections, users_of};
use crate::key::InSpace;
use crate::row;
use crate::shared::{Shared, View};
use crate::workspace::{ChangeError, DefinitionKind, definition_query, holder, references};

/// What is to be previewed.
#[derive(Debug, Clone)]
pub struct PreviewConfig {
    /// Where the history is folded; removed afterwards.
    pub folder: PathBuf,
    /// The id of the space.
    pub space: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// Whose it is.
    pub collection: Collection,
    /// What it says.
    pub query: String,
    /// The types of identifiers of which a member has one; where there are none, anybody may be one.
    pub filter_by_external_ids: Vec<String>,
    /// The id of the definition that it would replace: who would enter and leave is counted.
    pub replaces: Option<String>,
    /// The id of an audience of which the members in common are counted.
    pub overlap: Option<String>,
    /// How many members are shown.
    pub sample: usize,
    /// The moment as of which it is.
    pub now: Time,
}

/// What a definition would come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// How many profiles there are.
    pub profiles: u64,
    /// How many would be in the audience, or would have another value than where nothing happened.
    pub size: u64,
    /// Some of them, with the value as JSON: those with the smallest hash of their id, so that the same are
    /// shown again.
    pub sample: Vec<(ProfileId, String)>,
    /// Of them, how many have an identifier of a type.
    pub identifiers: BTreeMap<String, u64>,
    /// How many are in the other audience too.
    pub overlap: Option<u64>,
    /// How many would enter and how many would leave the audience that it replaces, or how many would get
    /// a value and lose theirs.
    pub change: Option<[u64; 2]>,
    /// How many values are approximate.
    pub approximate: u64,
    /// From when on there are events.
    pub history_since: Option<Time>,
    /// How many events were looked at.
    pub events: u64,
}

/// How far a preview is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviewProgress {
    /// Whether profiles are looked at, and no more events.
    pub is_behind_history: bool,
    /// Records or profiles that are done.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// There is no such space.
    #[error("there is no such space")]
    Space,
    /// There is no such definition.
    #[error("there is no definition `{0}`")]
    Unknown(String),
    /// The state is just being opened anew.
    #[error("the state is being opened")]
    Opening,
    /// The definition has no meaning.
    #[error(transparent)]
    Definition(#[from] ChangeError),
    /// The history could not be folded.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The state failed.
    #[error("the state store failed")]
    Store(#[from] StoreError),
}

impl PreviewError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Space | Self::Unknown(_) => Class::Missing,
            Self::Opening => Class::Unavailable,
            Self::Definition(_) => Class::Invalid,
            Self::History(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }
}

struct NoTraits;

impl Traits for NoTraits {
    fn get(&self, _: &str) -> Option<Raw<'_>> {
        None
    }
}

/// The definitions that are compared with.
struct Others {
    replaced: Option<u32>,
    overlap: Option<u32>,
    /// Whether one of them is a trait, which is evaluated to be compared with.
    are_traits: bool,
    /// What it comes to where nothing happened, as JSON.
    default: String,
    /// The types of identifiers of which a member has one.
    filter: Option<Kinds>,
}

/// Previews a definition. Nothing where it is told not to go on.
pub fn preview(
    shared: &Shared,
    (log, outbox): (&dyn LogRead, &dyn LogRead),
    config: &PreviewConfig,
    goes_on: &mut dyn FnMut(PreviewProgress) -> bool,
) -> Result<Option<Preview>, PreviewError> {
    let view = shared.view().ok_or(PreviewError::Opening)?;
    let space = view.meta.workspace.space(&config.space).ok_or(PreviewError::Space)?;
    let number = space.number;
    let known = |id: &Option<String>| {
        let number = |id: &String| {
            let definition = view.meta.workspace.definition(&config.space, id);
            let definition = definition.filter(|one| one.collection == config.collection);
            let unknown = || PreviewError::Unknown(id.clone());
            definition.map(|one| one.number).ok_or_else(unknown)
        };
        id.as_ref().map(number).transpose()
    };
    let (replaced, overlap) = (known(&config.replaces)?, known(&config.overlap)?);
    let query = definition_query(config.kind, config.collection, &config.query)?;
    let numbered = Numbered { query: &query, holder: holder(config.collection), streams: &[] };
    let plans = Plans::numbered(&[numbered], &mut 0).unwrap_or_default();
    let of_nothing = match config.collection {
        Collection::Users => plans.evaluate(0, &[], &NoTraits, Time::EPOCH),
        Collection::Accounts => {
            let nothing = plans.profile(&[], Time::EPOCH);
            nothing.evaluate_account(0, &NoTraits, &Tally::default())
        }
    };
    let default = of_nothing.map(|one| one.value.json()).unwrap_or_default();
    let is_trait = |number: u32| {
        let mut definitions = view.meta.workspace.definitions_of(&config.space);
        let definition = definitions.find(|definition| definition.number == number);
        definition.is_some_and(|definition| definition.kind == DefinitionKind::ComputedTrait)
    };
    let are_traits = replaced.into_iter().chain(overlap).any(is_trait);
    let slot = usize::try_from(number).unwrap_or(usize::MAX);
    let numbers = view.meta.spaces.get(slot).map(|counts| &counts.numbers);
    let filter = numbers.and_then(|numbers| chosen(&config.filter_by_external_ids, numbers));
    let others = Others { replaced, overlap, are_traits, default, filter };
    let next = view.meta.next;
    let streams: BTreeMap<u32, u64> = plans.streams_of(0).map(|stream| (stream, next)).collect();
    let progress =
        |is_behind_history, done, total| PreviewProgress { is_behind_history, done, total };
    let folded = History::fold(
        (log, outbox),
        &view,
        number,
        (&plans, &streams),
        &config.folder,
        &mut |at: Position, _| goes_on(progress(false, at.offset, next)),
    )?;
    let Some(history) = folded else { return Ok(None) };
    let first = log.get(log.first()).ok().map(|record| record.time);
    let mut preview = Preview {
        overlap: others.overlap.map(|_| 0),
        change: others.replaced.map(|_| [0, 0]),
        history_since: first,
        events: history.events,
        ..Preview::default()
    };
    let roots = roots(&view, number, config.collection)?;
    let total = u64::try_from(roots.len()).unwrap_or(0);
    let mut sample = BTreeMap::new();
    for (done, component) in (0_u64..).zip(roots) {
        if done.is_multiple_of(1_000) && !goes_on(progress(true, done, total)) {
            return Ok(None);
        }
        let key = InSpace { space: number, key: component };
        let row = view.tables.components.read(&key, row::component)?.flatten();
        // One that was merged meanwhile is a part of another one.
        let Some(row) = row.filter(|row| row.parent.is_none()) else { continue };
        preview.look(
            &view,
            number,
            &row,
            config,
            &others,
            (&plans, &query, &history),
            &mut sample,
        )?;
    }
    preview.sample = sample.into_values().collect();
    history.remove()?;
    Ok(Some(preview))
}

fn roots(view: &View, space: u32, collection: Collection) -> Result<Vec<ComponentId>, StoreError> {
    let mut roots = Vec::new();
    view.tables.components.scan(&space.to_be_bytes(), |key, packed| {
        let key = InSpace::<ComponentId>::from_bytes(key).map(|key| key.key);
        let key = key.filter(|key| key.collection() == collection);
        roots
            .extend(key.filter(|_| row::component(packed).is_some_and(|row| row.parent.is_none())));
        true
    })?;
    roots.sort_unstable();
    roots.dedup();
    Ok(roots)
}

/// What it comes to for an account.
fn of_account(
    view: &View,
    (space, own): (u32, &Anchored),
    config: &PreviewConfig,
    (plans, history): (&Plans, &History),
    values: &Values<'_>,
) -> Result<Option<Evaluated>, StoreError> {
    let slot = usize::try_from(space).unwrap_or(usize::MAX);
    let Some(of_space) = view.plans.get(slot) else { return Ok(None) };
    let (found, is_cut) = users_of(&view.tables, space, own)?;
    let (mut rows, mut written) = (Vec::new(), Vec::new());
    for user in &found {
        let kept = user.sections.iter().map(|(key, _)| history.row(&InSpace { space, key: *key }));
        rows.push(kept.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?);
        let key = InSpace { space, key: user.profile };
        written.push(view.tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default());
    }
    let users = found.iter().zip(&rows).zip(&written).map(|((user, rows), written)| User {
        sections: outlines(user.sections.iter().map(|(_, section)| section)),
        rows: rows.iter().map(Vec::as_slice).collect(),
        values: Values::read(written, &[]).unwrap_or_default(),
    });
    let users: Vec<User<'_>> = users.collect();
    let own = outlines(own.iter().map(|(_, section)| section));
    let account = Account { sections: &own, users: &users, is_cut };
    Ok(account_value_of(plans, of_space, values, &account, config.now))
}

impl Preview {
    #[expect(clippy::too_many_arguments, reason = "one step of one loop")]
    fn look(
        &mut self,
        view: &View,
        space: u32,
        row: &ComponentRow,
        config: &PreviewConfig,
        others: &Others,
        (plans, query, history): (&Plans, &Query, &History),
        sample: &mut BTreeMap<(u64, ProfileId), (ProfileId, String)>,
    ) -> Result<(), PreviewError> {
        let Some(profile) = row.profile() else { return Ok(()) };
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let key = InSpace { space, key: profile };
        let written = view.tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let values = Values::read(&written, &[]).unwrap_or_default();
        let Some(of_space) = view.plans.get(slot) else { return Ok(()) };
        let reads_sections = others.are_traits || !references(query).own.is_empty();
        let is_account = config.collection == Collection::Accounts;
        let mut own = Vec::new();
        if reads_sections || is_account {
            own = sections(&view.tables, space, row)?;
        }
        let read = outlines(own.iter().map(|(_, section)| section));
        let evaluated = if is_account {
            of_account(view, (space, &own), config, (plans, history), &values)?
        } else {
            let anchored = row.members.iter().filter(|member| member.anchored);
            let rows = anchored.map(|member| history.row(&InSpace { space, key: member.key }));
            let rows = rows.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
            value_of(plans, &rows, of_space, &values, &read, config.now)
        };
        let Some(evaluated) = evaluated else { return Ok(()) };
        let json = evaluated.value.json();
        let is_in = match config.kind {
            DefinitionKind::Audience => {
                json == "true" && admits(others.filter.as_ref(), &row.kinds())
            }
            DefinitionKind::ComputedTrait => json != "null" && json != others.default,
        };
        let reads_traits = others.are_traits && !is_account;
        let traits = reads_traits.then(|| traits_of(of_space, &values, &read, config.now));
        let held = |number: u32| match values.get(number).map(|row| row.held) {
            Some(Held::In(_)) => true,
            Some(Held::Out(_)) => false,
            Some(Held::Json(json)) if is_account => json != "null",
            Some(Held::Json(_) | Held::Default) | None => {
                let value = traits.as_ref().and_then(|traits| traits.get(&number));
                let default = of_space.default_of(number);
                value.is_some_and(|one| one.value != Output::Null && default != one.value.json())
            }
        };
        self.profiles += 1;
        if let (Some(replaced), Some(change)) = (others.replaced, &mut self.change) {
            match (held(replaced), is_in) {
                (false, true) => change[0] += 1,
                (true, false) => change[1] += 1,
                _ => {}
            }
        }
        if !is_in {
            return Ok(());
        }
        self.size += 1;
        self.approximate += u64::from(evaluated.is_approximate);
        if let (Some(other), Some(overlap)) = (others.overlap, &mut self.overlap) {
            *overlap += u64::from(held(other));
        }
        let mut kinds: Vec<_> = row.members.iter().map(|member| member.number).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let names = view.meta.spaces.get(slot).map(|counts| &counts.numbers);
            if let Some((_, name)) = names.and_then(|names| names.name(kind)) {
                *self.identifiers.entry(name.to_owned()).or_default() += 1;
            }
        }
        let rank = u64::from_le_bytes(profile.to_bytes()[12..].try_into().unwrap_or_default());
        sample.insert((rank, profile), (profile, json));
        if sample.len() > config.sample {
            sample.pop_last();
        }
        Ok(())
    }
}
