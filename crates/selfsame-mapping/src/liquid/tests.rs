use serde_json::json;

use super::Liquid;
use crate::budget::Budget;
use crate::item::Item;

fn check(template: &str, expected: &str) {
    let event = json!({
        "properties": {"a": "Earth", "n": 2.5, "list": [1, 2, 3], "o": {"x": 1}, "at": "2026-11-29T07:05:09.045Z"},
        "userId": "u",
    });
    let liquid =
        Liquid::compile(template).unwrap_or_else(|problem| panic!("{template}: {problem}"));
    let said = liquid.render(&Item::of(&event), &Budget::new());
    assert_eq!(said.as_deref(), Ok(expected), "{template}");
}

fn check_problem(template: &str, expected: &str) {
    assert_eq!(Liquid::compile(template).expect_err(template).to_string(), expected, "{template}");
}

#[test]
fn outputs_tags_and_filters() {
    check("Hello, {{ properties.a }} !", "Hello, Earth !");
    check("{% if properties.a == \"Earth\" %}yes{% else %}no{% endif %}", "yes");
    check("{% unless properties.a %}a{% elsif userId == 'u' %}b{% else %}c{% endunless %}", "b");
    check("{% assign v = 'a,b,c' | split: ',' %}{{ v[1] }}{{ v.last }}{{ v.size }}", "bc3");
    check("{% capture v %}x{{ userId }}{% endcapture %}{{ v | upcase }}", "XU");
    check(
        "{{ properties.list | join: '-' }} {{ properties.list }} {{ (1..3) | join }}",
        "1-2-3 123 1 2 3",
    );
    check("{% raw %}{{ x }}{% endraw %}{% comment %}{{ x }}{% endcomment %}{%# note %}", "{{ x }}");
    check("a \n {{- userId -}} \n b", "aub");
    check("{% increment c %}{% increment c %}{% decrement c %}{{ c }}", "0111");
    check("{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}", "aba");
    check("{{ none | default: 'x' }}{{ false | default: true, allow_false: true }}", "xfalse");
    check(
        "{{ properties.n | times: 2 | plus: 1 }} {{ 7 | divided_by: 2, 1 }} {{ -7 | modulo: 3 }}",
        "6 3 2",
    );
    check("a{% break %}b", "a");
    check("{% liquid\n  assign v = 'l'\n  echo v\n%}", "l");
    check("{{ nothing | no_such_filter }}{{ false and false or true }}", "false");
}

#[test]
fn times_are_written_in_utc_or_the_zone() {
    check("{{ properties.at | date: '%Y-%m-%d %H:%M:%S.%L' }}", "2026-11-29 07:05:09.045");
    check("{{ properties.at | date: '%-I:%M %p %z', 'America/New_York' }}", "2:05 AM -0500");
    check("{{ 1700000000 | date }}", "Tuesday, November 14, 2023 at 10:13 pm +0000");
    check("{{ 'now' | date: '%Y' }}{{ 'no time' | date }}", "nowno time");
}

#[test]
fn problems_point_and_help() {
    check_problem(
        "a {% case x %}",
        "byte 2: expected a tag, found `case`; Segment has disabled it",
    );
    check_problem("{% iff x %}", "byte 0: expected a tag, found `iff`; did you mean `if`?");
    check_problem(
        "{{ x | sort }}",
        "byte 7: expected a filter, found `sort`; Segment has disabled it",
    );
    check_problem(
        "{{ x | sample }}",
        "byte 7: expected a filter, found `sample`; it is left to chance",
    );
    check_problem("{{ x = y }}", "byte 5: expected `|` or the end, found `=`");
    check_problem("{{ x", "byte 0: expected `}}`, found the end of the template");
    check_problem(
        "{% if x %}a",
        "byte 0: expected `endif` behind this tag, found the end of the template",
    );
    let long = "x".repeat(1_001);
    check_problem(&long, "byte 0: expected at most 1000 characters, found 1001");
}

#[test]
fn growth_is_bounded() {
    let doubling = "{% assign v = 'xxxxxxxxxxxxxxxx' %}".to_owned()
        + &"{% assign v = v|append:v %}".repeat(30)
        + "{{v}}";
    let liquid = Liquid::compile(&doubling).expect("a template");
    assert!(liquid.render(&Item::Undefined, &Budget::new()).is_err());
    let liquid = Liquid::compile("{{ (1..1000000000) | size }}").expect("a template");
    assert!(liquid.render(&Item::Undefined, &Budget::new()).is_err());
}
