//! What definitions came to for one profile.
//!
//! ```text
//! row    flags u8: 1 = every definition is to be evaluated anew
//!        for each definition, by number: number, flags u8, [until], [since], [json]
//! flags  1 in | 2 was in | 4 json | 8 until | 16 approximate
//! ```

use selfsame_event::Time;
use selfsame_event::packed::{Reader, put_number, put_text, put_time};

const IN: u8 = 1;
const OUT: u8 = 2;
const JSON: u8 = 4;
const UNTIL: u8 = 8;
const APPROXIMATE: u8 = 16;
const STALE: u8 = 1;

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
        let is_kept = row.held != Held::Default || row.until.is_some();
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

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![if self.is_stale { STALE } else { 0 }];
        for row in &self.rows {
            put_number(&mut out, u64::from(row.number));
            let held = match row.held {
                Held::Default => 0,
                Held::In(_) => IN,
                Held::Out(_) => OUT,
                Held::Json(_) => JSON,
            };
            let until = if row.until.is_some() { UNTIL } else { 0 };
            out.push(held | until | if row.is_approximate { APPROXIMATE } else { 0 });
            row.until.iter().for_each(|until| put_time(&mut out, *until));
            match &row.held {
                Held::Default => {}
                Held::In(since) | Held::Out(since) => put_time(&mut out, *since),
                Held::Json(json) => put_text(&mut out, json),
            }
        }
        out
    }

    /// Reads a row; nothing where it is not one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let stale = reader.byte()?;
        let mut values = Self { is_stale: stale == STALE, rows: Vec::new() };
        while reader.left() > 0 {
            let number = reader.small()?;
            let flags = reader.byte()?;
            let until = if flags & UNTIL == 0 { None } else { Some(reader.time()?) };
            let held = match flags & (IN | OUT | JSON) {
                0 => Held::Default,
                IN => Held::In(reader.time()?),
                OUT => Held::Out(reader.time()?),
                JSON => Held::Json(reader.text()?.into()),
                _ => return None,
            };
            let is_approximate = flags & APPROXIMATE != 0;
            values.rows.push(ValueRow { number, held, until, is_approximate });
        }
        (stale <= STALE && values.rows.is_sorted_by(|a, b| a.number < b.number)).then_some(values)
    }
}

/// The first moment at which a value in that row may change.
pub(crate) fn until(row: &[u8]) -> Option<Time> {
    Values::decode(row)?.until()
}

#[cfg(test)]
mod tests;
