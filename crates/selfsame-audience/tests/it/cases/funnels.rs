//! Streams inside the conditions of streams.

use selfsame_expr::query::Condition;
use serde_json::json;

use super::{is, no, yes};
use crate::notation::{
    X, and, days, event, hours, minutes, not, parent, property, seconds, trait_,
};

fn count(parent: &str, condition: Condition) -> X {
    event(parent).given(condition).count()
}

#[test]
fn within_of_the_parent_is_after_it_and_before_the_end() {
    let then = count("A", event("B").within_of_parent(hours(1)).once());
    is("-5h A; -5h+1u B", &then, &json!(1));
    is("-5h A; -4h-1u B", &then, &json!(1));
    is("-5h A; -4h B", &then, &json!(0));
    is("-5h A; -5h-1u B", &then, &json!(0));
    is("-5h A", &then, &json!(0));
    is("-5h B", &then, &json!(0));
    is("-5h A; -4h-1s A; -4h B", &then, &json!(1));
    is("-5h A; -4h-2s A; -4h-1s B", &then, &json!(2));
}

#[test]
fn between_of_the_parent_is_closed_at_its_near_end() {
    let then = count("A", event("B").between_of_parent(hours(1), hours(2)).once());
    is("-5h A; -4h-1u B", &then, &json!(0));
    is("-5h A; -4h B", &then, &json!(1));
    is("-5h A; -3h-1u B", &then, &json!(1));
    is("-5h A; -3h B", &then, &json!(0));
    let from_zero = count("A", event("B").between_of_parent(seconds(0), hours(2)).once());
    is("-5h A; -5h B", &from_zero, &json!(1));
    is("-5h B; -5h A", &from_zero, &json!(0));
}

#[test]
fn of_two_events_at_one_time_the_order_decides() {
    let then = count("A", event("B").within_of_parent(hours(1)).once());
    is("-5h A #1; -5h B #2", &then, &json!(1));
    is("-5h A #2; -5h B #1", &then, &json!(0));
    is("-5h A #1/0; -5h B #1/1", &then, &json!(1));
    is("-5h A #1/1; -5h B #1/0", &then, &json!(0));
}

#[test]
fn an_event_is_not_after_itself() {
    let again = count("A", event("A").within_of_parent(hours(1)).once());
    is("-5h A", &again, &json!(0));
    is("-5h A; -5h+1s A", &again, &json!(1));
    is("-5h A; -5h+1s A; -5h+2s A", &again, &json!(2));
}

#[test]
fn a_stream_without_a_window_of_the_parent_sees_the_whole_profile() {
    is("-5h A; -6h B", &count("A", event("B").once()), &json!(1));
    is("-5h A", &count("A", event("A").once()), &json!(1));
    is("-5h A; -6h B", &count("A", event("B").within(hours(6)).once()), &json!(0));
    is("-5h A; -5h B", &count("A", event("B").within(hours(6)).once()), &json!(1));
}

/// Windows of the parent and of now hold together.
#[test]
fn a_stream_may_have_both_kinds_of_windows() {
    let both = event("B").within_of_parent(hours(2)).within(hours(3)).once();
    is("-4h A; -3h+1u B", &count("A", both.clone()), &json!(1));
    is("-4h A; -3h B", &count("A", both.clone()), &json!(0));
    is("-2h A; -1u B; 0 B", &count("A", both.clone()), &json!(1));
    is("-2h A; 0 B", &count("A", both), &json!(0));
}

/// Added, ordered, added again: the cart counts as abandoned, since each time that something was
/// added is tried.
#[test]
fn an_abandoned_cart_after_an_order_is_abandoned() {
    let abandoned = event("Added")
        .given(event("Ordered").within_of_parent(days(7)).never())
        .within(days(30))
        .once();
    yes("-3d Added; -2d Ordered; -1d Added", &abandoned);
    no("-3d Added; -2d Ordered", &abandoned);
    yes("-3d Added", &abandoned);
    no("-3d Added; -2d Added; -1d Ordered", &abandoned);
    no("", &abandoned);
    no("-3d Ordered", &abandoned);
    yes("-20d Added; -10d Ordered", &abandoned);
    no("-30d Added", &abandoned);
}

#[test]
fn did_not_is_true_at_once_until_it_happens() {
    let without = count("A", event("B").within_of_parent(hours(1)).never());
    is("0 A", &without, &json!(1));
    is("-30m A; -10m B", &without, &json!(0));
    is("-3h A; -10m B", &without, &json!(1));
}

#[test]
fn to_be_told_when_the_hour_has_passed_the_parent_is_delayed() {
    let told = event("A")
        .given(event("B").within_of_parent(hours(1)).never())
        .between(hours(1), days(30))
        .once();
    no("-30m A", &told);
    no("-1h+1u A", &told);
    yes("-1h A", &told);
    no("-1h A; -30m B", &told);
    yes("-2h A; -1h B", &told);
    no("-30d A", &told);
}

#[test]
fn bought_and_returned_within_five_days() {
    let audience = event("Shoes Bought")
        .given(and([
            property("price").ge(trait_("avg_spend")),
            event("Shoes Returned").within_of_parent(days(5)).once(),
        ]))
        .within(days(30))
        .count()
        .ge(1);
    let of = |traits: &str, price: u32, after: &str| {
        format!(
            "trait {traits}; -10d Shoes Bought {{'price': {price}}}; -10d{after} Shoes Returned"
        )
    };
    yes(&of("{'avg_spend': 80}", 80, "+4d"), &audience);
    no(&of("{'avg_spend': 80}", 79, "+4d"), &audience);
    no(&of("{'avg_spend': 80}", 80, "+5d"), &audience);
    yes(&of("{'avg_spend': 80}", 80, "+5d-1u"), &audience);
    no(&of("{'avg_spend': 80}", 80, "-1h"), &audience);
    no(&of("{}", 80, "+4d"), &audience);
}

#[test]
fn a_child_may_be_compared_with_its_parent() {
    let same = event("Ordered")
        .within_of_parent(days(1))
        .given(property("product").eq(parent("product")))
        .once();
    let viewed_and_ordered = count("Viewed", same);
    let of =
        "-9h Viewed {'product': 'a'}; -8h Viewed {'product': 'b'}; -7h Ordered {'product': 'b'}";
    is(of, &viewed_and_ordered, &json!(1));
    is("-9h Viewed; -8h Ordered", &viewed_and_ordered, &json!(0));
    is("-9h Viewed {'product': 1}; -8h Ordered {'product': '1.0'}", &viewed_and_ordered, &json!(1));
    let of = "-9h Viewed {'product': 'b'}; -8h Ordered {'products': [{'id': 'a'}, {'id': 'b'}]}";
    let one_of_them =
        event("Ordered").given(property("products.$.id").eq(parent("product"))).once();
    is(of, &count("Viewed", one_of_them), &json!(1));
}

#[test]
fn the_parent_of_a_page_has_its_name() {
    let again = event("Page Viewed")
        .within_of_parent(hours(1))
        .given(property("page_name").eq(parent("page_name")))
        .once();
    is("-3h page: Home; -3h+1m page: Home", &count("Page Viewed", again.clone()), &json!(1));
    is("-3h page: Home; -3h+1m page: Cart", &count("Page Viewed", again), &json!(0));
}

#[test]
fn each_stream_has_the_stream_around_it_as_its_parent() {
    let third = event("C").within_of_parent(hours(1)).given(property("p").eq(parent("p"))).once();
    let second = event("B").within_of_parent(hours(1)).given(third).once();
    let first = count("A", second);
    is("-5h A {'p': 1}; -4h-1m B {'p': 2}; -4h C {'p': 2}", &first, &json!(1));
    is("-5h A {'p': 1}; -4h-1m B {'p': 2}; -4h C {'p': 1}", &first, &json!(0));
    is("-5h A; -4h-1m B {'p': 2}; -3h-2m C {'p': 2}", &first, &json!(1));
    is("-5h A; -4h-1m B {'p': 2}; -3h-1m C {'p': 2}", &first, &json!(0));
}

#[test]
fn the_value_of_an_inner_stream_may_be_compared() {
    let more = event("B").within_of_parent(hours(1)).sum(property("p")).gt(trait_("limit"));
    let of = "trait {'limit': 5}; -5h A; -5h+1m B {'p': 3}; -5h+2m B {'p': 3}; -1h A; 0 B {'p': 4}";
    is(of, &count("A", more), &json!(1));
    let none = event("B").within_of_parent(hours(1)).sum(property("p")).absent();
    is(of, &count("A", none), &json!(1));
    let first = event("B").within_of_parent(hours(2)).first(property("p"));
    is(of, &event("A").unique(first), &json!([3, 4]));
}

/// What is summed up of each child may be a property of the parent.
#[test]
fn a_reducer_may_read_the_parent() {
    let sum = event("B").within_of_parent(hours(1)).sum(parent("p"));
    let of = "-5h A {'p': 3}; -5h+1m B {'p': 8}; -5h+2m B {'p': 8}";
    is(of, &event("A").last(sum), &json!(6));
}

#[test]
fn conditions_of_the_parent_and_of_its_child() {
    let condition = and([
        property("p").eq(1),
        not(event("B").within_of_parent(minutes(5)).once()),
        event("C").within_of_parent(minutes(5)).once(),
    ]);
    is("-1h A {'p': 1}; -1h+1m C", &count("A", condition.clone()), &json!(1));
    is("-1h A {'p': 2}; -1h+1m C", &count("A", condition.clone()), &json!(0));
    is("-1h A {'p': 1}; -1h+1m C; -1h+2m B", &count("A", condition.clone()), &json!(0));
    is("-1h A {'p': 1}; -1h+5m C", &count("A", condition), &json!(0));
}

/// A nested session would be the last one of all; what the page allows is one with a window.
#[test]
fn sessions_with_a_condition_on_what_followed() {
    let kept = event("A")
        .given(event("B").within_of_parent(minutes(10)).once())
        .expires_after(minutes(30))
        .count();
    is("-40m A; -35m B; -20m A; -15m B", &kept, &json!(2));
    is("-60m A; -55m B; -40m A; -20m A; -15m B", &kept, &json!(1));
}
