//! Finds a profile from what is known of it.

use selfsame_event::IdentifierKey;

use crate::decide::Root;
use crate::resolve::ResolveError;
use crate::row::{ComponentId, Rows};

/// The root of a component: its profile as it is now.
pub fn find_root<R: Rows>(
    rows: &mut R,
    component: ComponentId,
) -> Result<Root, ResolveError<R::Error>> {
    let mut id = component;
    loop {
        let row = rows.component(id)?.ok_or(ResolveError::Corrupt { component: id })?;
        match row.parent {
            None => return Ok((id, row)),
            // Parents are older, so this ends.
            Some(parent) if parent < id => id = parent,
            Some(_) => return Err(ResolveError::Corrupt { component: id }),
        }
    }
}

/// The component of an identifier's profile, if it is mapped. Any profile id that was ever issued
/// is looked up by its own key.
pub fn find_profile<R: Rows>(
    rows: &mut R,
    key: IdentifierKey,
) -> Result<Option<Root>, ResolveError<R::Error>> {
    match rows.identifier(key)? {
        Some(row) => find_root(rows, row.component).map(Some),
        None => Ok(None),
    }
}
