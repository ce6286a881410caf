//! What is read of a component's row without the rest of it being read, as for most events.

use selfsame_event::packed::Reader;
use selfsame_event::{IdentifierKey, PackedText, ProfileId};
use smallvec::SmallVec;

use super::{DecodeError, Head, MemberHead, VERSION, read_head};
use crate::row::{Anchors, Kinds, Known, SetKey};

impl Known {
    /// What the bytes of a component's row say, read only as far as needed: most events need no more.
    pub fn read(bytes: &[u8], set: SetKey) -> Result<Self, DecodeError> {
        let (&version, rest) = bytes.split_first().ok_or(DecodeError)?;
        let known = (version == VERSION).then(|| read_known(&mut Reader(rest), set)).flatten();
        known.ok_or(DecodeError)
    }
}

impl Anchors {
    /// What the bytes of a component's row say, without the rest of it being read.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (&version, rest) = bytes.split_first().ok_or(DecodeError)?;
        let anchors = (version == VERSION).then(|| read_anchors(&mut Reader(rest))).flatten();
        anchors.ok_or(DecodeError)
    }
}

fn read_known(reader: &mut Reader<'_>, set: SetKey) -> Option<Known> {
    let head = Head::read(reader)?;
    let mut first = None;
    let mut keys = SmallVec::<[IdentifierKey; 4]>::new();
    for _ in 0..head.members {
        let member = read_head(reader)?;
        match (first, member.at) {
            (None, Some(at)) => first = Some(ProfileId::candidate(at.mapped_at, member.key)),
            (Some(_), None) => {}
            _ => break,
        }
        keys.push(member.key);
        PackedText::read(reader)?;
    }
    let is_birth = keys.len() > 1 && SetKey::of(keys) == set;
    let has_print = || head.prints.as_chunks().0.contains(&set.print().to_le_bytes());
    let has_set = is_birth || has_print();
    Some(Known { parent: head.parent, profile: first?, has_set, verified: head.verified })
}

fn read_anchors(reader: &mut Reader<'_>) -> Option<Anchors> {
    let head = Head::read(reader)?;
    let (mut profile, mut keys, mut kinds) = (None, SmallVec::new(), Kinds::new());
    for _ in 0..head.members {
        let MemberHead { number, anchored, key, at, .. } = read_head(reader)?;
        if !kinds.contains(&number) {
            kinds.push(number);
        }
        let candidate = || Some(ProfileId::candidate(at.as_ref()?.mapped_at, key));
        profile = profile.or_else(candidate);
        if anchored {
            keys.push(key);
        }
        PackedText::read(reader)?;
    }
    Some(Anchors { parent: head.parent, profile: profile?, keys, kinds })
}
