//! Texts, by number.

type Entry = [u8; 8];

/// Texts, wherever they lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Texts<'a> {
    /// Number and end of each.
    entries: &'a [Entry],
    bytes: &'a [u8],
}

fn number([a, b, c, d, ..]: Entry) -> u32 {
    u32::from_le_bytes([a, b, c, d])
}

fn end([.., a, b, c, d]: Entry) -> usize {
    u32::from_le_bytes([a, b, c, d]) as usize
}

impl<'a> Texts<'a> {
    /// Reads what [`Self::put`] wrote, and nothing else.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_le_bytes(*count)) * size_of::<Entry>();
        let (entries, bytes) = rest.split_at_checked(length)?;
        Some(Self { entries: entries.as_chunks().0, bytes })
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.entries.iter().copied().map(number)
    }

    /// Where the texts before that place end.
    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).and_then(|before| self.entries.get(before)).map_or(0, |it| end(*it))
    }

    /// The text of a number.
    pub(super) fn get(&self, wanted: u32) -> Option<&'a str> {
        let place = self.entries.binary_search_by_key(&wanted, |entry| number(*entry)).ok()?;
        let text =
            self.bytes.get(self.start(place)..self.entries.get(place).map(|entry| end(*entry))?)?;
        std::str::from_utf8(text).ok()
    }

    /// Whether they are in order, and each is a text.
    pub(super) fn is_sound(&self) -> bool {
        let is_sorted = self.entries.is_sorted_by(|one, other| number(*one) < number(*other));
        let ends = self.start(self.len()) == self.bytes.len();
        is_sorted && ends && self.numbers().all(|number| self.get(number).is_some())
    }

    /// Adds how many there are and the texts, of which those of these ascending numbers are others or
    /// gone. Says how many there are.
    pub(super) fn put<'n>(
        &self,
        changes: impl Iterator<Item = (u32, Option<&'n str>)> + Clone,
        out: &mut Vec<u8>,
    ) -> usize {
        let place = out.len();
        out.extend_from_slice(&[0; 2]);
        let mut length = 0;
        self.each_part(changes.clone(), |part| match part {
            Part::Kept { entries, start } => {
                // They lie as they did, further on or further back.
                let new_start = length;
                for entry in entries.iter().copied() {
                    length = new_start + (end(entry) - start);
                    put_entry(out, number(entry), length);
                }
            }
            Part::New(number, text) => {
                length += text.len();
                put_entry(out, number, length);
            }
        });
        let count = (out.len() - place - 2) / size_of::<Entry>();
        super::put_count(out, place, count);
        self.each_part(changes, |part| match part {
            Part::Kept { entries, start } => {
                let end = entries.last().map_or(start, |entry| end(*entry));
                out.extend_from_slice(self.bytes.get(start..end).unwrap_or_default());
            }
            Part::New(_, text) => out.extend_from_slice(text.as_bytes()),
        });
        count
    }

    fn each_part<'n>(
        &self,
        changes: impl Iterator<Item = (u32, Option<&'n str>)>,
        mut visit: impl FnMut(Part<'a, 'n>),
    ) {
        let mut from = 0;
        for (changed, new) in changes {
            let rest = self.entries.get(from..).unwrap_or_default();
            let kept = rest.partition_point(|entry| number(*entry) < changed);
            let (entries, behind) = rest.split_at(kept);
            visit(Part::Kept { entries, start: self.start(from) });
            from += kept + usize::from(behind.first().is_some_and(|it| number(*it) == changed));
            if let Some(text) = new {
                visit(Part::New(changed, text));
            }
        }
        let entries = self.entries.get(from..).unwrap_or_default();
        visit(Part::Kept { entries, start: self.start(from) });
    }
}

/// What texts consist of once some of them are others.
enum Part<'a, 'n> {
    /// Those that stay, the first of which begins there.
    Kept {
        entries: &'a [Entry],
        start: usize,
    },
    New(u32, &'n str),
}

fn put_entry(out: &mut Vec<u8>, number: u32, end: usize) {
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&u32::try_from(end).unwrap_or(u32::MAX).to_le_bytes());
}
