//! When something may change; `None` is never.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_time};

/// A moment, or never.
pub type Moment = Option<Time>;

/// The earlier of the two.
pub(crate) fn earliest(one: Moment, other: Moment) -> Moment {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

pub(crate) fn put_moment(out: &mut impl Sink, moment: Moment) {
    out.put(&[u8::from(moment.is_some())]);
    if let Some(moment) = moment {
        put_time(out, moment);
    }
}

pub(crate) fn read_moment(reader: &mut Reader<'_>) -> Option<Moment> {
    match reader.byte()? {
        0 => Some(None),
        _ => reader.time().map(Some),
    }
}

/// How long after another one a moment is, which is not before it.
pub(crate) fn put_after(out: &mut impl Sink, moment: Time, other: Time) {
    put_time(out, Time::from_micros(moment.micros() - other.micros()));
}

pub(crate) fn read_after(reader: &mut Reader<'_>, other: Time) -> Option<Time> {
    Some(other.plus_micros(reader.time()?.micros()))
}
