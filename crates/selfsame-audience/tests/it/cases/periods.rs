//! Windows of the calendar.

use serde_json::json;

use super::is_at;
use crate::notation::{In, event, property};

#[track_caller]
fn this(now: &str, period: In, time: &str, inside: bool) {
    let count = event("A").this(period).count();
    is_at(now, &format!("{time} A"), &count, &json!(u8::from(inside)));
}

#[track_caller]
fn previous(now: &str, period: In, time: &str, inside: bool) {
    let count = event("A").previous(period).count();
    is_at(now, &format!("{time} A"), &count, &json!(u8::from(inside)));
}

#[test]
fn a_day_is_from_midnight_to_midnight() {
    let now = "2024-05-15T12:00:00Z";
    this(now, In::Day(""), "2024-05-14T23:59:59.999999Z", false);
    this(now, In::Day(""), "2024-05-15T00:00:00Z", true);
    this(now, In::Day(""), "2024-05-15T12:00:00Z", true);
    this("2024-05-15T00:00:00Z", In::Day(""), "2024-05-15T00:00:00Z", true);
    this("2024-05-16T00:00:00Z", In::Day(""), "2024-05-15T23:59:59Z", false);
    previous(now, In::Day(""), "2024-05-13T23:59:59.999999Z", false);
    previous(now, In::Day(""), "2024-05-14T00:00:00Z", true);
    previous(now, In::Day(""), "2024-05-14T23:59:59.999999Z", true);
    previous(now, In::Day(""), "2024-05-15T00:00:00Z", false);
}

#[test]
fn a_day_of_a_zone_begins_at_its_midnight() {
    let now = "2024-05-15T12:00:00Z";
    this(now, In::Day("Europe/Berlin"), "2024-05-14T21:59:59.999999Z", false);
    this(now, In::Day("Europe/Berlin"), "2024-05-14T22:00:00Z", true);
    this("2024-05-15T22:00:00Z", In::Day("Europe/Berlin"), "2024-05-15T21:59:59Z", false);
    this(now, In::Day("Asia/Kolkata"), "2024-05-14T18:30:00Z", true);
    this(now, In::Day("Asia/Kolkata"), "2024-05-14T18:29:59Z", false);
    this(now, In::Day("America/Los_Angeles"), "2024-05-15T07:00:00Z", true);
    this(now, In::Day("America/Los_Angeles"), "2024-05-15T06:59:59Z", false);
}

/// 31 March 2024 has 23 hours in Berlin, 27 October 25.
#[test]
fn days_on_which_clocks_are_changed_are_shorter_or_longer() {
    let berlin = In::Day("Europe/Berlin");
    let spring = "2024-03-31T20:00:00Z";
    this(spring, berlin, "2024-03-30T22:59:59Z", false);
    this(spring, berlin, "2024-03-30T23:00:00Z", true);
    this("2024-03-31T21:59:59.999999Z", berlin, "2024-03-30T23:00:00Z", true);
    this("2024-03-31T22:00:00Z", berlin, "2024-03-30T23:00:00Z", false);
    previous("2024-03-31T22:00:00Z", berlin, "2024-03-30T23:00:00Z", true);
    previous("2024-03-31T22:00:00Z", berlin, "2024-03-30T22:59:59Z", false);
    let autumn = "2024-10-27T20:00:00Z";
    this(autumn, berlin, "2024-10-26T21:59:59Z", false);
    this(autumn, berlin, "2024-10-26T22:00:00Z", true);
    this("2024-10-27T22:59:59.999999Z", berlin, "2024-10-26T22:00:00Z", true);
    this("2024-10-27T23:00:00Z", berlin, "2024-10-26T22:00:00Z", false);
}

/// In Cairo the clocks of 26 April 2024 went from midnight to one.
#[test]
fn a_day_without_a_midnight_begins_at_its_first_moment() {
    let now = "2024-04-26T12:00:00Z";
    this(now, In::Day("Africa/Cairo"), "2024-04-25T21:59:59.999999Z", false);
    this(now, In::Day("Africa/Cairo"), "2024-04-25T22:00:00Z", true);
}

#[test]
fn a_week_begins_on_monday() {
    // The Wednesday of week 20: 13 to 19 May.
    let now = "2024-05-15T12:00:00Z";
    this(now, In::Week(""), "2024-05-12T23:59:59.999999Z", false);
    this(now, In::Week(""), "2024-05-13T00:00:00Z", true);
    this("2024-05-19T23:59:59Z", In::Week(""), "2024-05-13T00:00:00Z", true);
    this("2024-05-20T00:00:00Z", In::Week(""), "2024-05-19T23:59:59Z", false);
    this("2024-05-13T00:00:00Z", In::Week(""), "2024-05-13T00:00:00Z", true);
    previous(now, In::Week(""), "2024-05-06T00:00:00Z", true);
    previous(now, In::Week(""), "2024-05-05T23:59:59Z", false);
    previous(now, In::Week(""), "2024-05-12T23:59:59.999999Z", true);
    previous(now, In::Week(""), "2024-05-13T00:00:00Z", false);
}

#[test]
fn a_week_may_lie_in_two_years() {
    // Monday 30 December 2024 to Sunday 5 January 2025.
    let now = "2025-01-02T12:00:00Z";
    this(now, In::Week("Europe/Berlin"), "2024-12-29T22:59:59Z", false);
    this(now, In::Week("Europe/Berlin"), "2024-12-29T23:00:00Z", true);
    this("2025-01-05T22:59:59Z", In::Week("Europe/Berlin"), "2024-12-31T12:00:00Z", true);
    this("2025-01-05T23:00:00Z", In::Week("Europe/Berlin"), "2024-12-31T12:00:00Z", false);
    previous("2025-01-05T23:00:00Z", In::Week("Europe/Berlin"), "2024-12-31T12:00:00Z", true);
    previous(now, In::Week("Europe/Berlin"), "2024-12-22T23:00:00Z", true);
    previous(now, In::Week("Europe/Berlin"), "2024-12-22T22:59:59Z", false);
}

/// The week of 31 March 2024 has an hour less in Berlin: it begins in winter and ends in summer.
#[test]
fn a_week_in_which_clocks_are_changed() {
    let now = "2024-03-31T12:00:00Z";
    this(now, In::Week("Europe/Berlin"), "2024-03-24T23:00:00Z", true);
    this(now, In::Week("Europe/Berlin"), "2024-03-24T22:59:59Z", false);
    this("2024-03-31T21:59:59Z", In::Week("Europe/Berlin"), "2024-03-24T23:00:00Z", true);
    this("2024-03-31T22:00:00Z", In::Week("Europe/Berlin"), "2024-03-24T23:00:00Z", false);
}

#[test]
fn months_have_their_lengths() {
    let now = "2024-03-31T12:00:00Z";
    this(now, In::Month(""), "2024-03-01T00:00:00Z", true);
    this(now, In::Month(""), "2024-02-29T23:59:59Z", false);
    previous(now, In::Month(""), "2024-02-29T23:59:59Z", true);
    previous(now, In::Month(""), "2024-02-01T00:00:00Z", true);
    previous(now, In::Month(""), "2024-01-31T23:59:59Z", false);
    previous(now, In::Month(""), "2024-03-01T00:00:00Z", false);
    previous("2023-03-01T00:00:00Z", In::Month(""), "2023-02-28T23:59:59Z", true);
    previous("2024-01-10T00:00:00Z", In::Month(""), "2023-12-31T23:59:59Z", true);
    previous("2024-01-10T00:00:00Z", In::Month(""), "2023-11-30T23:59:59Z", false);
    // March begins in winter and ends in summer.
    let berlin = In::Month("Europe/Berlin");
    this(now, berlin, "2024-02-29T23:00:00Z", true);
    this(now, berlin, "2024-02-29T22:59:59Z", false);
    this("2024-03-31T21:59:59Z", berlin, "2024-03-15T00:00:00Z", true);
    this("2024-03-31T22:00:00Z", berlin, "2024-03-15T00:00:00Z", false);
    previous("2024-03-31T22:00:00Z", berlin, "2024-03-15T00:00:00Z", true);
}

#[test]
fn a_period_holds_together_with_other_filters() {
    let of = "2024-05-01 A {'p': 1}; 2024-05-02 A {'p': 2}; 2024-04-30 A {'p': 4}";
    let now = "2024-05-15T12:00:00Z";
    is_at(now, of, &event("A").this(In::Month("")).sum(property("p")), &json!(3));
    is_at(now, of, &event("A").previous(In::Month("")).sum(property("p")), &json!(4));
    let where_ = property("p").gt(1);
    is_at(now, of, &event("A").this(In::Month("")).given(where_).sum(property("p")), &json!(2));
}
