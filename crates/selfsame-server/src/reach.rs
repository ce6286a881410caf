//! Places of the log by their age and by the bytes behind them.

use selfsame_event::{Position, Time};
use selfsame_log::{LogRead, ReadError};

/// The first record that is not older than a time; the end if all are.
pub(crate) fn first_since(log: &dyn LogRead, oldest: Time) -> Result<u64, ReadError> {
    let (mut low, mut high) = (log.first().offset, log.end().offset);
    while low < high {
        let middle = low + (high - low) / 2;
        match log.get(Position::embedded(middle)) {
            Ok(record) if record.time < oldest => low = middle + 1,
            // It was removed meanwhile, so it was old.
            Err(ReadError::Trimmed { .. }) => low = middle + 1,
            Ok(_) => high = middle,
            Err(error) => return Err(error),
        }
    }
    Ok(low)
}

/// The newest beginning of a segment from which there are at least so many bytes: whoever is before it
/// is further from the end than that. 0 if there is none. `sizes`: first offset and bytes, in order.
pub(crate) fn first_near(sizes: &[(u64, u64)], bytes: u64) -> u64 {
    let mut behind = 0_u64;
    for (first, size) in sizes.iter().rev() {
        behind = behind.saturating_add(*size);
        if behind >= bytes {
            return *first;
        }
    }
    0
}

/// How many bytes there are from an offset to the end; within a segment, by its share of the records.
pub(crate) fn bytes_from(sizes: &[(u64, u64)], end: u64, offset: u64) -> u64 {
    let ends = sizes.iter().skip(1).map(|(first, _)| *first).chain([end]);
    let parts = sizes.iter().zip(ends).map(|((first, size), end)| {
        let (all, left) = (end.saturating_sub(*first), end.saturating_sub(offset.max(*first)));
        let part = u128::from(*size) * u128::from(left) / u128::from(all.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    });
    parts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
