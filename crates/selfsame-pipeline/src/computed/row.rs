//! What definitions came to for one profile: the values, which are of the state, and the moments at which
//! they may change, which say when to look again.
//!
//! A moment depends on when its definition was looked at last, and is as good if it comes too early; so it
//! is no part of the state.
//!
//! ```text
//! values   flags u8: 1 = every definition is to be evaluated anew
//!          for each definition, by number: number, 1 in + since | 2 was in + until | 4 + json
//! moments  for each definition, by number: number, flags u8 (1 approximate, 2 until), [until]
//! ```

use selfsame_event::Time;
use selfsame_event::packed::{Reader, put_number, put_text, put_time};

const IN: u8 = 1;
const OUT: u8 = 2;
const JSON: u8 = 4;
const STALE: u8 = 1;
const APPROXIMATE: u8 = 1;
const UNTIL: u8 = 2;

/// What a definition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// What it comes to where nothing happened.
    Default,
    /// In the audience since then.
    In(Time),
    /// Was in it until then.
    Out(Time),
    /// A value, as JSON.
    Json(Box<str>),
}

/// What one definition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueRow {
    /// The number of the definition.
    pub number: u32,
    /// What it came to.
    pub held: Held,
    /// The first moment at which it may be another one though nothing happens.
    pub until: Option<Time>,
    /// Whether a cap had a part in it.
    pub is_approximate: bool,
}

/// What definitions came to for one profile. Those that are not in it are what they are where nothing
/// happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    /// Every definition is to be evaluated anew.
    pub is_stale: bool,
    rows: Vec<ValueRow>,
}

impl Values {
    /// What a definition came to; nothing where it is what it is where nothing happened.
    pub fn get(&self, number: u32) -> Option<&ValueRow> {
        let place = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get(place)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &ValueRow> {
        self.rows.iter()
    }

    /// Sets what a definition came to. What is as where nothing happened is not kept.
    pub(crate) fn set(&mut self, row: ValueRow) {
        let is_kept = row.held != Held::Default || row.until.is_some() || row.is_approximate;
        match self.rows.binary_search_by_key(&row.number, |known| known.number) {
            Ok(place) if is_kept => self.rows[place] = row,
            Ok(place) => drop(self.rows.remove(place)),
            Err(place) if is_kept => self.rows.insert(place, row),
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
        self.rows
            .retain(|row| row.held != Held::Default || row.until.is_some() || row.is_approximate);
    }

    /// The first moment at which any of them may change.
    pub(crate) fn until(&self) -> Option<Time> {
        if self.is_stale {
            return Some(Time::EPOCH);
        }
        self.rows.iter().filter_map(|row| row.until).min()
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.is_stale
    }

    /// The bytes of the values.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![if self.is_stale { STALE } else { 0 }];
        for row in &self.rows {
            let mut put = |held: u8| {
                put_number(&mut out, u64::from(row.number));
                out.push(held);
            };
            match &row.held {
                Held::Default => {}
                Held::In(since) => {
                    put(IN);
                    put_time(&mut out, *since);
                }
                Held::Out(since) => {
                    put(OUT);
                    put_time(&mut out, *since);
                }
                Held::Json(json) => {
                    put(JSON);
                    put_text(&mut out, json);
                }
            }
        }
        if out == [0] { Vec::new() } else { out }
    }

    /// The bytes of the moments.
    pub(crate) fn encode_moments(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for row in self.rows.iter().filter(|row| row.until.is_some() || row.is_approximate) {
            put_number(&mut out, u64::from(row.number));
            let until = if row.until.is_some() { UNTIL } else { 0 };
            out.push(until | if row.is_approximate { APPROXIMATE } else { 0 });
            row.until.iter().for_each(|until| put_time(&mut out, *until));
        }
        out
    }

    /// Reads the values; nothing where the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let stale = reader.byte()?;
        let mut values = Self { is_stale: stale == STALE, rows: Vec::new() };
        while reader.left() > 0 {
            let number = reader.small()?;
            let held = match reader.byte()? {
                IN => Held::In(reader.time()?),
                OUT => Held::Out(reader.time()?),
                JSON => Held::Json(reader.text()?.into()),
                _ => return None,
            };
            values.rows.push(ValueRow { number, held, until: None, is_approximate: false });
        }
        let is_sorted = values.rows.is_sorted_by(|a, b| a.number < b.number);
        (stale <= STALE && is_sorted && !values.is_empty()).then_some(values)
    }

    /// Adds the moments; nothing where the bytes are none.
    pub(crate) fn with_moments(mut self, bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut last = None;
        while reader.left() > 0 {
            let number = reader.small()?;
            let flags = reader.byte()?;
            let until = if flags & UNTIL == 0 { None } else { Some(reader.time()?) };
            let is_approximate = flags & APPROXIMATE != 0;
            if last.is_some_and(|last| last >= number) || !(1..=3).contains(&flags) {
                return None;
            }
            last = Some(number);
            let held = self.get(number).map_or(Held::Default, |row| row.held.clone());
            self.set(ValueRow { number, held, until, is_approximate });
        }
        Some(self)
    }
}

/// The first moment in that row of them.
pub(crate) fn first_moment(row: &[u8]) -> Option<Time> {
    Values::default().with_moments(row)?.until()
}

#[cfg(test)]
mod tests;
