//! Numbers: decimal, nine places, no floating point.

/// A number as a count of billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

const PLACES: i64 = 9;
const ONE: i128 = 1_000_000_000;
/// 1.7 × 10^29
const MAX: i128 = 170_000_000_000_000_000_000_000_000_000 * ONE;

impl Decimal {
    /// Reads a decimal number and nothing else; `None` also where it is out of range.
    ///
    /// Done on the digits as they are written: the point is moved by the exponent, what stands
    /// behind the ninth place is cut off, and what was cut off decides how the rest is rounded.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, text.strip_prefix('-')?),
            b'+' => (false, text.strip_prefix('+')?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            None => (text, 0),
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }

        let point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
        let significant = digits.trim_start_matches('0');
        let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
        let kept = point.saturating_sub(zeros).saturating_add(PLACES);
        let magnitude = round(significant, kept)?;
        (magnitude <= MAX).then_some(Self(if negative { -magnitude } else { magnitude }))
    }

    /// A whole number.
    pub(crate) fn whole(number: usize) -> Self {
        Self(i128::try_from(number).expect("a count") * ONE)
    }

    /// The shortest decimal form.
    pub(crate) fn text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.abs() / ONE, self.0.abs() % ONE);
        let text = format!("{sign}{whole}.{fraction:09}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The exact sum; `None` where it is out of range, whatever the sums on the way to it are.
    pub(crate) fn sum(numbers: &[Self]) -> Option<Self> {
        const HALF: i128 = 10_000_000_000_000_000_000;
        let low: i128 = numbers.iter().map(|number| number.0.rem_euclid(HALF)).sum();
        let high: i128 = numbers.iter().map(|number| number.0.div_euclid(HALF)).sum();
        let sum = (high + low.div_euclid(HALF)).checked_mul(HALF)?;
        let sum = sum.checked_add(low.rem_euclid(HALF))?;
        (-MAX..=MAX).contains(&sum).then_some(Self(sum))
    }

    /// The average, rounded half to even; `None` where there is nothing, or the sum is out of range.
    pub(crate) fn average(numbers: &[Self]) -> Option<Self> {
        let count = i128::try_from(numbers.len()).ok().filter(|count| *count > 0)?;
        let sum = Self::sum(numbers)?.0;
        let (below, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
        let up = 2 * rest > count || (2 * rest == count && below % 2 != 0);
        Some(Self(if up { below + 1 } else { below }))
    }
}

/// An exponent, held to what is certainly out of range or certainly nothing.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Some(if text.starts_with('-') { -size } else { size })
}

/// The number that the first so many digits are, zeros after the last of them, rounded by the others.
fn round(digits: &str, kept: i64) -> Option<i128> {
    let digits = digits.as_bytes();
    if digits.is_empty() || kept < 0 {
        return Some(0);
    }
    if kept > 39 {
        return None;
    }
    let kept = usize::try_from(kept).ok()?;
    let mut number: i128 = 0;
    for index in 0..kept {
        let digit = digits.get(index).map_or(0, |digit| digit - b'0');
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    let rest = digits.get(kept..).unwrap_or(&[]);
    let up = match rest.split_first() {
        None => false,
        Some((b'5', others)) if others.iter().all(|digit| *digit == b'0') => number % 2 != 0,
        Some((first, _)) => *first >= b'5',
    };
    Some(if up { number + 1 } else { number })
}
