//! What is read, what it is taken for, and what is said of what cannot be read.

use proptest::prelude::*;

use crate::ParseError;
use crate::query::{self, Condition, Filter, Literal, Relative, Scalar, Step, Test};

fn condition(text: &str) -> Condition {
    query::condition(text).unwrap_or_else(|error| panic!("{error}"))
}

/// That all of these say the same.
fn same(texts: &[&str]) {
    let first = condition(texts[0]);
    for text in texts {
        assert_eq!(condition(text), first, "{text}");
    }
}

/// That a text is refused at the place that is given in the words that stand there.
fn refused(error: &ParseError, text: &str, at: &str, sentence: &str) {
    assert_eq!(error.sentence(), sentence);
    let (start, end) = (error.place.start as usize, error.place.end as usize);
    assert_eq!(text.get(start..end), Some(at), "{text}\n{error}");
}

fn no_condition(text: &str, at: &str, sentence: &str) {
    refused(&query::condition(text).expect_err(text), text, at, sentence);
}

fn no_scalar(text: &str, at: &str, sentence: &str) {
    refused(&query::scalar(text).expect_err(text), text, at, sentence);
}

#[test]
fn the_examples_of_the_language_are_read() {
    for text in [
        "event('Shoes Bought').where( property('price') >= 100 ).within(7 days).count() >= 1",
        "event('Shoes Bought').where( \nproperty('price') >= trait('avg_spend')\nAND \n\
         event('Shoes Returned').within(parent: 5 days).count() >= 1 \n).within(30 days).count() >= 1",
        "NOT ( event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200 )",
        "ALL ( event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200 )",
        "ALL NOT event('Shoes Bought').count() >= 1",
        "ANY event('Shoes Bought').count() >= 1",
        "entity('orders').where(entity('order-products').count() >= 1).count() >= 1",
        "entity('orders').count() >= 1 OR trait('VIP') = 'true'",
        "entity('orders').where(property('total') > 500).count() >= 1",
        "event('A').sources({exclude: ['QgRHeujRJBM9j18yChyC', '/;hSBZDqGDPvXCKHbikPm']}).count() = 1",
        "event('A').sources({exclude: 'QgRHeujRJBM9j18yChyC', '/;hSBZDqGDPvXCKHbikPm'}).count() = 1",
        "event('A').where({property('price_usd') > 100}).count() = 1",
        "event('A').between(7 days, 10 days).where(context('page.url').contains('shoes','shirts')).count() == 1",
        "trait('t').before_date(2023-12-07T18:50:00Z) OR trait('t').before_date('2023-12-07T18:50:00Z')",
        "trait('t') < literal(2022-10-17T00:00:00) or trait('t').after_next(7 days)",
    ] {
        condition(text);
    }
    for text in [
        "event('Shoes Bought').within(30 days).avg(property('spend'))",
        "event('Shoes Bought').where( property('price') > 100 AND property('brand') = 'My Brand' ).min(property('spend'))",
        "event('Shoes Bought').within(30 days).first(property('spend'))",
        "event('Shoes Bought').within(30 days).mode(property('spend'), 2)",
        "event('A').expires_after(1 hour).mode(property('spend') as array, 2)",
        "event('A').max(property('spend') as string)",
        "event('A').this(month, 'Europe/Berlin').unique(property('tags.$'))",
        "event('A').previous(week).unique(property('tags.$')).count()",
    ] {
        query::scalar(text).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn symbols_and_names_are_the_same_tests() {
    same(&["trait('a') = 1", "trait('a') == 1", "trait('a').equals(1)", "trait('a')=literal(1)"]);
    same(&["trait('a') != 'x'", "trait('a').differs(\"x\")"]);
    same(&["trait('a') > 1", "trait('a').greater_than(1)"]);
    same(&["trait('a') >= 1", "trait('a').at_least(literal(1))"]);
    same(&["trait('a') < 1", "trait('a').less_than(1)"]);
    same(&["trait('a') <= 1", "trait('a').at_most(1)"]);
    same(&["trait('a').one_of('a', 'b')", "trait('a').one_of(['a', 'b'])"]);
    same(&["trait('a').contains('a', 'b')", "trait('a').contains(['a', 'b'])"]);
}

#[test]
fn keywords_are_read_in_capitals_or_not() {
    same(&[
        "NOT trait('a') = TRUE AND trait('b').exists() OR ANY trait('c').within_last(1 week)",
        "not (trait('a') = true) and trait('b').exists() or any(trait('c').within_last(1 Weeks))",
        "((Not((trait('a')=true)) And\n\ttrait('b').exists())) oR (Any trait('c').within_last(1\nweek))",
    ]);
}

#[test]
fn and_binds_closer_than_or() {
    same(&[
        "trait('a') = 1 OR trait('b') = 1 AND trait('c') = 1",
        "trait('a') = 1 OR (trait('b') = 1 AND trait('c') = 1)",
    ]);
    assert_ne!(
        condition("(trait('a') = 1 OR trait('b') = 1) AND trait('c') = 1"),
        condition("trait('a') = 1 OR trait('b') = 1 AND trait('c') = 1"),
    );
}

fn steps(text: &str) -> Vec<String> {
    let Condition::Is(comparison) = condition(&format!("trait({text}).exists()")) else {
        panic!("{text}");
    };
    let Scalar::Trait(path) = comparison.value else { panic!("{text}") };
    let name = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Each => "each".to_owned(),
    };
    path.steps.iter().map(name).collect()
}

#[test]
fn a_point_with_backslashes_belongs_to_a_key() {
    assert_eq!(steps("'a.b'"), ["a", "b"]);
    for text in [r"'a\.b.c'", r"'a\\.b.c'", r"'a\\\\.b.c'"] {
        assert_eq!(steps(text), ["a.b", "c"], "{text}");
    }
    assert_eq!(steps(r"'a.$.b'"), ["a", "each", "b"]);
    assert_eq!(steps(r"'a.\\$.$email'"), ["a", "$", "$email"]);
    assert_eq!(steps(r"'a\u005c.b\\c'"), [r"a\", r"b\c"]);
    assert_eq!(steps(r#"'it\'s "\u00e9\ud83d\ude00"'"#), ["it's \"é😀\""]);
    no_condition(
        r"trait('a\\\.b') = 1",
        r"\\\",
        "expected two backslashes before a `.` that belongs to a key (a backslash of a key is \
         written as \\u005c), found 3 backslashes",
    );
    no_condition(
        "trait('a..b') = 1",
        "",
        "expected a key on both sides of each point, found an empty key",
    );
    no_condition(
        "trait('') = 1",
        "",
        "expected a key on both sides of each point, found an empty name",
    );
    no_condition(
        r"trait('a') = 'a\d'",
        r"\d",
        r#"expected one of the escapes \\, \', \", \n, \r, \t and \u with four digits, found `\d`"#,
    );
}

#[test]
fn what_is_written_keeps_its_kind() {
    let right = |text: &str| {
        let Condition::Is(comparison) = condition(&format!("trait('a') = {text}")) else {
            panic!("{text}");
        };
        let Test::Equals(Scalar::Literal(literal)) = comparison.test else { panic!("{text}") };
        literal
    };
    for number in ["0", "-1", "+1.50", "1e3", "1.5E-7", "007"] {
        assert_eq!(right(number), Literal::Number(number.to_owned()));
    }
    assert_eq!(right("'1'"), Literal::Text("1".to_owned()));
    assert_eq!(right("false"), Literal::Bool(false));
    for (text, micros) in [
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T02:00:00.5+02:00", 500_000),
    ] {
        let Literal::Time { text: kept, time } = right(text) else { panic!("{text}") };
        assert_eq!((kept.as_str(), time.micros()), (text, micros));
    }
    no_condition(
        "trait('a') = 2023-13-07",
        "2023-13-07",
        "expected a date as in 2023-12-07, or a time as in 2023-12-07T18:50:00Z, found `2023-13-07`",
    );
}

#[test]
fn windows_count_from_now_or_from_the_parent() {
    let text =
        "event('A').within(parent:5 minutes).between( parent : 1 second , 2 weeks).count() = 0";
    let Condition::Is(comparison) = condition(text) else { panic!("{text}") };
    let Scalar::Reduced(reduce) = comparison.value else { panic!("{text}") };
    let [Filter::Within { span, relative }, Filter::Between { from, to, relative: other }] =
        &reduce.stream.filters[..]
    else {
        panic!("{text}");
    };
    assert_eq!((*relative, *other), (Relative::Parent, Relative::Parent));
    assert_eq!(
        [span.micros(), from.micros(), to.micros()],
        [300_000_000, 1_000_000, 1_209_600_000_000]
    );
}

#[test]
fn places_are_those_of_the_text() {
    let text = "  event('A').where(property('x') = 1).count() >= 1  ";
    let Condition::Is(comparison) = condition(text) else { panic!("{text}") };
    let Scalar::Reduced(reduce) = comparison.value else { panic!("{text}") };
    let part =
        |place: query::Place| text.get(place.start as usize..place.end as usize).expect("a part");
    assert_eq!(part(comparison.place), text.trim());
    assert_eq!(part(reduce.stream.place), "event('A').where(property('x') = 1)");
    let [Filter::Where(Condition::Is(inner))] = &reduce.stream.filters[..] else { panic!() };
    assert_eq!(part(inner.place), "property('x') = 1");
    let Scalar::Property(path) = &inner.value else { panic!() };
    assert_eq!(part(path.place), "'x'");
}

#[test]
fn a_misspelt_name_is_pointed_at_and_the_right_one_told() {
    no_condition(
        "event('A').cuont() >= 1",
        "cuont",
        "expected a filter such as `where` or a function such as `count`, found `cuont`; did you mean `count`?",
    );
    // Two pairs of neighbours that changed places.
    no_condition(
        "event('A').ocutn() >= 1",
        "ocutn",
        "expected a filter such as `where` or a function such as `count`, found `ocutn`; did you mean `count`?",
    );
    no_condition(
        "event('A').Count() >= 1",
        "Count",
        "expected a filter such as `where` or a function such as `count`, found `Count`; did you mean `count`?",
    );
    no_condition(
        "evnt('A').count() >= 1",
        "evnt",
        "expected `event('…')`, `trait('…')`, `property('…')` or `context('…')`, found `evnt`; \
         did you mean `event`?",
    );
    no_condition(
        "trait('A').startswith('x')",
        "startswith",
        "expected a test, such as `exists` or `contains`, found `startswith`; did you mean `starts_with`?",
    );
    no_condition(
        "event('A').within(3 dayz).count() = 1",
        "dayz",
        "expected `seconds`, `minutes`, `hours`, `days` or `weeks`, found `dayz`; did you mean `day`?",
    );
    no_condition(
        "trait('A') = 1 adn trait('b') = 1",
        "adn",
        "expected `AND`, `OR` or the end, found `adn`; did you mean `AND`?",
    );
}

#[test]
fn what_is_missing_is_named() {
    no_condition("", "", "expected a condition, such as `event('…').count() >= 1`, found the end");
    no_condition(
        "event('A') >= 1",
        ">=",
        "expected `.count()` or another function of the events: events are no value by themselves, found `>=`",
    );
    no_condition("event('A').count()", "", "expected a comparison, such as `>= 1`, found the end");
    no_condition(
        "trait('vip') AND trait('b') = 1",
        "AND",
        "expected a comparison, such as `= true` or `.exists()`, found `AND`",
    );
    no_condition("(trait('a') = 1", "", "expected `AND`, `OR` or `)`, found the end");
    no_condition("trait(a) = 1", "a", "expected a name in quotes, found `a`");
    no_condition("trait('a') =", "", "expected a value to compare with, found the end");
    no_condition(
        "5 < trait('a')",
        "5",
        "expected what is tested first, such as `trait('…')`, then the value it is compared with, found `5`",
    );
    no_condition(
        "trait('a') = null",
        "null",
        "expected a value: whether there is one is asked with `.exists()` and `.absent()`, found `null`",
    );
    no_condition(
        "event('A').avg('x') > 1",
        "'x'",
        "expected `property('…')` or `context('…')`, found `'x'`",
    );
    no_condition(
        "trait('a').one_of()",
        ")",
        "expected a text, a number, a date, `true` or `false`, found `)`",
    );
    no_condition(
        "event('A').within(1.5 days).count() = 1",
        "1.5",
        "expected a whole number of seconds, minutes, hours, days or weeks, found `1.5`",
    );
    no_condition(
        "event('A').within(1 month).count() = 1",
        "month",
        "expected `seconds`, `minutes`, `hours`, `days` or `weeks`: other units have no fixed length, found `month`",
    );
}

#[test]
fn what_stands_at_the_wrong_place_is_told_where_it_belongs() {
    no_condition(
        "event('A').exists()",
        "exists",
        "expected a function that makes one value of the events before it is tested, such as `count()`, \
         found `exists`",
    );
    no_condition(
        "event('A').count().within(7 days) >= 1",
        "within",
        "expected a test, such as `exists`: `within` works on events, and this is a value, found `within`",
    );
    no_condition(
        "event('A').unique(property('x')).contains('a')",
        "contains",
        "expected `count()`: of a list, only the number can be tested, found `contains`",
    );
    no_condition(
        "1 = trait('a') = 1",
        "1",
        "expected what is tested first, such as `trait('…')`, then the value it is compared with, found `1`",
    );
    no_condition(
        "trait('a') = trait('b') = 1",
        "=",
        "expected `AND`, `OR` or the end: a comparison has two sides, found `=`",
    );
    no_condition(
        "trait('a').exists().count()",
        ".",
        "expected `AND`, `OR` or the end: a test ends a chain, found `.`",
    );
    no_scalar(
        "event('A').count() >= 1",
        ">=",
        "expected the end: a computed trait is a value, and a comparison makes it a condition, found `>=`",
    );
    no_scalar(
        "NOT trait('a')",
        "NOT",
        "expected a value, such as `event('…').count()`: a computed trait is not a condition, found `NOT`",
    );
    no_scalar(
        "trait('a') AND trait('b')",
        "AND",
        "expected the end: a computed trait is one value, found `AND`",
    );
    no_scalar("event('A').count() x", "x", "expected the end, found `x`");
}

#[test]
fn habits_of_other_languages_are_told_what_is_written_here() {
    no_condition("trait('a') = 1 && trait('b') = 1", "&&", "expected `AND`, found `&&`");
    no_condition("!(trait('a') = 1)", "!", "expected `NOT` or `!=`, found `!`");
    no_condition("trait('a') ≥ 1", "≥", "expected `>=`, found `≥`");
    no_condition(
        "trait('a') = 1 -- one",
        "--",
        "expected a word of the language, which has no comments, found `--`",
    );
    no_condition(
        "trait(‘a’) = 1",
        "‘",
        "expected the quote ' or \", found the typographic quote ‘",
    );
    no_condition(
        "trait('a’) = 1",
        "'a’) = 1",
        "expected a text in '…', found the typographic quote ’ at the end of the text",
    );
    no_condition(
        "trait('a) = 1\nAND trait('b') = 1",
        "'a) = 1",
        "expected a text in '…', found a text that does not end on its line",
    );
}

#[test]
fn an_error_shows_the_line() {
    let error = query::condition("trait('é') = 1\n\tAND evnt('A').count() >= 1").expect_err("evnt");
    expect_test::expect![[r#"
        line 2, column 6:
           AND evnt('A').count() >= 1
               ^^^^
        expected `event('…')`, `trait('…')`, `property('…')` or `context('…')`, found `evnt`; did you mean `event`?"#]]
    .assert_eq(&error.to_string());
    let long = format!("trait('{}') = 1 AND x", "é".repeat(500));
    let shown = query::condition(&long).expect_err("x").to_string();
    assert!(shown.lines().all(|line| line.chars().count() <= 110), "{shown}");
    assert!(shown.contains("^"), "{shown}");
}

#[test]
fn nesting_and_size_are_bounded() {
    let nested =
        |levels: usize| format!("{}trait('a') = 1{}", "(".repeat(levels), ")".repeat(levels));
    condition(&nested(16));
    no_condition(
        &nested(17),
        "(",
        "expected at most 16 levels of brackets, `NOT` and `where`, found `(`, one level of nesting too many",
    );
    for part in ["(", "NOT ", "ANY ", "event('A').where(", "trait('a') = event('A').where("] {
        let text = part.repeat(64 * 1024 / part.len());
        let error = query::condition(&text).expect_err("too deep");
        assert!(error.found.contains("nesting"), "{}", error.sentence());
    }
    let long = format!("trait('{}') = 1", "a".repeat(64 * 1024));
    assert_eq!(
        query::condition(&long).expect_err("too long").sentence(),
        "expected at most 65536 bytes, found 65549 bytes"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Pieces of the language in any order, and other characters between them: an answer comes,
    /// and an error points into the text.
    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(prop_oneof![
        6 => prop::sample::select(vec![
            "event", "trait", "property", "(", ")", "'a'", "'a.$'", ".", "where", "count", "()", "sum",
            "within", "7 days", "parent", ":", ",", ">=", "=", "1", "2026-01-01", "AND", "NOT ", "ANY",
            "[", "]", "{", "}", "exclude", "sources", "as", "number", "unique", "one_of", "literal", "true",
        ]),
        1 => prop::sample::select(vec!["'", "\"", "\\", "\\u12", "‘", "é", "\n", "1.e", "-", "\u{0}", "😀"]),
    ], 0..40)) {
        let text = pieces.concat();
        for error in [query::condition(&text).err(), query::scalar(&text).err()].into_iter().flatten() {
            let (start, end) = (error.place.start as usize, error.place.end as usize);
            prop_assert!(text.get(start..end).is_some(), "{}..{} of {:?}", start, end, text);
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
