//! What becomes of the events of a stream.

use selfsame_expr::query::Quantity;
use serde_json::json;

use super::is;
use crate::notation::{context, days, event, minutes, property, trait_};

/// Five events, of which three have a number.
const FIVE: &str = "
    -5h A {'p': 10, 's': 'b'}
    -4h A {'p': '2.5', 's': 'B'}
    -3h A {'p': null, 's': 'é'}
    -2h A {'p': 'many', 's': ''}
    -1h A {'p': -1, 's': 'b'}";

#[test]
fn of_no_events() {
    for of in ["", "0 B {'p': 1}"] {
        is(of, &event("A").count(), &json!(0));
        is(of, &event("A").unique_count(property("p")), &json!(0));
        is(of, &event("A").sum(property("p")), &json!(null));
        is(of, &event("A").avg(property("p")), &json!(null));
        is(of, &event("A").min(property("p")), &json!(null));
        is(of, &event("A").max(property("p")), &json!(null));
        is(of, &event("A").min_as_string(property("p")), &json!(null));
        is(of, &event("A").max_as_string(property("p")), &json!(null));
        is(of, &event("A").mode(property("p"), 1), &json!(null));
        is(of, &event("A").first(property("p")), &json!(null));
        is(of, &event("A").last(property("p")), &json!(null));
        is(of, &event("A").unique(property("p")), &json!(null));
    }
}

#[test]
fn of_events_that_have_no_value() {
    let of = "-2h A; -1h A {'p': null}";
    is(of, &event("A").count(), &json!(2));
    is(of, &event("A").unique_count(property("p")), &json!(0));
    is(of, &event("A").sum(property("p")), &json!(null));
    is(of, &event("A").avg(property("p")), &json!(null));
    is(of, &event("A").max_as_string(property("p")), &json!(null));
    is(of, &event("A").first(property("p")), &json!(null));
    is(of, &event("A").unique(property("p")), &json!(null));
}

#[test]
fn numbers() {
    is(FIVE, &event("A").count(), &json!(5));
    is(FIVE, &event("A").sum(property("p")), &json!(11.5));
    is(FIVE, &event("A").avg(property("p")), &json!(3.833333333));
    is(FIVE, &event("A").min(property("p")), &json!(-1));
    is(FIVE, &event("A").max(property("p")), &json!(10));
    is("0 A {'p': 0.1}; 0 A {'p': 0.2}", &event("A").sum(property("p")), &json!(0.3));
    is("0 A {'p': 'x'}", &event("A").avg(property("p")), &json!(null));
    is("0 A {'p': 5}; 0 A {'p': -5}", &event("A").sum(property("p")), &json!(0));
}

#[test]
fn a_sum_out_of_range_is_null_and_so_is_its_average() {
    let of = "0 A {'p': 1.7e29}; 0 A {'p': 1.7e29}";
    is(of, &event("A").sum(property("p")), &json!(null));
    is(of, &event("A").avg(property("p")), &json!(null));
    let back = format!("{of}; 0 A {{'p': -1.7e29}}; 0 A {{'p': -1.7e29}}; 0 A {{'p': 1}}");
    is(&back, &event("A").sum(property("p")), &json!(1));
    is(&back, &event("A").avg(property("p")), &json!(0.2));
}

#[test]
fn texts() {
    is(FIVE, &event("A").min_as_string(property("p")), &json!("-1"));
    is(FIVE, &event("A").max_as_string(property("p")), &json!("many"));
    is(FIVE, &event("A").min_as_string(property("s")), &json!(""));
    is(FIVE, &event("A").max_as_string(property("s")), &json!("é"));
    is("0 A {'p': 10}; 0 A {'p': 9}", &event("A").max_as_string(property("p")), &json!("9"));
    is("0 A {'p': true}; 0 A {'p': [1]}", &event("A").min_as_string(property("p")), &json!("[1]"));
}

#[test]
fn the_most_frequent_text() {
    is(FIVE, &event("A").mode(property("s"), 1), &json!("b"));
    is(FIVE, &event("A").mode(property("s"), 2), &json!("b"));
    is(FIVE, &event("A").mode(property("s"), 3), &json!(null));
    // Of those that are equally frequent, the first in order, not in time.
    is("-3h A {'p': 'b'}; -2h A {'p': 'a'}", &event("A").mode(property("p"), 1), &json!("a"));
    is(
        "0 A {'p': 'b'}; 0 A {'p': 'a'}; 0 A {'p': 'b'}; 0 A {'p': 'a'}; 0 A {'p': 'Z'}",
        &event("A").mode(property("p"), 2),
        &json!("a"),
    );
    is(
        "0 A {'p': 'a'}; 0 A {'p': 'b'}; 0 A {'p': 'b'}",
        &event("A").mode(property("p"), 1),
        &json!("b"),
    );
    is("0 A {'p': 10}; 0 A {'p': 9}", &event("A").mode(property("p"), 1), &json!("10"));
}

#[test]
fn kinds_are_one_for_the_most_frequent_text() {
    let of = "-4h A {'p': 5}; -3h A {'p': '5'}; -2h A {'p': 5.0}; -1h A {'p': 'x'}; 0 A {'p': 'x'}";
    is(of, &event("A").mode(property("p"), 3), &json!("5"));
    is(of, &event("A").mode_as(property("p"), Quantity::Number, Some(3)), &json!("5"));
    is(of, &event("A").mode_as(property("p"), Quantity::Text, None), &json!("5"));
    is(
        "0 A {'p': true}; 0 A {'p': 'true'}; 0 A {'p': 'a'}",
        &event("A").mode(property("p"), 2),
        &json!("true"),
    );
}

#[test]
fn the_most_frequent_element_or_list() {
    let of =
        "0 A {'t': ['a', 'b']}; 0 A {'t': ['b', 'a']}; 0 A {'t': ['a', 'b']}; 0 A {'t': ['b']}";
    let list = |path: &str| event("A").mode_as(property(path), Quantity::List, None);
    is(of, &event("A").mode(property("t.$"), 4), &json!("b"));
    is(of, &event("A").mode(property("t.$"), 5), &json!(null));
    is(of, &event("A").mode(property("t"), 2), &json!(r#"["a","b"]"#));
    is(of, &list("t"), &json!(r#"["a","b"]"#));
    is(of, &list("t.$"), &json!(r#"["a","b"]"#));
    is("0 A {'t': ['a', 'a', 'b']}", &event("A").mode(property("t.$"), 2), &json!("a"));
    is("0 A {'t': [{'n': 'x'}, {'n': 'y'}]}", &list("t.$.n"), &json!(r#"["x","y"]"#));
    is("0 A {'t': []}; 0 A {'t': 5}; 0 A", &list("t.$"), &json!(null));
    is("0 A {'t': []}", &list("t"), &json!("[]"));
}

#[test]
fn the_first_and_the_last_value() {
    is(FIVE, &event("A").first(property("p")), &json!(10));
    is(FIVE, &event("A").last(property("p")), &json!(-1));
    is(FIVE, &event("A").last(property("s")), &json!("b"));
    is("-1h A {'p': 1}; 0 A {'p': null}", &event("A").last(property("p")), &json!(1));
    is("-1h A; 0 A {'p': 2}", &event("A").first(property("p")), &json!(2));
    is("0 A {'p': 2}; -1h A {'p': 1}", &event("A").first(property("p")), &json!(1));
    // A value keeps its kind.
    is("0 A {'p': '2.50'}", &event("A").first(property("p")), &json!("2.50"));
    is("0 A {'p': 2.50}", &event("A").first(property("p")), &json!(2.5));
    is("0 A {'p': false}", &event("A").first(property("p")), &json!(false));
    is(
        "0 A {'p': {'b': [1.0], 'a': null}}",
        &event("A").first(property("p")),
        &json!({"b": [1], "a": null}),
    );
    is("0 A {'p': ''}", &event("A").last(property("p")), &json!(""));
}

#[test]
fn the_first_and_the_last_element() {
    let of =
        "-2h A {'p': [null, 1, 2]}; -1h A {'p': [3, 4, null]}; 0 A {'p': [null]}; 0 A {'p': []}";
    is(of, &event("A").first(property("p.$")), &json!(1));
    is(of, &event("A").last(property("p.$")), &json!(4));
    is(of, &event("A").first(property("p")), &json!([null, 1, 2]));
    is(of, &event("A").last(property("p")), &json!([]));
}

/// Time, then record, then item; never the order in which they came.
#[test]
fn events_at_one_time_are_in_the_order_of_their_ids() {
    let first = event("A").first(property("p"));
    let last = event("A").last(property("p"));
    let check = |of: &str| {
        is(of, &first, &json!(1));
        is(of, &last, &json!(2));
    };
    check("-1h A {'p': 1} #1; -1h A {'p': 2} #2");
    check("-1h A {'p': 2} #2; -1h A {'p': 1} #1");
    check("-1h A {'p': 2} #10; -1h A {'p': 1} #9");
    check("-1h A {'p': 2} #2; -1h A {'p': 1} #1/7");
    check("-1h A {'p': 2} #1/2; -1h A {'p': 1} #1/1");
    check("-1h+1u A {'p': 2} #1; -1h A {'p': 1} #2");
}

#[test]
fn each_value_once_in_order() {
    let unique = |of: &str, list: serde_json::Value| {
        let count = list.as_array().map_or(0, Vec::len);
        is(of, &event("A").unique(property("p")), &list);
        is(of, &event("A").unique_count(property("p")), &json!(count));
    };
    unique("0 A {'p': 'b'}; 0 A {'p': 'a'}; 0 A {'p': 'b'}; 0 A", json!(["a", "b"]));
    unique("0 A {'p': 10}; 0 A {'p': 9}; 0 A {'p': 10.0}", json!([10, 9]));
    unique("0 A {'p': '5'}; 0 A {'p': 5}", json!([5, "5"]));
    unique(
        "0 A {'p': 9}; 0 A {'p': '10'}; 0 A {'p': true}; 0 A {'p': 'z'}",
        json!(["10", 9, true, "z"]),
    );
    unique("0 A {'p': 'true'}; 0 A {'p': true}; 0 A {'p': true}", json!([true, "true"]));
    unique("0 A {'p': '[1]'}; 0 A {'p': [1]}; 0 A {'p': [1.0]}", json!(["[1]", [1]]));
    unique("0 A {'p': {'a': 1}}; 0 A {'p': '{\\'a\\':1}'}", json!(["{\"a\":1}", {"a": 1}]));
    unique(
        "0 A {'p': {'a': 1, 'b': 2}}; 0 A {'p': {'b': 2, 'a': 1}}",
        json!([{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
    );
    unique(
        "0 A {'p': 'é'}; 0 A {'p': 'z'}; 0 A {'p': 'Z'}; 0 A {'p': ''}",
        json!(["", "Z", "z", "é"]),
    );
    unique("0 A {'p': 1e+30}; 0 A {'p': '1e+30'}", json!(["1e+30"]));
    // Code points, not UTF-16: the last one is beyond U+FFFF.
    unique("0 A {'p': '😀'}; 0 A {'p': '\u{ff5e}'}", json!(["\u{ff5e}", "😀"]));
    unique("0 A {'p': null}", json!(null));
}

#[test]
fn under_a_dollar_each_element_counts_by_itself() {
    let of = "-1h A {'items': [{'price': 10, 'n': 'x'}, {'price': 5, 'n': 'y'}]}; 0 A {'items': [{'price': 3}]}";
    let price = || property("items.$.price");
    is(of, &event("A").count(), &json!(2));
    is(of, &event("A").sum(price()), &json!(18));
    is(of, &event("A").avg(price()), &json!(6));
    is(of, &event("A").min(price()), &json!(3));
    is(of, &event("A").max(price()), &json!(10));
    is(of, &event("A").unique(price()), &json!([10, 3, 5]));
    is(of, &event("A").unique_count(property("items.$.n")), &json!(2));
    is(of, &event("A").min_as_string(price()), &json!("10"));
}

#[test]
fn other_scalars_than_properties() {
    let of = "trait {'t': 'x'}; -1h A {} {'page': {'url': '/a'}}; 0 A {} {'page': {'url': '/b'}}";
    is(of, &event("A").first(context("page.url")), &json!("/a"));
    is(of, &event("A").unique(context("page.url")), &json!(["/a", "/b"]));
    is(of, &event("A").mode(trait_("t"), 2), &json!("x"));
    is(of, &event("A").sum(2.into()), &json!(4));
}

/// Segment's own examples of computed traits.
#[test]
fn spend() {
    let of = "
        -40d Shoes Bought {'spend': 300, 'price': 300, 'brand': 'My Brand'}
        -20d Shoes Bought {'spend': 40, 'price': 120, 'brand': 'My Brand'}
        -10d Shoes Bought {'spend': 60, 'price': 101, 'brand': 'Other'}
        -5d Shoes Bought {'spend': '60', 'price': 90, 'brand': 'My Brand'}";
    let last_month = || event("Shoes Bought").within(days(30));
    is(of, &last_month().avg(property("spend")), &json!(53.333333333));
    is(of, &last_month().first(property("spend")), &json!(40));
    is(of, &last_month().mode(property("spend"), 2), &json!("60"));
    is(of, &last_month().mode(property("spend"), 3), &json!(null));
    let dear = crate::notation::and([property("price").gt(100), property("brand").eq("My Brand")]);
    is(of, &event("Shoes Bought").given(dear).min(property("spend")), &json!(40));
}

/// A count whose window empties is 0; every other value becomes null.
#[test]
fn of_a_window_that_has_emptied() {
    let of = "-1h A {'p': 1}";
    is(of, &event("A").within(minutes(60)).count(), &json!(0));
    is(of, &event("A").within(minutes(60)).sum(property("p")), &json!(null));
    is(of, &event("A").within(minutes(60)).unique(property("p")), &json!(null));
    is(of, &event("A").within(minutes(60)).unique_count(property("p")), &json!(0));
    is(of, &event("A").within(minutes(60)).last(property("p")), &json!(null));
}
