//! Links between users and accounts: which sections at the other end a group call has named, since
//! when, and from which source.
//!
//! The earliest group call makes the link. At the cap the earliest links stay (of one moment, the
//! smaller anchors): a link that a late event makes earlier moves up, and one that was displaced is
//! never among the earliest later, so what stays does not depend on arrival.
//!
//! ```text
//! by anchor: anchor: 16 bytes, since: number, source: number
//! ```

use selfsame_event::{IdentifierKey, SourceNumber, Time};
use smallvec::SmallVec;

use selfsame_event::packed::{Reader, Scratch, put_number, put_time};

/// One link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The anchor of the section at the other end.
    pub anchor: IdentifierKey,
    /// The event time of the earliest group call that named it.
    pub since: Time,
    /// The source of that call (of several, the lowest number).
    pub source: SourceNumber,
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Linked {
    /// The event makes none.
    #[default]
    None,
    /// It was there, and is older.
    Known,
    /// It is new, or older than was known.
    Written,
    /// It is new, and displaced a younger one at the cap.
    Displaced,
    /// There is no room: as many as the cap allows are older.
    Refused,
}

pub(crate) type List = SmallVec<[Link; 4]>;

pub(crate) fn read_all(bytes: &[u8]) -> impl Iterator<Item = Link> {
    let mut reader = Reader(bytes);
    std::iter::from_fn(move || {
        Some(Link {
            anchor: IdentifierKey(reader.array()?),
            since: reader.time()?,
            source: SourceNumber(reader.small()?),
        })
    })
}

pub(crate) fn write_all(links: &[Link], out: &mut Scratch) {
    for link in links {
        out.extend_from_slice(&link.anchor.0);
        put_time(out, link.since);
        put_number(out, u64::from(link.source.0));
    }
}

/// Whether bytes are links, in the one form that they have.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let links: List = read_all(bytes).collect();
    let mut again = Scratch::new();
    write_all(&links, &mut again);
    links.is_sorted_by(|a, b| a.anchor < b.anchor) && again.as_slice() == bytes
}

/// Adds a link to a list that is sorted by anchor.
pub(crate) fn add(links: &mut List, link: Link, cap: usize) -> Linked {
    match links.binary_search_by(|old| old.anchor.cmp(&link.anchor)) {
        Ok(at) if links[at] <= link => return Linked::Known,
        Ok(at) => links[at] = link,
        Err(at) => {
            links.insert(at, link);
            if links.len() > cap {
                return displace(links, link.anchor);
            }
        }
    }
    Linked::Written
}

fn displace(links: &mut List, added: IdentifierKey) -> Linked {
    let youngest = links.iter().map(|link| (link.since, link.anchor)).max();
    let Some((_, youngest)) = youngest else { return Linked::Refused };
    links.retain(|link| link.anchor != youngest);
    if youngest == added { Linked::Refused } else { Linked::Displaced }
}

#[cfg(test)]
mod tests;
