//! Numbers as JavaScript reads and writes them.

use serde_json::Number;

use crate::text::trim;

/// The shortest text that reads as the number again, laid out as JavaScript does.
pub(crate) fn text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let shortest = format!("{:e}", number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{}", laid_out(&digits, exponent + 1))
}

/// Digits with the point behind the `point`th of them.
fn laid_out(digits: &str, point: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let split = |at: i32| digits.split_at(usize::try_from(at).unwrap_or(0));
    match point {
        _ if (count..=21).contains(&point) => format!("{digits}{}", zeros(point - count)),
        1..=21 => {
            let (whole, fraction) = split(point);
            format!("{whole}.{fraction}")
        }
        -5..=0 => format!("0.{}{digits}", zeros(-point)),
        _ => {
            let (first, rest) = split(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{:+}", point - 1)
        }
    }
}

/// The number as JSON; there is none for what is no number or infinite.
pub(crate) fn json(number: f64) -> Option<Number> {
    number.is_finite().then(|| Number::from_string_unchecked(text(number)))
}

/// The number that JSON text is. A number that is too large is infinite, as it is for JavaScript.
pub(crate) fn of_json(written: &str) -> f64 {
    written.parse().unwrap_or(f64::NAN)
}

/// The text of a number of an event. Whole numbers stay as they were written, whatever their size:
/// JavaScript would round long ids.
pub(crate) fn text_of_json(written: &str) -> String {
    let digits = written.strip_prefix('-').unwrap_or(written);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && written != "-0" {
        return written.to_owned();
    }
    text(of_json(written))
}

/// What `Number(text)` gives.
pub(crate) fn of_text(written: &str) -> f64 {
    let written = trim(written);
    if written.is_empty() {
        return 0.0;
    }
    let radix = match written.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        let digits = written.get(2..).unwrap_or_default();
        return in_radix(digits, radix);
    }
    let unsigned = written.strip_prefix(['+', '-']).unwrap_or(written);
    if unsigned == "Infinity" {
        return if written.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    if is_decimal(unsigned) { written.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

fn in_radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    let mut number = 0.0;
    for char in digits.chars() {
        match char.to_digit(radix) {
            Some(digit) => number = number * f64::from(radix) + f64::from(digit),
            None => return f64::NAN,
        }
    }
    number
}

/// Digits, perhaps with a point among them, perhaps an exponent.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at), unsigned.get(at + 1..)),
        None => (Some(unsigned), None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.unwrap_or_default();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    has_digits
        && is_digits(whole)
        && is_digits(fraction)
        && exponent.is_none_or(|text| !text.is_empty() && is_digits(text))
}

/// A number that counts something, if it is one.
pub(crate) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.trunc() != number || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and has at most 53 bits")]
    let whole = number as i64;
    Some(whole)
}

/// The number of things; more than 2^53 of them there are not.
pub(crate) fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap_or(u32::MAX))
}
