//! Whose an identifier is, which sections a profile has, and who is linked with whom: as the tables say it,
//! for the fold and for readers.
//!
//! A user and an account are linked by the sections at both ends of a group call. Each section keeps so
//! many links, the earliest; a link counts where both sections keep it. So from either side the same is
//! found, and what an account is computed of is bounded.

use std::collections::BTreeSet;

use selfsame_event::{Collection, IdentifierKey, ProfileId};
use selfsame_identity::{ComponentId, ComponentRow, Kinds};
use selfsame_profile::{Limits, Section};
use selfsame_store::StoreError;

use crate::key::InSpace;
use crate::row::{self, Owner};
use crate::tables::Tables;

/// A profile: the number of its component, and its row.
pub(crate) type Root = (ComponentId, ComponentRow);
/// The sections of a profile, by anchor.
pub(crate) type Anchored = Vec<(IdentifierKey, Section)>;

/// A user of an account.
#[derive(Debug)]
pub(crate) struct Linked {
    pub(crate) profile: ProfileId,
    pub(crate) sections: Anchored,
    /// The types of the user's identifiers.
    pub(crate) kinds: Kinds,
}

/// The profile of a collection that holds an identifier.
pub(crate) fn root(
    tables: &Tables,
    collection: Collection,
    of: InSpace<IdentifierKey>,
) -> Result<Option<Root>, StoreError> {
    let space = of.space;
    let owner = tables.identifiers.read(&of, Owner::row)?;
    let Some(mut component) = owner.map(|owner| owner.component) else { return Ok(None) };
    if component.collection() != collection {
        return Ok(None);
    }
    loop {
        let key = InSpace { space, key: component };
        let Some(row) = tables.components.read(&key, row::component)?.flatten() else {
            return Ok(None);
        };
        match row.parent {
            Some(parent) if parent < component => component = parent,
            Some(_) => return Ok(None),
            None => return Ok(Some((component, row))),
        }
    }
}

/// The profile of that id, if it is one of that collection under that id.
pub(crate) fn profile(
    tables: &Tables,
    collection: Collection,
    of: InSpace<ProfileId>,
) -> Result<Option<Root>, StoreError> {
    let key = InSpace { space: of.space, key: of.key.key() };
    let root = root(tables, collection, key)?;
    Ok(root.filter(|(_, row)| row.profile() == Some(of.key)))
}

/// The sections of a profile.
pub(crate) fn sections(
    tables: &Tables,
    space: u32,
    row: &ComponentRow,
) -> Result<Anchored, StoreError> {
    let Some(profile) = row.profile() else { return Ok(Vec::new()) };
    let table = &tables.partition(profile).sections;
    let mut sections = Vec::with_capacity(2);
    for member in row.members.iter().filter(|member| member.anchored) {
        let section = table.read(&InSpace { space, key: member.key }, row::section)?;
        sections.extend(section.map(|section| (member.key, section)));
    }
    Ok(sections)
}

/// The accounts that the sections of a user are linked with.
pub(crate) fn accounts_of(
    tables: &Tables,
    space: u32,
    user: ProfileId,
) -> Result<BTreeSet<ProfileId>, StoreError> {
    let mut accounts = BTreeSet::new();
    let of = InSpace { space, key: user };
    let Some((_, row)) = profile(tables, Collection::Users, of)? else { return Ok(accounts) };
    let mut anchors = BTreeSet::new();
    for (_, section) in sections(tables, space, &row)? {
        anchors.extend(section.links().map(|link| link.anchor));
    }
    for key in anchors {
        let root = root(tables, Collection::Accounts, InSpace { space, key })?;
        accounts.extend(root.and_then(|(_, row)| row.profile()));
    }
    Ok(accounts)
}

/// The users of an account that has these sections, each with the user's sections; and whether there may be
/// more than are counted.
pub(crate) fn users_of(
    tables: &Tables,
    space: u32,
    account: &[(IdentifierKey, Section)],
) -> Result<(Vec<Linked>, bool), StoreError> {
    let most = Limits::default().links;
    let mut links: Vec<_> = account
        .iter()
        .flat_map(|(own, section)| section.links().map(|link| (link.since, link.anchor, *own)))
        .collect();
    links.sort_unstable();
    let is_cut = links.len() >= most;
    links.truncate(most);
    let (mut users, mut known) = (Vec::new(), BTreeSet::new());
    for (_, key, own) in links {
        let root = root(tables, Collection::Users, InSpace { space, key })?;
        let Some((component, row)) = root.filter(|(id, _)| !known.contains(id)) else { continue };
        let Some(profile) = row.profile() else { continue };
        let of_user = sections(tables, space, &row)?;
        let mut at_other_end = of_user.iter().filter(|(anchor, _)| *anchor == key);
        if at_other_end.any(|(_, section)| section.links().any(|link| link.anchor == own)) {
            known.insert(component);
            users.push(Linked { profile, sections: of_user, kinds: row.kinds() });
        }
    }
    Ok((users, is_cut))
}
