use proptest::prelude::*;

use crate::query::testing::{Shape, Words, condition, scalar};
use crate::query::{self, Step};

/// The text of a definition as it is printed.
fn printed(text: &str) -> String {
    query::condition(text).expect("a condition").to_string()
}

/// That the lines are what the text becomes, and stay so.
fn becomes(text: &str, lines: &[&str]) {
    let lines = lines.join("\n");
    assert_eq!(printed(text), lines);
    assert_eq!(printed(&lines), lines);
}

#[test]
fn what_fits_is_one_line() {
    becomes(
        "event(\"A\").within( 7  Days )\n .count().at_least(1)",
        &["event('A').within(7 days).count() >= 1"],
    );
    becomes("not(trait('a')==literal(1))", &["NOT trait('a') = 1"]);
    becomes("((trait('a') = true))", &["trait('a') = true"]);
}

#[test]
fn brackets_stay_where_they_say_something() {
    becomes(
        "(trait('a') > 1 and trait('b') < 1) or trait('c') = 1",
        &["trait('a') > 1 AND trait('b') < 1 OR trait('c') = 1"],
    );
    becomes(
        "trait('a') > 1 and (trait('b') < 1 or trait('c') = 1)",
        &["trait('a') > 1 AND (trait('b') < 1 OR trait('c') = 1)"],
    );
    becomes(
        "trait('a') > 1 and (trait('b') < 1 and trait('c') = 1)",
        &["trait('a') > 1 AND (trait('b') < 1 AND trait('c') = 1)"],
    );
    becomes("NOT (trait('a') > 1 or trait('b') < 1)", &["NOT (trait('a') > 1 OR trait('b') < 1)"]);
}

#[test]
fn what_does_not_fit_is_broken_at_junctions_and_functions() {
    becomes(
        "event('Shoes Bought').where(property('price') >= trait('avg_spend') AND \
         event('Shoes Returned').within(parent: 5 days).count() >= 1).within(30 days).count() >= 1 \
         AND NOT (trait('a') = 'long enough to be broken' OR trait('b') = 'long enough to be broken, too, \
         whatever else stands on its line')",
        &[
            "event('Shoes Bought')",
            "  .where(",
            "    property('price') >= trait('avg_spend')",
            "    AND event('Shoes Returned').within(parent: 5 days).count() >= 1",
            "  )",
            "  .within(30 days)",
            "  .count() >= 1",
            "AND NOT (",
            "  trait('a') = 'long enough to be broken'",
            "  OR trait('b') = 'long enough to be broken, too, whatever else stands on its line'",
            ")",
        ],
    );
}

#[test]
fn a_list_that_does_not_fit_has_a_line_for_each_value() {
    let long = |letter: &str| format!("'{}'", letter.repeat(60));
    let (a, b) = (long("a"), long("b"));
    becomes(
        &format!("trait('x').one_of({a}, {b})"),
        &["trait('x').one_of(", &format!("  {a},"), &format!("  {b}"), ")"],
    );
    becomes(
        &format!("event('A').sources({{exclude: [{a}, {b}]}}).max(property('p')).one_of({a}, {b})"),
        &[
            "event('A')",
            "  .sources({exclude: [",
            &format!("    {a},"),
            &format!("    {b}"),
            "  ]})",
            "  .max(property('p')).one_of(",
            &format!("    {a},"),
            &format!("    {b}"),
            "  )",
        ],
    );
}

#[test]
fn quotes_are_those_that_need_no_escape() {
    becomes(r#"trait('a') = 'it\'s'"#, &[r#"trait('a') = "it's""#]);
    becomes(r#"trait('a') = "so \"it's\"""#, &[r#"trait('a') = 'so "it\'s"'"#]);
    becomes(r"trait('a') = 'a\\b\u0007\n\r\t'", &[r"trait('a') = 'a\\b\u0007\n\r\t'"]);
}

/// Names and texts in which every character that means something stands beside every other.
fn hostile() -> Words {
    let keys =
        [r"\", ".", "$", "'", "\"", r"a\", "a.b", r"a\.", r"\u005c", "\n", "\u{7}", "é", "a b"];
    let key = |key: &str| Step::Key(key.to_owned());
    let mut paths = vec![];
    for first in keys {
        for second in keys {
            paths.push(vec![key(first), Step::Each, key(second)]);
            paths.push(vec![key(first), key(second)]);
            paths.push(vec![key(&format!("{first}{second}"))]);
        }
    }
    let texts = |paths: &[Vec<Step>]| {
        let texts = paths.iter().flatten().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Each => String::new(),
        });
        texts.collect::<Vec<_>>()
    };
    let (texts, events) = (texts(&paths), texts(&paths));
    Words { traits: paths.clone(), properties: paths, texts, events, ..Words::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_condition_is_read_as_it_was_printed(tree in condition(&Shape::default())) {
        let text = tree.to_string();
        let read = query::condition(&text);
        prop_assert_eq!(read.as_ref(), Ok(&tree), "{}", text);
        for line in text.lines() {
            prop_assert!(line.chars().count() <= 100, "{}", text);
        }
    }

    #[test]
    fn a_value_is_read_as_it_was_printed(tree in scalar(&Shape::default())) {
        let text = tree.to_string();
        let read = query::scalar(&text);
        prop_assert_eq!(read.as_ref(), Ok(&tree), "{}", text);
    }

    #[test]
    fn names_of_any_characters_are_read_as_they_were_printed(
        tree in condition(&Shape { words: hostile(), nesting: 0, ..Shape::default() }),
    ) {
        let text = tree.to_string();
        let read = query::condition(&text);
        prop_assert_eq!(read.as_ref(), Ok(&tree), "{}", text);
    }
}
