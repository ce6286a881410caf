//! The table of tests, row by row.

use super::{no, yes};
use crate::notation::{date, days, event, hours, number, property, trait_};

#[test]
fn exists_and_absent() {
    for (value, exists) in
        [("null", false), ("''", true), ("0", true), ("false", true), ("[]", true)]
    {
        let of = format!("trait {{'v': {value}}}");
        let check = if exists { yes } else { no };
        check(&of, &trait_("v").exists());
        let check = if exists { no } else { yes };
        check(&of, &trait_("v").absent());
    }
    no("", &trait_("v").exists());
    yes("", &trait_("v").absent());
}

#[test]
fn equals_compares_numbers_where_one_is_a_number() {
    yes("trait {'v': 100}", &trait_("v").eq(100));
    yes("trait {'v': 100.0}", &trait_("v").eq(100));
    yes("trait {'v': 100}", &trait_("v").eq(number("1e2")));
    yes("trait {'v': '100.0'}", &trait_("v").eq(100));
    yes("trait {'v': 100}", &trait_("v").eq("100.0"));
    no("trait {'v': '100.0'}", &trait_("v").eq("100"));
    no("trait {'v': 100}", &trait_("v").eq(101));
    no("trait {'v': 'many'}", &trait_("v").eq(100));
    yes("trait {'v': 0.1, 'w': 0.10000000001}", &trait_("v").eq(trait_("w")));
}

#[test]
fn equals_compares_texts_else() {
    yes("trait {'v': 'a'}", &trait_("v").eq("a"));
    no("trait {'v': 'a'}", &trait_("v").eq("A"));
    no("trait {'v': 'a '}", &trait_("v").eq("a"));
    // The same letter, composed and not, are two texts.
    no(r"trait {'v': 'e\u0301'}", &trait_("v").eq("é"));
    yes("trait {'v': ''}", &trait_("v").eq(""));
    yes("trait {'v': true}", &trait_("v").eq(true));
    yes("trait {'v': true}", &trait_("v").eq("true"));
    yes("trait {'v': 'true'}", &trait_("v").eq(true));
    no("trait {'v': true}", &trait_("v").eq(1));
    no("trait {'v': false}", &trait_("v").eq(0));
    yes("trait {'v': [1, 'a']}", &trait_("v").eq("[1,\"a\"]"));
    yes("trait {'v': '2024-05-15'}", &trait_("v").eq(date("2024-05-15")));
    no("trait {'v': '2024-05-15T00:00:00Z'}", &trait_("v").eq(date("2024-05-15")));
}

#[test]
fn null_equals_nothing_and_differs_from_nothing() {
    no("trait {'v': null}", &trait_("v").eq("null"));
    no("trait {'v': null}", &trait_("v").eq(trait_("w")));
    no("trait {'v': 1}", &trait_("v").eq(trait_("w")));
    no("trait {'v': null}", &trait_("v").ne(1));
    no("trait {'v': 1}", &trait_("v").ne(trait_("w")));
    no("trait {'v': null}", &trait_("v").none_of([1]));
    no("trait {'v': null}", &trait_("v").one_of(["null", ""]));
}

#[test]
fn differs_is_the_opposite_of_equals_where_there_are_values() {
    yes("trait {'v': 1}", &trait_("v").ne(2));
    no("trait {'v': '1.0'}", &trait_("v").ne(1));
    yes("trait {'v': '1.0'}", &trait_("v").ne("1"));
    yes("trait {'v': [1]}", &trait_("v").ne(1));
}

#[test]
fn order_is_one_of_numbers() {
    yes("trait {'v': 10}", &trait_("v").gt(9));
    no("trait {'v': 9}", &trait_("v").gt(9));
    yes("trait {'v': 9}", &trait_("v").ge(9));
    no("trait {'v': 8}", &trait_("v").ge(9));
    yes("trait {'v': 8}", &trait_("v").lt(9));
    no("trait {'v': 9}", &trait_("v").lt(9));
    yes("trait {'v': 9}", &trait_("v").le(9));
    no("trait {'v': 10}", &trait_("v").le(9));
    yes("trait {'v': '10'}", &trait_("v").gt("9"));
    yes("trait {'v': -1.5}", &trait_("v").gt(-2));
    yes("trait {'v': 0.000000002}", &trait_("v").gt(number("0.000000001")));
}

#[test]
fn order_is_else_one_of_times_and_never_one_of_texts() {
    yes("trait {'v': '2024-05-15'}", &trait_("v").gt("2024-05-14T23:59:59Z"));
    yes("trait {'v': '2024-05-15'}", &trait_("v").ge(date("2024-05-15T00:00:00Z")));
    yes("trait {'v': '2024-05-15'}", &trait_("v").le(date("2024-05-15T00:00:00Z")));
    no("trait {'v': '2024-05-15'}", &trait_("v").lt(date("2024-05-15T00:00:00Z")));
    yes("trait {'v': '2024-05-15T23:00:00-02:00'}", &trait_("v").gt("2024-05-16T00:30:00Z"));
    no("trait {'v': 'b'}", &trait_("v").gt("a"));
    no("trait {'v': 'b'}", &trait_("v").le("c"));
    no("trait {'v': 5}", &trait_("v").gt("many"));
    no("trait {'v': 'many'}", &trait_("v").lt(5));
    no("trait {'v': 5}", &trait_("v").lt("2024-05-15"));
    no("trait {'v': true}", &trait_("v").gt(0));
    no("trait {'v': null}", &trait_("v").lt(5));
    no("trait {'v': null}", &trait_("v").le(trait_("w")));
}

#[test]
fn contains_one_of_the_texts() {
    yes("trait {'v': 'running shoes'}", &trait_("v").contains(["shoes"]));
    yes("trait {'v': 'running shoes'}", &trait_("v").contains(["shirts", "run"]));
    no("trait {'v': 'running shoes'}", &trait_("v").contains(["Shoes"]));
    no("trait {'v': 'running shoes'}", &trait_("v").contains(["shirts", "hats"]));
    yes("trait {'v': 12345}", &trait_("v").contains([234]));
    yes("trait {'v': ['red', 'blue']}", &trait_("v").contains(["\"blue\""]));
    yes("trait {'v': {'size': 5}}", &trait_("v").contains(["size\":5"]));
    yes("trait {'v': true}", &trait_("v").contains(["ru"]));
    yes("trait {'v': 'x'}", &trait_("v").contains([""]));
    no("trait {'v': null}", &trait_("v").contains([""]));
    no("trait {'v': 'x'}", &trait_("v").contains([trait_("w")]));
    yes("trait {'v': 'x'}", &trait_("v").contains([trait_("w"), "x".into()]));
    yes("trait {'v': 'axb', 'w': 'x'}", &trait_("v").contains([trait_("w")]));
}

#[test]
fn omits_is_the_opposite_of_contains() {
    yes("trait {'v': 'running shoes'}", &trait_("v").omits("shirts"));
    no("trait {'v': 'running shoes'}", &trait_("v").omits("shoes"));
    yes("trait {'v': null}", &trait_("v").omits("shoes"));
    yes("", &trait_("v").omits(""));
    yes("trait {'v': 'x'}", &trait_("v").omits(trait_("w")));
    no("trait {'v': 2024}", &trait_("v").omits("02"));
}

#[test]
fn starts_with_and_ends_with() {
    yes("trait {'v': 'total spend'}", &trait_("v").starts_with("total"));
    no("trait {'v': 'total spend'}", &trait_("v").starts_with("spend"));
    yes("trait {'v': 'total spend'}", &trait_("v").ends_with("spend"));
    no("trait {'v': 'total spend'}", &trait_("v").ends_with("total"));
    yes("trait {'v': 4012}", &trait_("v").starts_with(40));
    no("trait {'v': null}", &trait_("v").starts_with(""));
    no("trait {'v': null}", &trait_("v").ends_with(""));
    no("trait {'v': 'x'}", &trait_("v").starts_with(trait_("w")));
    no("trait {'v': 'x'}", &trait_("v").ends_with(trait_("w")));
}

#[test]
fn one_of_and_none_of() {
    yes("trait {'v': 'shirts'}", &trait_("v").one_of(["shoes", "shirts"]));
    no("trait {'v': 'hats'}", &trait_("v").one_of(["shoes", "shirts"]));
    no("trait {'v': 'shoe'}", &trait_("v").one_of(["shoes", "shirts"]));
    yes("trait {'v': '2.0'}", &trait_("v").one_of([1, 2]));
    no("trait {'v': '2.0'}", &trait_("v").one_of(["1", "2"]));
    yes("trait {'v': 'hats'}", &trait_("v").none_of(["shoes", "shirts"]));
    no("trait {'v': 'shirts'}", &trait_("v").none_of(["shoes", "shirts"]));
    no("trait {'v': '2.0'}", &trait_("v").none_of([1, 2]));
}

#[test]
fn before_date_and_after_date_are_open() {
    let t = "2023-12-07T18:50:00Z";
    yes("trait {'v': '2023-12-07T18:49:59.999999Z'}", &trait_("v").before_date(t));
    no("trait {'v': '2023-12-07T18:50:00Z'}", &trait_("v").before_date(t));
    no("trait {'v': '2023-12-07T18:50:00Z'}", &trait_("v").after_date(t));
    yes("trait {'v': '2023-12-07T18:50:00.000001Z'}", &trait_("v").after_date(date(t)));
    yes("trait {'v': '2023-12-08', 'w': '2023-12-07'}", &trait_("v").after_date(trait_("w")));
    no("trait {'v': '2023-12-08', 'w': 'soon'}", &trait_("v").after_date(trait_("w")));
    no("trait {'v': '2023-12-08'}", &trait_("v").after_date(trait_("w")));
}

/// Seven days before and after the Wednesday, a microsecond off and exactly.
#[test]
fn dates_that_count_from_now_are_closed() {
    let check = |time: &str, holds: [bool; 4]| {
        let of = format!("trait {{'v': '{time}'}}");
        let conditions = [
            trait_("v").before_last(days(7)),
            trait_("v").within_last(days(7)),
            trait_("v").within_next(days(7)),
            trait_("v").after_next(days(7)),
        ];
        for (condition, holds) in conditions.iter().zip(holds) {
            (if holds { yes } else { no })(&of, condition);
        }
    };
    check("2024-05-08T11:59:59.999999Z", [true, false, false, false]);
    check("2024-05-08T12:00:00Z", [true, true, false, false]);
    check("2024-05-08T12:00:00.000001Z", [false, true, false, false]);
    check("2024-05-15T11:59:59.999999Z", [false, true, false, false]);
    check("2024-05-15T12:00:00Z", [false, true, true, false]);
    check("2024-05-15T12:00:00.000001Z", [false, false, true, false]);
    check("2024-05-22T11:59:59.999999Z", [false, false, true, false]);
    check("2024-05-22T12:00:00Z", [false, false, true, true]);
    check("2024-05-22T12:00:00.000001Z", [false, false, false, true]);
    check("soon", [false, false, false, false]);
    check("20240515", [false, true, false, false]);
}

#[test]
fn a_test_of_elements_holds_if_it_holds_for_one() {
    let of = "trait {'v': [1, 5, null], 'none': [], 'one': 5}";
    yes(of, &trait_("v.$").eq(5));
    no(of, &trait_("v.$").eq(4));
    yes(of, &trait_("v.$").ne(5));
    yes(of, &trait_("v.$").gt(4));
    yes(of, &trait_("v.$").absent());
    yes(of, &trait_("v.$").exists());
    yes(of, &trait_("v.$").omits(5));
    yes(of, &trait_("v.$").one_of([7, 5]));
    yes(of, &trait_("v.$").none_of([1]));
    // No elements are a null.
    yes(of, &trait_("none.$").absent());
    no(of, &trait_("none.$").exists());
    no(of, &trait_("none.$").ne(5));
    yes(of, &trait_("none.$").omits("x"));
    yes(of, &trait_("one.$").absent());
    yes(of, &trait_("missing.$").absent());
    no(of, &trait_("one.$").eq(5));
    // The element of a list without `$` is not looked at.
    no(of, &trait_("v").eq(5));
}

#[test]
fn elements_on_the_other_side_are_as_many_values() {
    let of = "trait {'v': 5, 'list': [4, 5], 'none': []}";
    yes(of, &trait_("v").eq(trait_("list.$")));
    yes(of, &trait_("v").ne(trait_("list.$")));
    yes(of, &trait_("v").gt(trait_("list.$")));
    no(of, &trait_("v").lt(trait_("list.$")));
    no(of, &trait_("v").eq(trait_("none.$")));
    yes(of, &trait_("v").contains([trait_("list.$")]));
    yes(of, &trait_("v").omits(trait_("list.$")));
}

#[test]
fn the_value_of_a_stream_is_tested_like_any_other() {
    let of = "-3h A {'d': '2024-05-15T09:00:00Z', 'x': 'b'}; -1h A {'x': 'a'}";
    yes(of, &event("A").count().eq(2));
    no(of, &event("A").count().eq(3));
    yes(of, &event("A").last(property("d")).within_last(hours(3)));
    no(of, &event("A").last(property("d")).within_last(hours(2)));
    yes(of, &event("A").unique(property("x")).contains(["\"b\""]));
    yes(of, &event("A").unique(property("x")).eq("[\"a\",\"b\"]"));
    yes(of, &event("B").sum(property("x")).absent());
    no(of, &event("B").sum(property("x")).eq(0));
}
