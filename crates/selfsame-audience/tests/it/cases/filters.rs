//! Which events a stream has, and the filters that count from now.

use serde_json::json;

use super::{is, is_at, no, yes};
use crate::notation::{
    and, days, event, hours, minutes, not, or, property, seconds, trait_, weeks,
};

#[test]
fn a_stream_has_the_events_of_a_name() {
    let of = "0 A; 0 a; 0 A ; 0 AB; 0 identify:; 0 group: A; 0 alias: A; 0 page: A; 0 screen: A";
    is(of, &event("A").count(), &json!(2));
    is(of, &event("a").count(), &json!(1));
    is(of, &event("B").count(), &json!(0));
    is(of, &event("").count(), &json!(0));
}

#[test]
fn pages_and_screens_have_streams_of_their_own() {
    let of = "0 page: Home; 0 page:; 0 screen: Cart; 0 Page Viewed; 0 Screen Viewed; 0 Home";
    is(of, &event("Page Viewed").count(), &json!(3));
    is(of, &event("Screen Viewed").count(), &json!(2));
    is(of, &event("Home").count(), &json!(1));
    is("0 identify: Page Viewed; 0 group: Screen Viewed", &event("Page Viewed").count(), &json!(0));
}

#[test]
fn a_condition_on_properties() {
    let of = "-3h A {'p': 100, 'c': 'x'}; -2h A {'p': 50, 'c': 'x'}; -1h A {'c': 'y'}";
    let count = |condition| event("A").given(condition).count();
    is(of, &count(property("p").ge(100)), &json!(1));
    is(of, &count(property("p").lt(100)), &json!(1));
    is(of, &count(not(property("p").ge(100))), &json!(2));
    is(of, &count(property("p").absent()), &json!(1));
    is(of, &count(or([property("p").ge(100), property("c").eq("y")])), &json!(2));
    is(of, &count(and([property("p").exists(), property("c").eq("x")])), &json!(2));
    is(
        of,
        &event("A").given(property("p").exists()).given(property("p").lt(60)).count(),
        &json!(1),
    );
}

#[test]
fn sources_are_left_out() {
    let of = "0 A @web; 0 A @app; 0 A @shop";
    is(of, &event("A").without_sources(["web"]).count(), &json!(2));
    is(of, &event("A").without_sources(["web", "app"]).count(), &json!(1));
    is(of, &event("A").without_sources(["we"]).count(), &json!(3));
    is(of, &event("A").without_sources(["web"]).without_sources(["app"]).count(), &json!(1));
}

#[test]
fn within_is_open_at_its_far_end() {
    let within = event("A").within(hours(1)).count();
    is("-1h-1u A", &within, &json!(0));
    is("-1h A", &within, &json!(0));
    is("-1h+1u A", &within, &json!(1));
    is("0 A", &within, &json!(1));
    is_at("-1u", "-1h A", &within, &json!(1));
    is_at("+1u", "-1h+1u A", &within, &json!(0));
}

#[test]
fn between_is_closed_at_its_near_end_and_open_at_its_far_end() {
    let between = event("A").between(hours(1), hours(2)).count();
    is("-1h+1u A", &between, &json!(0));
    is("-1h A", &between, &json!(1));
    is("-1h-1u A", &between, &json!(1));
    is("-2h+1u A", &between, &json!(1));
    is("-2h A", &between, &json!(0));
    is("-2h-1u A", &between, &json!(0));
    is("0 A", &event("A").between(seconds(0), hours(1)).count(), &json!(1));
}

#[test]
fn units_have_their_lengths() {
    for (span, length) in [
        (seconds(90), "1m30s"),
        (minutes(90), "1h30m"),
        (hours(36), "1d12h"),
        (days(90), "2160h"),
        (weeks(2), "14d"),
        (days(1826), "1826d"),
    ] {
        let within = event("A").within(span).count();
        is(&format!("-{length} A"), &within, &json!(0));
        is(&format!("-{length}+1u A"), &within, &json!(1));
    }
}

#[test]
fn a_day_of_a_window_is_24_hours_also_where_clocks_are_changed() {
    let within = event("A").within(days(1)).count();
    is_at("2024-03-31T12:00:00+02:00", "2024-03-30T12:00:00+01:00 A", &within, &json!(1));
    is_at("2024-03-31T13:00:00+02:00", "2024-03-30T12:00:00+01:00 A", &within, &json!(0));
}

#[test]
fn filters_hold_together_in_whatever_order() {
    let of =
        "-3h A {'p': 1} @web; -30m A {'p': 1} @web; -20m A {'p': 2} @web; -10m A {'p': 1} @app";
    let where_ = property("p").eq(1);
    let one = event("A").within(hours(1)).given(where_.clone()).without_sources(["app"]);
    let other = event("A").without_sources(["app"]).given(where_).within(hours(1));
    is(of, &one.count(), &json!(1));
    is(of, &other.count(), &json!(1));
}

#[test]
fn a_session_lasts_while_gaps_are_no_longer() {
    let session = event("A").expires_after(minutes(30)).count();
    is("", &session, &json!(0));
    is("-30m A", &session, &json!(1));
    is("-30m-1u A", &session, &json!(0));
    is("-60m A; -30m A", &session, &json!(2));
    is("-60m-1u A; -30m A", &session, &json!(1));
    is("-90m A; -60m A; -30m A; -5m A", &session, &json!(4));
    is("-91m A; -60m A; -30m A; -5m A", &session, &json!(3));
    is("-70m A; -60m A; -29m A; -28m A; 0 A", &session, &json!(3));
    is("-10m A; -10m A; -10m A", &session, &json!(3));
    // A late event joins two runs.
    is("-60m A; -10m A", &session, &json!(1));
    is("-60m A; -10m A; -35m A", &session, &json!(3));
}

#[test]
fn a_session_is_one_of_what_other_filters_leave() {
    let of = "-50m A {'p': 1} @web; -25m A {'p': 2} @app; -1m A {'p': 1} @web";
    let gap = minutes(30);
    is(of, &event("A").expires_after(gap).count(), &json!(3));
    is(of, &event("A").given(property("p").eq(1)).expires_after(gap).count(), &json!(1));
    is(of, &event("A").expires_after(gap).given(property("p").eq(1)).count(), &json!(1));
    is(of, &event("A").expires_after(gap).without_sources(["app"]).count(), &json!(1));
    is(of, &event("A").expires_after(gap).sum(property("p")), &json!(4));
    let of = "-50m A {'p': 1}; -25m A {'p': 2}; -1m A {'p': 3}";
    is(of, &event("A").expires_after(gap).first(property("p")), &json!(1));
    is(of, &event("A").expires_after(gap).last(property("p")), &json!(3));
}

#[test]
fn a_session_that_is_over_has_no_value() {
    let of = "-2h A {'p': 5}";
    is(of, &event("A").expires_after(hours(1)).last(property("p")), &json!(null));
    is(of, &event("A").expires_after(hours(1)).count(), &json!(0));
    is(of, &event("A").expires_after(hours(2)).last(property("p")), &json!(5));
    is(of, &event("A").expires_after(days(90)).unique(property("p")), &json!([5]));
}

#[test]
fn a_where_reads_the_traits_of_now() {
    let of = "trait {'limit': 60}; -9d A {'p': 70}; -1d A {'p': 60}; 0 A {'p': 50}";
    is(of, &event("A").given(property("p").ge(trait_("limit"))).count(), &json!(2));
    is("0 A {'p': 50}", &event("A").given(property("p").ge(trait_("limit"))).count(), &json!(0));
    is(of, &event("A").given(trait_("limit").eq(60)).count(), &json!(3));
    is(of, &event("A").given(trait_("limit").eq(61)).count(), &json!(0));
}

/// Segment's own examples of audiences.
#[test]
fn bought_something_dear_in_the_last_seven_days() {
    let audience =
        event("Shoes Bought").given(property("price").ge(100)).within(days(7)).count().ge(1);
    yes("-6d Shoes Bought {'price': 100}", &audience);
    no("-6d Shoes Bought {'price': 99.99}", &audience);
    no("-7d Shoes Bought {'price': 100}", &audience);
    no("-6d Shoes Sold {'price': 100}", &audience);
    no("", &audience);
}

#[test]
fn at_least_exactly_and_at_most_so_many_times() {
    let two = "-2d A; -1d A";
    let count = || event("A").within(days(3)).count();
    yes(two, &count().ge(2));
    no(two, &count().ge(3));
    yes(two, &count().eq(2));
    no(two, &count().eq(1));
    yes(two, &count().le(2));
    no(two, &count().le(1));
    yes("", &count().le(1));
    yes("", &count().eq(0));
}

/// Active 30 to 90 days ago, and not since then.
#[test]
fn lapsed() {
    let lapsed = and([
        event("Order").between(days(30), days(90)).once(),
        not(event("Order").within(days(30)).once()),
    ]);
    yes("-45d Order", &lapsed);
    yes("-30d Order", &lapsed);
    no("-30d+1u Order", &lapsed);
    no("-90d Order", &lapsed);
    yes("-90d+1u Order", &lapsed);
    no("-45d Order; -1d Order", &lapsed);
    no("", &lapsed);
}
