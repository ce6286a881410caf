//! What definitions came to for one profile: the values, which are of the state, and the moments at which
//! they may change, which say when to look again.
//!
//! A moment depends on when its definition was looked at last, and is as good if it comes too early; so it
//! is no part of the state.
//!
//! ```text
//! values   flags u8: 1 = every definition is to be evaluated anew
//!          how many pairs u16 | pairs: since when in it, or out of it: twice the microseconds, one more if in
//!          how many texts u16 | for each: number u32, where it ends u32 | the texts, JSON
//! moments  the first of all u64 | pairs: twice the moment, one more if the value is approximate
//! pair     number u32, word u64; by number
//! moment   0 for never, else a number one above its microseconds
//! ```
//!
//! Everything has its place, so that one value is found without the others being read, and what changes is
//! put between what is copied.

mod pairs;
mod texts;

use selfsame_event::Time;
use selfsame_identity::Kinds;
use smallvec::SmallVec;

use pairs::Pairs;
use texts::Texts;

const STALE: u8 = 1;

/// What a definition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held<'a> {
    /// What it comes to where nothing happened.
    Default,
    /// In the audience since then.
    In(Time),
    /// Was in it until then.
    Out(Time),
    /// A value, as JSON.
    Json(&'a str),
}

impl Held<'_> {
    /// Without its text.
    fn apart(self) -> Held<'static> {
        match self {
            Self::In(since) => Held::In(since),
            Self::Out(since) => Held::Out(since),
            Self::Default | Self::Json(_) => Held::Default,
        }
    }
}

/// What one definition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueRow<'a> {
    /// The number of the definition.
    pub number: u32,
    /// What it came to.
    pub held: Held<'a>,
    /// The first moment at which it may be another one though nothing happens.
    pub until: Option<Time>,
    /// Whether a cap had a part in it.
    pub is_approximate: bool,
}

/// What definitions came to for one profile. Those that are not in it are what they are where nothing
/// happened.
#[derive(Debug, Clone, Default)]
pub struct Values<'a> {
    /// Every definition is to be evaluated anew.
    pub is_stale: bool,
    /// The types of the profile's identifiers, for audiences that choose some. No row has them: whoever evaluates
    /// says them.
    pub kinds: Kinds,
    pairs: Pairs<'a>,
    texts: Texts<'a>,
    moments: Pairs<'a>,
    first: Option<Time>,
    /// What was set since, by number.
    set: SmallVec<[Set; 24]>,
    /// The texts of what was set.
    new_texts: String,
}

/// What was set: the text is a part of the new ones.
#[derive(Debug, Clone)]
struct Set {
    number: u32,
    held: Held<'static>,
    text: Option<(usize, usize)>,
    moment: Option<u64>,
}

impl ValueRow<'_> {
    fn is_kept(&self) -> bool {
        self.held != Held::Default || self.until.is_some() || self.is_approximate
    }

    fn moment(&self) -> Option<u64> {
        let is_said = self.until.is_some() || self.is_approximate;
        is_said.then(|| word(self.until) << 1 | u64::from(self.is_approximate))
    }
}

impl<'a> Values<'a> {
    /// Nothing yet, of a profile with identifiers of these types.
    pub(crate) fn of(kinds: Kinds) -> Self {
        Self { kinds, ..Self::default() }
    }

    /// What a definition came to; nothing where it is what it is where nothing happened.
    pub fn get(&self, number: u32) -> Option<ValueRow<'_>> {
        let row = match self.set.binary_search_by_key(&number, |set| set.number) {
            Ok(place) => self.shown(self.set.get(place)?),
            Err(_) => {
                let pair = self.pairs.get(number).map(held);
                let text = || self.texts.get(number).map(Held::Json);
                let held = pair.or_else(text).unwrap_or(Held::Default);
                let (until, is_approximate) = moment(self.moments.get(number));
                ValueRow { number, held, until, is_approximate }
            }
        };
        row.is_kept().then_some(row)
    }

    fn shown(&self, set: &Set) -> ValueRow<'_> {
        let text = set.text.and_then(|(start, end)| self.new_texts.get(start..end));
        let (until, is_approximate) = moment(set.moment);
        let held = text.map_or(set.held, Held::Json);
        ValueRow { number: set.number, held, until, is_approximate }
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = ValueRow<'_>> {
        let mut numbers: Vec<u32> = self.pairs.numbers().chain(self.texts.numbers()).collect();
        numbers.extend(self.moments.numbers().chain(self.set.iter().map(|set| set.number)));
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().filter_map(|number| self.get(number))
    }

    /// Those whose moment has come by then, by number.
    pub(crate) fn due(&self, now: Time) -> impl Iterator<Item = u32> {
        let is_due = move |word: u64| moment(Some(word)).0.is_some_and(|until| until <= now);
        let is_set = |number: u32| self.set.binary_search_by_key(&number, |set| set.number).is_ok();
        let known = self.moments.iter().filter(move |(_, word)| is_due(*word));
        let known = known.map(|(number, _)| number).filter(move |number| !is_set(*number));
        let set = self.set.iter().filter(move |set| set.moment.is_some_and(is_due));
        let mut all: SmallVec<[u32; 16]> = known.chain(set.map(|set| set.number)).collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// Sets what a definition came to. What is as where nothing happened is not kept.
    pub(crate) fn set(&mut self, row: &ValueRow<'_>) {
        let text = if let Held::Json(json) = row.held {
            let start = self.new_texts.len();
            self.new_texts.push_str(json);
            Some((start, self.new_texts.len()))
        } else {
            None
        };
        let held = row.held.apart();
        let set = Set { number: row.number, held, text, moment: row.moment() };
        match self.set.binary_search_by_key(&row.number, |set| set.number) {
            Ok(place) => self.set[place] = set,
            Err(place) => self.set.insert(place, set),
        }
    }

    /// Keeps what is known of these definitions only.
    pub(crate) fn retain(&mut self, is_known: impl Fn(u32) -> bool) {
        let gone: Vec<u32> =
            self.iter().map(|row| row.number).filter(|number| !is_known(*number)).collect();
        for number in gone {
            let held = Held::Default;
            self.set(&ValueRow { number, held, until: None, is_approximate: false });
        }
    }

    /// Keeps the moments of these definitions only.
    pub(crate) fn retain_moments(&mut self, is_known: impl Fn(u32) -> bool) {
        let numbers = self.moments.numbers();
        let gone: SmallVec<[u32; 8]> = numbers.filter(|number| !is_known(*number)).collect();
        for number in gone {
            let held = self.get(number).map_or(Held::Default, |row| row.held);
            // What it came to stays.
            let text = if let Held::Json(json) = held { json.to_owned() } else { String::new() };
            let held = if let Held::Json(_) = held { Held::Json(&text) } else { held.apart() };
            self.set(&ValueRow { number, held, until: None, is_approximate: false });
        }
        let set = self.set.iter_mut().filter(|set| !is_known(set.number));
        set.for_each(|set| set.moment = None);
    }

    /// The first moment at which any of them may change.
    pub(crate) fn until(&self) -> Option<Time> {
        if self.is_stale {
            return Some(Time::EPOCH);
        }
        let set = self.set.iter().filter_map(|set| moment(set.moment).0).min();
        let was_first = |set: &Set| {
            self.moments.get(set.number).is_some_and(|word| moment(Some(word)).0 == self.first)
        };
        let known = match self.first {
            // The first moment of what was stale says nothing of the others.
            Some(first) if first == Time::EPOCH || self.set.iter().any(was_first) => {
                self.first_beside_set(first)
            }
            first => first,
        };
        known.into_iter().chain(set).min()
    }

    /// Takes the first moment for none of these: it is a mark.
    pub(super) fn forget_first(&mut self) {
        self.first = self.first.map(|_| Time::EPOCH);
    }

    /// The first of the moments that were not set anew.
    fn first_beside_set(&self, first: Time) -> Option<Time> {
        let mut set = self.set.iter().map(|set| set.number).peekable();
        let mut earliest = None;
        for (number, word) in self.moments.iter() {
            while set.next_if(|set| *set < number).is_some() {}
            let until = moment(Some(word)).0.filter(|_| set.peek() != Some(&number));
            earliest = earliest.into_iter().chain(until).min();
            if earliest == Some(first) {
                break;
            }
        }
        earliest
    }

    /// Adds the bytes of the values.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(if self.is_stale { STALE } else { 0 });
        let pairs = self.set.iter().map(|set| {
            let word = match set.held {
                Held::In(since) => Some(since.micros().unsigned_abs() << 1 | 1),
                Held::Out(since) => Some(since.micros().unsigned_abs() << 1),
                Held::Default | Held::Json(_) => None,
            };
            (set.number, word)
        });
        let length = self.pairs.put_counted(pairs, out);
        let texts = self.set.iter().map(|set| {
            let text = set.text.and_then(|(start, end)| self.new_texts.get(start..end));
            (set.number, text)
        });
        let texts = self.texts.put(texts, out);
        if !self.is_stale && length == 0 && texts == 0 {
            out.truncate(start);
        }
    }

    /// Adds the bytes of the moments.
    pub(crate) fn encode_moments(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let until = self.until();
        out.extend_from_slice(&word(until).to_le_bytes());
        let moments = self.set.iter().map(|set| (set.number, set.moment));
        if self.moments.put(moments, out) == 0 && until.is_none() {
            out.truncate(start);
        }
    }

    /// Reads both; nothing where the bytes are not what was written. That they are in order is what
    /// [`Self::check`] asks.
    pub(crate) fn read(values: &'a [u8], moments: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        if let Some((flags, rest)) = values.split_first() {
            read.is_stale = *flags == STALE;
            let (pairs, rest) = Pairs::read_counted(rest)?;
            (read.pairs, read.texts) = (pairs, Texts::read(rest)?);
        }
        if let Some((first, rest)) = moments.split_first_chunk() {
            read.first = time(u64::from_le_bytes(*first));
            read.moments = Pairs::read(rest)?;
        }
        Some(read)
    }

    /// Reads the values alone; nothing where the bytes are none.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        Self::read(bytes, &[]).filter(|_| !bytes.is_empty())
    }

    /// Whether bytes are those of values, in the one form that they have.
    pub fn check(bytes: &[u8]) -> bool {
        let Some(values) = Values::decode(bytes) else { return false };
        let are_values = values.is_stale || values.pairs.len() + values.texts.len() > 0;
        let is_flag = bytes.first().is_some_and(|flags| *flags <= STALE);
        are_values && is_flag && values.pairs.is_sorted() && values.texts.is_sound()
    }
}

fn held(word: u64) -> Held<'static> {
    let time = Time::from_micros((word >> 1).cast_signed());
    if word & 1 == 1 { Held::In(time) } else { Held::Out(time) }
}

/// The moment that a word says, and whether the value is approximate.
fn moment(word: Option<u64>) -> (Option<Time>, bool) {
    word.map_or((None, false), |word| (time(word >> 1), word & 1 == 1))
}

/// Never is 0; a moment is one more than its microseconds.
fn word(moment: Option<Time>) -> u64 {
    moment.map_or(0, |moment| moment.micros().unsigned_abs() + 1)
}

fn time(word: u64) -> Option<Time> {
    Some(Time::from_micros(word.checked_sub(1)?.cast_signed()))
}

/// Says how many there are, at a place that was left for it.
fn put_count(out: &mut [u8], place: usize, count: usize) {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    if let Some(bytes) = out.get_mut(place..place + 2) {
        bytes.copy_from_slice(&count.to_le_bytes());
    }
}

/// The first moment in that row of them.
pub(crate) fn first_moment(row: &[u8]) -> Option<Time> {
    time(u64::from_le_bytes(*row.first_chunk()?))
}

/// That row of moments with another first one.
pub(super) fn with_first(row: &[u8], first: Time) -> Vec<u8> {
    let rest = row.split_first_chunk::<8>().map_or(&[][..], |(_, rest)| rest);
    [&word(Some(first)).to_le_bytes()[..], rest].concat()
}

#[cfg(test)]
mod tests;
