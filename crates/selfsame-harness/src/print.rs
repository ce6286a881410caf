//! What goes to the terminal: lines, aligned tables, numbers a reader can take in.

use std::io::Write as _;
use std::time::Duration;

/// Prints one line. A closed pipe is no reason to stop a measurement.
pub(crate) fn line(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").is_ok() {
        out.flush().ok();
    }
}

/// Prints what went wrong, with its causes.
pub(crate) fn problem(error: &anyhow::Error) {
    writeln!(std::io::stderr().lock(), "selfsame-harness: {error:#}").ok();
}

/// Prints rows in columns as wide as they need; the first row is the head.
pub(crate) fn columns(rows: &[Vec<String>]) {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..count).filter_map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// A count with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many in so long, a second.
pub(crate) fn per_second(number: u64, took: Duration) -> u64 {
    let micros = took.as_micros().max(1);
    u64::try_from(u128::from(number) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// A duration in milliseconds or seconds.
pub(crate) fn duration(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1_000.0;
    if millis < 10_000.0 { format!("{millis:.2} ms") } else { format!("{:.1} s", millis / 1_000.0) }
}

/// Bytes as MiB.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// One number as a share of another.
pub(crate) fn ratio(one: f64, other: f64) -> f64 {
    if other > 0.0 { one / other } else { 0.0 }
}

/// Whether a target was met, in a word.
pub(crate) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
