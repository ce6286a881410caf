//! Merging the profiles that an event matched.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Findings, ResolveError, Step};
use crate::decide::Root;
use crate::resolution::{Merge, Refused, Violation};
use crate::row::{ComponentId, ComponentRow, Rows};
use crate::verdict::Verdict;

impl<R: Rows> Step<'_, '_, R> {
    /// Merges the roots of the kept identifiers into the oldest.
    pub(super) fn merge(
        &mut self,
        kept: usize,
        findings: &mut Findings,
    ) -> Result<(), ResolveError<R::Error>> {
        let kept = &self.ids[..kept];
        let mut matched: SmallVec<[Root; 2]> = SmallVec::new();
        for (root, row) in &self.roots {
            if kept.iter().any(|id| id.root == Some(*root)) {
                matched.push((*root, Arc::clone(row)));
            }
        }
        if matched.len() < 2 {
            return Ok(());
        }
        let by =
            |root: ComponentId| kept.iter().find(|id| id.root == Some(root)).map(|id| id.claim);
        let mut matched = matched.into_iter();
        let mut joined: SmallVec<[(ComponentId, ComponentRow); 2]> = SmallVec::new();
        let Some((parent, mut row)) = matched.next() else { return Ok(()) };
        for (child, child_row) in matched {
            let (Some(parent_by), Some(child_by)) = (by(parent), by(child)) else { continue };
            let parent_profile =
                row.profile().ok_or(ResolveError::Corrupt { component: parent })?;
            let child_profile =
                child_row.profile().ok_or(ResolveError::Corrupt { component: child })?;
            let merges = row.merges.saturating_add(child_row.merges).saturating_add(1);
            if merges > self.rules.caps().merges {
                let verdict = Verdict::MergeLimit;
                let (number, key) = (child_by.number, child_by.key);
                findings.violations.push(Violation { verdict, limit: None, number, key });
                findings.refused.push(Refused {
                    verdict,
                    component: parent,
                    other: child,
                    profile: parent_profile,
                    other_profile: child_profile,
                    by: key,
                    limit: None,
                });
                continue;
            }
            findings.merges.push(Merge {
                parent,
                child,
                parent_profile,
                child_profile,
                parent_by: parent_by.key,
                child_by: child_by.key,
            });
            let joined_row = Arc::make_mut(&mut row);
            joined_row.merges = merges;
            joined_row.members.extend(child_row.members.iter().cloned());
            joined_row.members.sort_by_key(|member| (member.position, member.rank));
            let mut child_row = Arc::unwrap_or_clone(child_row);
            child_row.parent = Some(parent);
            joined.push((child, child_row));
        }
        for id in &mut self.ids {
            if id.root.is_some_and(|root| joined.iter().any(|(child, _)| *child == root)) {
                id.root = Some(parent);
            }
        }
        if let Some(slot) = self.roots.iter_mut().find(|(root, _)| *root == parent) {
            slot.1 = Arc::clone(&row);
        }
        if joined.is_empty() {
            return Ok(());
        }
        // Written here because the event may stay with another root, whose merge the cap refused. The
        // parent first: whoever follows a child to it finds the child's members there.
        self.rows.set_component(parent, Arc::unwrap_or_clone(row))?;
        for (child, child_row) in joined {
            self.rows.set_component(child, child_row)?;
        }
        Ok(())
    }
}
