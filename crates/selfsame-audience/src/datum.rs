//! Values that are kept.
//!
//! ```text
//! 1 | 2                       false, true
//! 3 | 6 | 7, signed           a number: in billionths; where that is shorter, in hundredths, in ones
//! 4 | 5, length, bytes        a text; a list or an object as JSON without spaces
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use selfsame_event::Raw;
use selfsame_event::packed::{Reader, Sink, put_number, put_text};
use selfsame_expr::{Decimal, Value};

/// Longest text that is kept of a value, in bytes; a longer one counts as none.
pub const MOST_VALUE_BYTES: usize = 1_024;

const FALSE: u8 = 1;
const TRUE: u8 = 2;
const BILLIONTHS: u8 = 3;
const TEXT: u8 = 4;
const JSON: u8 = 5;
const HUNDREDTHS: u8 = 6;
const ONES: u8 = 7;
/// Billionths in a hundredth.
const HUNDREDTH: i64 = 10_000_000;
/// Billionths in one.
const ONE: i64 = 1_000_000_000;

/// A value that is kept, which is never null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(Box<str>),
    /// A list or an object, without spaces.
    Json(Box<str>),
}

impl Datum {
    /// What is kept of a value: nothing of null, and of one that is too long.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        let fits = |text: Cow<'_, str>| (text.len() <= MOST_VALUE_BYTES).then(|| text.into());
        match value {
            Value::Null => None,
            Value::Bool(bool) => Some(Self::Bool(*bool)),
            Value::Number(number) => Some(Self::Number(*number)),
            Value::Text(text) => fits(Cow::Borrowed(text)).map(Self::Text),
            Value::Json(_) => fits(value.text()?).map(Self::Json),
        }
    }

    /// The value again.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Json(json) => Value::Json(Raw::trusted(json)),
        }
    }

    /// Its text.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
        }
    }

    /// The order of texts; of equal ones, of kinds.
    pub(crate) fn text_order(&self, other: &Self) -> Ordering {
        let kind = |datum: &Self| match datum {
            Self::Bool(_) => 0_u8,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            // Lists before objects: `[` is before `{`, and equal texts are of one of them.
            Self::Json(_) => 3,
        };
        self.text().cmp(&other.text()).then_with(|| kind(self).cmp(&kind(other)))
    }
}

/// A value as its bytes, wherever they lie. Two are the same value if their bytes are the same; their
/// order is one of bytes and says nothing of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packed<'a>(&'a [u8]);

impl<'a> Packed<'a> {
    /// Its bytes.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        Self::read_optional(reader)?
    }

    /// A value or none; nothing at all where the bytes are no such thing.
    pub(crate) fn read_optional(reader: &mut Reader<'a>) -> Option<Option<Self>> {
        let all = reader.0;
        match reader.byte()? {
            0 => return Some(None),
            FALSE | TRUE => {}
            BILLIONTHS | HUNDREDTHS | ONES => {
                read_signed(reader)?;
            }
            TEXT | JSON => {
                let length = read_length(reader)?;
                reader.slice(length)?;
            }
            _ => return None,
        }
        let length = all.len() - reader.left();
        Some(Some(Self(all.get(..length)?)))
    }

    /// The value; null where the bytes are damaged.
    pub(crate) fn value(self) -> Value<'a> {
        self.read_value().unwrap_or(Value::Null)
    }

    fn read_value(self) -> Option<Value<'a>> {
        let mut reader = Reader(self.0);
        Some(match reader.byte()? {
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            BILLIONTHS => Value::Number(Decimal(read_signed(&mut reader)?)),
            tag @ (HUNDREDTHS | ONES) => {
                let unit = if tag == ONES { ONE } else { HUNDREDTH };
                Value::Number(Decimal(read_signed(&mut reader)?.checked_mul(i128::from(unit))?))
            }
            TEXT => Value::Text(Cow::Borrowed(reader.text()?)),
            JSON => Value::Json(Raw::trusted(reader.text()?)),
            _ => return None,
        })
    }

    /// The value on its own.
    pub(crate) fn datum(self) -> Option<Datum> {
        Some(match self.value() {
            Value::Null => return None,
            Value::Bool(bool) => Datum::Bool(bool),
            Value::Number(number) => Datum::Number(number),
            Value::Text(text) => Datum::Text(text.into()),
            // Its text was written in the one form that there is.
            Value::Json(raw) => Datum::Json(raw.text().into()),
        })
    }

    /// A rank that has nothing to do with what the value is, by which some are kept and others not.
    pub(crate) fn rank(self) -> u64 {
        const START: u64 = 0xcbf2_9ce4_8422_2325;
        const FACTOR: u64 = 0x0000_0100_0000_01b3;
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(FACTOR);
        let hash = self.0.iter().fold(START, mix);
        (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Writes a value; nothing of null and of one that is too long, and says so.
pub(crate) fn pack(out: &mut impl Sink, value: &Value<'_>) -> bool {
    let (tag, text) = match value {
        Value::Null => return false,
        Value::Bool(bool) => {
            out.put(&[if *bool { TRUE } else { FALSE }]);
            return true;
        }
        Value::Number(number) => {
            put_decimal(out, *number);
            return true;
        }
        Value::Text(text) => (TEXT, Cow::Borrowed(&**text)),
        Value::Json(_) => (JSON, value.text().unwrap_or_default()),
    };
    if text.len() > MOST_VALUE_BYTES {
        return false;
    }
    out.put(&[tag]);
    put_text(out, &text);
    true
}

/// A number, in the largest unit of which it is a whole number.
pub(crate) fn put_decimal(out: &mut impl Sink, number: Decimal) {
    match i64::try_from(number.0) {
        Ok(small) if small % ONE == 0 => put_tagged(out, ONES, i128::from(small / ONE)),
        Ok(small) if small % HUNDREDTH == 0 => {
            put_tagged(out, HUNDREDTHS, i128::from(small / HUNDREDTH));
        }
        _ => put_tagged(out, BILLIONTHS, number.0),
    }
}

fn put_tagged(out: &mut impl Sink, tag: u8, number: i128) {
    out.put(&[tag]);
    put_signed(out, number);
}

/// A value, or none.
pub(crate) fn put_optional(out: &mut impl Sink, packed: Option<Packed<'_>>) {
    out.put(packed.map_or(&[0], Packed::bytes));
}

/// Small numbers of either sign in few bytes.
pub(crate) fn put_signed(out: &mut impl Sink, number: i128) {
    let mut rest = (number << 1 ^ number >> 127).cast_unsigned();
    if let Ok(short) = u64::try_from(rest) {
        return put_number(out, short);
    }
    loop {
        let low = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
        if rest == 0 {
            return out.put(&[low]);
        }
        out.put(&[low | 0x80]);
    }
}

pub(crate) fn read_signed(reader: &mut Reader<'_>) -> Option<i128> {
    let mut number: u128 = 0;
    for shift in (0..128).step_by(7) {
        let byte = reader.byte()?;
        let bits = u128::from(byte & 0x7f);
        if shift == 126 && bits > 3 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
        }
    }
    None
}

/// A length that is read back with [`read_length`].
pub(crate) fn put_length(out: &mut impl Sink, length: usize) {
    put_number(out, u64::try_from(length).unwrap_or(u64::MAX));
}

/// A length, which cannot be more than the bytes that are left: each part has at least one.
pub(crate) fn read_length(reader: &mut Reader<'_>) -> Option<usize> {
    let length = usize::try_from(reader.number()?).ok()?;
    (length <= reader.left()).then_some(length)
}
