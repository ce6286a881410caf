//! Periods of the calendar.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use selfsame_event::Time;
use selfsame_expr::query::{Calendar, Period, Which};

/// From when, in microseconds, and until just before when it lasts.
pub(crate) fn period(calendar: &Calendar, now: Time) -> (i64, i64) {
    let zone = zone(calendar);
    let today = date(&zone, now);
    let this = match calendar.period {
        Period::Day => today,
        Period::Week => today - i64::from(today.weekday().to_monday_zero_offset()).days(),
        Period::Month => today.first_of_month(),
    };
    let length = match calendar.period {
        Period::Day => 1.day(),
        Period::Week => 7.days(),
        Period::Month => 1.month(),
    };
    match calendar.which {
        Which::This => (begin(&zone, this), begin(&zone, this + length)),
        Which::Previous => (begin(&zone, this - length), begin(&zone, this)),
    }
}

/// When the days after one moment and up to another begin.
pub(crate) fn days(calendar: &Calendar, from: Time, to: Time) -> Vec<Time> {
    let zone = zone(calendar);
    let (mut day, last) = (date(&zone, from), date(&zone, to));
    let mut days = Vec::new();
    while day < last {
        day = day.tomorrow().expect("a day before the year 10000");
        days.push(Time::from_micros(begin(&zone, day)));
    }
    days
}

fn zone(calendar: &Calendar) -> TimeZone {
    let name = calendar.zone.as_deref().unwrap_or("UTC");
    TimeZoneDatabase::bundled().get(name).expect("a zone of the database")
}

fn date(zone: &TimeZone, time: Time) -> Date {
    Timestamp::from_microsecond(time.micros()).expect("a time").to_zoned(zone.clone()).date()
}

/// The first moment of a day.
fn begin(zone: &TimeZone, day: Date) -> i64 {
    day.to_zoned(zone.clone()).expect("a day").timestamp().as_microsecond()
}
