//! Days, weeks and months in a time zone, from a time zone database that is part of the build.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use selfsame_event::Time;
use selfsame_expr::query::{self, Period};

/// A calendar of periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Calendar {
    period: Period,
    zone: TimeZone,
}

impl Calendar {
    /// Periods in the time zone of that name; UTC without one. `None` if there is no such zone.
    pub(crate) fn new(period: Period, zone: Option<&str>) -> Option<Self> {
        let zone = match zone {
            Some(name) => query::zone(name)?,
            None => TimeZone::UTC,
        };
        Some(Self { period, zone })
    }

    /// How many microseconds every period has at least, wherever clocks are changed.
    pub(crate) fn shortest(&self) -> i64 {
        const DAY: i64 = query::Unit::Day.micros();
        match self.period {
            Period::Day => DAY / 2,
            Period::Week => 6 * DAY - DAY / 2,
            Period::Month => 27 * DAY - DAY / 2,
        }
    }

    /// When the period begins that the moment lies in.
    pub(crate) fn start(&self, moment: Time) -> Time {
        self.midnight(self.first_day(moment))
    }

    /// When the period before that begins.
    pub(crate) fn previous_start(&self, moment: Time) -> Time {
        let first = self.first_day(moment);
        let before = match self.period {
            Period::Day => first.checked_sub(1.day()),
            Period::Week => first.checked_sub(7.days()),
            Period::Month => first.checked_sub(1.month()),
        };
        before.map_or(Time::EPOCH, |date| self.midnight(date))
    }

    /// When the period ends that the moment lies in.
    pub(crate) fn end(&self, moment: Time) -> Time {
        let first = self.first_day(moment);
        let behind = match self.period {
            Period::Day => first.checked_add(1.day()),
            Period::Week => first.checked_add(7.days()),
            Period::Month => first.checked_add(1.month()),
        };
        behind.map_or(Time::MAX, |date| self.midnight(date))
    }

    fn first_day(&self, moment: Time) -> Date {
        // A time is within the years that a timestamp has.
        let moment = Timestamp::from_microsecond(moment.micros()).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = moment.to_zoned(self.zone.clone()).date();
        match self.period {
            Period::Day => date,
            Period::Week => {
                let since_monday = date.weekday().to_monday_zero_offset();
                date.checked_sub(i64::from(since_monday).days()).unwrap_or(date)
            }
            Period::Month => date.first_of_month(),
        }
    }

    /// The first moment of a day: midnight, or what follows it where the clocks leave midnight out.
    fn midnight(&self, date: Date) -> Time {
        match date.to_zoned(self.zone.clone()) {
            Ok(zoned) => Time::from_micros(zoned.timestamp().as_microsecond()),
            Err(_) => Time::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
