//! Values: their texts, numbers and times, and the paths that lead to them.

use serde_json::json;

use super::{is, no, yes};
use crate::notation::{context, event, number, property, trait_};

#[test]
fn the_text_of_a_value() {
    let text_is = |value: &str, text: &str| {
        let of = format!("0 A {{'v': {value}}}");
        is(&of, &event("A").mode(property("v"), 1), &json!(text));
    };
    text_is("'as it is '", "as it is ");
    text_is("''", "");
    text_is("100", "100");
    text_is("1.50e1", "15");
    text_is("-0.0", "0");
    text_is("true", "true");
    text_is("false", "false");
    text_is("[ 1.0, 'a' , null, [ ] ]", r#"[1,"a",null,[]]"#);
    text_is("{ 'b' : 1, 'a' : { 'c' : true } }", r#"{"b":1,"a":{"c":true}}"#);
    text_is(r"['\u00e9\u0001\/\n']", r#"["é\u0001/\n"]"#);
    text_is("1e+30", "1e+30");
    text_is("[1e+30]", r#"["1e+30"]"#);
    text_is("{'a': 1, 'b': 2, 'a': 3}", r#"{"a":3,"b":2}"#);
}

#[test]
fn null_has_no_text() {
    is("0 A {'v': null}", &event("A").mode(property("v"), 1), &json!(null));
    is("0 A", &event("A").mode(property("v"), 1), &json!(null));
}

#[test]
fn the_number_of_a_value() {
    let sum_is = |value: &str, sum: serde_json::Value| {
        is(&format!("0 A {{'v': {value}}}"), &event("A").sum(property("v")), &sum);
    };
    sum_is("7", json!(7));
    sum_is("0.1234567891", json!(0.123456789));
    sum_is("'7.50'", json!(7.5));
    sum_is("'-1e1'", json!(-10));
    sum_is("' 7'", json!(null));
    sum_is("'7 EUR'", json!(null));
    sum_is("''", json!(null));
    sum_is("true", json!(null));
    sum_is("[7]", json!(null));
    sum_is("{'v': 7}", json!(null));
    sum_is("null", json!(null));
    sum_is("1e30", json!(null));
    sum_is("'1e30'", json!(null));
}

#[test]
fn a_number_out_of_range_is_a_text() {
    is("0 A {'v': 1e+30}", &event("A").first(property("v")), &json!("1e+30"));
    yes("trait {'v': 1e+30}", &trait_("v").eq("1e+30"));
    yes("trait {'v': '1e30'}", &trait_("v").eq(number("1e30")));
    no("trait {'v': 1e+30}", &trait_("v").gt(5));
}

#[test]
fn the_time_of_a_value() {
    let before = |value: &str| trait_("v").before_date(value);
    yes("trait {'v': '2024-05-15'}", &before("2024-05-15T00:00:00.000001Z"));
    no("trait {'v': '2024-05-15'}", &before("2024-05-15"));
    yes("trait {'v': '2024-05-15T10:00:00'}", &before("2024-05-15T10:00:01Z"));
    no("trait {'v': '2024-05-15T10:00:00'}", &before("2024-05-15T10:00:00Z"));
    yes("trait {'v': '2024-05-15T12:00:00+02:00'}", &before("2024-05-15T10:00:01Z"));
    no("trait {'v': '2024-05-15T12:00:00+02:00'}", &before("2024-05-15T10:00:00Z"));
    yes("trait {'v': ' 2024-05-15 '}", &before("2024-05-16"));
    no("trait {'v': 'yesterday'}", &before("2024-05-16"));
    no("trait {'v': 1700000000}", &before("2024-05-16"));
    no("trait {'v': true}", &before("2024-05-16"));
    no("trait {'v': ['2024-05-15']}", &before("2024-05-16"));
    no("trait {'v': null}", &before("2024-05-16"));
}

/// Events are later than 1970; birthdays need not be.
#[test]
fn a_value_may_be_a_time_before_1970() {
    yes("trait {'born': '1956-03-01'}", &trait_("born").before_date("1960-01-01"));
    no("trait {'born': '1963-03-01'}", &trait_("born").before_date("1960-01-01"));
    yes("trait {'born': '1963-03-01'}", &trait_("born").gt("1960-01-01"));
    let newyear = "1960-01-01T00:00:00Z";
    yes("trait {'born': '1956-03-01T00:00:00+01:00'}", &trait_("born").before_date(newyear));
}

#[test]
fn a_path_goes_down_through_objects() {
    let last = |path: &str| event("A").last(property(path));
    is("0 A {'a': {'b': {'c': 1}}}", &last("a.b.c"), &json!(1));
    is("0 A {'a': {'b': {'c': 1}}}", &last("a.b"), &json!({"c": 1}));
    is("0 A {'a': {'b': 1}}", &last("a.b.c"), &json!(null));
    is("0 A {'a': null}", &last("a.b"), &json!(null));
    is("0 A {'a': [{'b': 1}]}", &last("a.b"), &json!(null));
    is("0 A {'a': [5]}", &last("a.0"), &json!(null));
    is("0 A {'a': 'text'}", &last("a.0"), &json!(null));
    is("0 A {'A': 1}", &last("a"), &json!(null));
    is("0 A {'': 1}", &last(""), &json!(1));
    is("0 A {'a.b': 1, 'a': {'b': 2}}", &last(r"a\.b"), &json!(1));
    is("0 A {'a.b': 1, 'a': {'b': 2}}", &last("a.b"), &json!(2));
}

#[test]
fn a_dollar_stands_for_every_element() {
    let unique = |path: &str| event("A").unique(property(path));
    is("0 A {'a': [3, 1]}", &unique("a.$"), &json!([1, 3]));
    is("0 A {'a': [3, 1]}", &unique("a"), &json!([[3, 1]]));
    is("0 A {'a': [{'b': 1}, {'b': 2}, {}, 5]}", &unique("a.$.b"), &json!([1, 2]));
    is("0 A {'a': [[1, 2], [3], 4]}", &unique("a.$.$"), &json!([1, 2, 3]));
    is("0 A {'a': [{'b': [1]}, {'b': [2, 3]}, {'b': 4}]}", &unique("a.$.b.$"), &json!([1, 2, 3]));
    is("0 A {'a': []}", &unique("a.$"), &json!(null));
    is("0 A {'a': 5}", &unique("a.$"), &json!(null));
    is("0 A {'a': {'b': 5}}", &unique("a.$"), &json!(null));
    is("0 A", &unique("a.$"), &json!(null));
    is("0 A {'a': [1, null]}", &event("A").unique_count(property("a.$")), &json!(1));
}

#[test]
fn what_an_element_lacks_is_null() {
    no("trait {'v': [{'b': 1}, {'b': 2}]}", &trait_("v.$.b").absent());
    yes("trait {'v': [{'b': 1}, {}]}", &trait_("v.$.b").absent());
    yes("trait {'v': [{'b': 1}, 5]}", &trait_("v.$.b").absent());
}

#[test]
fn a_page_has_its_name_as_a_property() {
    let name = |of: &str, expected: serde_json::Value| {
        is(of, &event("Page Viewed").last(property("page_name")), &expected);
    };
    name("0 page: Home", json!("Home"));
    name("0 page: Home {'page_name': 'Other'}", json!("Other"));
    name("0 page: Home {'page_name': null}", json!(null));
    name("0 page: Home {'name': 'Third'}", json!("Home"));
    name("0 page:", json!(null));
    name("0 Page Viewed", json!(null));
    name("0 Page Viewed {'page_name': 'Own'}", json!("Own"));
    is("0 page: Home", &event("Page Viewed").last(property("page_name.x")), &json!(null));
    is("0 page: Home", &event("Page Viewed").last(property("page_name.$")), &json!(null));
    is("0 page: Home", &event("Page Viewed").last(property("screen_name")), &json!(null));
    is("0 screen: Cart", &event("Screen Viewed").last(property("screen_name")), &json!("Cart"));
    is("0 screen: Cart", &event("Screen Viewed").last(property("page_name")), &json!(null));
}

#[test]
fn the_context_of_an_event() {
    let of = "0 A {'url': '/a'} {'page': {'url': '/b'}, 'traits': {'email': 'a@b.c'}}";
    is(of, &event("A").last(context("page.url")), &json!("/b"));
    is(of, &event("A").last(context("url")), &json!(null));
    is(of, &event("A").last(context("traits.email")), &json!("a@b.c"));
    is(of, &event("A").given(context("page.url").starts_with("/b")).count(), &json!(1));
}
