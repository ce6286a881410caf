//! What was decided about each event: the rows of the outbox.
//!
//! The outbox has one record for each record of the event log, at the same offset, and in it one item
//! for each event. It refers to events, it does not copy them. Delivery, traces, replays and
//! backfills read the decisions from here.
//!
//! ```text
//! decision   verdict u8, kind u8, then by verdict:
//!   accepted            space u32, anchor 16, profile 20, account flag u8 [+ 20], notes
//!   duplicate, changed  offset u64, index u32 of the first of that id
//!   refused             refusal u8
//!   unattached          space u32, notes
//! notes      count u8, then each: note u8, type length u8 + type, value length u16 + value
//! ```

use selfsame_event::{EventType, IdentifierKey, ItemPosition, Position, ProfileId, Refusal};
use selfsame_identity::rule::{Limit, Window};

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which of the six calls.
    pub kind: Option<EventType>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Folded into a profile.
    Accepted(Accepted),
    /// The same event was there before.
    Duplicate {
        /// Where.
        first: ItemPosition,
    },
    /// Another event with the same id was there before; this one is kept but not folded.
    Changed {
        /// Where.
        first: ItemPosition,
    },
    /// Set aside when it was received.
    Refused(Refusal),
    /// Kept, but no identifier of it may identify anybody.
    Unattached {
        /// The space that it was meant for.
        space: u32,
        /// What stopped its identifiers.
        notes: Vec<Note>,
    },
    /// Its record could not be folded and was passed over.
    Skipped,
    /// Its body was erased before it was folded again.
    Erased,
}

/// Whose event it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The space.
    pub space: u32,
    /// The most trusted identifier on it.
    pub anchor: IdentifierKey,
    /// The profile that held the anchor at its position.
    pub profile: ProfileId,
    /// The account, of a group call.
    pub account: Option<ProfileId>,
    /// What else happened.
    pub notes: Vec<Note>,
}

macro_rules! note_kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)+) => {
        /// What a note says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum NoteKind { $($(#[$doc])* $name = $number,)+ }

        impl NoteKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The sentence that traces and lists show.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

note_kinds! {
    /// The event made the profile.
    ProfileCreated = 1, "Profile created";
    /// An identifier was added to the profile.
    IdentifierMapped = 2, "Identifier mapped";
    /// Two profiles became one. The value is the id of the one that was merged into the other.
    ProfilesMerged = 3, "Profiles merged";
    /// A limit without a window.
    ValueLimit = 4, "Identifier value limit exceeded";
    /// A limit with a window.
    ValueTimeLimit = 5, "Identifier value time limit exceeded";
    /// A blocked value.
    ValueBlocked = 6, "ID value blocked";
    /// The cap on merges.
    MergeLimit = 7, "Profile merge limit exceeded";
    /// The cap on identifiers.
    MappingLimit = 8, "Identifier mapping limit exceeded";
    /// A value that is too long to identify.
    ValueTooLong = 9, "Identifier value too long";
    /// No identifier was left.
    NoIdentifier = 10, "No matching identifiers on event";
    /// Traits that the cap did not let in. The value is their number.
    TraitLimit = 11, "Trait limit exceeded";
    /// A link that the cap did not let in.
    LinkLimit = 12, "Account link limit exceeded";
    /// The cap on distinct sets of identifiers of which evidence is kept.
    EvidenceLimit = 13, "Evidence limit exceeded";
    /// Identifiers that somebody set apart.
    CannotLink = 14, "Identifiers are set apart";
    /// An identifier of somebody who is known, on an event that does not prove to be theirs.
    Unverified = 15, "Identifier not verified";
    /// An identity token that proves nothing. The value is the code of why.
    TokenRefused = 16, "Identity token not valid";
    /// A verified claim named an identifier for the first time.
    IdentifierVerified = 17, "Identifier verified";
    /// Two people who are both known, in a space that never makes such two one.
    KnownPeople = 18, "Two known people";
    /// A device of so many people that it identifies nobody.
    SharedDevice = 19, "Shared device";
    /// A device that left one profile for another.
    DeviceMoved = 20, "Device moved to another profile";
    /// The limit that the note before it is about. The identifier is the type that there would have been
    /// too many values of; the value is how many there may be, and the window.
    LimitMet = 21, "Limit that was met";
    /// Traits that were not set because their values are too large. The value is their number.
    TraitTooLarge = 22, "Trait value too large";
}

impl NoteKind {
    /// Whether it says that something was limited or blocked.
    pub fn is_violation(self) -> bool {
        !matches!(
            self,
            Self::ProfileCreated
                | Self::IdentifierMapped
                | Self::ProfilesMerged
                | Self::IdentifierVerified
                | Self::DeviceMoved
                | Self::LimitMet
        )
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == number)
    }
}

/// One thing that happened to an event's identifiers or traits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub kind: NoteKind,
    /// The identifier's type, where there is one.
    pub identifier: Box<str>,
    /// The value, shortened to what a row can hold.
    pub value: Box<str>,
}

impl Note {
    /// A note about an identifier.
    pub fn new(kind: NoteKind, identifier: &str, value: &str) -> Self {
        Self { kind, identifier: head(identifier, 255).into(), value: head(value, 1_000).into() }
    }

    /// A note about the limit that was met.
    pub fn limit(kind: &str, limit: Limit) -> Self {
        let value = match limit.window {
            Window::Ever => limit.count.to_string(),
            window => format!("{} {}", limit.count, window.name()),
        };
        Self::new(NoteKind::LimitMet, kind, &value)
    }

    /// What such a note says: the type and its limit.
    pub fn met(&self) -> Option<(&str, Limit)> {
        let (count, window) = self.value.split_once(' ').unwrap_or((&self.value, "ever"));
        let window = Window::ALL.into_iter().find(|one| one.name() == window)?;
        let limit = Limit { count: count.parse().ok()?, window };
        (self.kind == NoteKind::LimitMet).then_some((&self.identifier, limit))
    }
}

/// The first note that is looked for, and the limit that it is about, where that was noted.
pub fn with_limit(
    notes: &[Note],
    is_it: impl Fn(&Note) -> bool,
) -> Option<(&Note, Option<(&str, Limit)>)> {
    let at = notes.iter().position(is_it)?;
    Some((notes.get(at)?, notes.get(at + 1).and_then(Note::met)))
}

fn head(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

impl Decision {
    /// Appends the row's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (verdict, kind) = (self.verdict.number(), self.kind.map_or(0, EventType::code));
        out.extend_from_slice(&[verdict, kind]);
        match &self.verdict {
            Verdict::Accepted(accepted) => {
                out.extend_from_slice(&accepted.space.to_le_bytes());
                out.extend_from_slice(&accepted.anchor.0);
                out.extend_from_slice(&accepted.profile.to_bytes());
                out.push(u8::from(accepted.account.is_some()));
                out.extend(accepted.account.iter().flat_map(|account| account.to_bytes()));
                encode_notes(&accepted.notes, out);
            }
            Verdict::Duplicate { first } | Verdict::Changed { first } => {
                out.extend_from_slice(&first.record.offset.to_le_bytes());
                out.extend_from_slice(&first.index.to_le_bytes());
            }
            Verdict::Refused(refusal) => out.push(refusal.number()),
            Verdict::Unattached { space, notes } => {
                out.extend_from_slice(&space.to_le_bytes());
                encode_notes(notes, out);
            }
            Verdict::Skipped | Verdict::Erased => {}
        }
    }

    /// Reads a row.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let [verdict, kind] = take(rest)?;
        let verdict = match verdict {
            1 => Verdict::Accepted(Accepted {
                space: u32::from_le_bytes(take(rest)?),
                anchor: IdentifierKey(take(rest)?),
                profile: ProfileId::from_bytes(take(rest)?),
                account: match take(rest)? {
                    [0] => None,
                    [1] => Some(ProfileId::from_bytes(take(rest)?)),
                    _ => return None,
                },
                notes: decode_notes(rest)?,
            }),
            2 => Verdict::Duplicate { first: decode_first(rest)? },
            3 => Verdict::Changed { first: decode_first(rest)? },
            4 => Verdict::Refused(Refusal::from_number(take::<1>(rest)?[0])?),
            5 => Verdict::Unattached {
                space: u32::from_le_bytes(take(rest)?),
                notes: decode_notes(rest)?,
            },
            6 => Verdict::Skipped,
            7 => Verdict::Erased,
            _ => return None,
        };
        let kind = match kind {
            0 => None,
            code => Some(EventType::from_code(code)?),
        };
        Some(Self { kind, verdict })
    }
}

impl Verdict {
    fn number(&self) -> u8 {
        match self {
            Self::Accepted(_) => 1,
            Self::Duplicate { .. } => 2,
            Self::Changed { .. } => 3,
            Self::Refused(_) => 4,
            Self::Unattached { .. } => 5,
            Self::Skipped => 6,
            Self::Erased => 7,
        }
    }

    /// The word that traces and metrics use.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Duplicate { .. } => "duplicate",
            Self::Changed { .. } => "duplicate id, different content",
            Self::Refused(_) => "rejected",
            Self::Unattached { .. } => "no identifier",
            Self::Skipped => "skipped",
            Self::Erased => "erased",
        }
    }
}

fn encode_notes(notes: &[Note], out: &mut Vec<u8>) {
    let notes = notes.get(..notes.len().min(255)).unwrap_or_default();
    out.push(u8::try_from(notes.len()).unwrap_or(u8::MAX));
    for note in notes {
        out.push(note.kind as u8);
        out.push(u8::try_from(note.identifier.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(note.identifier.as_bytes());
        out.extend_from_slice(&u16::try_from(note.value.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(note.value.as_bytes());
    }
}

fn decode_notes(rest: &mut &[u8]) -> Option<Vec<Note>> {
    let [count] = take(rest)?;
    let note = |rest: &mut &[u8]| {
        let [kind, length] = take(rest)?;
        let identifier = take_text(rest, usize::from(length))?;
        let length = usize::from(u16::from_le_bytes(take(rest)?));
        let value = take_text(rest, length)?;
        Some(Note { kind: NoteKind::from_number(kind)?, identifier, value })
    };
    (0..count).map(|_| note(rest)).collect()
}

fn decode_first(rest: &mut &[u8]) -> Option<ItemPosition> {
    let offset = u64::from_le_bytes(take(rest)?);
    Some(Position::embedded(offset).item(u32::from_le_bytes(take(rest)?)))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

fn take_text(rest: &mut &[u8], length: usize) -> Option<Box<str>> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    std::str::from_utf8(taken).ok().map(Into::into)
}

#[cfg(test)]
mod tests;
