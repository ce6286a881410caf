//! Reading profiles while the engine folds: cache, then store, without making rows hot.
//!
//! **Invariants:**
//! - a read takes no lock for longer than one row, so the engine never waits for it;
//! - everything up to [`SpaceRead::position`] shows in what was read. Later records may show in part;
//! - a profile is what its root component held while its sections were read. Where the component
//!   changed meanwhile, it is read again.
//!
//! A [`SpaceRead`] is for one request: the engine waits for it when it has to open its state anew.

mod accounts;
mod as_of;
mod computed;
mod events;
mod found;
mod history;
mod households;
mod identity_health;
mod json;
mod membership;
mod merges;
mod proposals;
mod search;
mod settled;
mod undo;
mod why;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use selfsame_event::{Class, Collection, IdentifierKey, Position, ProfileId, SourceNumber};
use selfsame_identity::{
    ComponentId, ComponentRow, RuleError, RuleSet, Rules, TypeNumber, TypeNumbers,
};
use selfsame_log::LogRead;
use selfsame_profile::ChunkError;
use selfsame_store::{StoreError, Table};

use crate::key::InSpace;
use crate::meta::SpaceMeta;
use crate::row::{self, Owner};
use crate::shared::{Shared, View};
use crate::workspace::Space;

pub use as_of::AsOf;
pub use computed::{ComputedValue, Member, MemberPage};
pub use events::{EventPage, EventQuery, ProfileEvent};
pub use found::{ExternalId, Found, LinkedProfile, Metadata};
pub use history::HistoryFrom;
pub use households::{Household, HouseholdBudget, HouseholdMember, Households, Standing};
pub use identity_health::{HealthBudget, IdentityHealth, LargeProfile, SIZES, WantedIdentifier};
pub use json::{JsonArray, JsonObject};
pub use membership::{Counted, Reason, ReasonKind, Reasons, UserReason};
pub use merges::{MergeRow, MergedBy};
pub use proposals::{Proposal, ProposalBudget, ProposalPage, TooMuch};
pub use search::{Matches, SearchBudget, TraitQuery};
pub use undo::{ApartPair, UndoError, UndoPlan, UndoWish, Wanted};
pub use why::{
    Apart, Between, Decided, Effect, EventRef, LinkPath, LinkRule, OverLimit, PathLink, Refusal,
    Stopped, TypeLimit, Unmapped, Why, WhyBudget, WhyEnd, WhyQuery,
};

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// There is no such space.
    #[error("there is no such space")]
    Space,
    /// The state is just being opened anew.
    #[error("the state is being opened")]
    Opening,
    /// The store failed, or a row in it is damaged.
    #[error("the state store failed")]
    Store(#[from] StoreError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] selfsame_log::ReadError),
    /// A piece of a timeline is damaged.
    #[error("a timeline is damaged")]
    Chunk(#[from] ChunkError),
    /// A record is not what its kind says.
    #[error("record {position} is damaged or from a newer version")]
    Record {
        /// Which.
        position: Position,
    },
    /// The stored rules do not compile.
    #[error("the stored identity rules do not compile")]
    Rules(#[from] RuleError),
}

impl LookupError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Space => Class::Missing,
            Self::Opening => Class::Unavailable,
            Self::Store(error) => error.class(),
            Self::Log(error) => error.class(),
            Self::Chunk(_) | Self::Record { .. } | Self::Rules(_) => Class::Corrupt,
        }
    }
}

/// How a profile is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileRef {
    /// By any of its identifiers; the type in any case.
    Identifier {
        /// The type.
        kind: String,
        /// The value.
        value: String,
    },
    /// By any id that it ever had.
    Id(ProfileId),
}

/// Reads the state of an engine and the bodies in its log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    log: Arc<dyn LogRead>,
    rules: Arc<Mutex<BTreeMap<u32, Arc<Compiled>>>>,
}

/// The rules of a space as they were when they were compiled.
#[derive(Debug)]
struct Compiled {
    set: RuleSet,
    /// The numbers that the space had given by then: another state of it may have given others.
    numbers: TypeNumbers,
    rules: Rules,
}

impl Reader {
    /// A reader of that engine's state and of the log that it folds.
    pub fn new(shared: Arc<Shared>, log: Arc<dyn LogRead>) -> Self {
        Self { shared, log, rules: Arc::default() }
    }

    /// The last record that shows in every read; none before the first is folded.
    pub fn position(&self) -> Option<Position> {
        self.shared.folded().offset.checked_sub(1).map(Position::embedded)
    }

    /// Waits until the record at that position shows; `false` if the engine is gone first.
    pub async fn wait_for(&self, position: Position) -> bool {
        let mut folded = self.shared.subscribe();
        folded.wait_for(|next| *next > position.offset).await.is_ok()
    }

    /// Whether the record at that position shows.
    pub fn shows(&self, position: Position) -> bool {
        self.shared.folded() > position
    }

    /// The space of that name.
    pub fn space(&self, id: &str) -> Result<SpaceRead, LookupError> {
        let position = self.position();
        let view = self.shared.view().ok_or(LookupError::Opening)?;
        let space = view.meta.workspace.space(id).ok_or(LookupError::Space)?;
        let slot = usize::try_from(space.number).unwrap_or(usize::MAX);
        let counts = view.meta.spaces.get(slot).ok_or(LookupError::Space)?;
        let compiled = self.compiled(space, counts)?;
        Ok(SpaceRead { slot, position, compiled, log: Arc::clone(&self.log), view })
    }

    fn compiled(&self, space: &Space, counts: &SpaceMeta) -> Result<Arc<Compiled>, LookupError> {
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known
            .get(&space.number)
            .filter(|one| one.set == space.rules && one.numbers == counts.numbers)
        {
            return Ok(Arc::clone(compiled));
        }
        let mut numbers = counts.numbers.clone();
        let rules = Rules::compile(&space.rules, &mut numbers)?;
        let compiled =
            Arc::new(Compiled { set: space.rules.clone(), numbers: counts.numbers.clone(), rules });
        known.insert(space.number, Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// One space, as one request reads it.
#[derive(Debug)]
pub struct SpaceRead {
    view: View,
    log: Arc<dyn LogRead>,
    slot: usize,
    compiled: Arc<Compiled>,
    position: Option<Position>,
}

impl SpaceRead {
    /// The last record that shows in what is read here; none before the first is folded.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// The configuration of the space.
    pub fn space(&self) -> &Space {
        &self.view.meta.workspace.spaces[self.slot]
    }

    /// The id of a source, as APIs show it.
    pub fn source_id(&self, source: SourceNumber) -> &str {
        self.view.meta.workspace.source(source).map_or("", |source| &source.id)
    }

    /// Finds a profile.
    pub fn find(
        &self,
        collection: Collection,
        wanted: &ProfileRef,
    ) -> Result<Option<Found<'_>>, LookupError> {
        match wanted {
            ProfileRef::Id(id) => self.find_key(collection, id.key()),
            ProfileRef::Identifier { kind, value } => self.find_named(collection, kind, value),
        }
    }

    fn find_named(
        &self,
        collection: Collection,
        kind: &str,
        value: &str,
    ) -> Result<Option<Found<'_>>, LookupError> {
        match self.held(collection, kind, value)? {
            Some(key) => self.find_key(collection, key),
            None => Ok(None),
        }
    }

    /// The key under which some profile holds an identifier; the type in any case.
    fn held(
        &self,
        collection: Collection,
        kind: &str,
        value: &str,
    ) -> Result<Option<IdentifierKey>, LookupError> {
        let kind = kind.to_ascii_lowercase();
        let Some(number) = self.numbers().number(collection, &kind) else { return Ok(None) };
        let folded = self.compiled.rules.folded(number, value);
        // Rules may have changed how values are compared since this one was mapped.
        for value in [&*folded, value] {
            let key = self.view.hasher.identifier(self.space().number, collection, &kind, value);
            if self.view.tables.identifiers.read(&self.in_space(key), |_| ())?.is_some() {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The profile that holds an identifier.
    fn find_key(
        &self,
        collection: Collection,
        key: IdentifierKey,
    ) -> Result<Option<Found<'_>>, LookupError> {
        let in_space = self.in_space(key);
        let mut known = None;
        loop {
            let owner = self.view.tables.identifiers.read(&in_space, Owner::row)?;
            let Some(owner) = owner else { return Ok(None) };
            if self.type_name(owner.number).is_none_or(|(of, _)| of != collection) {
                return Ok(None);
            }
            match Found::read(self, collection, owner.component) {
                // An undo may have taken its component away meanwhile.
                Err(LookupError::Store(_)) if known != Some(owner) => known = Some(owner),
                found => return found.map(Some),
            }
        }
    }

    fn in_space<K>(&self, key: K) -> InSpace<K> {
        InSpace { space: self.space().number, key }
    }

    fn counts(&self) -> &SpaceMeta {
        &self.view.meta.spaces[self.slot]
    }

    fn numbers(&self) -> &TypeNumbers {
        &self.counts().numbers
    }

    fn type_name(&self, number: TypeNumber) -> Option<(Collection, &str)> {
        self.numbers().name(number)
    }

    /// The root of a component, and its row as it is stored.
    fn root(
        &self,
        mut component: ComponentId,
    ) -> Result<(ComponentId, Vec<u8>, ComponentRow), LookupError> {
        let damaged = || StoreError::Row { table: Table::Components.name() };
        loop {
            let key = self.in_space(component);
            let packed = self.view.tables.components.read(&key, <[u8]>::to_vec)?;
            let packed = packed.ok_or_else(damaged)?;
            let row = row::component(&packed).ok_or_else(damaged)?;
            match row.parent {
                None => return Ok((component, packed, row)),
                // Parents are older, so this ends.
                Some(parent) if parent < component => component = parent,
                Some(_) => return Err(damaged().into()),
            }
        }
    }

    /// The id of the profile that holds an identifier.
    fn profile_of(&self, key: IdentifierKey) -> Result<Option<ProfileId>, LookupError> {
        let in_space = self.in_space(key);
        let owner = self.view.tables.identifiers.read(&in_space, Owner::row)?;
        let Some(owner) = owner else { return Ok(None) };
        Ok(self.root(owner.component)?.2.profile())
    }
}
