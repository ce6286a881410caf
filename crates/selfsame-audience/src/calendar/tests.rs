use selfsame_event::Time;
use selfsame_expr::query::Period;

use super::Calendar;

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

#[test]
fn periods_begin_and_end() {
    let berlin = Some("Europe/Berlin");
    let cases = [
        (Period::Day, None, "2026-03-01T00:00:00Z", ["2026-02-28", "2026-03-01", "2026-03-02"]),
        (Period::Week, None, "2026-01-01T12:00:00Z", ["2025-12-22", "2025-12-29", "2026-01-05"]),
        (Period::Month, None, "2026-01-31T23:59:59Z", ["2025-12-01", "2026-01-01", "2026-02-01"]),
        // Summer time begins: the day has 23 hours.
        (
            Period::Day,
            berlin,
            "2026-03-29T12:00:00Z",
            ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
        ),
        (
            Period::Month,
            berlin,
            "2026-10-31T22:59:59Z",
            ["2026-08-31T22:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"],
        ),
        // The clocks go from midnight to one.
        (
            Period::Day,
            Some("America/Santiago"),
            "2026-09-06T12:00:00Z",
            ["2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"],
        ),
    ];
    for (period, zone, moment, [previous, start, end]) in cases {
        let calendar = Calendar::new(period, zone).expect("there is such a zone");
        let moment = time(moment);
        let found = [calendar.previous_start(moment), calendar.start(moment), calendar.end(moment)];
        assert_eq!(found, [time(previous), time(start), time(end)], "{period:?} {zone:?} {moment}");
    }
}

#[test]
fn a_zone_that_there_is_not() {
    assert_eq!(Calendar::new(Period::Day, Some("Europe/Atlantis")), None);
}

/// Also where a whole day was left out.
#[test]
fn no_period_is_shorter_than_the_shortest() {
    let zones = [
        None,
        Some("Europe/Berlin"),
        Some("Pacific/Apia"),
        Some("Pacific/Kwajalein"),
        Some("Asia/Gaza"),
    ];
    for zone in zones {
        for period in [Period::Day, Period::Week, Period::Month] {
            let calendar = Calendar::new(period, zone).expect("there is such a zone");
            let (mut start, last) = (time("1985-01-01T12:00:00Z"), time("2030-01-01T00:00:00Z"));
            start = calendar.end(start);
            while start < last {
                let end = calendar.end(start);
                let length = end.micros() - start.micros();
                assert!(calendar.shortest() <= length, "{period:?} {zone:?} {start}");
                start = end;
            }
        }
    }
}
