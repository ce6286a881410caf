//! Events that bring nothing new, as most do: decided from the heads of rows.

use smallvec::SmallVec;

use crate::claim::{Claim, Trust};
use crate::compile::Rules;
use crate::people;
use crate::resolution::Resolution;
use crate::resolve::ResolveError;
use crate::row::{ComponentId, Fate, IdentifierRow, Known, Rows, Seen, SetKey};

/// The rows of an event's identifiers.
pub(crate) type Found = SmallVec<[Option<IdentifierRow>; 4]>;

/// Resolves an event that brings nothing new, as most do: all its identifiers are of one profile, and
/// were seen together before. None if it is not such a one. The full step would decide the same, and
/// reads whole rows for it.
pub(crate) fn resolve_known<R: Rows>(
    claims: &[Claim<'_>],
    found: &Found,
    trust: Trust,
    rules: &Rules,
    rows: &mut R,
) -> Result<Option<Resolution>, ResolveError<R::Error>> {
    let (Some(anchor), Some(Some(home))) = (claims.first(), found.first()) else { return Ok(None) };
    if !home.anchored {
        return Ok(None);
    }
    let set = SetKey::of(claims.iter().map(|claim| claim.key));
    let (known, component, root) = known_root(rows, home.component, set)?;
    if claims.len() > 1 && !known.has_set {
        return Ok(None);
    }
    for row in &found[1..] {
        let Some(row) = row else { return Ok(None) };
        if row.component != home.component && known_root(rows, row.component, set)?.1 != component {
            return Ok(None);
        }
    }
    if trust.asks_for_more(claims, found, &root)
        || people::asks_for_more(claims, trust, rules, rows)?
    {
        return Ok(None);
    }
    let seen = |claim: &Claim<'_>| Seen { number: claim.number, key: claim.key, fate: Fate::Kept };
    Ok(Some(Resolution {
        component,
        profile: root.profile,
        anchor: anchor.key,
        anchor_number: anchor.number,
        created: false,
        opens_section: false,
        identifiers: claims.iter().map(seen).collect(),
        mapped: Vec::new(),
        verified: Vec::new(),
        violations: Vec::new(),
        merges: Vec::new(),
        refused: Vec::new(),
        met: Vec::new(),
        moved: Vec::new(),
        handed: Vec::new(),
        relocated: Vec::new(),
        is_evidence: false,
    }))
}

/// What a component knows of a set, and its root with what that one knows.
fn known_root<R: Rows>(
    rows: &mut R,
    home: ComponentId,
    set: SetKey,
) -> Result<(Known, ComponentId, Known), ResolveError<R::Error>> {
    let corrupt = |component| ResolveError::Corrupt { component };
    let known = rows.known(home, set)?.ok_or_else(|| corrupt(home))?;
    let (mut id, mut root) = (home, known);
    while let Some(parent) = root.parent {
        // Parents are older, so this ends.
        if parent >= id {
            return Err(corrupt(id));
        }
        id = parent;
        root = rows.known(id, set)?.ok_or_else(|| corrupt(id))?;
    }
    Ok((known, id, root))
}
