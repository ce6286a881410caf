//! Pairs of a number and a word, by number.

type Pair = [u8; 12];

/// Pairs, wherever they lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pairs<'a>(&'a [Pair]);

fn number(pair: &Pair) -> u32 {
    u32::from_le_bytes([pair[0], pair[1], pair[2], pair[3]])
}

fn word(pair: &Pair) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *pair;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

impl<'a> Pairs<'a> {
    /// Reads what [`Self::put`] wrote.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks();
        rest.is_empty().then_some(Self(pairs))
    }

    /// Reads what [`Self::put_counted`] wrote, and gives what is behind it.
    pub(super) fn read_counted(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (count, rest) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_le_bytes(*count)) * size_of::<Pair>();
        let (pairs, rest) = rest.split_at_checked(length)?;
        Some((Self::read(pairs)?, rest))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The word of a number.
    pub(super) fn get(&self, wanted: u32) -> Option<u64> {
        let at = self.0.binary_search_by_key(&wanted, number).ok()?;
        self.0.get(at).map(word)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u64)> + use<'a> {
        self.0.iter().map(|pair| (number(pair), word(pair)))
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.0.iter().map(number)
    }

    pub(super) fn is_sorted(&self) -> bool {
        self.0.is_sorted_by(|one, other| number(one) < number(other))
    }

    /// Adds the pairs, of which those of these ascending numbers have another word or none. Says how many
    /// there are.
    pub(super) fn put(
        &self,
        changes: impl Iterator<Item = (u32, Option<u64>)>,
        out: &mut Vec<u8>,
    ) -> usize {
        let (start, mut rest) = (out.len(), self.0);
        for (changed, new) in changes {
            let before = rest.partition_point(|pair| number(pair) < changed);
            let (kept, behind) = rest.split_at(before);
            out.extend_from_slice(kept.as_flattened());
            rest = match behind.split_first() {
                Some((first, behind)) if number(first) == changed => behind,
                _ => behind,
            };
            if let Some(new) = new {
                out.extend_from_slice(&changed.to_le_bytes());
                out.extend_from_slice(&new.to_le_bytes());
            }
        }
        out.extend_from_slice(rest.as_flattened());
        (out.len() - start) / size_of::<Pair>()
    }

    /// The same behind how many there are.
    pub(super) fn put_counted(
        &self,
        changes: impl Iterator<Item = (u32, Option<u64>)>,
        out: &mut Vec<u8>,
    ) -> usize {
        let place = out.len();
        out.extend_from_slice(&[0; 2]);
        let count = self.put(changes, out);
        super::put_count(out, place, count);
        count
    }
}
