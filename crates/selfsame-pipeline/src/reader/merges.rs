//! The history of merges of a profile: what was joined, what was kept apart, which devices came or left,
//! and which events said so.

use std::collections::BTreeMap;

use selfsame_event::{IdentifierKey, ProfileId, SourceNumber, Time};
use selfsame_identity::{LedgerEntry, LedgerRow};
use selfsame_store::{RowKey, StoreError, Table};

use super::{Found, LookupError, TypeLimit};
use crate::key::LedgerKey;
use crate::row;

/// One merge that was made or refused, or a device that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRow {
    /// Whether the two became one.
    pub merged: bool,
    /// The profile that survived or would have, or that got the device.
    pub profile: ProfileId,
    /// The other one.
    pub other: ProfileId,
    /// The device that moved from the other one to it.
    pub device: Option<MergedBy>,
    /// Of a refusal, the rule's name.
    pub refused_by: Option<&'static str>,
    /// Of a refusal by a limit on a type, which it was, as it was then; none where that is not kept.
    pub limit: Option<TypeLimit>,
    /// When the event happened.
    pub event_time: Time,
    /// When it was received.
    pub log_time: Time,
    /// Its place in the log.
    pub event: selfsame_event::ItemPosition,
    /// Its source.
    pub source: SourceNumber,
    /// The event's identifiers, as far as the profile holds them.
    pub identifiers: Vec<MergedBy>,
}

/// An identifier that joined two profiles.
#[derive(Clone, PartialEq, Eq)]
pub struct MergedBy {
    /// The name of its type.
    pub kind: String,
    /// Its value.
    pub value: String,
}

/// Values are personal data: `Debug` shows the type only.
impl std::fmt::Debug for MergedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MergedBy({}:…)", self.kind)
    }
}

impl Found<'_> {
    /// The merges made and refused and the devices that moved, of this profile and of all that were merged
    /// into it, in the order of the log.
    pub fn merges(&self) -> Result<Vec<MergeRow>, LookupError> {
        let read = self.read;
        let tables = &read.view.tables;
        let mut rows: BTreeMap<_, LedgerRow> = BTreeMap::new();
        for component in self.components()? {
            let mut is_damaged = false;
            let prefix = LedgerKey::prefix(read.space().number, component);
            tables.ledger.scan(&prefix, |key, packed| {
                match (LedgerKey::from_bytes(key), row::ledger(packed)) {
                    (Some(key), Some(row)) => rows.extend([((key.event, key.number), row)]),
                    _ => is_damaged = true,
                }
                !is_damaged
            })?;
            if is_damaged {
                return Err(StoreError::Row { table: Table::Ledger.name() }.into());
            }
        }
        rows.into_values().map(|row| self.merge_row(&row)).collect()
    }

    fn merge_row(&self, row: &LedgerRow) -> Result<MergeRow, LookupError> {
        let (merged, profile, other, refused) = match row.entry {
            LedgerEntry::Merged(merge) => (true, merge.parent_profile, merge.child_profile, None),
            LedgerEntry::Refused(refused) => {
                (false, refused.profile, refused.other_profile, Some(refused))
            }
            LedgerEntry::Handed(handed) if handed.is_gained => {
                (false, handed.profile, handed.other_profile, None)
            }
            LedgerEntry::Handed(handed) => (false, handed.other_profile, handed.profile, None),
        };
        let device = match row.entry {
            LedgerEntry::Handed(handed) => self.device(handed.device)?,
            _ => None,
        };
        let limit = refused.and_then(|refused| refused.limit);
        let held = row.identifiers.iter().filter_map(|seen| self.merged_by(seen.key));
        Ok(MergeRow {
            merged,
            profile,
            other,
            device,
            refused_by: refused.map(|refused| refused.verdict.label()),
            limit: limit.map(|met| self.read.type_limit(met)),
            event_time: row.stamp.event_time,
            log_time: row.stamp.log_time,
            event: row.stamp.position,
            source: row.stamp.source,
            identifiers: held.collect(),
        })
    }

    /// A device that this profile has or had.
    fn device(&self, key: IdentifierKey) -> Result<Option<MergedBy>, LookupError> {
        if let Some(own) = self.merged_by(key) {
            return Ok(Some(own));
        }
        let holder = self.read.find_key(self.collection, key)?;
        Ok(holder.and_then(|holder| holder.merged_by(key)))
    }

    fn merged_by(&self, key: IdentifierKey) -> Option<MergedBy> {
        let id = self.external_ids().find(|id| id.key == key)?;
        Some(MergedBy { kind: id.kind.to_owned(), value: id.value.to_owned() })
    }
}
