//! What definitions came to for one profile: the values, which are of the state, and the moments at which
//! they may change, which say when to look again.
//!
//! A moment depends on when its definition was looked at last, and is as good if it comes too early; so it
//! is no part of the state.
//!
//! ```text
//! values   flags u8: 1 = every definition is to be evaluated anew
//!          for each definition, by number: number, 1 in + since | 2 was in + until | 4 + json
//! moments  the first of all, then for each definition, by number: number, approximate u8, moment
//! moment   0 for never, else a number one above its microseconds
//! ```

use std::borrow::Cow;

use selfsame_event::Time;
use selfsame_event::packed::{Reader, put_number, put_text, put_time};

const IN: u8 = 1;
const OUT: u8 = 2;
const JSON: u8 = 4;
const STALE: u8 = 1;
const APPROXIMATE: u8 = 1;

/// What a definition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held<'a> {
    /// What it comes to where nothing happened.
    Default,
    /// In the audience since then.
    In(Time),
    /// Was in it until then.
    Out(Time),
    /// A value, as JSON.
    Json(Cow<'a, str>),
}

/// What one definition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values<'a> {
    /// Every definition is to be evaluated anew.
    pub is_stale: bool,
    rows: Vec<ValueRow<'a>>,
}

impl ValueRow<'_> {
    fn is_kept(&self) -> bool {
        self.held != Held::Default || self.has_moment()
    }

    fn has_moment(&self) -> bool {
        self.until.is_some() || self.is_approximate
    }
}

impl<'a> Values<'a> {
    /// What a definition came to; nothing where it is what it is where nothing happened.
    pub fn get(&self, number: u32) -> Option<&ValueRow<'a>> {
        let place = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get(place)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &ValueRow<'a>> {
        self.rows.iter()
    }

    /// Sets what a definition came to. What is as where nothing happened is not kept.
    pub(crate) fn set(&mut self, row: ValueRow<'a>) {
        match self.rows.binary_search_by_key(&row.number, |known| known.number) {
            Ok(place) if row.is_kept() => self.rows[place] = row,
            Ok(place) => drop(self.rows.remove(place)),
            Err(place) if row.is_kept() => self.rows.insert(place, row),
            Err(_) => {}
        }
    }

    /// Keeps what is known of these definitions only.
    pub(crate) fn retain(&mut self, is_known: impl Fn(u32) -> bool) {
        self.rows.retain(|row| is_known(row.number));
    }

    /// Keeps the moments of these definitions only.
    pub(crate) fn retain_moments(&mut self, is_known: impl Fn(u32) -> bool) {
        for row in self.rows.iter_mut().filter(|row| !is_known(row.number)) {
            (row.until, row.is_approximate) = (None, false);
        }
        self.rows.retain(ValueRow::is_kept);
    }

    /// The first moment at which any of them may change.
    pub(crate) fn until(&self) -> Option<Time> {
        if self.is_stale {
            return Some(Time::EPOCH);
        }
        self.rows.iter().filter_map(|row| row.until).min()
    }

    /// Adds the bytes of the values.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if !self.is_stale && self.rows.iter().all(|row| row.held == Held::Default) {
            return;
        }
        out.push(if self.is_stale { STALE } else { 0 });
        for row in &self.rows {
            let kind = match &row.held {
                Held::Default => continue,
                Held::In(_) => IN,
                Held::Out(_) => OUT,
                Held::Json(_) => JSON,
            };
            put_number(out, u64::from(row.number));
            out.push(kind);
            match &row.held {
                Held::Default => {}
                Held::In(since) | Held::Out(since) => put_time(out, *since),
                Held::Json(json) => put_text(out, json),
            }
        }
    }

    /// Adds the bytes of the moments.
    pub(crate) fn encode_moments(&self, out: &mut Vec<u8>) {
        let until = self.until();
        if until.is_none() && self.rows.iter().all(|row| !row.is_approximate) {
            return;
        }
        put_moment(out, until);
        for row in self.rows.iter().filter(|row| row.has_moment()) {
            put_number(out, u64::from(row.number));
            out.push(if row.is_approximate { APPROXIMATE } else { 0 });
            put_moment(out, row.until);
        }
    }

    /// Reads both; nothing where the bytes are not what was written.
    pub(crate) fn read(values: &'a [u8], moments: &'a [u8]) -> Option<Self> {
        let mut held = Reader(values);
        let is_stale = if values.is_empty() { false } else { flag(held.byte()?)? };
        let mut times = Reader(moments);
        if !moments.is_empty() {
            read_moment(&mut times)?;
        }
        let mut rows = Vec::with_capacity((values.len() / 4).max(moments.len() / 8));
        let mut next_held = read_held(&mut held)?;
        let mut next_time = read_time(&mut times)?;
        let mut last = None;
        loop {
            let row = match (next_held.take(), next_time.take()) {
                (None, None) => return Some(Self { is_stale, rows }),
                (Some((number, is)), Some((other, until, is_approximate))) if number == other => {
                    next_held = read_held(&mut held)?;
                    next_time = read_time(&mut times)?;
                    ValueRow { number, held: is, until, is_approximate }
                }
                (Some((number, is)), time) if time.is_none_or(|(other, ..)| number < other) => {
                    next_held = read_held(&mut held)?;
                    next_time = time;
                    ValueRow { number, held: is, until: None, is_approximate: false }
                }
                (is, Some((number, until, is_approximate))) => {
                    next_held = is;
                    next_time = read_time(&mut times)?;
                    ValueRow { number, held: Held::Default, until, is_approximate }
                }
                (Some(_), None) => return None,
            };
            if last.is_some_and(|last| last >= row.number) {
                return None;
            }
            last = Some(row.number);
            rows.push(row);
        }
    }

    /// Reads the values alone; nothing where the bytes are none.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let values = Self::read(bytes, &[])?;
        (!values.rows.is_empty() || values.is_stale).then_some(values)
    }
}

fn flag(byte: u8) -> Option<bool> {
    (byte <= STALE).then_some(byte == STALE)
}

type Number<T> = Option<Option<T>>;

fn read_held<'a>(reader: &mut Reader<'a>) -> Number<(u32, Held<'a>)> {
    if reader.left() == 0 {
        return Some(None);
    }
    let number = reader.small()?;
    let held = match reader.byte()? {
        IN => Held::In(reader.time()?),
        OUT => Held::Out(reader.time()?),
        JSON => Held::Json(Cow::Borrowed(reader.text()?)),
        _ => return None,
    };
    Some(Some((number, held)))
}

fn read_time(reader: &mut Reader<'_>) -> Number<(u32, Option<Time>, bool)> {
    if reader.left() == 0 {
        return Some(None);
    }
    let number = reader.small()?;
    let is_approximate = match reader.byte()? {
        0 => false,
        APPROXIMATE => true,
        _ => return None,
    };
    let until = read_moment(reader)?;
    (until.is_some() || is_approximate).then_some(Some((number, until, is_approximate)))
}

/// Never is 0; a moment is one more than its microseconds.
fn put_moment(out: &mut Vec<u8>, moment: Option<Time>) {
    let number = moment.map_or(0, |moment| moment.micros().unsigned_abs() + 1);
    put_number(out, number);
}

fn read_moment(reader: &mut Reader<'_>) -> Option<Option<Time>> {
    match reader.number()?.checked_sub(1) {
        None => Some(None),
        Some(micros) => Some(Some(Time::from_micros(i64::try_from(micros).ok()?))),
    }
}

/// The first moment in that row of them.
pub(crate) fn first_moment(row: &[u8]) -> Option<Time> {
    read_moment(&mut Reader(row)).flatten()
}

/// That row of moments with another first one.
pub(super) fn with_first(row: &[u8], first: Time) -> Vec<u8> {
    let mut rest = Reader(row);
    let known = read_moment(&mut rest);
    let mut marked = Vec::with_capacity(row.len() + 1);
    put_moment(&mut marked, Some(first));
    if known.is_some() {
        marked.extend_from_slice(rest.0);
    }
    marked
}

#[cfg(test)]
mod tests;
