//! Decimal numbers with nine places, exact where the sender's are.

use std::fmt;

/// How many nano-units are one.
const NANOS: u128 = 1_000_000_000;
/// Digits behind the point.
const PLACES: i64 = 9;
/// More digits than this do not fit, whatever they are.
const MOST_DIGITS: i64 = 39;

/// A number in units of 10^-9. What has more places was rounded once, half to even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub i128);

impl Decimal {
    /// A whole number.
    pub const fn whole(number: i64) -> Self {
        // An i64 times 10^9 has at most 93 bits.
        Self(number as i128 * 1_000_000_000)
    }

    /// A number of things.
    pub const fn count(number: u64) -> Self {
        Self(number as i128 * 1_000_000_000)
    }

    /// The number as a whole one, if it is one.
    pub fn as_whole(self) -> Option<i64> {
        let nanos = i128::try_from(NANOS).ok()?;
        (self.0 % nanos == 0).then(|| i64::try_from(self.0 / nanos).ok()).flatten()
    }

    /// Reads a decimal number: digits, perhaps a sign, a point, an exponent, and nothing else.
    /// `None` for anything else, and for what is out of range.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (rest.get(..at)?, exponent(rest.get(at + 1..)?)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let has_digits = !whole.is_empty() || !fraction.is_empty();
        let digits = || whole.bytes().chain(fraction.bytes());
        if !has_digits || !digits().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        // Digits up to this one count for nano-units or more; the others decide on rounding.
        let whole_digits = i64::try_from(whole.len()).ok()?;
        let kept = whole_digits.checked_add(exponent)?.checked_add(PLACES)?;
        let magnitude = magnitude(digits(), kept)?;
        let magnitude = i128::try_from(magnitude).ok()?;
        Some(Self(if is_negative { -magnitude } else { magnitude }))
    }

    /// The average of a sum over that many, rounded once, half to even.
    pub fn average(sum: Self, count: u64) -> Option<Self> {
        let count = i128::from(count);
        let quotient = sum.0.checked_div_euclid(count)?;
        let twice = sum.0.checked_rem_euclid(count)? * 2;
        let is_up = twice > count || twice == count && quotient % 2 != 0;
        Some(Self(quotient + i128::from(is_up)))
    }
}

/// An exponent, held to a range beyond which every number is 0 or out of range.
fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    const FAR: i64 = 1 << 40;
    let size = digits.parse::<i64>().map_or(FAR, |size| size.min(FAR));
    Some(if text.starts_with('-') { -size } else { size })
}

/// The number that the first `kept` digits make (with zeros behind them if there are fewer), rounded
/// by the ones behind.
fn magnitude(digits: impl Iterator<Item = u8>, kept: i64) -> Option<u128> {
    let mut value: u128 = 0;
    let (mut seen, mut significant) = (0_i64, 0_i64);
    let (mut next, mut is_exact) = (0, true);
    for digit in digits {
        let digit = digit - b'0';
        if seen < kept {
            significant += i64::from(significant > 0 || digit > 0);
            if significant > MOST_DIGITS {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(u128::from(digit))?;
        } else if seen == kept {
            next = digit;
        } else {
            is_exact &= digit == 0;
        }
        seen += 1;
    }
    if value > 0 && kept > seen {
        let zeros = u32::try_from(kept - seen).ok()?;
        value = value.checked_mul(10_u128.checked_pow(zeros)?)?;
    }
    let is_up = next > 5 || next == 5 && (!is_exact || value % 2 == 1);
    value.checked_add(u128::from(is_up))
}

/// The shortest form: no exponent, no zeros at the end.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", magnitude / NANOS)?;
        let mut fraction = magnitude % NANOS;
        if fraction == 0 {
            return Ok(());
        }
        let mut width = 9;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        write!(f, ".{fraction:0width$}")
    }
}

#[cfg(test)]
mod tests;
