use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Window;
use crate::manifest::Limits;

fn check(zone: Option<&str>, now: &str, expected: Option<(&str, &str)>) {
    let ms = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
    let daily_zone = zone.map(|zone| TimeZone::get(zone).expect("a zone"));
    let window = Limits { daily_zone, ..Limits::default() }.window(ms(now));
    let expected = match expected {
        Some((from, until)) => Window::Fixed { from_ms: ms(from), until_ms: ms(until) },
        None => Window::Rolling,
    };
    assert_eq!(window, expected, "{zone:?} at {now}");
}

#[test]
fn a_day_is_that_of_the_vendor() {
    check(None, "2026-03-08T12:00:00Z", None);
    let utc = ("2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z");
    check(Some("UTC"), "2026-03-08T00:00:00Z", Some(utc));
    check(Some("UTC"), "2026-03-08T23:59:59Z", Some(utc));
    // A day of 23 hours.
    let short = ("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z");
    check(Some("America/Los_Angeles"), "2026-03-08T12:00:00Z", Some(short));
    let half = ("2026-03-07T18:30:00Z", "2026-03-08T18:30:00Z");
    check(Some("Asia/Kolkata"), "2026-03-08T12:00:00Z", Some(half));
}
